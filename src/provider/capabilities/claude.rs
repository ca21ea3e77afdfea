//! Anthropic's models, at Anthropic and at Bedrock.

use super::{Capabilities, MODERN, Maker, Sampling, Thinking, TurningOff, first};

/// The newest of Claude: no sampling parameters, thinking by effort. That a later one always thinks is the safe guess.
const CLAUDE: Capabilities = Capabilities {
    sampling: Sampling::None,
    thinking: Thinking::Effort,
    turning_off: TurningOff::Impossible,
    has_xhigh: true,
    max_output: Some(128_000),
    maker: Maker::Anthropic,
    // "Messages" API reference: from 0 to 1. <https://docs.anthropic.com/en/api/messages>
    max_temperature: 1.0,
    ..MODERN
};
const CLAUDE_4: Capabilities = Capabilities {
    sampling: Sampling::Both,
    thinking: Thinking::Budget,
    turning_off: TurningOff::Unneeded,
    has_xhigh: false,
    json_schema: false,
    max_output: Some(64_000),
    ..CLAUDE
};
const CLAUDE_3: Capabilities = Capabilities {
    thinking: Thinking::None,
    max_output: Some(4096),
    ..CLAUDE_4
};

/// By a part of the name of a Claude, the first that fits ("Models overview", "Extended thinking", "Adaptive thinking", "Structured
/// outputs", the models' migration guides); any other Claude is as the newest.
/// <https://docs.anthropic.com/en/docs/about-claude/models/overview>
#[rustfmt::skip]
const CLAUDES: &[(&str, Capabilities)] = &[
    ("claude-v", CLAUDE_3),
    ("claude-2", CLAUDE_3),
    ("claude-instant", CLAUDE_3),
    ("claude-3-5", Capabilities { max_output: Some(8192), ..CLAUDE_3 }),
    ("claude-3-7", CLAUDE_4),
    ("claude-3", CLAUDE_3),
    // An alias, and the date of the first Claude 4 (`claude-sonnet-4-20250514`).
    ("claude-sonnet-4-0", CLAUDE_4),
    ("claude-sonnet-4-2", CLAUDE_4),
    ("claude-opus-4-0", Capabilities { max_output: Some(32_000), ..CLAUDE_4 }),
    ("claude-opus-4-2", Capabilities { max_output: Some(32_000), ..CLAUDE_4 }),
    ("claude-opus-4-1", Capabilities { sampling: Sampling::One, json_schema: true, max_output: Some(32_000), ..CLAUDE_4 }),
    ("-4-5", Capabilities { sampling: Sampling::One, json_schema: true, ..CLAUDE_4 }),
    ("-4-6", Capabilities { sampling: Sampling::One, turning_off: TurningOff::Unneeded, has_xhigh: false, ..CLAUDE }),
    // From here on a budget is a 400.
    // <https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html>, read 2026-11
    ("-4-7", Capabilities { turning_off: TurningOff::Unneeded, ..CLAUDE }),
    ("-4-8", Capabilities { turning_off: TurningOff::Unneeded, ..CLAUDE }),
    ("sonnet-5-5", Capabilities { turning_off: TurningOff::ByType("between_tools"), ..CLAUDE }),
    ("opus-5-5", CLAUDE),
    ("opus-5", Capabilities { turning_off: TurningOff::ByType("disabled"), ..CLAUDE }),
    ("sonnet-5", Capabilities { turning_off: TurningOff::ByType("disabled"), ..CLAUDE }),
    ("haiku-5", Capabilities { turning_off: TurningOff::ByType("disabled"), ..CLAUDE }),
    ("claude", CLAUDE),
];

/// A Claude by its name in lower case, whoever serves it.
pub(super) fn facts(name: &str) -> Option<Capabilities> {
    let is_claude = name.contains("claude");
    first(CLAUDES, |part| is_claude && name.contains(part))
}

/// A model at Anthropic. Other servers speak its API too, with models of their own.
pub(super) fn at_anthropic(name: &str) -> Capabilities {
    Capabilities {
        image_urls: true,
        max_temperature: CLAUDE.max_temperature,
        ..facts(name).unwrap_or(MODERN)
    }
}
