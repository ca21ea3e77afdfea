//! How Claude is asked to think, by Anthropic's own API and by Bedrock.

use serde_json::{Map, Value, json};

use crate::{
    chat::parameters::{Parameter, Parameters},
    protocol::effort::Effort,
    provider::capabilities::{Capabilities, Thinking, TurningOff},
};

/// Tokens for the text of an answer where nobody sets a limit: `max_tokens` is required there.
const ANSWER: u64 = 16_000;
/// The smallest budget ("Extended thinking").
const MIN_BUDGET: u64 = 1024;

/// What a request says about thinking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ThinkingPlan {
    /// Nothing: the model does as it does by itself.
    Unsaid,
    /// The model thinks with up to so many tokens, as models up to 4.5 do.
    Budget(u64),
    /// The model decides how much it thinks, as models from 4.6 on do.
    Adaptive {
        /// About how much; unset, the model's own default holds.
        effort: Option<&'static str>,
        /// Whether the thinking's text is asked for, which the newest models leave out otherwise.
        show: bool,
    },
    /// The model is kept from thinking, by `thinking` of this type.
    Off(&'static str),
    /// The model thinks as little as it can: it cannot be kept from thinking.
    Least,
}

impl ThinkingPlan {
    /// Decides by `reasoning_effort`, the token limit and what the model can. `show` asks for the thinking's text.
    pub(crate) fn decide(parameters: &Parameters, capabilities: Capabilities, show: bool) -> Self {
        match (capabilities.thinking, asked(parameters, capabilities)) {
            (Thinking::Budget, Some(effort)) => {
                let budget = budget(effort, parameters, capabilities);
                // `Effort::None` has a budget of 0.
                budget
                    .filter(|budget| *budget >= MIN_BUDGET)
                    .map_or(Self::Unsaid, Self::Budget)
            }
            (Thinking::Effort, Some(Effort::None)) => match capabilities.turning_off {
                TurningOff::Unneeded => Self::Unsaid,
                TurningOff::ByType(kind) => Self::Off(kind),
                TurningOff::Impossible => Self::Least,
            },
            (Thinking::Effort, Some(effort)) => Self::Adaptive {
                effort: Some(level(effort, capabilities)),
                show,
            },
            (Thinking::Effort, None) if show && thinks_unasked(capabilities) => Self::Adaptive { effort: None, show },
            (Thinking::None | Thinking::Budget | Thinking::Effort, None) | (Thinking::None, Some(_)) => Self::Unsaid,
        }
    }

    /// The request's fields `thinking` and `output_config`.
    pub(crate) fn fields(self) -> Map<String, Value> {
        let mut fields = Map::new();
        let thinking = match self {
            Self::Unsaid | Self::Least => None,
            Self::Budget(tokens) => Some(json!({"type": "enabled", "budget_tokens": tokens})),
            Self::Adaptive { show: false, .. } => Some(json!({"type": "adaptive"})),
            Self::Adaptive { show: true, .. } => Some(json!({"type": "adaptive", "display": "summarized"})),
            Self::Off(kind) => Some(json!({"type": kind})),
        };
        let effort = match self {
            Self::Adaptive { effort, .. } => effort,
            Self::Least => Some("low"),
            Self::Unsaid | Self::Budget(_) | Self::Off(_) => None,
        };
        if let Some(thinking) = thinking {
            fields.insert("thinking".into(), thinking);
        }
        if let Some(effort) = effort {
            fields.insert("output_config".into(), json!({"effort": effort}));
        }
        fields
    }

    /// Whether sampling parameters may be set beside: `temperature` "may only be set to 1 when thinking is enabled".
    pub(crate) const fn takes_sampling(self) -> bool {
        match self {
            Self::Unsaid | Self::Least => true,
            Self::Budget(_) | Self::Adaptive { .. } | Self::Off(_) => false,
        }
    }

    /// Whether the model is asked to think.
    pub(crate) const fn thinks(self) -> bool {
        match self {
            Self::Budget(_) | Self::Adaptive { .. } => true,
            Self::Unsaid | Self::Off(_) | Self::Least => false,
        }
    }
}

/// The limit that is set, else a default with room for thinking, as far as the model allows.
pub(crate) fn max_tokens(parameters: &Parameters, capabilities: Capabilities) -> u64 {
    let effort = match asked(parameters, capabilities) {
        // The least effort is `low`.
        Some(Effort::None) if capabilities.turning_off == TurningOff::Impossible => Some(Effort::Low),
        // Most models that think unasked do so as for `high`.
        None if thinks_unasked(capabilities) => Some(Effort::High),
        asked => asked,
    };
    let limit = capabilities.token_limit(parameters);
    limit.unwrap_or_else(|| capabilities.at_most(ANSWER + effort.map_or(0, Effort::budget)))
}

/// The effort that is asked for, where the model can be told it.
fn asked(parameters: &Parameters, capabilities: Capabilities) -> Option<Effort> {
    Effort::read(parameters.get(Parameter::ReasoningEffort)).filter(|_| capabilities.thinking != Thinking::None)
}

fn thinks_unasked(capabilities: Capabilities) -> bool {
    capabilities.turning_off != TurningOff::Unneeded
}

/// The token limit holds for thinking and text together. Half of it is kept for the text, or the default where that is less.
fn budget(effort: Effort, parameters: &Parameters, capabilities: Capabilities) -> Option<u64> {
    let limit = capabilities.token_limit(parameters);
    let max_tokens = max_tokens(parameters, capabilities);
    let answer = limit.map_or(ANSWER, |limit| limit / 2).min(max_tokens / 2);
    (effort != Effort::None).then(|| effort.budget().min(max_tokens - answer))
}

/// <https://docs.anthropic.com/en/docs/build-with-claude/effort>, read 2026-11.
fn level(effort: Effort, capabilities: Capabilities) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::XHigh if capabilities.has_xhigh => "xhigh",
        Effort::High | Effort::XHigh => "high",
        Effort::Max => "max",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::choose;

    fn facts(model: &str, effort: &str, limit: Option<u64>) -> (Parameters, Capabilities) {
        let values = json!({"reasoning_effort": effort, "max_tokens": limit});
        let parameters = Parameters::read(|name| values.get(name)).unwrap();
        (parameters, Capabilities::of(&choose(model, None, None).unwrap()))
    }

    #[test]
    fn claude_thinks_as_little_as_asked_and_shows_it_where_the_assistant_does() {
        let adaptive = |effort, show| ThinkingPlan::Adaptive { effort, show };
        for (model, effort, show, plan) in [
            // They think where they are asked to.
            ("claude-3-haiku-20240307", "high", true, ThinkingPlan::Unsaid),
            ("claude-sonnet-4-5", "none", true, ThinkingPlan::Unsaid),
            ("claude-sonnet-4-5", "", true, ThinkingPlan::Unsaid),
            ("claude-sonnet-4-5", "low", true, ThinkingPlan::Budget(1024)),
            ("claude-sonnet-4-5", "max", false, ThinkingPlan::Budget(24_576)),
            ("claude-sonnet-4-6", "xhigh", false, adaptive(Some("high"), false)),
            ("claude-opus-4-8", "none", true, ThinkingPlan::Unsaid),
            ("claude-opus-4-8", "", true, ThinkingPlan::Unsaid),
            ("claude-opus-4-8", "minimal", true, adaptive(Some("low"), true)),
            // They think unless they are asked not to.
            ("claude-opus-5", "none", false, ThinkingPlan::Off("disabled")),
            ("claude-sonnet-5", "none", false, ThinkingPlan::Off("disabled")),
            ("claude-haiku-5-5", "none", false, ThinkingPlan::Off("disabled")),
            ("claude-sonnet-5-5", "none", false, ThinkingPlan::Off("between_tools")),
            ("claude-opus-5", "", false, ThinkingPlan::Unsaid),
            ("claude-opus-5", "", true, adaptive(None, true)),
            ("claude-opus-5", "xhigh", true, adaptive(Some("xhigh"), true)),
            // They always think.
            ("claude-opus-5-5", "none", false, ThinkingPlan::Least),
            ("claude-fable-5-1", "none", false, ThinkingPlan::Least),
        ] {
            let (parameters, capabilities) = facts(model, effort, None);
            assert_eq!(
                ThinkingPlan::decide(&parameters, capabilities, show),
                plan,
                "{model} {effort}"
            );
        }
    }

    #[test]
    fn a_limit_leaves_half_to_the_answer() {
        for (effort, limit, plan) in [
            ("high", Some(10_000), ThinkingPlan::Budget(5000)),
            ("low", Some(10_000), ThinkingPlan::Budget(1024)),
            ("high", Some(2048), ThinkingPlan::Budget(1024)),
            // Less than the smallest budget.
            ("high", Some(2000), ThinkingPlan::Unsaid),
        ] {
            let (parameters, capabilities) = facts("claude-sonnet-4-5", effort, limit);
            assert_eq!(
                ThinkingPlan::decide(&parameters, capabilities, false),
                plan,
                "{effort} {limit:?}"
            );
        }
    }

    #[test]
    fn the_default_limit_has_room_for_thinking() {
        for (model, effort, limit, tokens) in [
            ("claude-sonnet-4-5", "", None, 16_000),
            ("claude-sonnet-4-5", "low", None, 17_024),
            ("claude-sonnet-4-5", "high", None, 40_576),
            ("claude-sonnet-4-5", "high", Some(100_000), 64_000),
            ("claude-3-haiku-20240307", "high", None, 4096),
            ("claude-opus-5", "", None, 40_576),
            ("claude-opus-5", "none", None, 16_000),
            ("claude-opus-5-5", "none", None, 17_024),
            ("claude-opus-5-5", "none", Some(5), 5),
        ] {
            let (parameters, capabilities) = facts(model, effort, limit);
            assert_eq!(max_tokens(&parameters, capabilities), tokens, "{model} {effort}");
        }
    }

    #[test]
    fn a_plan_is_written_in_two_fields() {
        for (plan, fields, takes_sampling, thinks) in [
            (ThinkingPlan::Unsaid, json!({}), true, false),
            (
                ThinkingPlan::Budget(1024),
                json!({"thinking": {"type": "enabled", "budget_tokens": 1024}}),
                false,
                true,
            ),
            (
                ThinkingPlan::Adaptive {
                    effort: Some("max"),
                    show: false,
                },
                json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}),
                false,
                true,
            ),
            (
                ThinkingPlan::Adaptive {
                    effort: None,
                    show: true,
                },
                json!({"thinking": {"type": "adaptive", "display": "summarized"}}),
                false,
                true,
            ),
            (
                ThinkingPlan::Off("disabled"),
                json!({"thinking": {"type": "disabled"}}),
                false,
                false,
            ),
            (
                ThinkingPlan::Least,
                json!({"output_config": {"effort": "low"}}),
                true,
                false,
            ),
        ] {
            assert_eq!(Value::Object(plan.fields()), fields);
            assert_eq!(
                (plan.takes_sampling(), plan.thinks()),
                (takes_sampling, thinks),
                "{plan:?}"
            );
        }
    }
}
