//! Whether a request may be answered, by the limits of its assistant.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeValue, ReturnValue},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use time::{Date, OffsetDateTime};

use super::{
    UsageTable,
    counter::{Counter, NotCounted, Taken, Window, day_ends_in, is_throttling},
};
use crate::{
    assistant::store::{number, unavailable},
    error::Error,
    limit::{Bound, Limit, Limits, RateLimit},
    log,
    token::sha256,
    way_in::Caller,
};

/// The item that counts an assistant's requests.
const LIVE: &str = "live";
/// How many refusals an environment remembers at most.
const MAX_REMEMBERED: usize = 10_000;
/// How long a day's salt is kept, in days: then nobody can tell whose the callers' hashes were.
const SALT_DAYS: i64 = 2;

/// Checks limits, and remembers what is over them.
#[derive(Debug)]
pub(crate) struct Limiter {
    counter: Option<Counter>,
    /// Until when a limit is over. What is in here costs no call.
    refused: Mutex<HashMap<Refusal, OffsetDateTime>>,
    salt: Mutex<Option<(Date, String)>>,
}

/// Who asks, and what holds for them.
pub(crate) struct Asking<'a> {
    pub(crate) assistant_id: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) fail_closed: bool,
    pub(crate) caller: Caller,
}

/// A limit that is over. By its value too: once it is raised, there is room.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Refusal {
    assistant_id: String,
    limit: Limit,
    value: u64,
    /// The hash of the one caller whose limit is over.
    caller: Option<String>,
}

impl Limiter {
    /// Without a table no limit that is counted can be kept.
    pub(crate) fn new(table: Option<UsageTable>) -> Self {
        Self {
            counter: table.map(Counter::new),
            refused: Mutex::default(),
            salt: Mutex::default(),
        }
    }

    /// Lets a request in, counted against its limits, or refuses it. Returns what is left of the tightest limit on requests.
    /// Without counted limits no call is made.
    ///
    /// # Errors
    /// [`Error::LimitReached`] and [`Error::NotCounted`]; [`Error::Misconfigured`] without a table; [`Error::Unavailable`]
    /// where the table cannot be reached and the assistant's limits fail closed.
    pub(crate) async fn admit(&self, asking: &Asking<'_>) -> Result<Option<RateLimit>, Error> {
        let Some(first) = asking.limits.counted().next() else {
            return Ok(None);
        };
        let Some(counter) = &self.counter else {
            return Err(Error::NotSetUp(format!(
                "`{}` needs a table that counts requests. The operator has to set `USAGE_TABLE`.",
                first.source
            )));
        };
        self.recall(asking)?;
        let now = OffsetDateTime::now_utc();
        match self.count(counter, asking, now).await {
            Ok(left) => Ok(left),
            Err(Refused::Over(error)) => Err(error),
            Err(Refused::Unreachable(cause)) if asking.fail_closed => Err(Error::Unavailable { cause }),
            Err(Refused::Unreachable(cause)) => {
                tracing::warn!(
                    target: log::METRICS,
                    assistant_id = asking.assistant_id,
                    cause,
                    fault = "limits_not_checked",
                    "the limits could not be checked, and the request is answered (`limits_fail` is open)"
                );
                Ok(None)
            }
        }
    }

    /// Whether a limit is known to be over. No call is made.
    ///
    /// # Errors
    /// [`Error::LimitReached`].
    pub(crate) fn recall(&self, asking: &Asking<'_>) -> Result<(), Error> {
        let now = OffsetDateTime::now_utc();
        for bound in asking.limits.counted() {
            let caller = if bound.limit == Limit::RequestsPerMinutePerCaller {
                let Some(salt) = self.known_salt(now) else { continue };
                Some(caller_hash(&salt, &asking.caller))
            } else {
                None
            };
            self.check_remembered(&Refusal::of(asking, bound, caller), bound, now)?;
        }
        Ok(())
    }

    /// What costs least comes first, and the assistant's own count last: a caller's refusal must not use it up. Nor does the
    /// assistant's use up the caller's, which is given back.
    async fn count(
        &self,
        counter: &Counter,
        asking: &Asking<'_>,
        now: OffsetDateTime,
    ) -> Result<Option<RateLimit>, Refused> {
        if let Some(bound) = asking.limits.get(Limit::TokensPerDay) {
            let used = counter.table().tokens_of(asking.assistant_id, now.date()).await?;
            if used >= bound.value {
                let refusal = Refusal::of(asking, bound, None);
                return Err(self.refuse(refusal, bound, day_ends_in(now), now).into());
            }
        }
        let (mut left, mut of_caller) = (Vec::new(), None);
        if let Some(bound) = asking.limits.get(Limit::RequestsPerMinutePerCaller) {
            let salt = self.salt_of(counter.table(), now).await?;
            let caller = caller_hash(&salt, &asking.caller);
            let taken = Taken {
                period: format!("caller#{caller}"),
                windows: vec![Window::minute(bound)],
                at: now,
            };
            left = self.take(counter, asking, &taken, Some(caller.clone())).await?;
            of_caller = Some((taken, Refusal::of(asking, bound, Some(caller))));
        }
        let minute = asking.limits.get(Limit::RequestsPerMinute).map(Window::minute);
        let day = asking.limits.get(Limit::RequestsPerDay).map(Window::day);
        let taken = Taken {
            period: LIVE.to_owned(),
            windows: minute.into_iter().chain(day).collect(),
            at: now,
        };
        if !taken.windows.is_empty() {
            match (self.take(counter, asking, &taken, None).await, of_caller) {
                (Ok(more), _) => left.extend(more),
                (Err(refused), None) => return Err(refused),
                (Err(refused), Some((taken, refusal))) => {
                    counter.table().give_back(asking.assistant_id, &taken).await;
                    // There is room again.
                    self.forget(&refusal);
                    return Err(refused);
                }
            }
        }
        Ok(left.into_iter().min_by_key(|left| left.remaining))
    }

    async fn take(
        &self,
        counter: &Counter,
        asking: &Asking<'_>,
        taken: &Taken,
        caller: Option<String>,
    ) -> Result<Vec<RateLimit>, Refused> {
        let Taken { period, windows, at } = taken;
        let counts = match counter.take(asking.assistant_id, period, windows, *at).await {
            Ok(counts) => counts,
            Err(NotCounted::Full(window)) => {
                let refusal = Refusal::of(asking, window.bound, caller);
                return Err(self.refuse(refusal, window.bound, window.ends_in(*at), *at).into());
            }
            Err(NotCounted::Throttled) => return Err(Error::NotCounted.into()),
            Err(NotCounted::Unreachable(cause)) => return Err(Refused::Unreachable(cause)),
        };
        let left = windows.iter().zip(counts).map(|(window, count)| RateLimit {
            limit: window.bound.value,
            remaining: window.bound.value.saturating_sub(count),
            reset: window.ends_in(*at),
        });
        Ok(left.collect())
    }

    /// Remembers a refusal until its window ends. The first one of a window is told to the operator.
    fn refuse(&self, refusal: Refusal, bound: Bound, ends_in: u64, now: OffsetDateTime) -> Error {
        let until = end_of_window(now, ends_in);
        let of_anybody = Refusal {
            caller: None,
            ..refusal.clone()
        };
        let assistant_id = refusal.assistant_id.clone();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MAX_REMEMBERED {
            refused.retain(|_, until| *until > now);
            if refused.len() >= MAX_REMEMBERED {
                refused.clear();
            }
        }
        let told_until = refused.insert(of_anybody, until);
        refused.insert(refusal, until);
        drop(refused);
        if told_until.is_none_or(|told_until| told_until <= now) {
            tracing::warn!(
                assistant_id,
                limit = bound.source,
                value = bound.value,
                ends_in_seconds = ends_in,
                "a limit is reached"
            );
        }
        Error::LimitReached { bound, ends_in }
    }

    fn forget(&self, refusal: &Refusal) {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(refusal);
    }

    fn check_remembered(&self, refusal: &Refusal, bound: Bound, now: OffsetDateTime) -> Result<(), Error> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match refused.get(refusal) {
            Some(until) if *until > now => {
                let ends_in = (*until - now).whole_seconds().try_into().unwrap_or(1).max(1);
                Err(Error::LimitReached { bound, ends_in })
            }
            _ => Ok(()),
        }
    }

    fn known_salt(&self, now: OffsetDateTime) -> Option<String> {
        let known = self.salt.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .as_ref()
            .filter(|(day, _)| *day == now.date())
            .map(|(_, salt)| salt.clone())
    }

    /// The day's salt, which all environments share.
    async fn salt_of(&self, table: &UsageTable, now: OffsetDateTime) -> Result<String, Refused> {
        if let Some(salt) = self.known_salt(now) {
            return Ok(salt);
        }
        let today = now.date();
        let salt = table.salt_of(today, now).await?;
        *self.salt.lock().unwrap_or_else(PoisonError::into_inner) = Some((today, salt.clone()));
        Ok(salt)
    }
}

/// When a window ends that has so many whole seconds left: windows begin with a second, whatever part of one has passed.
fn end_of_window(now: OffsetDateTime, ends_in: u64) -> OffsetDateTime {
    let second = now.replace_nanosecond(0).unwrap_or(now);
    second + time::Duration::seconds(ends_in.try_into().unwrap_or(i64::MAX))
}

/// What a caller is counted by.
fn caller_hash(salt: &str, caller: &Caller) -> String {
    sha256(&format!("{salt} {}", caller.network()))
}

impl Refusal {
    fn of(asking: &Asking, bound: Bound, caller: Option<String>) -> Self {
        Self {
            assistant_id: asking.assistant_id.to_owned(),
            limit: bound.limit,
            value: bound.value,
            caller,
        }
    }
}

/// Why a request is not let in, or not yet.
enum Refused {
    Over(Error),
    /// The table cannot be reached: the assistant's settings say what then.
    Unreachable(String),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Over(error)
    }
}

impl UsageTable {
    /// The tokens that an assistant has used on a day.
    async fn tokens_of(&self, assistant_id: &str, day: Date) -> Result<u64, Refused> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("assistant_id", AttributeValue::S(assistant_id.to_owned()))
            .key("period", AttributeValue::S(day.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(not_read)?;
        let counts = super::Counts::of_item(&output.item.unwrap_or_default());
        Ok(counts.prompt_tokens.saturating_add(counts.completion_tokens))
    }

    /// The day's salt, which is made by whoever asks first.
    async fn salt_of(&self, day: Date, now: OffsetDateTime) -> Result<String, Refused> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| Refused::Unreachable(error.to_string()))?;
        let new = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let expires_at = now + time::Duration::days(SALT_DAYS);
        let output = self
            .update("-", &format!("salt#{day}"))
            .update_expression(
                "SET salt = if_not_exists(salt, :new), expires_at = if_not_exists(expires_at, :expires_at)",
            )
            .expression_attribute_values(":new", AttributeValue::S(new))
            .expression_attribute_values(":expires_at", number(expires_at.unix_timestamp()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(not_read)?;
        let salt = output
            .attributes
            .and_then(|item| item.get("salt")?.as_s().ok().cloned());
        salt.ok_or_else(|| Refused::Unreachable("the day's salt cannot be read".into()))
    }
}

/// Neither of the two calls does harm when it is made twice, so the client's own retries stand.
fn not_read<E, R>(error: SdkError<E, R>) -> Refused
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    if is_throttling(error.as_service_error().and_then(ProvideErrorMetadata::code)) {
        return Refused::Over(Error::NotCounted);
    }
    Refused::Unreachable(unavailable(error).cause().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_with_a_whole_second() {
        let at = |seconds: i64, nanoseconds: i64| {
            OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(seconds) + time::Duration::nanoseconds(nanoseconds)
        };
        assert_eq!(end_of_window(at(59, 999_999_999), 1), at(60, 0));
        assert_eq!(end_of_window(at(60, 0), 60), at(120, 0));
    }
}
