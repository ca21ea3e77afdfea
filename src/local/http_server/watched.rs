//! Where a connection stands, and a socket that notes it.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, sleep_until},
};

use super::Limits;

/// What has taken too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The next request.
    Idle,
    /// A request's head.
    Head,
    /// A reply, which its client does not read.
    Reply,
}

/// Where a connection stands.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when the client has taken no byte of what is there for it.
    stalled: Option<Instant>,
    /// The status of an answer of hyper's own.
    refused: Option<StatusCode>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Idle { since: Instant },
    Head { since: Instant },
    Reply { since: Instant, until: Option<Instant> },
}

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            phase: Phase::Idle { since: Instant::now() },
            stalled: None,
            refused: None,
        })))
    }
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The status of hyper's own answer, where it has given one.
    pub(super) fn refused(&self) -> Option<StatusCode> {
        self.state().refused
    }

    /// Notes that a request's head is there. Its reply ends when what is returned is dropped.
    pub(super) fn replies(&self) -> Replying {
        let since = Instant::now();
        self.state().phase = Phase::Reply { since, until: None };
        Replying(self.clone())
    }

    /// Waits until a limit has passed. Everything that moves a limit happens on the connection's own task, which polls
    /// this after each step: so each poll looks where the connection stands now.
    pub(super) async fn overdue(&self, limits: &Limits) -> Overdue {
        let mut timer = pin!(sleep_until(Instant::now()));
        poll_fn(|cx| {
            let Some((at, what)) = self.state().next_limit(limits) else {
                return Poll::Pending;
            };
            if timer.deadline() != at {
                timer.as_mut().reset(at);
            }
            timer.as_mut().poll(cx).map(|()| what)
        })
        .await
    }
}

impl State {
    fn next_limit(&self, limits: &Limits) -> Option<(Instant, Overdue)> {
        let phase = match self.phase {
            Phase::Idle { since } => Some((since + limits.idle, Overdue::Idle)),
            Phase::Head { since } => Some((since + limits.head, Overdue::Head)),
            Phase::Reply { until, .. } => until.map(|until| (until, Overdue::Reply)),
        };
        let stalled = self.stalled.map(|since| (since + limits.write, Overdue::Reply));
        phase.into_iter().chain(stalled).min_by_key(|(at, _)| *at)
    }
}

/// A reply under way.
#[derive(Debug)]
pub(super) struct Replying(Progress);

impl Replying {
    /// Notes that the reply is a stream, which may take so long since its request.
    pub(super) fn streams(&self, limit: Duration) {
        if let Phase::Reply { since, until } = &mut self.0.state().phase {
            *until = since.checked_add(limit);
        }
    }
}

impl Drop for Replying {
    fn drop(&mut self) {
        self.0.state().phase = Phase::Idle { since: Instant::now() };
    }
}

/// A client's socket. hyper's own answers, which have no body, are kept from the client, so that it gets one in the form
/// of every other error; and the socket is not shut down, so that there is somewhere to send it.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) client: TcpStream,
    progress: Progress,
}

impl Watched {
    pub(super) fn new(client: TcpStream, progress: Progress) -> Self {
        Self { client, progress }
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.client).poll_read(cx, into))?;
        let mut state = self.progress.state();
        if into.filled().len() > before && matches!(state.phase, Phase::Idle { .. }) {
            state.phase = Phase::Head { since: Instant::now() };
        }
        Poll::Ready(Ok(()))
    }
}

// Not vectored: an answer of hyper's own comes as one write.
impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(status) = status_of_hypers_own(bytes) {
            self.progress.state().refused = Some(status);
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.client).poll_write(cx, bytes);
        let mut state = self.progress.state();
        if written.is_pending() {
            state.stalled.get_or_insert_with(Instant::now);
        } else {
            state.stalled = None;
        }
        drop(state);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The status of an answer that hyper gives by itself: a head of 4xx alone, without the id that each response of the
/// router has.
fn status_of_hypers_own(bytes: &[u8]) -> Option<StatusCode> {
    let head = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?;
    let (version, rest) = head.split_once(' ')?;
    let status = StatusCode::from_bytes(rest.get(..3)?.as_bytes()).ok()?;
    let is_own =
        version.starts_with("HTTP/1.") && status.is_client_error() && !head.to_lowercase().contains("x-request-id:");
    is_own.then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_has_the_limit_of_where_it_stands() {
        let since = Instant::now();
        let after = |seconds| since + Duration::from_secs(seconds);
        let limits = Limits::default();
        let replying = |until| Phase::Reply { since, until };
        for (phase, stalled, expected) in [
            // One without a request may wait for longer than a head may take.
            (Phase::Idle { since }, None, Some((after(60), Overdue::Idle))),
            (Phase::Head { since }, None, Some((after(10), Overdue::Head))),
            (replying(None), None, None),
            (replying(None), Some(since), Some((after(60), Overdue::Reply))),
            (replying(Some(after(901))), None, Some((after(901), Overdue::Reply))),
            (
                replying(Some(after(901))),
                Some(since),
                Some((after(60), Overdue::Reply)),
            ),
            (replying(Some(after(5))), Some(since), Some((after(5), Overdue::Reply))),
        ] {
            let state = State {
                phase,
                stalled,
                refused: None,
            };
            assert_eq!(state.next_limit(&limits), expected, "{state:?}");
        }
    }

    #[test]
    fn only_a_bare_head_of_4xx_is_hypers_own() {
        let own = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        for (bytes, status) in [
            (own, Some(431)),
            ("HTTP/1.1 400 Bad Request\r\nx-request-id: a\r\n\r\n", None),
            ("HTTP/1.1 400 Bad Request\r\n\r\n{}", None),
            ("HTTP/1.1 200 OK\r\n\r\n", None),
            ("5\r\nHello\r\n\r\n", None),
            ("", None),
        ] {
            let found = status_of_hypers_own(bytes.as_bytes());
            assert_eq!(found.map(|status| status.as_u16()), status, "{bytes}");
        }
    }
}
