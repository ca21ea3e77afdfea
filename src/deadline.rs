//! The moment by which a reply must be over.

use std::{
    future::Future,
    time::{Duration, Instant, SystemTime},
};

use crate::error::ProviderError;

/// Without a function's deadline (a local run) a reply may take as long as on Lambda at most.
const LONGEST: Duration = Duration::from_secs(900);
/// Kept back from the function's own deadline, for the last event and the log.
const MARGIN: Duration = Duration::from_secs(1);

/// A point in time.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// The function's own deadline less a margin (a quarter of a short time).
    pub fn new(function: Option<SystemTime>) -> Self {
        let remaining = match function {
            Some(at) => {
                let remaining = at.duration_since(SystemTime::now()).unwrap_or_default();
                remaining.saturating_sub(MARGIN.min(remaining / 4))
            }
            None => LONGEST,
        };
        Self(Instant::now() + remaining)
    }

    /// This, but not later than `limit` after `started`.
    pub fn limited(self, started: Instant, limit: Option<Duration>) -> Self {
        let end = limit.and_then(|limit| started.checked_add(limit));
        Self(end.map_or(self.0, |end| end.min(self.0)))
    }

    /// How long there is left, zero when it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Waits for `step`, for `idle` or up to the deadline, whichever ends first.
    ///
    /// # Errors
    /// [`ProviderError::TimedOut`] saying which it was.
    pub async fn within<T>(self, idle: Duration, step: impl Future<Output = T>) -> Result<T, ProviderError> {
        let limit = idle.min(self.remaining());
        tokio::time::timeout(limit, step).await.map_err(|_| {
            let cause = if limit < idle {
                "the reply's deadline"
            } else {
                "the provider was silent for too long"
            };
            ProviderError::TimedOut { cause: cause.into() }
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
        let past = Deadline::new(Some(SystemTime::now() - seconds(1)));
        assert_eq!(past.remaining(), Duration::ZERO);
    }
}
