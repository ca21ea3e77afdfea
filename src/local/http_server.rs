//! An HTTP/1.1 server that outlives its clients: what they send slowly, wrongly or not at all, and what they do not read,
//! ends in time.
//!
//! Each connection is one task. hyper speaks HTTP, [`watched`] notes where the connection stands, and the task ends it
//! when a limit has passed.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use async_stream::stream;
use axum::{
    Router,
    body::{Body, HttpBody},
    extract::Request,
    http::StatusCode,
    response::Response,
};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinSet,
    time::{sleep, timeout},
};
use tower::ServiceExt;

mod refusal;
mod watched;

use crate::{error::Error, stop::Stop, way_in::PeerAddress};
use refusal::refusal;
use watched::{Overdue, Progress, Watched};

/// How long the server waits before it accepts again where it has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a connection is read on after its last answer. Closed with bytes unread it would be reset, and the client
/// might never see the answer (RFC 9112, section 9.6, read in November 2026).
const LINGER: Duration = Duration::from_secs(1);

/// How long a connection may take for what.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the first byte of a request's head to its last.
    pub head: Duration,
    /// The longest silence within a request's body.
    pub body_silence: Duration,
    /// Without any request.
    pub idle: Duration,
    /// The longest time in which a client takes no byte of a reply.
    pub write: Duration,
    /// A streamed reply, from its request to its last byte.
    pub stream: Duration,
    /// The end of all connections when the server is asked to stop.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body_silence: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            write: Duration::from_secs(60),
            // As on Lambda at most, and a little for the last event.
            stream: Duration::from_secs(901),
            stop: Duration::from_secs(3),
        }
    }
}

/// Serves until `stop`. Then no connection is accepted any more, and those that are there have [`Limits::stop`] to end.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: Stop) {
    let limits = Arc::new(limits);
    let mut connections = JoinSet::new();
    let mut stopped = Box::pin(stop.clone().requested());
    loop {
        tokio::select! {
            () = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    connections.spawn(connection(client, router.clone(), Arc::clone(&limits), stop.clone()));
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(limits.stop, ended).await;
    connections.shutdown().await;
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(client: TcpStream, router: Router, limits: Arc<Limits>, stop: Stop) {
    let peer = client.peer_addr().ok().map(|peer| PeerAddress(peer.ip()));
    let _ = client.set_nodelay(true);
    let progress = Progress::default();
    let service = service_fn(|request| {
        let (router, limits, stop) = (router.clone(), Arc::clone(&limits), stop.clone());
        respond(router, with_peer(request, peer), limits, progress.clone(), stop)
    });
    let io = TokioIo::new(Watched::new(client, progress.clone()));
    // hyper's own limit for a head counts the time before its first byte too, so an idle connection could live no longer.
    let mut http = http1::Builder::new().serve_connection(io, service);
    let mut stopped = Box::pin(stop.clone().requested());
    let mut stopping = false;
    let refused = loop {
        tokio::select! {
            // In this order: the connection's own progress is noted before the limits are looked at.
            biased;
            ended = &mut http => {
                let is_not_http = ended.is_err_and(|error| error.is_parse());
                break progress.refused().or(is_not_http.then_some(StatusCode::BAD_REQUEST));
            }
            () = &mut stopped, if !stopping => {
                stopping = true;
                Pin::new(&mut http).graceful_shutdown();
            }
            overdue = progress.overdue(&limits) => match overdue {
                Overdue::Head => break Some(StatusCode::REQUEST_TIMEOUT),
                Overdue::Idle => return,
                Overdue::Reply => {
                    // Nothing of what the client does not read is kept for it.
                    let _ = http.into_parts().io.into_inner().client.set_zero_linger();
                    return;
                }
            }
        }
    };
    let client = http.into_parts().io.into_inner().client;
    let answer = match refused {
        Some(status) => refusal::bytes(refusal(Error::unreadable(status, &limits))).await,
        None => Vec::new(),
    };
    let _ = timeout(LINGER, take_leave(client, &answer)).await;
}

/// Sends the last answer and waits until the client has closed the connection.
async fn take_leave(mut client: TcpStream, answer: &[u8]) -> io::Result<()> {
    client.write_all(answer).await?;
    client.shutdown().await?;
    while client.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}

fn with_peer<B>(mut request: hyper::Request<B>, peer: Option<PeerAddress>) -> hyper::Request<B> {
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    request
}

/// A request's response, from the router or, where that cannot answer in time, from here.
async fn respond(
    router: Router,
    request: hyper::Request<Incoming>,
    limits: Arc<Limits>,
    progress: Progress,
    stop: Stop,
) -> Result<Response<impl HttpBody<Data = bytes::Bytes, Error = axum::Error>>, Infallible> {
    let replying = progress.replies();
    let silent = Arc::new(Notify::new());
    let mut request: Request = request.map(|body| watched_body(body, limits.body_silence, Arc::clone(&silent)));
    request.extensions_mut().insert(stop.clone());
    let response = tokio::select! {
        biased;
        Ok(response) = router.oneshot(request) => response,
        () = silent.notified() => refusal(Error::unreadable(StatusCode::REQUEST_TIMEOUT, &limits)),
        // Half of the time is for what can end by itself.
        () = async { stop.requested().await; sleep(limits.stop / 2).await } => refusal(Error::Stopped),
    };
    if response.body().size_hint().exact().is_none() {
        replying.streams(limits.stream);
    }
    // Held by the body, it is dropped with it.
    Ok(response.map(|body| {
        body.map_err(move |error| {
            let _ = &replying;
            error
        })
    }))
}

/// The body, which notifies `silent` and never ends where nothing of it comes for too long.
fn watched_body(body: Incoming, limit: Duration, silent: Arc<Notify>) -> Body {
    if body.is_end_stream() {
        return Body::empty();
    }
    let mut pieces = body.into_data_stream();
    Body::from_stream(stream! {
        loop {
            match timeout(limit, pieces.next()).await {
                Ok(Some(piece)) => yield piece,
                Ok(None) => break,
                Err(_) => {
                    silent.notify_one();
                    std::future::pending::<()>().await;
                }
            }
        }
    })
}
