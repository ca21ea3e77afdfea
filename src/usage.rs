//! What assistants use, counted by the day: one update of an item for each reply, in the Usage table.

use aws_sdk_dynamodb::{Client, operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue};
use futures_util::FutureExt;
use serde::Serialize;
use time::{Date, OffsetDateTime};
use utoipa::ToSchema;

use crate::{
    assistant::store::{Item, LAST_WRITE_TIMEOUT, Store, number, number_in, once, unavailable},
    chat::delta::Usage,
    error::Error,
    log,
    record::{EndTask, Outcome, ReplyRecord},
};

mod counter;
pub(crate) mod limiter;

/// How long a day is kept, in days: a year can be compared with the one before.
const KEPT_DAYS: i64 = 800;
/// Most days of one reading.
pub const MAX_DAYS: i64 = 92;
/// About so many bytes of text are a token, where the provider counts none.
/// <https://help.openai.com/en/articles/4936856-what-are-tokens-and-how-to-count-them>, read 2026-11.
const BYTES_A_TOKEN: u64 = 4;

/// The Usage table: an item for each assistant and day (UTC).
#[derive(Debug, Clone)]
pub struct UsageTable {
    client: Client,
    table: String,
}

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Replies, those that failed included. Requests that were refused are not counted.
    pub requests: u64,
    /// Replies that failed or were cut off by the provider.
    pub failures: u64,
    /// All tokens of the prompts, cached ones included.
    pub prompt_tokens: u64,
    /// Of them, those that the provider read from a cache.
    pub cached_tokens: u64,
    /// All tokens of the answers, reasoning included.
    pub completion_tokens: u64,
    /// Of them, those spent on reasoning.
    pub reasoning_tokens: u64,
    /// The replies whose tokens are estimated, since their provider counted none.
    pub estimated_requests: u64,
}

/// What was used on one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Day {
    /// In UTC, as in `2026-11-25`.
    pub day: String,
    /// What was used on it.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What an assistant used, by the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UsageReport {
    /// A UUID.
    pub assistant_id: String,
    /// The first day, in UTC.
    pub from: String,
    /// The last day, in UTC.
    pub to: String,
    /// In order, without the days on which there was no reply.
    pub days: Vec<Day>,
    /// All days together.
    pub total: Counts,
}

impl Counts {
    /// The names of the item's attributes, with what stands in them.
    fn named(&self) -> [(&'static str, u64); 7] {
        let Self {
            requests,
            failures,
            prompt_tokens,
            cached_tokens,
            completion_tokens,
            reasoning_tokens,
            estimated_requests,
        } = *self;
        [
            ("requests", requests),
            ("failures", failures),
            ("prompt_tokens", prompt_tokens),
            ("cached_tokens", cached_tokens),
            ("completion_tokens", completion_tokens),
            ("reasoning_tokens", reasoning_tokens),
            ("estimated_requests", estimated_requests),
        ]
    }

    fn of_item(item: &Item) -> Self {
        let count = |name: &str| number_in(item, name).unwrap_or(0);
        Self {
            requests: count("requests"),
            failures: count("failures"),
            prompt_tokens: count("prompt_tokens"),
            cached_tokens: count("cached_tokens"),
            completion_tokens: count("completion_tokens"),
            reasoning_tokens: count("reasoning_tokens"),
            estimated_requests: count("estimated_requests"),
        }
    }

    /// These and others together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            failures: self.failures.saturating_add(other.failures),
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
            estimated_requests: self.estimated_requests.saturating_add(other.estimated_requests),
        }
    }

    /// Counts one reply. `prompt_bytes` is the length of the prompt's text.
    ///
    /// The tokens that a provider has stated count whatever became of the call. If it stated none for the answer, and text has
    /// come or the client has left, they are estimated from the texts' lengths.
    fn of_reply(record: &ReplyRecord, prompt_bytes: u64) -> Self {
        let failed = matches!(record.outcome(), Outcome::Failed { .. });
        let answer_bytes = record.text_bytes();
        let stated = record.usage();
        let estimate = Usage {
            prompt: prompt_bytes.div_ceil(BYTES_A_TOKEN),
            completion: answer_bytes.div_ceil(BYTES_A_TOKEN),
            ..Usage::default()
        };
        // A client that leaves early has had the prompt read all the same.
        let has_used = answer_bytes > 0 || *record.outcome() == Outcome::ClientGone;
        let is_cut_off = !matches!(record.outcome(), Outcome::Finished(_));
        let (answered, is_estimated) = match stated {
            // Claude states the prompt at the beginning, and the answer's tokens at its end.
            Some(stated) if is_cut_off && stated.completion < estimate.completion => {
                let completion = estimate.completion;
                (Usage { completion, ..stated }, true)
            }
            Some(stated) => (stated, false),
            None if has_used => (estimate, true),
            None => (Usage::default(), false),
        };
        let usage = record.spent() + answered;
        Self {
            requests: 1,
            failures: failed.into(),
            prompt_tokens: usage.prompt,
            cached_tokens: usage.cached.unwrap_or(0),
            completion_tokens: usage.completion,
            reasoning_tokens: usage.reasoning.unwrap_or(0),
            estimated_requests: is_estimated.into(),
        }
    }
}

impl UsageTable {
    /// The store's Usage table, where it has one, over the store's own connections.
    pub fn of(store: &Store) -> Option<Self> {
        let (client, tables) = store.parts();
        Some(Self {
            client: client.clone(),
            table: tables.usage.clone()?,
        })
    }

    /// The work at a reply's end that adds the reply to its assistant's day.
    pub(crate) fn settling(&self, assistant_id: String, prompt_bytes: u64) -> EndTask {
        let table = self.clone();
        Box::new(move |record| {
            let counts = (!record.is_refused()).then(|| Counts::of_reply(record, prompt_bytes));
            async move {
                if let Some(counts) = counts {
                    table.add(&assistant_id, OffsetDateTime::now_utc(), counts).await;
                }
            }
            .boxed()
        })
    }

    /// An update of one of the table's items.
    fn update(&self, assistant_id: &str, period: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("assistant_id", AttributeValue::S(assistant_id.to_owned()))
            .key("period", AttributeValue::S(period.to_owned()))
    }

    /// Adds to a day. A write that fails loses no reply: the log says so.
    async fn add(&self, assistant_id: &str, now: OffsetDateTime, counts: Counts) {
        let used: Vec<_> = counts.named().into_iter().filter(|(_, count)| *count > 0).collect();
        let steps: Vec<_> = used.iter().map(|(name, _)| format!("{name} :{name}")).collect();
        let mut update = self
            .update(assistant_id, &now.date().to_string())
            .update_expression(format!(
                "ADD {} SET expires_at = if_not_exists(expires_at, :expires_at)",
                steps.join(", ")
            ));
        let expires_at = now + time::Duration::days(KEPT_DAYS);
        update = update.expression_attribute_values(":expires_at", number(expires_at.unix_timestamp()));
        for (name, count) in used {
            update = update.expression_attribute_values(format!(":{name}"), number(count));
        }
        if let Err(error) = update
            .customize()
            .config_override(once(LAST_WRITE_TIMEOUT))
            .send()
            .await
        {
            let cause = unavailable(error);
            tracing::warn!(
                target: log::METRICS,
                assistant_id,
                cause = cause.cause(),
                fault = "usage_not_counted",
                "a reply's usage was not counted"
            );
        }
    }

    /// What an assistant used from one day to another, both included.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the table does not answer.
    pub async fn report(&self, assistant_id: String, (from, to): (Date, Date)) -> Result<UsageReport, Error> {
        let (from, to) = (from.to_string(), to.to_string());
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("assistant_id = :id AND period BETWEEN :from AND :to")
            .expression_attribute_values(":id", AttributeValue::S(assistant_id.clone()))
            .expression_attribute_values(":from", AttributeValue::S(from.clone()))
            .expression_attribute_values(":to", AttributeValue::S(to.clone()))
            .send()
            .await
            .map_err(unavailable)?;
        let days = output.items.unwrap_or_default().into_iter().filter_map(|item| {
            let day = item.get("period")?.as_s().ok()?.clone();
            let counts = Counts::of_item(&item);
            Some(Day { day, counts })
        });
        let days: Vec<_> = days.collect();
        let total = days
            .iter()
            .fold(Counts::default(), |total, day| total.plus(&day.counts));
        Ok(UsageReport {
            assistant_id,
            from,
            to,
            days,
            total,
        })
    }
}

/// A range of days for a reading: `from` and `to` as in `2026-11-25`, else the last 30 days.
///
/// # Errors
/// Which of the two is wrong, and what it must be.
pub fn range(from: Option<&str>, to: Option<&str>) -> Result<(Date, Date), (&'static str, String)> {
    let read = |name: &'static str, text: Option<&str>| {
        let Some(text) = text else { return Ok(None) };
        let day = Date::parse(text, &time::format_description::well_known::Iso8601::DATE).ok();
        // The format has other spellings too.
        let day = day.filter(|day| day.to_string() == text);
        day.map(Some)
            .ok_or((name, format!("'{name}' must be a day such as 2026-11-25.")))
    };
    let (from, to) = (read("from", from)?, read("to", to)?);
    let to = to.unwrap_or_else(|| OffsetDateTime::now_utc().date());
    let from = from.unwrap_or_else(|| to.saturating_sub(time::Duration::days(29)));
    let days = (to - from).whole_days() + 1;
    if !(1..=MAX_DAYS).contains(&days) {
        return Err((
            "from",
            format!("'from' must not be after 'to', and both with the days between them must be at most {MAX_DAYS}."),
        ));
    }
    Ok((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_at_most_92_days() {
        let read = |from, to| range(from, to).map(|(from, to)| format!("{from} {to}"));
        assert_eq!(
            read(Some("2026-11-01"), Some("2026-11-25")).unwrap(),
            "2026-11-01 2026-11-25"
        );
        assert_eq!(
            read(Some("2026-11-25"), Some("2026-11-25")).unwrap(),
            "2026-11-25 2026-11-25"
        );
        assert_eq!(read(None, Some("2026-11-30")).unwrap(), "2026-11-01 2026-11-30");
        assert_eq!(
            read(Some("2026-08-31"), Some("2026-11-30")).unwrap(),
            "2026-08-31 2026-11-30"
        );
        for (from, to, param) in [
            (Some("2026-08-30"), Some("2026-11-30"), "from"),
            (Some("2026-11-26"), Some("2026-11-25"), "from"),
            (Some("yesterday"), None, "from"),
            (Some("2026-W48-3"), None, "from"),
            (Some("20261125"), None, "from"),
            (None, Some("2026-02-30"), "to"),
            (None, Some(""), "to"),
        ] {
            assert_eq!(range(from, to).unwrap_err().0, param, "{from:?} {to:?}");
        }
    }
}
