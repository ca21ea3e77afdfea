//! The phrases and codes that tell a failure where its status does not.

/// Codes by which providers say that they do not know the model, whatever the status.
pub(super) const MODEL_CODES: [&str; 4] = [
    "model_not_found",
    "invalid_model",
    "model_decommissioned",
    "DeploymentNotFound",
];

/// OpenAI's words and code for a prompt that is too long: LangChain, LiteLLM and others look for either.
pub(super) const OVERFLOW: &str = "This model's maximum context length is exceeded";
/// By which other providers say so; llama.cpp has a type for it.
pub(super) const OVERFLOWS: [&str; 5] = [
    // OpenAI, Mistral, vLLM
    "maximum context length",
    // Anthropic
    "prompt is too long",
    // Anthropic, prompt and `max_tokens` together
    "exceed context limit",
    // Bedrock
    "Input is too long for requested model",
    // Google
    "exceeds the maximum number of tokens allowed",
];
/// By which Bedrock says, with a 400, that the configured model is wrong.
pub(super) const WRONG_MODEL: [&str; 2] = ["provided model identifier is invalid", "on-demand throughput isn"];

/// By which providers turn down what the caller has by another name, with that name and OpenAI's code: Bedrock's, but for
/// the last, which is Anthropic's.
pub(super) const OTHER_NAMES: [(&str, &str, &str); 6] = [
    (
        "output_config.format: Extra inputs",
        "response_format",
        "unsupported_parameter",
    ),
    ("the stopSequences field", "stop", "unsupported_parameter"),
    ("the maxTokens field", "max_tokens", "unsupported_parameter"),
    ("the topP field", "top_p", "unsupported_parameter"),
    ("the temperature field", "temperature", "unsupported_parameter"),
    (
        "stop_sequences: each stop sequence must contain non-whitespace",
        "stop",
        "invalid_value",
    ),
];
/// By which Anthropic says, with a 400, that the account behind the key has had its share.
pub(super) const SPENT: [&str; 2] = ["credit balance is too low", "API usage limits"];
/// By which the key turns out to be wrong, or its account closed, with a 400: Anthropic's words, and xAI's, which show a
/// part of the key.
pub(super) const WRONG_ACCOUNT: [&str; 2] = ["This organization has been disabled", "Incorrect API key provided"];
/// AWS's kinds of errors about who is asking ("Common errors"), some of them with a 400.
pub(super) const NOT_ALLOWED: [&str; 10] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "RequestExpired",
    "UnrecognizedClientException",
];
