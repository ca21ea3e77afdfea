//! The phrases and codes that tell a failure where its status does not.

/// Codes and kinds by which providers say that they do not know the model, or not here, whatever the status. GitHub's are
/// `unknown_model` (<https://github.com/github/gh-models/issues/65>) and Copilot's `model_not_supported`
/// (<https://github.com/decolua/9router/issues/3477>); read 2026-11.
pub(super) const MODEL_CODES: [&str; 6] = [
    "model_not_found",
    "model_not_supported",
    "invalid_model",
    "unknown_model",
    "model_decommissioned",
    "DeploymentNotFound",
];

/// Phrases, in lower case, in a 400 that mean: the configured model cannot be called, or not like this. Bedrock's first, then
/// - DeepSeek's "Model Not Exist" (<https://github.com/deepwn/addi/issues/13>),
/// - OpenRouter's "x is not a valid model ID" (<https://github.com/continuedev/continue/issues/10758>),
/// - LiteLLM's "Invalid model name passed in model=x" (<https://github.com/continuedev/continue/issues/11177>),
/// - `SiliconFlow`'s "Model does not exist. Please check it carefully." (<https://github.com/ErlichLiu/DeepClaude/issues/111>),
/// - Azure's "The chatCompletion operation does not work with the specified model, o3-pro."
///   (<https://github.com/egoist/chatwise-releases/issues/942>); read 2026-11.
pub(super) const WRONG_MODEL: [&str; 7] = [
    "provided model identifier is invalid",
    "on-demand throughput",
    "model not exist",
    "model does not exist",
    "is not a valid model id",
    "invalid model name",
    "does not work with the specified model",
];

/// Phrases in a 400 about a parameter by another name than the caller's, with the caller's name and OpenAI's code:
/// Bedrock's, but for the last, which is Anthropic's.
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
/// Codes and kinds, whatever the status, that mean: the account behind the key has used its share, or is not paid for.
/// OpenAI's first (<https://github.com/BerriAI/litellm/issues/2743>), then Alibaba's (<https://github.com/dataelement/bisheng/pull/2426>) and Moonshot's
/// (<https://github.com/anomalyco/opencode/issues/24462>); read 2026-11.
pub(super) const SPENT_CODES: [&str; 6] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "ServiceQuotaExceededException",
    "Arrearage",
    "exceeded_current_quota_error",
];
/// Phrases, in lower case, in a 400 or 429 that mean the same: Anthropic's, then Moonshot's and Z.ai's
/// (<https://github.com/zai-org/feedback/issues/789>, read 2026-11).
pub(super) const SPENT: [&str; 3] = ["credit balance is too low", "api usage limits", "insufficient balance"];
/// Phrases, at the beginning of a 400, that mean: the key is wrong or its account closed, or may not do this. Anthropic's, xAI's
/// (which shows a part of the key), Bedrock's for an account that may not call the model
/// (<https://repost.aws/questions/QUz2b4DsWuQp-u1pl1OiJUMg>, <https://github.com/anthropics/claude-code/issues/2656>) and
/// OpenAI's (<https://github.com/Lamb-Project/lamb/issues/54>); read 2026-11.
pub(super) const WRONG_ACCOUNT: [&str; 5] = [
    "This organization has been disabled",
    "Incorrect API key provided",
    "Operation not allowed",
    "Access to Anthropic models is not allowed",
    "Your organization must be verified",
];
/// Words, in lower case, in a 403 that mean: what is wrong is the request's content. xAI's ("Content violates usage
/// guidelines. …", <https://github.com/BerriAI/litellm/issues/18105>), OpenRouter's ("… requires moderation on … Your
/// input was flagged for …", <https://openrouter.ai/docs/api-reference/errors>) and others'; read 2026-11.
pub(super) const CONTENT: [&str; 15] = [
    "usage guidelines",
    "usage policy",
    "usage policies",
    "content policy",
    "content_policy",
    "content violates",
    "content_filter",
    "content filter",
    "content management policy",
    "policy_violation",
    "moderation",
    "flagged",
    "safety",
    "inappropriate",
    "prohibited content",
];
/// Words, in lower case, that tell of an account's own fault in such a message.
pub(super) const ACCOUNT: [&str; 5] = ["account", "organization", "suspended", "deactivated", "billing"];
/// Phrases, in lower case, by which a chat template turns down the messages' order or roles: servers report them with any
/// status. <https://github.com/vllm-project/vllm/issues/6862>, <https://github.com/anomalyco/opencode/issues/5034>,
/// read 2026-11.
pub(super) const TEMPLATE: [&str; 4] = [
    "roles must alternate",
    "system role not supported",
    "system role is not supported",
    "roles are supported, got system",
];
/// What the kind or code of an error within a stream says, as a part of it in lower case without `_`, and the status that it
/// comes with elsewhere. The first that fits counts.
pub(super) const KINDS: [(&str, u16); 26] = [
    ("ratelimit", 429),
    ("throttl", 429),
    ("toomanyrequests", 429),
    ("resourceexhausted", 429),
    ("insufficientquota", 429),
    ("billing", 402),
    ("timeout", 408),
    ("deadlineexceeded", 408),
    ("overloaded", 503),
    ("capacity", 503),
    ("unavailable", 503),
    ("notready", 503),
    ("authentication", 401),
    ("unauthenticated", 401),
    ("unauthorized", 401),
    ("apikey", 401),
    ("permission", 403),
    ("accessdenied", 403),
    ("forbidden", 403),
    ("notfound", 404),
    ("toolarge", 413),
    ("contextlength", 400),
    ("invalidrequest", 400),
    ("badrequest", 400),
    ("validation", 400),
    ("invalidargument", 400),
];
/// `MiniMax`'s numbers of errors, which it has under a 200, and the status that they have elsewhere. 1008 is the balance, 1026 and
/// 1027 are its moderation of question and answer, 2013 is about the request, an overflow included; what is not here is its
/// own failure. <https://platform.minimax.io/docs/api-reference/errorcode>, read 2026-11 in the copy of <https://github.com/petehsu/LLM-Docs>.
pub(super) const MINIMAX: [(u64, u16); 11] = [
    (1001, 408),
    (1002, 429),
    (1004, 401),
    (1008, 402),
    (1026, 400),
    (1027, 400),
    (1039, 429),
    (1042, 400),
    (2013, 400),
    (2045, 429),
    (2049, 401),
];
/// AWS's kinds of errors about who is asking ("Common errors"), some of them with a 400.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>, read 2026-11
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
