//! The codes, kinds and wordings by which a failure is recognized if its status does not tell.
//!
//! Each wording is one that a provider of ours, vLLM, SGLang, llama.cpp, Ollama or LM Studio has sent; its whole message, with
//! the source, is in `tests/fixtures/errors/wordings.json`, which a test reads. A wording that is missing here stays what its
//! status says: a 400 stays a plain 400.

use axum::http::StatusCode;

use super::Said;
use crate::error::Reason;

/// What a wording states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The configured model cannot be called, or not like this.
    Model,
    /// The account behind the key has used its share.
    Spent,
    /// The key or its account may not do this.
    Account,
    /// The caller's request is at fault.
    Rejection(Reason),
}

/// The statuses with which a wording counts.
type Statuses = &'static [u16];
/// Those that state the key, the account, the model or the rate by themselves do not count.
const ANY: Statuses = &[];
const BAD_REQUEST: Statuses = &[400];
const OF_AN_ACCOUNT: Statuses = &[400, 429];
/// OpenRouter rejects images for a model that reads none with a 404.
const OF_IMAGES: Statuses = &[400, 404, 415, 422, 500];
const OF_CONTENT: Statuses = &[400, 403];

/// The wordings, in lower case.
pub(super) const WORDINGS: [(&str, Statuses, Meaning); 42] = [
    // The prompt is too long.
    ("context length", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("context window", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("context size", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("context limit", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("context the overflows", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("maximum model length", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("maximum prompt length", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("prompt is too long", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("prompt too long", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("input is too long", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("input tokens exceeded", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("too many input tokens", ANY, Meaning::Rejection(Reason::ContextLength)),
    ("input token count", ANY, Meaning::Rejection(Reason::ContextLength)),
    (
        "tokens, but the maximum is",
        ANY,
        Meaning::Rejection(Reason::ContextLength),
    ),
    (
        "#/inputtext: expected maxlength",
        ANY,
        Meaning::Rejection(Reason::ContextLength),
    ),
    (
        "request: expected maxlength",
        ANY,
        Meaning::Rejection(Reason::ContextLength),
    ),
    ("`inputs` tokens", ANY, Meaning::Rejection(Reason::ContextLength)),
    (
        "`inputs` must have less than",
        ANY,
        Meaning::Rejection(Reason::ContextLength),
    ),
    (
        "reduce the length of the messages",
        ANY,
        Meaning::Rejection(Reason::ContextLength),
    ),
    // The messages' order: chat templates of vLLM, SGLang and llama.cpp report it with any status.
    ("roles must alternate", ANY, Meaning::Rejection(Reason::MessageOrder)),
    (
        "system role not supported",
        ANY,
        Meaning::Rejection(Reason::MessageOrder),
    ),
    (
        "roles are supported, got system",
        ANY,
        Meaning::Rejection(Reason::MessageOrder),
    ),
    // The content.
    (
        "usage guidelines",
        OF_CONTENT,
        Meaning::Rejection(Reason::ContentPolicy),
    ),
    (
        "content management policy",
        OF_CONTENT,
        Meaning::Rejection(Reason::ContentPolicy),
    ),
    (
        "content filtering policy",
        OF_CONTENT,
        Meaning::Rejection(Reason::ContentPolicy),
    ),
    (
        "input was flagged",
        OF_CONTENT,
        Meaning::Rejection(Reason::ContentPolicy),
    ),
    ("safety system", OF_CONTENT, Meaning::Rejection(Reason::ContentPolicy)),
    (
        "image input is not supported",
        OF_IMAGES,
        Meaning::Rejection(Reason::NoImages),
    ),
    ("support image input", OF_IMAGES, Meaning::Rejection(Reason::NoImages)),
    (
        "image_url is only supported",
        OF_IMAGES,
        Meaning::Rejection(Reason::NoImages),
    ),
    (
        "unknown variant `image_url`",
        OF_IMAGES,
        Meaning::Rejection(Reason::NoImages),
    ),
    (
        "not a multimodal model",
        OF_IMAGES,
        Meaning::Rejection(Reason::NoImages),
    ),
    // The model.
    ("provided model identifier is invalid", BAD_REQUEST, Meaning::Model),
    ("on-demand throughput", BAD_REQUEST, Meaning::Model),
    ("model not exist", BAD_REQUEST, Meaning::Model),
    ("is not a valid model id", BAD_REQUEST, Meaning::Model),
    ("does not work with the specified model", BAD_REQUEST, Meaning::Model),
    // The account.
    ("credit balance is too low", OF_AN_ACCOUNT, Meaning::Spent),
    ("specified api usage limits", OF_AN_ACCOUNT, Meaning::Spent),
    ("this organization has been disabled", BAD_REQUEST, Meaning::Account),
    ("incorrect api key provided", BAD_REQUEST, Meaning::Account),
    ("operation not allowed", BAD_REQUEST, Meaning::Account),
];

/// What an error's text, or a code that stands for a wording, states.
pub(super) fn meaning_of(status: StatusCode, said: &Said) -> Option<Meaning> {
    let names = [said.code.as_deref(), said.kind.as_deref()].into_iter().flatten();
    let by_name = |table: &[&str]| names.clone().any(|name| table.contains(&name));
    if by_name(&OVERFLOW_CODES) && counts(ANY, status) {
        return Some(Meaning::Rejection(Reason::ContextLength));
    }
    if (by_name(&CONTENT_CODES) || said.is_flagged) && counts(OF_CONTENT, status) {
        return Some(Meaning::Rejection(Reason::ContentPolicy));
    }
    let text = said.text.to_lowercase();
    let mut wordings = WORDINGS.iter();
    let found = wordings.find(|(wording, statuses, _)| counts(statuses, status) && text.contains(wording));
    found.map(|(.., meaning)| *meaning)
}

fn counts(statuses: Statuses, status: StatusCode) -> bool {
    match status.as_u16() {
        // OpenRouter's 402 "Prompt tokens limit exceeded: 64128 > 6964. …" is about the account.
        // <https://github.com/continuedev/continue/issues/11227>, read 2026-11
        401 | 402 | 404 | 429 if statuses.is_empty() => false,
        status => statuses.is_empty() || statuses.contains(&status),
    }
}

/// Codes and kinds of an overflow: OpenAI's and llama.cpp's.
const OVERFLOW_CODES: [&str; 2] = ["context_length_exceeded", "exceed_context_size_error"];
/// Codes of a moderation: Azure's and OpenAI's.
const CONTENT_CODES: [&str; 4] = [
    "content_filter",
    "content_policy_violation",
    "moderation_blocked",
    "ResponsibleAIPolicyViolation",
];
/// Codes and kinds by which a provider says, with any status, that it does not know the model.
pub(super) const MODEL_CODES: [&str; 5] = [
    "model_not_found",
    "invalid_model",
    "unknown_model",
    "model_decommissioned",
    "DeploymentNotFound",
];
/// Codes and kinds, with any status, of an account that has used its share or is not paid for: OpenAI's
/// (<https://github.com/BerriAI/litellm/issues/2743>, read 2026-11) and AWS's.
pub(super) const SPENT_CODES: [&str; 4] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "ServiceQuotaExceededException",
];
/// Kinds of errors, with any status, about the key or its account: AWS's "Common errors", some of which come with a 400
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>, read 2026-11), and Google's two.
pub(super) const ACCOUNT_KINDS: [&str; 12] = [
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
    "API_KEY_INVALID",
    "FAILED_PRECONDITION",
];
/// The status that the kind or code of an error within a stream has elsewhere, by a part of it in lower case without `_`. The
/// first that fits counts.
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
/// The kinds and codes that the log has in a provider's spelling. Any other word of a provider's may be the conversation's.
pub(super) const LOGGED: [&str; 38] = [
    // OpenAI, Anthropic
    "api_error",
    "authentication_error",
    "billing_error",
    "content_filter",
    "context_length_exceeded",
    "insufficient_quota",
    "internal_server_error",
    "invalid_api_key",
    "invalid_request_error",
    "invalid_value",
    "model_not_found",
    "not_found_error",
    "overloaded_error",
    "permission_error",
    "rate_limit_error",
    "rate_limit_exceeded",
    "request_too_large",
    "server_error",
    "timeout_error",
    "unsupported_parameter",
    "unsupported_value",
    // Google
    "DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION",
    "INTERNAL",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "UNAUTHENTICATED",
    "UNAVAILABLE",
    // Bedrock
    "AccessDeniedException",
    "InternalServerException",
    "ModelErrorException",
    "ModelStreamErrorException",
    "ModelTimeoutException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "ValidationException",
];
