//! The phrases and codes that tell a failure where its status does not.

/// Codes by which providers say that they do not know the model, whatever the status.
pub const MODEL_CODES: [&str; 4] = [
    "model_not_found",
    "invalid_model",
    "model_decommissioned",
    "DeploymentNotFound",
];

/// OpenAI's words and code for a prompt that is too long: LangChain, LiteLLM and others look for either.
pub const OVERFLOW: &str = "This model's maximum context length is exceeded";
/// By which other providers say so; llama.cpp has a type for it.
pub const OVERFLOWS: [&str; 5] = [
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
pub const WRONG_MODEL: [&str; 2] = ["provided model identifier is invalid", "on-demand throughput isn"];

/// By which Bedrock says that a model does not take what the caller has by another name.
pub const UNKNOWN_FIELDS: [(&str, &str); 5] = [
    ("output_config.format: Extra inputs", "response_format"),
    ("the stopSequences field", "stop"),
    ("the maxTokens field", "max_tokens"),
    ("the topP field", "top_p"),
    ("the temperature field", "temperature"),
];
/// By which Anthropic says, with a 400, that the account behind the key has had its share.
pub const SPENT: [&str; 2] = ["credit balance is too low", "API usage limits"];
/// By which the key turns out to be wrong, or its account closed, with a 400: Anthropic's words, and xAI's, which show a
/// part of the key.
pub const WRONG_ACCOUNT: [&str; 2] = ["This organization has been disabled", "Incorrect API key provided"];
/// AWS's kinds of errors about who is asking ("Common errors"), some of them with a 400.
pub const NOT_ALLOWED: [&str; 9] = [
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "UnrecognizedClientException",
];
