//! The models that Bedrock serves.

use super::{Capabilities, MODERN, Maker, Thinking, claude, first};

/// `InferenceConfiguration`: "Minimum value of 0. Maximum value of 1."
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html>, read 2026-11
const MAX_TEMPERATURE: f64 = 1.0;

/// Claude by a part of the name, where Bedrock lacks the structured output that Anthropic has (the models' cards).
const SCHEMALESS_ON_BEDROCK: &[&str] = &["-4-7", "-4-8"];

/// Bedrock's other makers by a part of the model's id ("Supported models and model features", "Structured outputs");
/// an id that does not tell, such as that of an application's inference profile, is [`MODERN`].
#[rustfmt::skip]
const BEDROCK_MODELS: &[(&str, Capabilities)] = &[
    ("amazon.titan", Capabilities { json_schema: false, system: false, ..MODERN }),
    ("amazon.nova-2", Capabilities { json_schema: false, thinking: Thinking::Effort, ..MODERN }),
    ("amazon.", Capabilities { json_schema: false, ..MODERN }),
    ("mistral.mistral-7b", Capabilities { json_schema: false, system: false, ..MODERN }),
    ("mistral.mixtral-8x7b", Capabilities { json_schema: false, system: false, ..MODERN }),
    ("mistral.mistral-large-24", Capabilities { json_schema: false, ..MODERN }),
    ("mistral.pixtral", Capabilities { json_schema: false, ..MODERN }),
    ("cohere.command-text", Capabilities { json_schema: false, system: false, ..MODERN }),
    ("cohere.command-light", Capabilities { json_schema: false, system: false, ..MODERN }),
    ("cohere.", Capabilities { json_schema: false, ..MODERN }),
    ("ai21.j2", Capabilities { json_schema: false, system: false, ..MODERN }),
    ("ai21.", Capabilities { json_schema: false, ..MODERN }),
    ("meta.", Capabilities { json_schema: false, ..MODERN }),
    ("writer.", Capabilities { json_schema: false, ..MODERN }),
    ("deepseek.r1", Capabilities { json_schema: false, ..MODERN }),
    ("openai.gpt-oss", Capabilities { thinking: Thinking::Effort, ..MODERN }),
];

/// A model at Bedrock by its id in lower case.
pub(super) fn facts(id: &str) -> Capabilities {
    let claude = claude::facts(id).map(|claude| Capabilities {
        json_schema: claude.json_schema && !SCHEMALESS_ON_BEDROCK.iter().any(|part| id.contains(part)),
        ..claude
    });
    let known = claude.or_else(|| first(BEDROCK_MODELS, |part| id.contains(part)));
    let known = known.unwrap_or(MODERN);
    Capabilities {
        max_temperature: MAX_TEMPERATURE,
        maker: if id.contains("openai.") {
            Maker::OpenAi
        } else if id.contains("amazon.") {
            Maker::Amazon
        } else {
            known.maker
        },
        ..known
    }
}
