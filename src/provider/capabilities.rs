//! What models take, as tables of facts. An assistant's setting `capabilities` wins over them, and what a model rejects
//! all the same is learned from its 400.

mod overrides;

pub use overrides::Overrides;

use super::{Model, Provider, Server};
use crate::chat::parameters::{Parameter, Parameters};

/// Which of `temperature` and `top_p` a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Both together.
    Both,
    /// Either; where both are set, the request's own, else `temperature`.
    One,
    /// Neither, nor penalties.
    None,
}

/// How a model is told how much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// Not at all: it does not think, or does not let itself be told.
    None,
    /// By a number of tokens.
    Budget,
    /// By a level such as `low`.
    Effort,
}

/// How to turn thinking off for a Claude whose thinking is controlled by [`Thinking::Effort`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurningOff {
    /// It is off unless it is asked for.
    Unneeded,
    /// By `thinking` of this type.
    ByType(&'static str),
    /// The model always thinks.
    Impossible,
}

/// What a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Sampling parameters.
    pub sampling: Sampling,
    /// The way of `reasoning_effort`.
    pub thinking: Thinking,
    /// The way of `reasoning_effort: none`.
    pub turning_off: TurningOff,
    /// `response_format` with a schema.
    pub json_schema: bool,
    /// A system prompt.
    pub system: bool,
    /// Images by their https URLs; else they are fetched.
    pub image_urls: bool,
    /// The most tokens of one answer, where the tables know it.
    pub max_output: Option<u64>,
}

/// What a model that no table knows is taken for: new ones can more than old ones.
const MODERN: Capabilities = Capabilities {
    sampling: Sampling::Both,
    thinking: Thinking::None,
    turning_off: TurningOff::Unneeded,
    json_schema: true,
    system: true,
    image_urls: false,
    max_output: None,
};

/// The newest of Claude: no sampling parameters, thinking by effort. That a later one always thinks is the safe guess.
const CLAUDE: Capabilities = Capabilities {
    sampling: Sampling::None,
    thinking: Thinking::Effort,
    turning_off: TurningOff::Impossible,
    max_output: Some(128_000),
    ..MODERN
};
const CLAUDE_4: Capabilities = Capabilities {
    sampling: Sampling::Both,
    thinking: Thinking::Budget,
    json_schema: false,
    max_output: Some(64_000),
    ..MODERN
};
const CLAUDE_3: Capabilities = Capabilities {
    thinking: Thinking::None,
    max_output: Some(4096),
    ..CLAUDE_4
};

/// By a part of the name, the first that fits ("Models overview", "Extended thinking", "Adaptive thinking", "Structured
/// outputs", the models' migration guides); any other Claude is as the newest.
#[rustfmt::skip]
const CLAUDES: [(&str, Capabilities); 21] = [
    ("claude-v", CLAUDE_3),
    ("claude-2", CLAUDE_3),
    ("claude-instant", CLAUDE_3),
    ("claude-3-5", Capabilities { max_output: Some(8192), ..CLAUDE_3 }),
    ("claude-3-7", CLAUDE_4),
    ("claude-3", CLAUDE_3),
    ("claude-sonnet-4-0", CLAUDE_4),
    ("claude-sonnet-4-2", CLAUDE_4),
    ("claude-opus-4-0", Capabilities { max_output: Some(32_000), ..CLAUDE_4 }),
    ("claude-opus-4-2", Capabilities { max_output: Some(32_000), ..CLAUDE_4 }),
    ("claude-opus-4-1", Capabilities { sampling: Sampling::One, json_schema: true, max_output: Some(32_000), ..CLAUDE_4 }),
    ("-4-5", Capabilities { sampling: Sampling::One, json_schema: true, ..CLAUDE_4 }),
    ("-4-6", Capabilities { sampling: Sampling::One, turning_off: TurningOff::Unneeded, ..CLAUDE }),
    ("-4-7", Capabilities { turning_off: TurningOff::Unneeded, ..CLAUDE }),
    ("-4-8", Capabilities { turning_off: TurningOff::Unneeded, ..CLAUDE }),
    ("sonnet-5-5", Capabilities { turning_off: TurningOff::ByType("between_tools"), ..CLAUDE }),
    ("opus-5-5", CLAUDE),
    ("opus-5", Capabilities { turning_off: TurningOff::ByType("disabled"), ..CLAUDE }),
    ("sonnet-5", Capabilities { turning_off: TurningOff::ByType("disabled"), ..CLAUDE }),
    ("haiku-5", Capabilities { turning_off: TurningOff::ByType("disabled"), ..CLAUDE }),
    ("claude", CLAUDE),
];

/// Gemini from 3 on: thinking by level.
const GEMINI: Capabilities = Capabilities {
    thinking: Thinking::Effort,
    max_output: Some(65_536),
    ..MODERN
};
/// "What's new in Gemini 3.6 Flash": sampling parameters are deprecated and to be taken out.
const GEMINI_WITHOUT_SAMPLING: Capabilities = Capabilities {
    sampling: Sampling::None,
    ..GEMINI
};

/// Gemini by the beginning of the name ("Models", "Thinking", "Structured output", "What's new in …"); of any other it is
/// only known that it thinks by level.
#[rustfmt::skip]
const GEMINIS: [(&str, Capabilities); 10] = [
    ("gemini-1", Capabilities { max_output: Some(8192), ..MODERN }),
    ("gemini-2.0", Capabilities { max_output: Some(8192), ..MODERN }),
    ("gemini-2", Capabilities { thinking: Thinking::Budget, max_output: Some(65_536), ..MODERN }),
    ("gemini-3.5-flash-lite", GEMINI_WITHOUT_SAMPLING),
    ("gemini-3.6", GEMINI_WITHOUT_SAMPLING),
    ("gemini-3.7", GEMINI_WITHOUT_SAMPLING),
    ("gemini-3.8", GEMINI_WITHOUT_SAMPLING),
    ("gemini-3", GEMINI),
    ("gemma", Capabilities { json_schema: false, system: false, ..MODERN }),
    ("", Capabilities { max_output: None, ..GEMINI }),
];

/// Claude by a part of the name, where Bedrock lacks the structured output that Anthropic has (the models' cards).
const SCHEMALESS_ON_BEDROCK: [&str; 2] = ["-4-7", "-4-8"];

/// Bedrock's other makers by a part of the model's id ("Supported models and model features", "Structured outputs");
/// an id that does not tell, such as that of an application's inference profile, is [`MODERN`].
#[rustfmt::skip]
const BEDROCK_MODELS: [(&str, Capabilities); 16] = [
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

impl Capabilities {
    /// What is known of a model.
    pub fn of(model: &Model) -> Self {
        let name = model.name.to_ascii_lowercase();
        let claude = || first(&CLAUDES, |part| name.contains(part));
        let known = match &model.server {
            Server::Platform(Provider::Anthropic) => Self {
                image_urls: true,
                // Other servers speak this protocol too, with models of their own.
                ..claude().unwrap_or(MODERN)
            },
            Server::Platform(Provider::Bedrock) => claude()
                .map(|claude| Self {
                    json_schema: claude.json_schema && !SCHEMALESS_ON_BEDROCK.iter().any(|part| name.contains(part)),
                    ..claude
                })
                .or_else(|| first(&BEDROCK_MODELS, |part| name.contains(part)))
                .unwrap_or(MODERN),
            Server::Platform(Provider::Gemini) => {
                let bare = name.strip_prefix("models/").unwrap_or(&name);
                first(&GEMINIS, |beginning| bare.starts_with(beginning)).unwrap_or(MODERN)
            }
            // Ollama takes images as data only.
            Server::Platform(Provider::Ollama) => MODERN,
            Server::Platform(_) | Server::Own(_) => Self {
                image_urls: true,
                ..MODERN
            },
        };
        model.overrides.over(known)
    }

    /// Tokens, or the model's own limit where that is lower: more it cannot answer, and many turn that down.
    pub fn at_most(&self, tokens: u64) -> u64 {
        self.max_output.map_or(tokens, |most| tokens.min(most))
    }

    /// The limit that a request or the assistant sets, or the model's own where that is lower.
    pub fn token_limit(&self, parameters: &Parameters) -> Option<u64> {
        let limit = parameters.get(Parameter::MaxTokens)?.as_u64()?;
        Some(self.at_most(limit))
    }

    /// Whether a sampling parameter is sent, beside what else is set.
    pub fn samples(&self, parameter: Parameter, parameters: &Parameters) -> bool {
        self.sampling != Sampling::None && !self.prefers_another(parameter, parameters)
    }

    /// Whether a parameter is one of two of which the model takes only the other.
    pub fn prefers_another(&self, parameter: Parameter, parameters: &Parameters) -> bool {
        self.sampling == Sampling::One && parameters.lesser_sampling() == Some(parameter)
    }
}

fn first(table: &[(&str, Capabilities)], fits: impl Fn(&str) -> bool) -> Option<Capabilities> {
    table
        .iter()
        .find(|(part, _)| fits(part))
        .map(|(_, capabilities)| *capabilities)
}
