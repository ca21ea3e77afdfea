//! What is read from elsewhere, kept, and read again: Secrets Manager's secrets, an issuer's keys, the role's credentials.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use futures_util::{FutureExt, future::BoxFuture};
use secrecy::SecretString;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::error::Error;

/// The longest time that a reading may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause after a first reading that failed. Each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A client with time limits that suit a request that waits for it.
pub(crate) fn secrets_client(aws: &SdkConfig) -> aws_sdk_secretsmanager::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(READ_TIMEOUT)
        .build();
    let config = aws_sdk_secretsmanager::config::Builder::from(aws)
        .timeout_config(timeouts)
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}

/// The text of the secret with this name or ARN.
///
/// # Errors
/// The cause, for the log.
pub(crate) async fn read_secret(client: aws_sdk_secretsmanager::Client, id: String) -> Result<SecretString, String> {
    let output = client.get_secret_value().secret_id(id).send().await;
    let output = output.map_err(|error| {
        let error = error.into_service_error();
        error.meta().code().unwrap_or("no answer").to_owned()
    })?;
    let text = output.secret_string.ok_or("it holds no text")?;
    Ok(text.into())
}

/// A value that is read when it is first needed, and again when a caller needs a newer one.
///
/// - A caller for whom the known value is good enough gets it at once, whatever else goes on.
/// - All others share one reading. It goes on when the caller who began it goes away.
/// - The first reading may be followed at once by a second. From then on `again_after` lies between two readings.
///   First readings that fail are repeated after a second, then two, and so on up to `again_after`.
/// - What was read stays valid while it cannot be read again.
pub(crate) struct Reread<T> {
    /// What is read, for the log.
    what: &'static str,
    again_after: Duration,
    read: Box<dyn Fn() -> Reading<T> + Send + Sync>,
    state: Arc<Mutex<State<T>>>,
}

type Reading<T> = BoxFuture<'static, Result<T, String>>;

/// What is known, whether or not it is what the caller needs.
#[derive(Debug)]
pub(crate) struct Known<T> {
    /// The value, as it was last read.
    pub value: Arc<T>,
    /// Whether the last reading failed: a value that the caller misses may be there by now.
    pub stale: bool,
}

struct State<T> {
    known: Option<Arc<T>>,
    /// The cause, where the last reading failed.
    failure: Option<String>,
    /// How many readings failed before the first that did not.
    first_failures: u32,
    /// Closed when the last reading has ended.
    ended: Option<watch::Receiver<()>>,
    /// No reading begins before this.
    not_before: Option<Instant>,
}

impl<T: Send + Sync + 'static> Reread<T> {
    /// Reads nothing yet. `read` returns the value or the cause, for the log, without any of the text that was read.
    pub(crate) fn new<R>(
        what: &'static str,
        again_after: Duration,
        read: impl Fn() -> R + Send + Sync + 'static,
    ) -> Self
    where
        R: Future<Output = Result<T, String>> + Send + 'static,
    {
        Self {
            what,
            again_after,
            read: Box::new(move || read().boxed()),
            state: Arc::new(Mutex::new(State {
                known: None,
                failure: None,
                first_failures: 0,
                ended: None,
                not_before: None,
            })),
        }
    }

    /// The same with a value that has been read already.
    pub(crate) fn knowing(self, value: T) -> Self {
        lock(&self.state).known = Some(Arc::new(value));
        self
    }

    /// The known value where it `is_good` enough. Otherwise what is known after a reading, or without one if it is too
    /// early for it; that value may be no better.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where nothing has been read yet.
    pub(crate) async fn get(&self, is_good: impl Fn(&T) -> bool) -> Result<Known<T>, Error> {
        let ended = {
            let mut state = lock(&self.state);
            if let Some(value) = state.known.as_ref().filter(|value| is_good(value)) {
                let (value, stale) = (Arc::clone(value), state.failure.is_some());
                return Ok(Known { value, stale });
            }
            self.reading(&mut state)
        };
        if let Some(mut ended) = ended {
            // Nothing is ever sent: it fails when the reading ends, even by a panic.
            let _ = ended.changed().await;
        }
        let state = lock(&self.state);
        let cause = state.failure.as_deref();
        match &state.known {
            Some(value) => Ok(Known {
                value: Arc::clone(value),
                stale: cause.is_some(),
            }),
            None => Err(Error::Unavailable {
                cause: format!("{} could not be read: {}", self.what, cause.unwrap_or_default()),
            }),
        }
    }

    /// The reading that is going on, or a new one unless it is too early for it.
    fn reading(&self, state: &mut State<T>) -> Option<watch::Receiver<()>> {
        let going_on = state.ended.as_ref().filter(|ended| ended.has_changed().is_ok());
        if going_on.is_some() {
            return going_on.cloned();
        }
        if state.not_before.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        // It has failed until it has not, so that one that dies needs no care.
        state.failed("the reading broke off".into(), self.again_after);
        let (end, ended) = watch::channel(());
        state.ended = Some(ended.clone());
        let (what, again_after) = (self.what, self.again_after);
        let (read, state) = ((self.read)(), Arc::clone(&self.state));
        tokio::spawn(async move {
            let read = timeout(READ_TIMEOUT, read).await;
            let read = read.unwrap_or_else(|_| Err(format!("it took longer than {READ_TIMEOUT:?}")));
            lock(&state).end(what, read, again_after);
            drop(end);
        });
        Some(ended)
    }
}

impl<T> State<T> {
    fn failed(&mut self, cause: String, again_after: Duration) {
        let pause = match self.known {
            Some(_) => again_after,
            None => FIRST_PAUSE
                .saturating_mul(2_u32.saturating_pow(self.first_failures))
                .min(again_after),
        };
        self.failure = Some(cause);
        self.not_before = Some(Instant::now() + pause);
    }

    fn end(&mut self, what: &str, read: Result<T, String>, again_after: Duration) {
        match read {
            Ok(value) => {
                let first = self.known.replace(Arc::new(value)).is_none();
                self.failure = None;
                self.not_before = (!first).then(|| Instant::now() + again_after);
            }
            Err(cause) => {
                if self.known.is_some() {
                    tracing::warn!(cause, "{what} could not be read again");
                }
                self.failed(cause, again_after);
                self.first_failures = self.first_failures.saturating_add(1);
            }
        }
    }
}

impl<T> fmt::Debug for Reread<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Reread({})", self.what)
    }
}

/// The lock is held for a look or a change, never while something is read.
fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    const AGAIN_AFTER: Duration = Duration::from_secs(60);

    /// What a reading does.
    #[derive(Clone, Copy)]
    enum Does {
        /// Returns its own number, 1 for the first, after a moment.
        Read,
        Fail,
        Hang,
        Die,
    }

    /// A cache, what its next readings do, and how many have begun.
    struct Setup {
        cache: Arc<Reread<usize>>,
        does: Arc<Mutex<Does>>,
        readings: Arc<AtomicUsize>,
    }

    impl Setup {
        fn new(first: Does) -> Self {
            let (does, readings) = (Arc::new(Mutex::new(first)), Arc::new(AtomicUsize::new(0)));
            let cache = Reread::new("the number", AGAIN_AFTER, {
                let (does, readings) = (Arc::clone(&does), Arc::clone(&readings));
                move || {
                    let (does, number) = (*does.lock().unwrap(), readings.fetch_add(1, Ordering::Relaxed) + 1);
                    async move {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        match does {
                            Does::Read => Ok(number),
                            Does::Fail => Err("it is not there".into()),
                            Does::Hang => std::future::pending().await,
                            Does::Die => panic!("a reading that dies"),
                        }
                    }
                }
            });
            let cache = Arc::new(cache);
            Self { cache, does, readings }
        }

        fn then(&self, does: Does) {
            *self.does.lock().unwrap() = does;
        }

        fn readings(&self) -> usize {
            self.readings.load(Ordering::Relaxed)
        }

        /// The number for a caller who needs this one at least, and whether it is stale; `None` for an error.
        async fn get(&self, at_least: usize) -> Option<(usize, bool)> {
            let known = self.cache.get(|number| *number >= at_least).await.ok()?;
            Some((*known.value, known.stale))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_known_value_is_served_while_a_reading_hangs() {
        let setup = Setup::new(Does::Read);
        assert_eq!(setup.get(1).await, Some((1, false)));
        setup.then(Does::Hang);
        let waiting = setup.get(2);
        tokio::pin!(waiting);
        assert!(futures_util::poll!(&mut waiting).is_pending());
        let known = setup.get(1).now_or_never().flatten();
        assert_eq!(known.map(|(number, _)| number), Some(1));
        // The reading is given up.
        assert_eq!(waiting.await, Some((1, true)));
        assert_eq!(setup.readings(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_share_a_reading() {
        let setup = Setup::new(Does::Read);
        let all = join_all((0..10).map(|_| setup.get(1))).await;
        assert_eq!(all, [Some((1, false)); 10]);
        let all = join_all((0..10).map(|_| setup.get(2))).await;
        assert_eq!(all, [Some((2, false)); 10]);
        assert_eq!(setup.readings(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn after_the_second_one_a_reading_waits_for_its_time() {
        let setup = Setup::new(Does::Read);
        setup.get(1).await;
        assert_eq!(setup.get(2).await, Some((2, false)));
        for _ in 0..3 {
            assert_eq!(setup.get(9).await, Some((2, false)));
            tokio::time::advance(AGAIN_AFTER / 4).await;
        }
        tokio::time::advance(AGAIN_AFTER / 4).await;
        assert_eq!(setup.get(9).await, Some((3, false)));
        assert_eq!(setup.get(9).await, Some((3, false)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_that_was_given_may_be_followed_by_a_reading_at_once() {
        let setup = Setup::new(Does::Read);
        let Setup { cache, readings, .. } = setup;
        let cache = Arc::into_inner(cache).unwrap().knowing(0);
        assert_eq!(*cache.get(|_| true).await.unwrap().value, 0);
        assert_eq!(readings.load(Ordering::Relaxed), 0);
        assert_eq!(*cache.get(|number| *number == 1).await.unwrap().value, 1);
        assert_eq!(*cache.get(|number| *number == 2).await.unwrap().value, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn first_readings_that_fail_back_off() {
        for fails in [Does::Fail, Does::Hang, Does::Die] {
            let setup = Setup::new(fails);
            assert_eq!(setup.get(1).await, None);
            // Too early: an error at once.
            assert_eq!(setup.get(1).now_or_never(), Some(None));
            assert_eq!(setup.readings(), 1);
            tokio::time::advance(FIRST_PAUSE).await;
            setup.then(Does::Read);
            assert_eq!(setup.get(1).await, Some((2, false)));
        }
        let setup = Setup::new(Does::Fail);
        for _ in 0..3600 {
            setup.get(1).await;
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        // After 1, 2, 4, 8, 16 and 32 seconds, then each minute.
        let count = setup.readings();
        assert!((60..=66).contains(&count), "{count}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_holds_while_it_cannot_be_read_again() {
        for fails in [Does::Fail, Does::Hang, Does::Die] {
            let setup = Setup::new(Does::Read);
            setup.get(1).await;
            setup.then(fails);
            assert_eq!(setup.get(2).await, Some((1, true)));
            assert_eq!(setup.get(2).now_or_never(), Some(Some((1, true))));
            assert_eq!(setup.readings(), 2);
            setup.then(Does::Read);
            tokio::time::advance(AGAIN_AFTER).await;
            assert_eq!(setup.get(2).await, Some((3, false)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reading_outlives_the_caller_who_began_it() {
        let setup = Setup::new(Does::Read);
        assert_eq!(setup.get(1).now_or_never(), None);
        assert_eq!(setup.get(1).await, Some((1, false)));
        assert_eq!(setup.readings(), 1);
    }

    #[tokio::test]
    async fn a_cache_shows_no_value() {
        let cache = Reread::new("the keys", AGAIN_AFTER, || async { Ok("sk-secret") }).knowing("sk-secret");
        assert_eq!(format!("{cache:?}"), "Reread(the keys)");
    }
}
