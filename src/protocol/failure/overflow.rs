//! Whether an error says that the conversation is longer than the model's context.
//!
//! No two servers say it in the same words, so most are recognised by two words in one message: one for the context or the
//! input, one for being too long. What limits the answer or a time is no overflow. Each test row is a server's own message.

/// OpenAI's words for a prompt that is too long: LangChain, LiteLLM and others look for them.
pub(super) const OVERFLOW: &str = "This model's maximum context length is exceeded";
/// Their beginning, which most servers have.
pub(super) const MAXIMUM_CONTEXT_LENGTH: &str = "maximum context length";

/// OpenAI's code for it, and those of GitHub's models, of Copilot, of llama.cpp and of Z.ai.
const CODES: [&str; 7] = [
    "context_length_exceeded",
    "tokens_limit_reached",
    "model_max_prompt_tokens_exceeded",
    "exceed_context_size_error",
    "context_window_exceeded",
    "prompt_too_long",
    "model_context_window_exceeded",
];

/// Phrases, in lower case, that say it by themselves.
const PHRASES: [&str; 27] = [
    MAXIMUM_CONTEXT_LENGTH,
    "prompt is too long",
    "prompt too long",
    "prompt exceeds",
    "input is too long",
    "input too long",
    "messages too long",
    "messages is too long",
    "messages are too long",
    "request: expected maxlength",
    "#/inputtext: expected maxlength",
    "#/prompt: expected maxlength",
    "too many tokens",
    "too many input tokens",
    "maximum prompt length",
    "exceeded model token limit",
    "context the overflows",
    "more than max tokens allowed",
    "length of prompt_tokens",
    "max_total_tokens",
    "model max length exceeded",
    "range of input length",
    "reduce the length of the messages",
    "reduce the length of the input",
    "request body too large for",
    "`inputs` must have less than",
    "`inputs` tokens +",
];

/// Words, in lower case, for the context and for what stands in it.
const CONTEXT: [&str; 18] = [
    "context length",
    "context_length",
    "context window",
    "context size",
    "context limit",
    "model length",
    "max_model_len",
    "max_seq_len",
    "sequence length",
    "input length",
    "input token",
    "message token",
    "prompt token",
    "token limit",
    "prompt has",
    "prompt length",
    "your input is",
    "request exceeds the maximum number of tokens",
];

/// Words, in lower case, for being too long.
const TOO_LONG: [&str; 14] = [
    "exceed",
    "too long",
    "too large",
    "too many",
    "longer than",
    "greater than",
    "larger than",
    "more than",
    "but the maximum",
    "but the configured",
    "only supports up to",
    "overflow",
    "not enough",
    "is only",
];

/// Words, in lower case, of a limit of tokens in a time. Bedrock throttles with "Too many tokens, please wait before trying
/// again."
const OF_A_RATE: [&str; 10] = [
    "per minute",
    "per month",
    "per day",
    "daily",
    "monthly",
    "per hour",
    "tpm",
    "tpd",
    "rate limit",
    "please wait",
];

/// Words, in lower case, of a limit of the answer, which may be named beside the context. Cohere's is "too many tokens: max
/// tokens must be less than or equal to 4096, the maximum output for this model - received 8192."
/// (<https://docs.cohere.com/v1/reference/errors>, read 2026-11).
const OF_THE_ANSWER: [&str; 3] = ["max tokens must be", "output token limit", "completion token limit"];

/// Whether an error with this message, kind and code is an overflow.
pub(super) fn is_overflow(message: &str, kind: &str, code: &str) -> bool {
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if CODES.contains(&code) || CODES.contains(&kind) {
        return true;
    }
    !says(&OF_A_RATE) && !says(&OF_THE_ANSWER) && (says(&PHRASES) || (says(&CONTEXT) && says(&TOO_LONG)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as servers sent them, from public issues and their documents, read 2026-11.
    const OVERFLOWS: &[&str] = &[
        // OpenAI, Azure, DeepSeek; vLLM, old and new
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "The prompt (total length 5000) is too long to fit into the model (context length 4096).",
        "You passed 5000 input tokens and requested 10 output tokens. However, the model's context length is only 4096 tokens.",
        "Input length (265330) exceeds model's maximum context length (262144).",
        // Anthropic
        "prompt is too long: 208310 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens`",
        // Bedrock: Claude, Nova, Titan, AI21
        "Input is too long for requested model.",
        "The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
        "Too many input tokens. Max input tokens: 8192, request input token count: 9000",
        "Prompt has 9000 tokens, but the maximum is 8192",
        // Google
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        // xAI
        "This model's maximum prompt length is 131072 but the request contains 216748 tokens.",
        // LM Studio
        "Trying to keep the first 6000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        // SGLang
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "Requested token count exceeds the model's maximum context length of 4096 tokens.",
        // Ollama, llama.cpp
        "prompt too long; exceeded max context length by 800 tokens",
        "the request exceeds the available context size. try increasing the context size or enable context shift",
        // Mistral, Cohere, Fireworks, Groq, Cerebras
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000",
        "The prompt is too long: 9000, model maximum context length: 8192",
        "Please reduce the length of the messages or completion.",
        "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
        // Together, text-generation-inference
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens and 512 `max_new_tokens`",
        "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500",
        // Moonshot, Zhipu, Alibaba, MiniMax
        "Invalid request: Your request exceeded model token limit: 8192",
        "Prompt exceeds max length",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 6000]",
        "invalid params, context window exceeds limit (2013)",
        // GitHub's models, Copilot, Poolside
        "Request body too large for gpt-4o model. Max size: 8000 tokens.",
        "prompt token count of 128231 exceeds the limit of 128000",
        "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.",
        // Google's Gemma, <https://github.com/NousResearch/hermes-agent/pull/99701>
        "Unable to submit request because the input token count is 32825 but model only supports up to 32768.",
        // SiliconFlow, <https://github.com/langgenius/dify/issues/19394>
        "length of prompt_tokens (57535) must be less than max_seq_len (32768)",
        "max_total_tokens (33802) must be less than or equal to max_seq_len (32768)",
        // Moonshot, <https://github.com/MoonshotAI/MoonshotAI-Cookbook/issues/18>
        "model max length exceeded, max length:8192",
        // Volcengine's Doubao, both; the second: <https://github.com/esengine/DeepSeek-Reasonix/issues/9696>
        "Total tokens of image and text exceed max message tokens",
        "Input length 1048826 exceeds the maximum length 1048566.",
        // <https://github.com/anomalyco/opencode>, `packages/llm/src/provider-error.ts`
        "tokens in request more than max tokens allowed",
        "Prompt has 150,000 tokens, but the configured context size is 128,000 tokens",
        "context_length exceeded",
        "token limit exceeded",
        // OpenAI, <https://github.com/code-yeongyu/senpi/pull/1466>
        "Your input exceeds the model's context window",
        // Perplexity
        "The total length of all messages is too long.",
        // Bedrock's Titan and others
        "Malformed input request: expected maxLength: 42000, actual: 46735, please reformat your input and try again.",
        "Malformed input request: #/inputText: expected maxLength: 50000, actual: 52611, please reformat your input and try again.",
        // Gateways
        "Input too long.",
        "messages too long",
        "Your input is 9000 tokens, which exceeds the maximum of 8000",
        "The request exceeds the maximum number of tokens allowed",
        // Atlas, <https://github.com/0xBakeer/inference-atlas/pull/186>
        "Prompt too long: 5152 tokens exceeds max_seq_len 2048 (leave room for output tokens)",
        // Cohere, <https://docs.cohere.com/v1/reference/errors>
        "too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs, or setting prompt_truncation='AUTO'.",
    ];

    /// Other messages about lengths, limits and tokens.
    const OTHERS: &[&str] = &[
        "max_tokens is too large: 6000. This model supports at most 4096 completion tokens, whereas you provided 6000.",
        "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5",
        "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.",
        "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens`",
        "Unable to submit request because it has a maxOutputTokens value of 65536 but the supported range is from 1 (inclusive) to 65536 (exclusive).",
        "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size.",
        "Rate limit reached for gpt-4o on input tokens per minute: limit exceeded",
        "Too many tokens, please wait before trying again.",
        "Invalid 'messages[0].content': string too long. Expected a string with maximum length 1048576, but got 2000000.",
        "Invalid 'prompt_cache_key': string too long.",
        "Invalid 'stop': array too long. Expected an array with maximum length 4.",
        "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6000000 bytes > 5242880 bytes",
        "too many images and documents: 101 + 0 > 100",
        "At most 1 image(s) may be provided in one prompt.",
        "You exceeded your current quota, please check your plan and billing details.",
        "Request exceeds the maximum allowed number of bytes.",
        "temperature must be less than or equal to 2",
        "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model - received 8192.",
        "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 128000, but got 200000 instead.",
        "The prompt contains an image, which this model does not support.",
        "max_tokens exceeds the output token limit of 8192",
        "Too many tokens per minute",
        "This request exceeds the limit of 30000 tokens per minute",
        "Monthly token limit exceeded",
        "Malformed input request: #/stop_sequences/0: expected maxLength: 100, actual: 120, please reformat your input and try again.",
        "The request exceeds the maximum number of tokens allowed per minute",
        "The parameter `max_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 32768, but got 65536",
        "",
    ];

    #[test]
    fn an_overflow_is_told_from_other_limits() {
        for message in OVERFLOWS {
            assert!(is_overflow(message, "", ""), "{message}");
            assert!(
                is_overflow(message, "invalid_request_error", "invalid_parameter_error"),
                "{message}"
            );
        }
        for message in OTHERS {
            assert!(!is_overflow(message, "invalid_request_error", ""), "{message}");
        }
        for code in CODES {
            assert!(is_overflow("", "", code) && is_overflow("", code, ""), "{code}");
        }
    }
}
