//! The moment by which a reply must be over.

use std::{
    future::Future,
    time::{Duration, Instant, SystemTime},
};

use crate::error::ProviderError;

/// Without a function's deadline (a local run) a reply may take as long as on Lambda at most.
const LONGEST: Duration = Duration::from_secs(900);
/// Kept back from the function's own deadline, for the last event, the log and what else is written at a reply's end.
const MARGIN: Duration = Duration::from_secs(1);

/// A point in time, and how long before the function's own deadline it lies.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    margin: Duration,
}

impl Deadline {
    /// The function's own deadline less a margin (a quarter of a short time). One that has passed already counts as none:
    /// emulators such as cargo-lambda's send a constant.
    pub fn new(function: Option<SystemTime>) -> Self {
        let remaining = function.and_then(|at| at.duration_since(SystemTime::now()).ok());
        let (remaining, margin) = match remaining {
            Some(remaining) => {
                let margin = MARGIN.min(remaining / 4);
                (remaining.saturating_sub(margin), margin)
            }
            None => (LONGEST, MARGIN),
        };
        Self {
            at: Instant::now() + remaining,
            margin,
        }
    }

    /// This, but not later than `limit` after `started`.
    pub fn limited(self, started: Instant, limit: Option<Duration>) -> Self {
        let end = limit.and_then(|limit| started.checked_add(limit));
        Self {
            at: end.map_or(self.at, |end| end.min(self.at)),
            ..self
        }
    }

    /// What is kept back behind it for the reply's end.
    pub fn margin(self) -> Duration {
        self.margin
    }

    /// How long there is left, zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Waits for `step`, for `idle` or up to the deadline, whichever ends first.
    ///
    /// # Errors
    /// [`crate::error::Failure::TimedOut`] saying which it was.
    pub async fn within<T>(self, idle: Duration, step: impl Future<Output = T>) -> Result<T, ProviderError> {
        let limit = idle.min(self.remaining());
        tokio::time::timeout(limit, step).await.map_err(|_| {
            let cause = if limit < idle {
                "the reply's deadline"
            } else {
                "the provider was silent for too long"
            };
            ProviderError::timed_out(cause)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_of_limit_and_function_counts() {
        let seconds = Duration::from_secs;
        let at = |secs| Deadline::new(Some(SystemTime::now() + seconds(secs)));
        let about = |deadline: Deadline, expected: u64| {
            let remaining = deadline.remaining();
            assert!(
                remaining <= seconds(expected) && remaining + Duration::from_millis(500) > seconds(expected),
                "{remaining:?}"
            );
        };
        let now = Instant::now();
        about(at(30), 29);
        about(at(30).limited(now, None), 29);
        about(at(30).limited(now, Some(seconds(10))), 10);
        about(at(30).limited(now, Some(seconds(6))), 6);
        about(at(4).limited(now, Some(seconds(10))), 3);
        about(Deadline::new(None).limited(now, Some(Duration::MAX)), 900);
        about(Deadline::new(Some(SystemTime::UNIX_EPOCH)), 900);
        about(Deadline::new(Some(SystemTime::now() - seconds(1))), 900);
        assert_eq!(at(30).limited(now, Some(seconds(10))).margin(), seconds(1));
    }
}
