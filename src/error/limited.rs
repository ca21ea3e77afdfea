//! What a refusal for a limit says.

use axum::http::StatusCode;

use super::Description;
use crate::limit::{Bound, Limit, RateLimit};

/// Whoever waits for a day's end would wait no longer than 59 seconds, and be refused again.
pub(super) fn describe(bound: &Bound, ends_in: u64) -> Description {
    let of =
        |code| Description::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", code).retry_after(Some(ends_in));
    if bound.limit.is_daily() {
        of("quota_exceeded").never_retry()
    } else {
        of("rate_limit_exceeded")
    }
}

/// Which limit is reached, for its owner, and when to come back, for a visitor.
pub(super) fn message(bound: &Bound, ends_in: u64) -> String {
    let Bound { limit, value, source } = bound;
    let what = match limit {
        Limit::RequestsPerMinutePerCaller => {
            "You have sent this assistant as many requests as one caller may in a minute"
        }
        Limit::RequestsPerMinute => "This assistant has answered as many requests as it may in a minute",
        Limit::RequestsPerDay => "This assistant has answered as many requests as it may on one day",
        Limit::TokensPerDay => "This assistant has used as many tokens as it may on one day",
        Limit::MaxOutputTokens | Limit::MaxInputChars => "This request is over a limit of the assistant",
    };
    let when = if limit.is_daily() {
        format!("Try again after 00:00 UTC, in {}", RateLimit::spelled(ends_in))
    } else {
        format!("Try again in {}", RateLimit::spelled(ends_in))
    };
    format!("{what} (`{source}` is {value}). {when}.")
}
