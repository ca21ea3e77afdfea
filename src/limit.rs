//! The limits that an owner sets for an assistant and an operator for all of them.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// One kind of limit. All are unset by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Limit {
    /// Of the assistant, counted exactly.
    RequestsPerMinute,
    /// Of the assistant on a day (UTC), counted exactly.
    RequestsPerDay,
    /// Of prompts and answers on a day (UTC). What is under way may go over it.
    TokensPerDay,
    /// Of each address that calls the assistant.
    RequestsPerMinutePerCaller,
    /// Of one answer, in tokens.
    MaxOutputTokens,
    /// Of one request's messages, in characters.
    MaxInputChars,
}

impl Limit {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::RequestsPerMinute,
        Self::RequestsPerDay,
        Self::TokensPerDay,
        Self::RequestsPerMinutePerCaller,
        Self::MaxOutputTokens,
        Self::MaxInputChars,
    ];

    /// Largest value: the largest whole number that JavaScript can tell from its neighbours.
    pub(crate) const MAX: i64 = 9_007_199_254_740_991;

    /// The setting's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestsPerMinute => "requests_per_minute",
            Self::RequestsPerDay => "requests_per_day",
            Self::TokensPerDay => "tokens_per_day",
            Self::RequestsPerMinutePerCaller => "requests_per_minute_per_caller",
            Self::MaxOutputTokens => "max_output_tokens",
            Self::MaxInputChars => "max_input_chars",
        }
    }

    /// One or two sentences for owners.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::RequestsPerMinute => {
                "How many requests the assistant answers in a minute. What exceeds it gets a 429."
            }
            Self::RequestsPerDay => {
                "How many requests the assistant answers on a day (UTC). What exceeds it gets a 429."
            }
            Self::TokensPerDay => {
                "How many tokens of prompts and answers the assistant may use on a day (UTC). Answers that have begun go on, so that the sum may end above it."
            }
            Self::RequestsPerMinutePerCaller => {
                "How many requests of one caller, known by the IP address, the assistant answers in a minute. Typebot, Zapier and n8n call from few addresses for all of their users."
            }
            Self::MaxOutputTokens => {
                "The most tokens that an answer may have. It lowers a request's own limit, and stands where a request has none."
            }
            Self::MaxInputChars => {
                "The most characters of text that a request may have: messages, names, schemas, everything that goes to the provider."
            }
        }
    }

    /// The operator's variable that bounds the limit of every assistant.
    pub(crate) fn ceiling_variable(self) -> Option<&'static str> {
        match self {
            Self::RequestsPerMinute => Some("MAX_REQUESTS_PER_MINUTE"),
            Self::TokensPerDay => Some("MAX_TOKENS_PER_DAY"),
            Self::MaxOutputTokens => Some("MAX_OUTPUT_TOKENS"),
            Self::RequestsPerDay | Self::RequestsPerMinutePerCaller | Self::MaxInputChars => None,
        }
    }

    /// Whether the limit needs the Usage table.
    pub(crate) fn is_counted(self) -> bool {
        match self {
            Self::RequestsPerMinute | Self::RequestsPerDay | Self::TokensPerDay | Self::RequestsPerMinutePerCaller => {
                true
            }
            Self::MaxOutputTokens | Self::MaxInputChars => false,
        }
    }

    /// Whether the limit is on a number of requests.
    pub(crate) fn is_of_requests(self) -> bool {
        self.is_counted() && self != Self::TokensPerDay
    }

    /// Whether the limit is one of a day. A request that is over it need not be sent again for a while.
    pub(crate) fn is_daily(self) -> bool {
        matches!(self, Self::RequestsPerDay | Self::TokensPerDay)
    }
}

/// A limit's value and who set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// What is limited.
    pub limit: Limit,
    /// At least 1.
    pub value: u64,
    /// The name of the setting or of the operator's variable.
    pub source: &'static str,
}

/// The limits that are set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits(BTreeMap<Limit, Bound>);

impl Limits {
    /// Sets one, which `source` has set to `value`.
    pub(crate) fn set(&mut self, limit: Limit, value: u64, source: &'static str) {
        self.0.insert(limit, Bound { limit, value, source });
    }

    /// One of them, where it is set.
    pub(crate) fn get(&self, limit: Limit) -> Option<Bound> {
        self.0.get(&limit).copied()
    }

    /// Only some of them.
    pub(crate) fn only(&self, limits: &[Limit]) -> Self {
        let kept = self.0.iter().filter(|(limit, _)| limits.contains(limit));
        Self(kept.map(|(limit, bound)| (*limit, *bound)).collect())
    }

    /// Those that need the Usage table.
    pub(crate) fn counted(&self) -> impl Iterator<Item = Bound> {
        Limit::ALL
            .into_iter()
            .filter(|limit| limit.is_counted())
            .filter_map(|limit| self.get(limit))
    }

    /// These, and where `ceilings` are lower or stand alone, those.
    pub(crate) fn under(&self, ceilings: &Self) -> Self {
        let mut limits = self.clone();
        for ceiling in ceilings.0.values() {
            if self.get(ceiling.limit).is_none_or(|own| own.value > ceiling.value) {
                limits.0.insert(ceiling.limit, *ceiling);
            }
        }
        limits
    }
}

/// How much of a limit on requests is left, as OpenAI's response headers tell it.
/// <https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers>, read 2026-11.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests in the window.
    pub limit: u64,
    /// Requests that are left in it.
    pub remaining: u64,
    /// Seconds until the window ends.
    pub reset: u64,
}

/// The headers of a [`RateLimit`].
pub(crate) static RATE_LIMIT_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];

impl RateLimit {
    /// Adds the three headers.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let values = [
            self.limit.to_string(),
            self.remaining.to_string(),
            Self::spelled(self.reset),
        ];
        for (name, value) in RATE_LIMIT_HEADERS.iter().zip(values) {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }

    /// Seconds as OpenAI spells them: `1s`, `6m0s`, `23h59m1s`.
    pub(crate) fn spelled(seconds: u64) -> String {
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        match (hours, minutes) {
            (0, 0) => format!("{seconds}s"),
            (0, _) => format!("{minutes}m{seconds}s"),
            _ => format!("{hours}h{minutes}m{seconds}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_one_of_a_setting_and_its_ceiling_holds() {
        let mut ceilings = Limits::default();
        ceilings.set(Limit::RequestsPerMinute, 10, "MAX_REQUESTS_PER_MINUTE");
        ceilings.set(Limit::MaxOutputTokens, 500, "MAX_OUTPUT_TOKENS");
        let mut own = Limits::default();
        own.set(Limit::RequestsPerMinute, 50, "requests_per_minute");
        own.set(Limit::MaxOutputTokens, 100, "max_output_tokens");
        own.set(Limit::MaxInputChars, 7, "max_input_chars");
        let limits = own.under(&ceilings);
        let sources = [Limit::RequestsPerMinute, Limit::MaxOutputTokens, Limit::MaxInputChars]
            .map(|limit| limits.get(limit).map(|bound| (bound.source, bound.value)));
        let expected = [
            ("MAX_REQUESTS_PER_MINUTE", 10),
            ("max_output_tokens", 100),
            ("max_input_chars", 7),
        ];
        assert_eq!(sources, expected.map(Some));
        assert_eq!(Limits::default().under(&ceilings), ceilings);
    }

    #[test]
    fn a_reset_is_spelled_as_openai_does() {
        for (seconds, text) in [
            (1, "1s"),
            (59, "59s"),
            (60, "1m0s"),
            (360, "6m0s"),
            (86_341, "23h59m1s"),
        ] {
            assert_eq!(RateLimit::spelled(seconds), text);
        }
    }
}
