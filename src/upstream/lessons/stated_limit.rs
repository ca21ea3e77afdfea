//! The limit of tokens that a model states where it rejects a higher one.

use serde_json::Value;

use crate::chat::parameters::Parameter;

/// Names of the token limit, in requests and in providers' errors.
const NAMES: [&str; 8] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_new_tokens",
    "maxTokens",
    "maxOutputTokens",
    // Cohere's words and Bedrock's
    "max tokens",
    "maximum tokens you requested",
];

/// A wording of providers': the text before the limit, the text after it, and what is taken off the number.
struct Wording {
    before: &'static str,
    after: &'static str,
    less: u64,
}

const fn wording(before: &'static str, after: &'static str) -> Wording {
    Wording { before, after, less: 0 }
}

/// None of them is about the context, whose rest depends on the request: vLLM's "This model's maximum context length is 64001
/// tokens and your request has 24235 input tokens" states no limit of the model's answers.
const WORDINGS: [Wording; 9] = [
    // OpenAI: "max_tokens is too large: 6000. This model supports at most 4096 completion tokens, whereas you provided 6000."
    // <https://github.com/ChatGPTNextWeb/NextChat/issues/3195>; Cloudflare ends after the number,
    // <https://github.com/anomalyco/models.dev/issues/5824>, read 2026-11
    wording("supports at most ", ""),
    // Anthropic: "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for …"
    // <https://github.com/anthropics/claude-code/issues/24451>, read 2026-11
    wording("> ", ", which is the maximum allowed number of output tokens"),
    // Alibaba: "Range of max_tokens should be [1, 8192]"; DeepSeek: "Invalid max_tokens value, the valid range of max_tokens
    // is [1, 8192]"; others' without the space.
    // <https://github.com/open-webui/open-webui/issues/10507>, <https://github.com/deepseek-ai/DeepSeek-V3/issues/69>,
    // read 2026-11
    wording("[1,", "]"),
    // Gateways': "max_tokens must be between 1 and 4096"
    wording("between 1 and ", ""),
    // OpenAI: "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 128000, but got 200000 instead.",
    // and Volcengine. <https://github.com/NousResearch/hermes-agent/pull/51793>, read 2026-11
    wording("xpected a value <= ", ""),
    // Cohere: "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model - received
    // 8192." <https://docs.cohere.com/v1/reference/errors>, read 2026-11
    // Groq: "`max_completion_tokens` must be less than or equal to `16384`, the maximum value for …", in older ones without
    // backticks; Pydantic: "Input should be less than or equal to 32768".
    // <https://github.com/Alishahryar1/free-claude-code/issues/1354>, read 2026-11
    wording("less than or equal to ", ""),
    // Bedrock: "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that
    // is lower than 4096." <https://github.com/vercel/ai/issues/2772>, read 2026-11
    wording("exceeds the model limit of ", ""),
    // Bedrock: "Malformed input request: #/maxTokens: 5000 is not less or equal to 4096, please reformat your input"
    wording("is not less or equal to ", ""),
    // Google: "it has a maxOutputTokens value of 65536 but the supported range is from 1 (inclusive) to 65536 (exclusive)"
    // <https://github.com/BerriAI/litellm/pull/10548>, read 2026-11
    Wording {
        before: "from 1 (inclusive) to ",
        after: " (exclusive)",
        less: 1,
    },
];

/// Most bytes between the limit's name and the limit: a sentence with a model's name in it.
const MAX_APART: usize = 160;

/// The limit that a rejection states, if it is about the token limit that was sent and lower than that.
pub(super) fn stated_limit(message: &str, param: Option<&str>, sent: &Value) -> Option<u64> {
    let is_named = param.is_some_and(|param| NAMES.contains(&param));
    if param.is_some() && !is_named {
        return None;
    }
    let sent = sent_limit(sent)?;
    let mut stated = WORDINGS.iter().flat_map(|wording| numbers(message, wording));
    let is_stated = |(at, limit): &(usize, u64)| (1..sent).contains(limit) && (is_named || follows_name(message, *at));
    stated.find(is_stated).map(|(_, limit)| limit)
}

/// Whether the token limit is what the text before a place is about: its name stands there, and no other parameter's after it.
fn follows_name(message: &str, place: usize) -> bool {
    let before = &message[..place];
    let name = NAMES
        .iter()
        .filter_map(|name| Some(before.rfind(name)? + name.len()))
        .max();
    let between = name.map(|end| &before[end..]);
    between.is_some_and(|between| {
        between.len() <= MAX_APART && !Parameter::ALL.iter().any(|other| between.contains(other.name()))
    })
}

/// Each number in a wording, its digits perhaps between backticks or after a space, with the place where the wording begins.
fn numbers(message: &str, wording: &Wording) -> impl Iterator<Item = (usize, u64)> {
    message.match_indices(wording.before).filter_map(move |(at, before)| {
        let rest = message[at + before.len()..].trim_start_matches(['`', ' ']);
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let number: u64 = rest[..end].parse().ok()?;
        let goes_on = rest[end..].starts_with(wording.after);
        goes_on.then(|| (at, number.saturating_sub(wording.less)))
    })
}

/// The token limit of a request, in any provider's form.
fn sent_limit(sent: &Value) -> Option<u64> {
    let limits = [
        &sent["max_tokens"],
        &sent["max_completion_tokens"],
        &sent["inferenceConfig"]["maxTokens"],
        &sent["generationConfig"]["maxOutputTokens"],
    ];
    limits.into_iter().find_map(Value::as_u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_limit_is_read_in_each_providers_words() {
        let sent = json!({"max_tokens": 100_000});
        for (message, limit) in [
            (
                "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.",
                16_384,
            ),
            (
                "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5",
                64_000,
            ),
            (
                "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]",
                8192,
            ),
            (
                "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
                8192,
            ),
            (
                "max_tokens for `llama-3.1-8b-instant` must be less than or equal to 8000",
                8000,
            ),
            (
                "`max_completion_tokens` must be less than or equal to `16384`, the maximum value for `max_completion_tokens` is less than the `context_window` for this model",
                16_384,
            ),
            ("max_tokens: Input should be less than or equal to 32768", 32_768),
            (
                "max_completion_tokens is too large: 100000. This model supports at most 8192",
                8192,
            ),
            ("max_tokens must be in the range [1,4096]", 4096),
            ("max_tokens must be between 1 and 4096.", 4096),
            (
                "Invalid 'max_tokens': integer above maximum value. Expected a value <= 16384, but got 100000 instead.",
                16_384,
            ),
            (
                "The parameter `max_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 32768, but got 65536",
                32_768,
            ),
            (
                "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model - received 100000.",
                4096,
            ),
            (
                "The maximum tokens you requested exceeds the model limit of 8192. Try again with a maximum tokens value that is lower than 8192.",
                8192,
            ),
            (
                "Malformed input request: #/maxTokens: 100000 is not less or equal to 4096, please reformat your input",
                4096,
            ),
            (
                "Unable to submit request because it has a maxOutputTokens value of 100000 but the supported range is from 1 (inclusive) to 8193 (exclusive). Update the value and try again.",
                8192,
            ),
        ] {
            assert_eq!(stated_limit(message, None, &sent), Some(limit), "{message}");
        }
    }

    #[test]
    fn what_is_no_lower_limit_of_the_model_is_not_read() {
        let sent = json!({"generationConfig": {"maxOutputTokens": 5000}});
        for (message, param) in [
            // About the rest of the context, about another parameter, or no number at all.
            (
                "'max_tokens' is too large: 5000. This model's maximum context length is 4097 tokens and your request has 935 input tokens (5000 > 4097 - 935).",
                None,
            ),
            ("temperature must be less than or equal to 1", None),
            ("max_tokens must be less than or equal to 1", Some("top_logprobs")),
            ("max_tokens must be less than or equal to the context", None),
            (
                "max_tokens: Input should be greater than 0, temperature: Input should be less than or equal to 1",
                None,
            ),
            ("top_logprobs must be less than or equal to 20; max_tokens: 0", None),
            // SiliconFlow's, about the context
            (
                "max_total_tokens (9000) must be less than or equal to max_seq_len (4096)",
                None,
            ),
            (
                "Invalid 'temperature': expected a value <= 2, but got 3 instead. max_tokens",
                None,
            ),
            // Not lower than what was sent, or nothing that can be sent.
            ("max_tokens must be less than or equal to 5000", None),
            ("max_tokens must be less than or equal to 8192", None),
            ("max_tokens must be less than or equal to 0", None),
            ("max_tokens must be less than or equal to 99999999999999999999999", None),
        ] {
            assert_eq!(stated_limit(message, param, &sent), None, "{message}");
        }
        let message = "max_tokens must be less than or equal to 10";
        assert_eq!(stated_limit(message, Some("max_tokens"), &sent), Some(10));
        assert_eq!(stated_limit(message, None, &json!({})), None);
    }
}
