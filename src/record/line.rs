//! A reply's line in the log, which is its metrics too.

use std::time::Duration;

use tracing::Level;

use super::{Outcome, ReplyRecord};
use crate::{chat::delta::Usage, log};

/// What a line says of a failure.
#[derive(Default)]
struct Failure<'a> {
    status: Option<u16>,
    code: Option<&'a str>,
    provider_code: Option<&'a str>,
    cause: Option<&'a str>,
}

impl Failure<'_> {
    /// Whether whoever operates the service has to know of it.
    fn is_grave(&self) -> bool {
        self.status.is_some_and(|status| status >= 500)
    }
}

impl Outcome {
    fn name(&self) -> &str {
        match self {
            Self::Finished(reason) => reason.as_str(),
            Self::Failed { .. } => "error",
            Self::ClientGone => "client_gone",
        }
    }

    fn failure(&self) -> Failure<'_> {
        match self {
            Self::Failed {
                status,
                code,
                provider_code,
                cause,
            } => Failure {
                status: Some(*status),
                code: Some(code),
                provider_code: provider_code.as_deref(),
                cause: cause.as_deref(),
            },
            Self::Finished(_) | Self::ClientGone => Failure::default(),
        }
    }
}

impl ReplyRecord {
    /// Writes the line, as every refusal's where no model was asked.
    pub(super) fn log(&self) {
        if self.is_refused() {
            self.log_refusal();
        } else {
            self.log_reply();
        }
    }

    fn log_refusal(&self) {
        // The macros take a level that is known when this is compiled.
        macro_rules! refused {
            ($level:expr, $failure:expr) => {{
                let Failure { status, code, provider_code: _, cause } = $failure;
                tracing::event!(
                    target: log::METRICS,
                    $level,
                    assistant_id = self.assistant_id,
                    provider = self.provider,
                    model = self.model,
                    status,
                    code,
                    cause,
                    Refused = 1,
                    "refused"
                );
            }};
        }
        match self.outcome.failure() {
            failure if failure.is_grave() => refused!(Level::WARN, failure),
            failure => refused!(Level::INFO, failure),
        }
    }

    fn log_reply(&self) {
        macro_rules! reply {
            ($level:expr, $failure:expr) => {{
                let (total, first_text) = (self.elapsed(), self.first_text.map(|at| at - self.started));
                let Failure { status, code, provider_code, cause } = $failure;
                tracing::event!(
                    target: log::METRICS,
                    $level,
                    assistant_id = self.assistant_id,
                    provider = self.provider,
                    model = self.model,
                    stream = self.stream,
                    outcome = self.outcome.name(),
                    code,
                    provider_code,
                    status,
                    cause,
                    retries = self.tries.map(|tries| tries.retries),
                    fallbacks = self.tries.map(|tries| tries.fallbacks),
                    prompt_tokens = self.usage.map(|usage| usage.prompt),
                    completion_tokens = self.usage.map(|usage| usage.completion),
                    first_text_ms = first_text.map(millis),
                    total_ms = millis(total),
                    Retries = self.tries.map(|tries| tries.retries),
                    Fallbacks = self.tries.map(|tries| tries.fallbacks),
                    ReplyErrors = code.map(|_| 1),
                    "gen_ai.provider.name" = self.provider,
                    "gen_ai.request.model" = self.label,
                    "gen_ai.server.request.duration" = total.as_secs_f64(),
                    "gen_ai.server.time_to_first_token" = first_text.map(|time| time.as_secs_f64()),
                    "gen_ai.server.time_per_output_token" = self.seconds_per_token(total),
                    "reply"
                );
            }};
        }
        match self.outcome.failure() {
            failure if failure.is_grave() => reply!(Level::WARN, failure),
            failure => reply!(Level::INFO, failure),
        }
        if let Some(Usage { prompt, completion, .. }) = self.usage {
            self.log_tokens("input", prompt);
            self.log_tokens("output", completion);
        }
    }

    /// Writes tokens of one type, which is a dimension of theirs: a line has one value of each. A terminal's reader has the
    /// numbers from the reply's line.
    fn log_tokens(&self, kind: &str, tokens: u64) {
        tracing::debug!(
            target: log::METRICS,
            // Without the request's span, whose metric is in the reply's line.
            parent: None,
            provider = self.provider,
            "gen_ai.provider.name" = self.provider,
            "gen_ai.request.model" = self.label,
            "gen_ai.token.type" = kind,
            "gen_ai.client.token.usage" = tokens,
            "tokens"
        );
    }

    /// The time for each token after the first one, where the answer is complete.
    fn seconds_per_token(&self, total: Duration) -> Option<f64> {
        let (Outcome::Finished(_), Some(first), Some(usage)) = (&self.outcome, self.first_text, self.usage) else {
            return None;
        };
        let after_first = u32::try_from(usage.completion.checked_sub(1)?).ok()?;
        let time = total.checked_sub(first - self.started)?.checked_div(after_first)?;
        Some(time.as_secs_f64())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
