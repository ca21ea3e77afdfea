//! The codes, kinds and wordings by which a failure is recognized if its status does not tell.
//!
//! Each wording is one that a provider of ours, vLLM, SGLang, llama.cpp, Ollama or LM Studio has sent; its whole message, with
//! the source, is in `tests/fixtures/errors/wordings.json`, which a test reads. A wording that is missing here stays what its
//! status says: a 400 stays a plain 400.

use axum::http::StatusCode;

use super::Said;
use crate::error::Reason;

/// The meaning of a wording.
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
/// Every status except 401, 402, 404 and 429, which state by themselves what is wrong.
const ANY: Statuses = &[];
const BAD_REQUEST: Statuses = &[400];
const OF_AN_ACCOUNT: Statuses = &[400, 429];
/// OpenRouter rejects images for a model that reads none with a 404.
const OF_IMAGES: Statuses = &[400, 404, 415, 422, 451, 500];
/// 451 is "unavailable for legal reasons": RFC 7725.
const OF_CONTENT: Statuses = &[400, 403, 451];

/// The wordings of each meaning, in lower case. The first row with one that stands in a text counts.
pub(super) const WORDINGS: [(Meaning, Statuses, &[&str]); 7] = [
    (
        Meaning::Rejection(Reason::ContextLength),
        ANY,
        &[
            "context length",
            "context window",
            "context size",
            "context limit",
            "context the overflows",
            "maximum model length",
            "maximum prompt length",
            "prompt is too long",
            "prompt too long",
            "input is too long",
            "input tokens exceeded",
            "too many input tokens",
            "input token count",
            "tokens, but the maximum is",
            "#/inputtext: expected maxlength",
            "request: expected maxlength",
            "`inputs` tokens",
            "`inputs` must have less than",
            "reduce the length of the messages",
        ],
    ),
    // Chat templates of vLLM, SGLang and llama.cpp reject an order with any status.
    (
        Meaning::Rejection(Reason::MessageOrder),
        ANY,
        &[
            "roles must alternate",
            "system role not supported",
            "roles are supported, got system",
        ],
    ),
    (
        Meaning::Rejection(Reason::ContentPolicy),
        OF_CONTENT,
        &[
            "usage guidelines",
            "content management policy",
            "content filtering policy",
            "input was flagged",
            "safety system",
        ],
    ),
    (
        Meaning::Rejection(Reason::NoImages),
        OF_IMAGES,
        &[
            "image input is not supported",
            "support image input",
            "image_url is only supported",
            "unknown variant `image_url`",
            "not a multimodal model",
        ],
    ),
    (
        Meaning::Model,
        BAD_REQUEST,
        &[
            "provided model identifier is invalid",
            "on-demand throughput",
            "model not exist",
            "is not a valid model id",
            "does not work with the specified model",
        ],
    ),
    (
        Meaning::Spent,
        OF_AN_ACCOUNT,
        &["credit balance is too low", "specified api usage limits"],
    ),
    (
        Meaning::Account,
        BAD_REQUEST,
        &[
            "this organization has been disabled",
            "incorrect api key provided",
            "operation not allowed",
        ],
    ),
];

/// Reads what an error states, by a code that stands for a wording or else by its text.
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
    let mut rows = WORDINGS.iter();
    let found = rows.find(|(_, statuses, wordings)| {
        counts(statuses, status) && wordings.iter().any(|wording| text.contains(wording))
    });
    found.map(|(meaning, ..)| *meaning)
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
