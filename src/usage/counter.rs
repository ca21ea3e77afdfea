//! Counting requests exactly: one conditional update of an item for each request, before the model is called.
//!
//! The item holds, for each window (a minute, a day), which one it counts and how many requests it has let in. The update's
//! condition is that the window is the present one and has room. Where it fails, the item as it is comes back: either the
//! window is full, or the item is of an earlier window, and a second update begins the present one.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::{UpdateItemError, UpdateItemOutput, builders::UpdateItemFluentBuilder},
    types::{ReturnValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use futures_util::future::join_all;
use time::OffsetDateTime;

use super::UsageTable;
use crate::{
    assistant::store::{Item, LAST_WRITE_TIMEOUT, number, number_in, once, unavailable},
    limit::Bound,
};

/// The longest time for one try.
const TRY_TIMEOUT: Duration = Duration::from_secs(1);
/// How often an update is tried that got no answer, or ran into another one.
const MAX_TRIES: u32 = 2;
/// How often the item may be found to be other than expected.
const MAX_ROUNDS: u32 = 5;
/// How long an item is kept that nobody counts in any more, in days.
const KEPT_DAYS: i64 = 3;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * 60;

/// A window of time that requests are counted in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) bound: Bound,
    /// The attribute that says which window the item counts.
    which: &'static str,
    /// The attribute with the number of requests.
    count: &'static str,
    seconds: i64,
}

impl Window {
    pub(super) fn minute(bound: Bound) -> Self {
        Self {
            bound,
            which: "minute",
            count: "minute_requests",
            seconds: MINUTE,
        }
    }

    pub(super) fn day(bound: Bound) -> Self {
        Self {
            bound,
            which: "day",
            count: "day_requests",
            seconds: DAY,
        }
    }

    /// The number of the window that a time is in, since the epoch.
    fn number(&self, now: OffsetDateTime) -> i64 {
        now.unix_timestamp().div_euclid(self.seconds)
    }

    /// Seconds until the window ends.
    pub(super) fn ends_in(&self, now: OffsetDateTime) -> u64 {
        ends_in(now, self.seconds)
    }
}

/// Seconds until the day ends, in UTC.
pub(super) fn day_ends_in(now: OffsetDateTime) -> u64 {
    ends_in(now, DAY)
}

fn ends_in(now: OffsetDateTime, seconds: i64) -> u64 {
    let passed = now.unix_timestamp().rem_euclid(seconds);
    u64::try_from(seconds - passed).unwrap_or(1)
}

/// A request that was counted: in which item, windows and moment.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) period: String,
    pub(super) windows: Vec<Window>,
    pub(super) at: OffsetDateTime,
}

/// Why a request was not counted.
#[derive(Debug)]
pub(super) enum NotCounted {
    /// The window is full.
    Full(Window),
    /// The table is there and cannot keep up. What cannot be counted is not let in.
    Throttled,
    /// The table cannot be reached. The cause is for the log.
    Unreachable(String),
}

/// Counts in the Usage table.
#[derive(Debug)]
pub(super) struct Counter {
    table: UsageTable,
    /// How many calls the table has answered.
    answered: AtomicU64,
}

/// What an item's windows are taken to be: the number of the window that it counts, `None` where it counts none.
type Expected = Vec<Option<i64>>;

impl Counter {
    pub(super) fn new(table: UsageTable) -> Self {
        Self {
            table,
            answered: AtomicU64::new(0),
        }
    }

    pub(super) fn table(&self) -> &UsageTable {
        &self.table
    }

    /// Counts one request in each of the windows, or in none. Returns how many each has let in.
    pub(super) async fn take(
        &self,
        assistant_id: &str,
        period: &str,
        windows: &[Window],
        now: OffsetDateTime,
    ) -> Result<Vec<u64>, NotCounted> {
        let mut expected: Expected = windows.iter().map(|window| Some(window.number(now))).collect();
        for _ in 0..MAX_ROUNDS {
            let update = self.update(assistant_id, period, windows, &expected, now);
            match self.send(update).await? {
                Ok(output) => {
                    let counts = output.attributes.unwrap_or_default();
                    let counts = windows.iter().map(|window| number_in(&counts, window.count));
                    return Ok(counts.map(Option::unwrap_or_default).collect());
                }
                Err(item) => {
                    expected = windows.iter().map(|window| number_in(&item, window.which)).collect();
                    let is_full = |window: &&Window| {
                        is_present(window, number_in(&item, window.which), now)
                            && number_in(&item, window.count) >= Some(window.bound.value)
                    };
                    // The longest one that is full.
                    if let Some(full) = windows.iter().rfind(is_full) {
                        return Err(NotCounted::Full(*full));
                    }
                }
            }
        }
        Err(NotCounted::Throttled)
    }

    /// The update that counts one request in an item whose windows are `expected`.
    fn update(
        &self,
        assistant_id: &str,
        period: &str,
        windows: &[Window],
        expected: &Expected,
        now: OffsetDateTime,
    ) -> UpdateItemFluentBuilder {
        let (mut conditions, mut sets, mut adds) = (Vec::new(), Vec::new(), Vec::new());
        let mut update = self
            .table
            .update(assistant_id, period)
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(AllOld);
        for (at, (window, found)) in windows.iter().zip(expected).enumerate() {
            update = update
                .expression_attribute_names(format!("#window{at}"), window.which)
                .expression_attribute_names(format!("#count{at}"), window.count)
                .expression_attribute_values(format!(":one{at}"), number(1));
            if let Some(found) = found {
                conditions.push(format!("#window{at} = :found{at}"));
                update = update.expression_attribute_values(format!(":found{at}"), number(*found));
            } else {
                conditions.push(format!("attribute_not_exists(#window{at})"));
            }
            if is_present(window, *found, now) {
                conditions.push(format!("#count{at} < :most{at}"));
                adds.push(format!("#count{at} :one{at}"));
                update = update.expression_attribute_values(format!(":most{at}"), number(window.bound.value));
            } else {
                sets.push(format!("#window{at} = :present{at}, #count{at} = :one{at}"));
                update = update.expression_attribute_values(format!(":present{at}"), number(window.number(now)));
            }
        }
        let mut steps = Vec::new();
        if !adds.is_empty() {
            steps.push(format!("ADD {}", adds.join(", ")));
        }
        if !sets.is_empty() {
            sets.push("expires_at = :expires_at".to_owned());
            steps.push(format!("SET {}", sets.join(", ")));
            let expires_at = now + time::Duration::days(KEPT_DAYS);
            update = update.expression_attribute_values(":expires_at", number(expires_at.unix_timestamp()));
        }
        update
            .condition_expression(conditions.join(" AND "))
            .update_expression(steps.join(" "))
    }

    /// Sends an update. An inner error is the item that failed the condition.
    ///
    /// An update without an answer may have been made, and is tried again nevertheless: a request that is counted twice
    /// leaves room for one less, never for one more. Where others are answered meanwhile, the table is there, and what is not
    /// known to be counted is not let in.
    async fn send(&self, update: UpdateItemFluentBuilder) -> Result<Result<UpdateItemOutput, Item>, NotCounted> {
        let answered_before = self.answered.load(Ordering::Relaxed);
        let mut cause = String::new();
        for attempt in 1..=MAX_TRIES {
            let error = match update
                .clone()
                .customize()
                .config_override(once(TRY_TIMEOUT))
                .send()
                .await
            {
                Ok(output) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    return Ok(Ok(output));
                }
                Err(error) => error,
            };
            match Failure::of(&error) {
                Failure::Condition(item) => {
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    return Ok(Err(item));
                }
                Failure::Throttled => return Err(NotCounted::Throttled),
                Failure::Unreachable => return Err(NotCounted::Unreachable(cause_of(error))),
                Failure::NoAnswer => cause = cause_of(error),
                Failure::Conflict if attempt == MAX_TRIES => return Err(NotCounted::Throttled),
                Failure::Conflict => tokio::time::sleep(Duration::from_millis(fastrand::u64(5..25) << attempt)).await,
            }
        }
        if self.answered.load(Ordering::Relaxed) == answered_before {
            Err(NotCounted::Unreachable(cause))
        } else {
            Err(NotCounted::Throttled)
        }
    }
}

impl UsageTable {
    /// Takes a counted request out of the count again, since refusals are counted nowhere. Where that fails, or a window is over,
    /// there is room for one less.
    pub(super) async fn give_back(&self, assistant_id: &str, taken: &Taken) {
        let updates = taken.windows.iter().map(|window| {
            self.update(assistant_id, &taken.period)
                .condition_expression("#window = :window AND #count > :none")
                .update_expression("ADD #count :less")
                .expression_attribute_names("#window", window.which)
                .expression_attribute_names("#count", window.count)
                .expression_attribute_values(":window", number(window.number(taken.at)))
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":less", number(-1))
                .customize()
                .config_override(once(LAST_WRITE_TIMEOUT))
                .send()
        });
        join_all(updates).await;
    }
}

/// Why an update failed.
enum Failure {
    /// The item is not as expected.
    Condition(Item),
    Throttled,
    /// A transaction is at the item.
    Conflict,
    /// The update may have been made.
    NoAnswer,
    /// The update has not been made, and the next one will not be either.
    Unreachable,
}

impl Failure {
    fn of(error: &SdkError<UpdateItemError>) -> Self {
        match error {
            SdkError::ServiceError(refused) => match refused.err() {
                UpdateItemError::ConditionalCheckFailedException(failed) => {
                    Self::Condition(failed.item().cloned().unwrap_or_default())
                }
                UpdateItemError::TransactionConflictException(_) => Self::Conflict,
                refusal if is_throttling(refusal.code()) => Self::Throttled,
                _ if refused.raw().status().is_server_error() => Self::NoAnswer,
                _ => Self::Unreachable,
            },
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Self::NoAnswer,
            SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => Self::NoAnswer,
            _ => Self::Unreachable,
        }
    }
}

/// `DynamoDB`'s codes for "too much".
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>, read 2026-11.
pub(super) fn is_throttling(code: Option<&str>) -> bool {
    matches!(
        code,
        Some("ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded")
    )
}

/// Whether the item counts the present window. A clock may be ahead of this one's: the window that has just begun by it is
/// the present one too, so that nobody turns an item back.
fn is_present(window: &Window, found: Option<i64>, now: OffsetDateTime) -> bool {
    let present = window.number(now);
    found == Some(present) || found == Some(present + 1)
}

fn cause_of(error: SdkError<UpdateItemError>) -> String {
    unavailable(error).cause().unwrap_or_default().to_owned()
}
