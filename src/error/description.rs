//! Of each error its status, OpenAI's type and code, and whether it helps to try again.

use axum::http::StatusCode;

use super::{Error, limited};

/// Longest `Retry-After` passed on, in seconds: SDKs sleep for it without a cap of their own.
const MAX_RETRY_AFTER: u64 = 59;

/// The parts of an error that a client can tell apart.
pub(super) struct Description {
    pub(super) status: StatusCode,
    pub(super) kind: &'static str,
    pub(super) code: Option<String>,
    pub(super) param: Option<String>,
    pub(super) retry_after: Option<u64>,
    /// `Some(false)` where the same request cannot succeed later either.
    pub(super) should_retry: Option<bool>,
}

impl Description {
    pub(super) fn new(status: StatusCode, kind: &'static str, code: &str) -> Self {
        Self {
            status,
            kind,
            code: Some(code.to_owned()),
            param: None,
            retry_after: None,
            should_retry: status.is_client_error().then_some(false),
        }
    }

    pub(super) fn never_retry(self) -> Self {
        Self {
            should_retry: Some(false),
            ..self
        }
    }

    pub(super) fn retry_after(self, seconds: Option<u64>) -> Self {
        Self {
            retry_after: seconds.map(|seconds| seconds.min(MAX_RETRY_AFTER)),
            should_retry: None,
            ..self
        }
    }
}

impl Error {
    pub(super) fn describe(&self) -> Description {
        const INVALID: &str = "invalid_request_error";
        let new = Description::new;
        let unauthorized = |code| new(StatusCode::UNAUTHORIZED, "authentication_error", code);
        let not_found = |code| new(StatusCode::NOT_FOUND, "not_found_error", code);
        match self {
            Self::MissingToken | Self::MissingJwt => unauthorized("missing_authentication_token"),
            Self::InvalidJwt(_) => unauthorized("invalid_jwt"),
            Self::TokenTaken => Description {
                param: Some("config.configurable.public_token".to_owned()),
                ..new(StatusCode::CONFLICT, INVALID, "token_in_use")
            },
            Self::VersionMismatch => new(StatusCode::PRECONDITION_FAILED, INVALID, "version_mismatch"),
            Self::InvalidToken => unauthorized("invalid_api_key"),
            Self::AssistantNotFound | Self::NoSuchAssistant => not_found("assistant_not_found"),
            Self::NotTheSettingsPage => new(StatusCode::FORBIDDEN, "permission_error", "not_the_settings_page"),
            Self::NoSuchFile => not_found("not_found"),
            Self::UsageNotCounted => not_found("usage_not_counted"),
            Self::ResponsesNotKept => not_found("responses_not_kept"),
            Self::NoSuchResponse => not_found("response_not_found"),
            Self::AccessDisabled => new(StatusCode::FORBIDDEN, "permission_error", "public_access_disabled"),
            Self::OriginNotAllowed => new(StatusCode::FORBIDDEN, "permission_error", "origin_not_allowed"),
            Self::TooManyAssistants(_) => new(StatusCode::FORBIDDEN, "permission_error", "too_many_assistants"),
            Self::DirectAccessClosed => new(StatusCode::FORBIDDEN, "permission_error", "direct_access_closed"),
            Self::LimitReached { bound, ends_in } => limited::describe(bound, *ends_in),
            Self::NotCounted => {
                new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "rate_limit_exceeded").retry_after(Some(1))
            }
            Self::UnknownUrl { .. } => new(StatusCode::NOT_FOUND, INVALID, "unknown_url"),
            Self::MethodNotAllowed { .. } => new(StatusCode::METHOD_NOT_ALLOWED, INVALID, "method_not_allowed"),
            Self::BodyTooLarge { .. } => new(StatusCode::PAYLOAD_TOO_LARGE, INVALID, "request_too_large"),
            Self::EncodedBody { .. } => new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                INVALID,
                "unsupported_content_encoding",
            ),
            Self::InvalidRequest { param, code, .. } => Description {
                code: code.map(str::to_owned),
                param: param.clone(),
                ..new(StatusCode::BAD_REQUEST, INVALID, "")
            },
            Self::InvalidSettings(problems) => Description {
                param: problems.first().map(|problem| problem.param.clone()),
                ..new(StatusCode::BAD_REQUEST, INVALID, "invalid_value")
            },
            Self::Misconfigured(_) | Self::NotSetUp(_) => new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "api_error",
                "assistant_misconfigured",
            )
            .never_retry(),
            Self::Unavailable { .. } | Self::NotAllErased { .. } | Self::IssuerUnavailable { .. } => {
                new(StatusCode::SERVICE_UNAVAILABLE, "api_error", "service_unavailable").retry_after(Some(1))
            }
            // A request that was too slow may succeed when it is sent again, and SDKs do so.
            Self::Unreadable { status, code, .. } if *status == StatusCode::REQUEST_TIMEOUT => {
                new(*status, INVALID, code).retry_after(None)
            }
            Self::Unreadable { status, code, .. } => new(*status, INVALID, code),
            Self::Stopped => new(StatusCode::SERVICE_UNAVAILABLE, "api_error", "server_stopped").retry_after(Some(1)),
            Self::Provider(error) => error.describe(),
        }
    }
}
