//! How Claude is told to think, by Anthropic's own API and by Bedrock.

use serde_json::{Map, Value, json};

use crate::{
    chat::parameters::Parameters,
    provider::{
        capabilities::{Capabilities, Sampling, Thinking},
        effort::Effort,
    },
};

/// Tokens for the text of an answer where nobody sets a limit: `max_tokens` is required there.
const ANSWER: u64 = 16_000;
/// The smallest budget ("Extended thinking").
const MIN_BUDGET: u64 = 1024;

/// What `reasoning_effort` and the token limit come to.
#[derive(Debug)]
pub struct Thoughts {
    /// The request's limit, else a default with room for thinking, as much as the model allows.
    pub max_tokens: u64,
    /// `thinking` and `output_config`, where the model is to think.
    pub fields: Map<String, Value>,
    /// Whether sampling parameters may be set beside: `temperature` "may only be set to 1 when thinking is enabled".
    pub takes_sampling: bool,
}

impl Thoughts {
    /// `show` asks for the thinking's text, where the model would leave it out.
    pub fn new(parameters: &Parameters, capabilities: Capabilities, show: bool) -> Self {
        let asked = Effort::read(parameters.get("reasoning_effort"));
        // The newest models think without being asked.
        let by_itself = (capabilities.sampling == Sampling::None).then_some(Effort::Medium);
        let effort = asked.filter(|_| capabilities.thinking != Thinking::None);
        let room = effort.or(by_itself).map_or(0, Effort::budget);
        let limit = parameters.get("max_tokens").and_then(Value::as_u64);
        let max_tokens = limit.unwrap_or_else(|| capabilities.max_output.min(ANSWER + room));
        let mut fields = Map::new();
        match (capabilities.thinking, effort) {
            (Thinking::Budget, Some(effort)) if effort != Effort::None => {
                // The limit holds for both, and the answer is to have half of it, or its usual room.
                let answer = limit.map_or(ANSWER, |limit| limit / 2).min(max_tokens / 2);
                let budget = effort.budget().min(max_tokens - answer);
                if budget >= MIN_BUDGET {
                    fields.insert("thinking".into(), json!({"type": "enabled", "budget_tokens": budget}));
                }
            }
            (Thinking::Effort, Some(effort)) if effort != Effort::None => {
                let mut thinking = json!({"type": "adaptive"});
                if show {
                    thinking["display"] = json!("summarized");
                }
                fields.insert("thinking".into(), thinking);
                fields.insert("output_config".into(), json!({"effort": level(effort, capabilities)}));
            }
            _ => {}
        }
        Self {
            max_tokens,
            takes_sampling: fields.is_empty(),
            fields,
        }
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
