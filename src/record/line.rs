//! A reply's line in the log, which is its metrics too.

use std::time::Duration;

use super::{Outcome, ReplyRecord};
use crate::log;

/// What a line says of a failure.
#[derive(Default)]
struct Failure<'a> {
    status: Option<u16>,
    code: Option<&'a str>,
    cause: Option<&'a str>,
    fault: Option<&'static str>,
}

impl Failure<'_> {
    /// Whether whoever operates the service has to know of it.
    fn is_grave(&self) -> bool {
        self.fault.is_some() || self.status.is_some_and(|status| status >= 500)
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
                cause,
                fault,
            } => Failure {
                status: Some(*status),
                code: Some(code),
                cause: cause.as_deref(),
                fault: *fault,
            },
            Self::Finished(_) | Self::ClientGone => Failure::default(),
        }
    }
}

impl ReplyRecord {
    /// Writes the line: a refusal's if no model was asked.
    pub(super) fn log(&self) {
        if self.is_refused() {
            self.log_refusal();
        } else {
            self.log_reply();
        }
    }

    fn log_refusal(&self) {
        let failure = self.outcome.failure();
        log::metrics_line!(
            failure.is_grave(),
            assistant_id = self.assistant_id,
            provider = self.provider,
            model = self.model,
            status = failure.status,
            code = failure.code,
            cause = failure.cause,
            fault = failure.fault,
            Refused = 1,
            "refused"
        );
    }

    fn log_reply(&self) {
        let (total, first_text) = (self.elapsed(), self.first_text.map(|at| at - self.started));
        let (failure, usage) = (self.outcome.failure(), self.usage);
        log::metrics_line!(
            failure.is_grave(),
            assistant_id = self.assistant_id,
            provider = self.provider,
            model = self.model,
            stream = self.stream,
            outcome = self.outcome.name(),
            code = failure.code,
            status = failure.status,
            cause = failure.cause,
            fault = failure.fault,
            omitted = (!self.omitted.is_empty()).then(|| self.omitted.join(",")),
            retries = self.tries.map(|tries| tries.retries),
            fallbacks = self.tries.map(|tries| tries.fallbacks),
            prompt_tokens = usage.map(|usage| usage.prompt),
            completion_tokens = usage.map(|usage| usage.completion),
            first_text_ms = first_text.map(millis),
            total_ms = millis(total),
            Retries = self.tries.map(|tries| tries.retries),
            Fallbacks = self.tries.map(|tries| tries.fallbacks),
            ReplyErrors = failure.code.map(|_| 1),
            "gen_ai.provider.name" = otel_name(self.provider),
            "gen_ai.usage.input_tokens" = usage.map(|usage| usage.prompt),
            "gen_ai.usage.output_tokens" = usage.map(|usage| usage.completion),
            "gen_ai.usage.cache_read.input_tokens" = usage.and_then(|usage| usage.cached),
            "gen_ai.usage.cache_creation.input_tokens" = usage.and_then(|usage| usage.written_to_cache),
            "gen_ai.server.request.duration" = total.as_secs_f64(),
            "gen_ai.server.time_to_first_token" = first_text.map(|time| time.as_secs_f64()),
            "gen_ai.server.time_per_output_token" = self.seconds_per_token(),
            "reply"
        );
    }

    /// The time for each token of the text after the first one. Text that came in one piece says nothing of it.
    fn seconds_per_token(&self) -> Option<f64> {
        let (Outcome::Finished(_), Some(usage)) = (&self.outcome, self.usage) else {
            return None;
        };
        let time = self.last_text? - self.first_text?;
        let of_text = usage.completion.checked_sub(usage.reasoning.unwrap_or(0))?;
        let time = time.checked_div(u32::try_from(of_text.checked_sub(1)?).ok()?)?;
        (!time.is_zero()).then_some(time.as_secs_f64())
    }
}

/// OpenTelemetry's name of a provider, where it has another one.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/>, read 2026-11.
fn otel_name(provider: &str) -> &str {
    match provider {
        "azure" => "azure.ai.openai",
        "bedrock" => "aws.bedrock",
        "gemini" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "xai" => "x_ai",
        same => same,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
