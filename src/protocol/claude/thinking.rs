//! How Claude is told to think, by Anthropic's own API and by Bedrock.

use serde_json::{Map, Value, json};

use crate::{
    chat::parameters::{Parameter, Parameters},
    protocol::effort::Effort,
    provider::capabilities::{Capabilities, Off, Sampling, Thinking},
};

/// Tokens for the text of an answer where nobody sets a limit: `max_tokens` is required there.
const ANSWER: u64 = 16_000;
/// The smallest budget ("Extended thinking").
const MIN_BUDGET: u64 = 1024;

/// What `reasoning_effort` and the token limit come to.
#[derive(Debug)]
pub struct Thoughts {
    /// The request's limit, else a default with room for thinking, as far as the model allows.
    pub max_tokens: u64,
    /// `thinking` and `output_config`, where the model is to think or not to.
    pub fields: Map<String, Value>,
    /// Whether sampling parameters may be set beside: `temperature` "may only be set to 1 when thinking is enabled".
    pub takes_sampling: bool,
    /// Whether it is asked to think.
    pub thinks: bool,
}

impl Thoughts {
    /// `show` asks for the thinking's text, where the model would leave it out.
    pub fn new(parameters: &Parameters, capabilities: Capabilities, show: bool) -> Self {
        let asked = Effort::read(parameters.get(Parameter::ReasoningEffort))
            .filter(|_| capabilities.thinking != Thinking::None);
        let by_itself = capabilities.off != Off::Unasked;
        // Those that think without being asked to mostly do as for `high`, and the least that they have is `low`.
        let effort = match asked {
            Some(Effort::None) if capabilities.off == Off::Never => Some(Effort::Low),
            None if by_itself => Some(Effort::High),
            asked => asked,
        };
        let limit = capabilities.token_limit(parameters);
        let max_tokens = limit.unwrap_or_else(|| capabilities.at_most(ANSWER + effort.map_or(0, Effort::budget)));
        let fields = match (capabilities.thinking, asked) {
            (Thinking::Budget, Some(effort)) if effort != Effort::None => {
                // The limit holds for both, and the answer is to have half of it, or its usual room.
                let answer = limit.map_or(ANSWER, |limit| limit / 2).min(max_tokens / 2);
                let budget = effort.budget().min(max_tokens - answer);
                (budget >= MIN_BUDGET).then(|| json!({"thinking": {"type": "enabled", "budget_tokens": budget}}))
            }
            (Thinking::Effort, Some(Effort::None)) => match capabilities.off {
                Off::Unasked => None,
                Off::Type(off) => Some(json!({"thinking": {"type": off}})),
                // Not from thinking can it be kept, but from much of it.
                Off::Never => Some(json!({"output_config": {"effort": "low"}})),
            },
            (Thinking::Effort, Some(effort)) => {
                let config = json!({"effort": level(effort, capabilities)});
                Some(json!({"thinking": adaptive(show), "output_config": config}))
            }
            (Thinking::Effort, None) if show && by_itself => Some(json!({"thinking": adaptive(show)})),
            _ => None,
        };
        let fields = fields
            .and_then(|fields| fields.as_object().cloned())
            .unwrap_or_default();
        let thinking = fields.get("thinking").and_then(|thinking| thinking["type"].as_str());
        Self {
            max_tokens,
            takes_sampling: thinking.is_none(),
            thinks: matches!(thinking, Some("enabled" | "adaptive")),
            fields,
        }
    }
}

/// "Adaptive thinking": the newest models leave the text out unless it is asked for.
fn adaptive(show: bool) -> Value {
    if show {
        json!({"type": "adaptive", "display": "summarized"})
    } else {
        json!({"type": "adaptive"})
    }
}

/// "Effort": `xhigh` came with the models that take no sampling parameters.
fn level(effort: Effort, capabilities: Capabilities) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::XHigh if capabilities.sampling == Sampling::None => "xhigh",
        Effort::High | Effort::XHigh => "high",
        Effort::Max => "max",
    }
}
