//! Why an answer ended, in the words of all providers.

use serde_json::Value;

use super::failure;
use crate::{
    chat::delta::FinishReason,
    error::{Failure, ProviderError},
};

/// Reads a finish reason, `None` where there is none yet.
///
/// The words of all protocols stand in one table: gateways pass another provider's on, in any case.
///
/// # Errors
/// A reason that does not end an answer well (`abort`, `error`, tool calls that nobody asked for), and a reason that is
/// not known: to guess `stop` would make cut-off text look complete.
pub(super) fn read(reason: &Value) -> Result<Option<FinishReason>, ProviderError> {
    let reason = match reason {
        Value::Null | Value::Bool(false) => return Ok(None),
        Value::String(reason) => reason,
        // SGLang's own API: `{"type": "stop", "matched": 2}`.
        // <https://docs.sglang.ai/basic_usage/native_api.html>, read 2026-11.
        other => other["type"].as_str().ok_or_else(|| failure::finish_reason(""))?,
    };
    let word = reason.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    let word = word.strip_prefix("finish_reason_").unwrap_or(&word);
    match word {
        // Alibaba's `null` and watsonx's `not_finished` stand on every chunk but the last.
        "" | "null" | "none" | "not_finished" | "unspecified" => Ok(None),
        // `eos`, `eos_token`, `stop_sequence`: Together and text-generation-inference. `end_turn`: Anthropic.
        // `complete`: Cohere, and Amazon Titan with `finish`. `normal`: Baidu. `endoftext`: AI21.
        "stop" | "end_turn" | "end" | "eos" | "eos_token" | "eos_found" | "stop_sequence" | "stop_token"
        | "complete" | "completed" | "finish" | "finished" | "normal" | "endoftext" | "done" => {
            Ok(Some(FinishReason::Stop))
        }
        // `model_length`: Mistral. `pause_turn`: Claude would go on if its turn were sent back.
        // `model_context_window_exceeded`: Anthropic, Bedrock and Zhipu.
        "length"
        | "max_tokens"
        | "max_length"
        | "max_new_tokens"
        | "max_output_tokens"
        | "max_completion_tokens"
        | "token_limit"
        | "length_limit"
        | "model_length"
        | "context_length"
        | "model_context_window_exceeded"
        | "pause_turn" => Ok(Some(FinishReason::Length)),
        // `sensitive`: Zhipu and Tencent. `content_filtered`, `guardrail_intervened`: Bedrock. The others are Google's.
        "content_filter"
        | "content_filtered"
        | "sensitive"
        | "refusal"
        | "guardrail_intervened"
        | "safety"
        | "recitation"
        | "language"
        | "blocklist"
        | "prohibited_content"
        | "spii"
        | "model_armor"
        | "image_safety"
        | "image_prohibited_content"
        | "image_recitation" => Ok(Some(FinishReason::ContentFilter)),
        // DeepSeek.
        "insufficient_system_resource" => Err(ProviderError::new(
            Failure::Overloaded,
            "finish reason insufficient_system_resource",
        )),
        _ => Err(failure::finish_reason(reason)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ENDINGS: &[(FinishReason, &[&str])] = &[
        (
            FinishReason::Stop,
            &[
                "stop",
                "STOP",
                "end_turn",
                "end turn",
                "End",
                "eos",
                "FINISH_REASON_STOP",
                "COMPLETE",
                " stop ",
            ],
        ),
        (
            FinishReason::Length,
            &[
                "length",
                "MAX_TOKENS",
                "max-tokens",
                "model_context_window_exceeded",
                "Token_Limit",
            ],
        ),
        (
            FinishReason::ContentFilter,
            &["content_filter", "content-filter", "SAFETY", "sensitive", "Refusal"],
        ),
    ];
    const NOT_YET: &[&str] = &["", "null", "None", "not_finished", "FINISH_REASON_UNSPECIFIED"];
    const NO_GOOD_END: &[&str] = &[
        "abort",
        "ABORT",
        "error",
        "tool_calls",
        "function_call",
        "tool_use",
        "OTHER",
        "MALFORMED_FUNCTION_CALL",
        "network_error",
        "cancelled",
        "timeout",
        "unknown",
        "something new",
    ];

    #[test]
    fn reasons_of_all_servers_in_any_case() {
        for (expected, reasons) in ENDINGS {
            for reason in *reasons {
                assert_eq!(read(&json!(reason)).unwrap(), Some(*expected), "{reason}");
            }
        }
        let length = json!({"type": "length", "length": 5});
        assert_eq!(read(&length).unwrap(), Some(FinishReason::Length));
        let not_yet = NOT_YET.iter().map(|reason| json!(reason));
        for reason in not_yet.chain([json!(null), json!(false)]) {
            assert_eq!(read(&reason).unwrap(), None, "{reason}");
        }
        let no_good_end = NO_GOOD_END.iter().map(|reason| json!(reason));
        for reason in no_good_end.chain([json!(7), json!(true), json!({"type": "abort"}), json!(["stop"])]) {
            assert!(
                matches!(
                    read(&reason),
                    Err(ProviderError {
                        failure: Failure::Broken,
                        ..
                    })
                ),
                "{reason}"
            );
        }
    }
}
