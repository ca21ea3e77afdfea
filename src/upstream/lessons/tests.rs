//! What is read from the words of a rejection.

mod message_order;
mod names;

use super::*;
use axum::http::StatusCode;
use serde_json::json;

use crate::{
    chat::{
        message::{Message, Role},
        parameters::Parameters,
        prompt::Prompt,
    },
    protocol::Protocol,
    provider::{Model, choose},
};

#[test]
fn a_wrong_value_says_nothing_about_the_parameter() {
    let is_about_the_parameter = |message: &str, code: Option<&str>| {
        is_about_the_parameter(&ProviderError::Rejected {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            param: None,
            code: code.map(str::to_owned),
        })
    };
    for message in [
        "Invalid value: 'bogus'. Supported values are: 'low'.",
        "1 validation error: {'type': 'literal_error', 'loc': ('body', 'reasoning_effort'), 'msg': \"Input should be 'low'\"}",
        "reasoning_effort: unknown variant `none`, expected one of `low`, `high`",
        "* GenerateContentRequest.generation_config.top_p: top_p must be in the range (0.0, 1.0].",
        "temperature: range: 0..1",
        "Malformed input request: #/temperature: 1.0 is not less or equal to 0.9, please reformat your input",
        "random_seed: Input should be greater than or equal to 0",
        "The thinking budget (52428) is invalid.",
        "Unable to submit request because The model does not support setting thinking_budget to 0",
        "think value \"medium\" is not supported for this model",
    ] {
        assert!(!is_about_the_parameter(message, None), "{message}");
    }
    assert!(!is_about_the_parameter("too long", Some("string_above_max_length")));
    for code in [None, Some("unsupported_value"), Some("invalid_request_error")] {
        assert!(is_about_the_parameter(
            "'temperature' is not supported with this model.",
            code
        ));
    }
    assert!(is_about_the_parameter(
        "Invalid JSON payload received. Unknown name \"seed\".",
        None
    ));
}

#[test]
fn where_a_rejection_has_a_param_its_message_names_nothing() {
    let sent = json!({"temperature": 1, "top_p": 1, "max_tokens": 5});
    let named = |message: &str, param: Option<&str>| {
        let rejected = ProviderError::Rejected {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            param: param.map(str::to_owned),
            code: None,
        };
        lessons_of(&rejected, |_| false, &sent).pop()
    };
    let url = "Error while downloading https://x.invalid/temperature:top_p:'max_completion_tokens'.";
    assert_eq!(named(url, Some("url")), None);
    assert_eq!(named(url, None), None);
    assert_eq!(
        named("'temperature' and 'top_p'", Some("top_p")),
        Some(Lesson::Omit(Parameter::TopP))
    );
    assert_eq!(
        named("not here", Some("generation_config.temperature")),
        Some(Lesson::Omit(Parameter::Temperature))
    );
    assert_eq!(named("Use 'max_completion_tokens'", Some("messages")), None);
    assert_eq!(
        named("Use 'max_completion_tokens'", Some("max_tokens")),
        Some(Lesson::NewerTokenLimit)
    );
}

/// Message, what was sent, and the parameter that it names.
const REJECTIONS: &[(&str, &str, Option<Parameter>)] = &[
    (
        "`temperature` is deprecated for this model.",
        r#"{"temperature": 1}"#,
        Some(Parameter::Temperature),
    ),
    ("`temperature` is deprecated for this model.", "{}", None),
    (
        "This model doesn't support the topP field. Remove topP and try again.",
        r#"{"inferenceConfig": {"topP": 0.5}}"#,
        Some(Parameter::TopP),
    ),
    (
        "\"thinking.type.enabled\" is not supported for this model.",
        r#"{"thinking": {"type": "enabled"}}"#,
        Some(Parameter::ReasoningEffort),
    ),
    (
        "Penalty is not enabled for models/gemini-2.5-pro",
        r#"{"generationConfig": {"frequencyPenalty": 1}}"#,
        Some(Parameter::FrequencyPenalty),
    ),
    (
        "The model returned the following errors: `temperature` and `top_p` cannot both be specified.",
        r#"{"inferenceConfig": {"temperature": 1, "topP": 0.5}}"#,
        Some(Parameter::TopP),
    ),
    (
        "Invalid JSON payload received. Unknown name \"seed\" at 'generation_config': Cannot find field.",
        r#"{"generationConfig": {"seed": 1}}"#,
        Some(Parameter::Seed),
    ),
    (
        "Unsupported parameter: seed is not supported with this model.",
        r#"{"seed": 1}"#,
        Some(Parameter::Seed),
    ),
    (
        "top_p is not supported with this model.",
        r#"{"top_p": 1}"#,
        Some(Parameter::TopP),
    ),
    (
        "This model does not support the effort parameter.",
        r#"{"output_config": {"effort": "low"}}"#,
        Some(Parameter::ReasoningEffort),
    ),
    (
        "adaptive thinking is not supported on this model",
        r#"{"thinking": {"type": "adaptive"}}"#,
        Some(Parameter::ReasoningEffort),
    ),
    (
        "Malformed input request: #: extraneous key [temperature] is not permitted, please reformat your input",
        r#"{"inferenceConfig": {"temperature": 1}}"#,
        Some(Parameter::Temperature),
    ),
    (
        "Invalid value at 'generation_config.seed' (TYPE_INT32), -5",
        r#"{"generationConfig": {"seed": -5}}"#,
        Some(Parameter::Seed),
    ),
    (
        "Argument not supported on this model: presence_penalty",
        r#"{"presence_penalty": 1}"#,
        Some(Parameter::PresencePenalty),
    ),
    // xAI's, <https://github.com/vercel/ai/issues/9222>, read 2026-11
    (
        "Model grok-4 does not support parameter reasoningEffort.",
        r#"{"reasoning_effort": "low"}"#,
        Some(Parameter::ReasoningEffort),
    ),
    (
        "Thinking level MINIMAL is not supported for this model. Please retry with other thinking level.",
        r#"{"generationConfig": {"thinkingConfig": {"thinkingLevel": "minimal"}}}"#,
        Some(Parameter::ReasoningEffort),
    ),
    (
        "messages.0: text is blank, temperature aside",
        r#"{"temperature": 1}"#,
        None,
    ),
];

#[test]
fn a_rejection_names_what_was_sent() {
    for (message, sent, expected) in REJECTIONS {
        let sent: Value = serde_json::from_str(sent).unwrap();
        let rejected = ProviderError::Rejected {
            status: StatusCode::BAD_REQUEST,
            message: (*message).into(),
            param: None,
            code: None,
        };
        let expected = expected.map(Lesson::Omit);
        assert_eq!(lessons_of(&rejected, |_| false, &sent).pop(), expected, "{message}");
    }
}

/// A model of each way to write a request.
const MODELS: [&str; 19] = [
    "gpt-4o",
    "gpt-5-mini",
    "azure/my-deployment",
    "mistral/mistral-small-latest",
    "groq/llama-3.3-70b-versatile",
    "openrouter/openai/gpt-4o",
    "together/any",
    "fireworks/any",
    "deepseek-chat",
    "grok-4",
    "ollama/any",
    "claude-sonnet-4-5",
    "claude-opus-4-6",
    "claude-3-haiku-20240307",
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock/amazon.nova-2-lite-v1:0",
    "bedrock/openai.gpt-oss-20b-1:0",
    "gemini-2.5-flash",
    "gemini-3-pro-preview",
];

fn body(model: &Model, parameters: &Value, show_reasoning: bool, learned: Learned) -> Value {
    let prompt = Prompt {
        messages: vec![Message::text(Role::User, "Hi")].into(),
        parameters: Parameters::read(|name| parameters.get(name)).unwrap(),
        show_reasoning,
    };
    Protocol::of(model).encode(&prompt, model, learned).unwrap()
}

/// The fields that one request has and another lacks, below the objects that providers keep their parameters in.
fn fields_added(with: &Value, without: &Value) -> Vec<String> {
    let mut added = Vec::new();
    for (name, value) in with.as_object().unwrap() {
        let before = without.get(name);
        let is_container =
            ["generationConfig", "inferenceConfig", "additionalModelRequestFields"].contains(&name.as_str());
        if is_container {
            added.extend(fields_added(value, before.unwrap_or(&json!({}))));
        } else if before.is_none() {
            added.push(name.clone());
        }
    }
    added
}

/// Whatever name a parameter travels by, a rejection of that name is understood, and the next request lacks it.
#[test]
fn a_rejected_parameter_is_left_out_of_the_next_request_at_every_provider() {
    let value = |parameter: Parameter| match parameter {
        Parameter::Temperature | Parameter::TopP => json!(0.5),
        Parameter::PresencePenalty | Parameter::FrequencyPenalty => json!(1),
        Parameter::MaxTokens | Parameter::Seed => json!(7),
        Parameter::Stop => json!(["END"]),
        Parameter::ResponseFormat => json!({"type": "text"}),
        Parameter::ReasoningEffort | Parameter::Verbosity => json!("low"),
        Parameter::User | Parameter::SafetyIdentifier | Parameter::PromptCacheKey => json!("someone"),
        Parameter::LogitBias => json!({"5": 1}),
        Parameter::Logprobs => json!(true),
        Parameter::TopLogprobs => json!(2),
    };
    let mut pairs = 0;
    for name in MODELS {
        let model = choose(name, None, None).unwrap();
        for parameter in Parameter::ALL.into_iter().filter(|one| !names_of(*one).is_empty()) {
            let sent = json!({parameter.name(): value(parameter)});
            for show_reasoning in [false, true] {
                let with = body(&model, &sent, show_reasoning, Learned::default());
                let without = body(&model, &json!({}), false, Learned::default());
                // Bedrock's Claude gets room for thinking; a token limit is never left out.
                for field in fields_added(&with, &without)
                    .into_iter()
                    .filter(|field| field != "maxTokens")
                {
                    for (message, param) in [
                        (format!("The field '{field}' is not supported."), None),
                        ("Extra inputs are not permitted".into(), Some(format!("body.{field}"))),
                    ] {
                        let status = StatusCode::BAD_REQUEST;
                        let rejection = ProviderError::Rejected {
                            status,
                            message,
                            param,
                            code: None,
                        };
                        let lesson = lessons_of(&rejection, |_| false, &with).pop();
                        let mut learned = Learned::default();
                        assert!(learned.add(lesson.unwrap_or_else(|| panic!("{name}: {rejection:?}"))));
                        let next = body(&model, &sent, show_reasoning, learned);
                        assert!(!fields_added(&next, &without).contains(&field), "{name}: {field}");
                        pairs += 1;
                    }
                }
            }
        }
    }
    assert!(pairs > 300, "{pairs}");
}

/// The same for the fields that have no parameter, or that go by another name.
#[test]
fn the_other_lessons_change_the_next_request() {
    let parameters = json!({"max_tokens": 100_000});
    let next = |model: &str, lesson: Lesson| {
        let mut learned = Learned::default();
        assert!(learned.add(lesson));
        body(&choose(model, None, None).unwrap(), &parameters, false, learned)
    };
    let renamed = next("azure/my-deployment", Lesson::NewerTokenLimit);
    assert!(renamed.get("max_tokens").is_none() && renamed["max_completion_tokens"] == 100_000);
    assert!(
        next("gpt-4o", Lesson::OmitStreamOptions)
            .get("stream_options")
            .is_none()
    );
    for name in MODELS {
        let sent = next(name, Lesson::MaxOutput(4000));
        let limits = [
            "/max_tokens",
            "/max_completion_tokens",
            "/inferenceConfig/maxTokens",
            "/generationConfig/maxOutputTokens",
        ];
        let limits: Vec<_> = limits.iter().filter_map(|path| sent.pointer(path)).collect();
        assert_eq!(limits, [&json!(4000)], "{name}");
    }
}
