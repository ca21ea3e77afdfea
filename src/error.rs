//! Every way a request can fail, and the one function that makes it OpenAI's error body.
//!
//! It has two callers: the response, and the last event of a stream that broke after its first byte.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

mod body;
mod description;
mod limited;
mod logged;
mod provider;
mod rejected;
mod words;

use crate::limit::{Bound, RateLimit};
pub(crate) use body::ErrorObject;
use body::sentence;
pub use body::{ErrorReply, Problem};
use description::Description;
pub use logged::Unlogged;
pub use provider::{Failure, ProviderError};
pub(crate) use rejected::CODES;
pub use rejected::{Reason, Rejected};
pub use words::Words;

/// Response header by which OpenAI's SDKs are told not to try again.
pub static SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Why a request got no reply, or a reply got cut off.
///
/// The `Display` form goes to the client, so it holds no key, token, table name or internal cause; those that
/// matter for the operator are in [`Error::cause`], for the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 401: no `Authorization: Bearer <token>`.
    #[error("Missing authentication token: send the assistant's public token as `Authorization: Bearer <token>`.")]
    MissingToken,
    /// 401: no assistant carries the token's digest.
    #[error("Invalid token: no assistant has this public token. Check it against the assistant's settings.")]
    InvalidToken,
    /// 404: the token was an assistant's that has been deleted.
    #[error("Assistant not found: the assistant of this token has been deleted.")]
    AssistantNotFound,
    /// 401: the management API without `Authorization: Bearer <JWT>`.
    #[error("Missing authentication token: send your JWT as `Authorization: Bearer <JWT>`.")]
    MissingJwt,
    /// 401: a JWT that does not count.
    #[error("Invalid token: the JWT cannot be accepted, because {0}.")]
    InvalidJwt(&'static str),
    /// 404: the caller has no such assistant.
    #[error("Assistant not found: you have no assistant with this id. GET /assistants lists yours.")]
    NoSuchAssistant,
    /// 403: of `assistants serve` alone: not the settings page wants to sign in.
    #[error("Only the settings page of this server can sign in without a password. Open it at its own address.")]
    NotTheSettingsPage,
    /// 404: the settings page has no such file, or no longer.
    #[error("The settings page has no such file. Load the page again: it may be a newer one by now.")]
    NoSuchFile,
    /// 404: this deployment counts nothing.
    #[error("Usage is not counted here: the operator has to set `USAGE_TABLE`.")]
    UsageNotCounted,
    /// 404: this deployment keeps no responses.
    #[error("Responses are not kept here: the operator has to set `RESPONSES_TABLE`.")]
    ResponsesNotKept,
    /// 404: the assistant has no such response.
    #[error(
        "Response not found: this assistant keeps no response with this id. It was not kept, has expired or has been \
         deleted. Check the id, and that the token is the one that the response was made with."
    )]
    NoSuchResponse,
    /// 409: the token is another assistant's, or another owner's.
    #[error("This public token is already in use. Choose another; nothing was changed.")]
    TokenTaken,
    /// 403: the owner has as many assistants as the operator allows. The text says so.
    #[error("{0}")]
    TooManyAssistants(String),
    /// 412: `If-Match` names another version.
    #[error(
        "The assistant has changed: `If-Match` does not hold its current version. Read it again and repeat the change."
    )]
    VersionMismatch,
    /// 403: `access_mode` is anything but `public_token`.
    #[error("Not configured for public access: set the assistant's `access_mode` to `public_token`.")]
    AccessDisabled,
    /// 403: the assistant's `allowed_origins` lack the request's `Origin`.
    #[error("Origin not allowed: add it to the assistant's `allowed_origins` to call it from this page.")]
    OriginNotAllowed,
    /// 403: the operator's CloudFront is the only way in, and the request did not come through it.
    #[error(
        "Direct access closed: this service is reached through the operator's own host name only. Use that as the base URL."
    )]
    DirectAccessClosed,
    /// 429: a limit of the assistant's is reached.
    #[error("{}", limited::message(bound, *ends_in))]
    LimitReached {
        /// The limit.
        bound: Bound,
        /// Seconds until its window ends.
        ends_in: u64,
    },
    /// 429: the requests come faster than they can be counted.
    #[error("Requests for this assistant come faster than they can be counted. Try again in a second.")]
    NotCounted,
    /// 404: no such path.
    #[error("Unknown URL ({method} {path}). This function has {known}.")]
    UnknownUrl {
        /// The request's method.
        method: String,
        /// The request's path, shortened.
        path: String,
        /// The operations that are there, as `GET /health, …`.
        known: String,
    },
    /// 405: the path is there, the method is not.
    #[error("Not allowed to {method} on {path}. Use {allowed}.")]
    MethodNotAllowed {
        /// The request's method.
        method: String,
        /// The request's path, shortened.
        path: String,
        /// The methods that are allowed, as `GET, HEAD`.
        allowed: String,
    },
    /// 413: the body is over the limit.
    #[error(
        "The request body is larger than {limit} bytes. Send a smaller one: fewer or shorter texts, fewer or smaller images."
    )]
    BodyTooLarge {
        /// Bytes.
        limit: usize,
    },
    /// 415: the body is compressed.
    #[error("The request body has the Content-Encoding '{coding}'. Send it as it is, without a Content-Encoding.")]
    EncodedBody {
        /// The encoding, shortened.
        coding: String,
    },
    /// 400: the request cannot be read or asks for what is not supported.
    #[error("{message}")]
    InvalidRequest {
        /// What is wrong and what to do.
        message: String,
        /// The field at fault, as a path such as `messages[0].role`.
        param: Option<String>,
        /// OpenAI's code, where it has one.
        code: Option<&'static str>,
    },
    /// 400: settings of an assistant that cannot be used.
    #[error("{}.", sentence(.0))]
    InvalidSettings(Vec<Problem>),
    /// 500: the assistant's config cannot be used.
    #[error("The assistant is misconfigured: {0}")]
    Misconfigured(String),
    /// 500: the assistant's config cannot be used here, since the operator has not set something up.
    #[error("The assistant is misconfigured: {0}")]
    NotSetUp(String),
    /// 503: `DynamoDB` or Secrets Manager is throttled or down.
    #[error("A service that this one depends on could not be reached just now. Try again in a moment.")]
    Unavailable {
        /// For the log only.
        cause: String,
    },
    /// 503: what is kept of an assistant's conversations is perhaps not erased to its end.
    #[error(
        "{}. Send the request again to erase the rest.",
        if *is_deleted {
            "The assistant is deleted, but not all of its responses may be erased yet"
        } else {
            "Some of the assistant's responses may be erased, but not all are"
        }
    )]
    NotAllErased {
        /// Whether the assistant itself is deleted by the request.
        is_deleted: bool,
        /// For the log only.
        cause: String,
    },
    /// 503: the issuer of the JWTs does not answer.
    #[error("The keys of the tokens' issuer could not be read just now. Try again in a moment.")]
    IssuerUnavailable {
        /// For the log only.
        cause: String,
    },
    /// 400, 408, 414, 431: a request that is no HTTP or does not come to its end. Where the platform is in front, it answers
    /// these itself.
    #[error("{message}")]
    Unreadable {
        /// One of the four.
        status: StatusCode,
        /// For programs.
        code: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// 503: the process is about to end.
    #[error("The server is being stopped, and the reply with it. Try again in a moment.")]
    Stopped,
    /// What went wrong at the model's provider.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl Error {
    /// A 400 without a code of its own.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidRequest {
            message: message.into(),
            param: Some(param.into()),
            code: None,
        }
    }

    /// A 400 with one of OpenAI's codes.
    pub fn invalid_with_code(param: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::InvalidRequest {
            message: message.into(),
            param: Some(param.into()),
            code: Some(code),
        }
    }

    /// The same where the field at fault goes by another name, in our own words too: `names` are pairs of the one and the
    /// other. What follows it is kept, but for a place in a list, which another list has elsewhere.
    pub(crate) fn renamed(mut self, names: &[(&str, &str)]) -> Self {
        let renamed = |param: &str| {
            names.iter().find_map(|(name, other)| {
                let rest = param.strip_prefix(name)?;
                // Providers write a place as `[1]`, `.[1]` and `.1`.
                let is_place = rest
                    .trim_start_matches('.')
                    .starts_with(|first: char| first == '[' || first.is_ascii_digit());
                match rest {
                    "" => Some((*other).to_owned()),
                    _ if is_place => Some((*other).to_owned()),
                    rest if rest.starts_with('.') => Some(format!("{other}{rest}")),
                    _ => None,
                }
            })
        };
        match &mut self {
            Self::InvalidRequest {
                param: Some(param),
                message,
                ..
            } => {
                if let Some(newer) = renamed(param) {
                    *message = message.replace(&format!("'{param}'"), &format!("'{newer}'"));
                    *param = newer;
                }
            }
            Self::Provider(ProviderError {
                failure: Failure::Rejected(rejected),
                ..
            }) => {
                if let Some(newer) = rejected.field.as_deref().and_then(renamed) {
                    rejected.field = Some(newer);
                }
            }
            _ => {}
        }
        self
    }

    /// A 400 for a field that is not there, in OpenAI's words.
    pub(crate) fn missing(param: impl Into<String>) -> Self {
        let param = param.into();
        let message = format!("Missing required parameter: '{param}'.");
        Self::invalid_with_code(param, "missing_required_parameter", message)
    }

    /// Whether a model failed, and another may not: not so where the request, the key or a setting is at fault.
    pub fn is_the_models(&self) -> bool {
        use Failure::{Broken, Overloaded, QuotaExceeded, RateLimited, TimedOut, Unexpected};
        let Self::Provider(ProviderError { failure, .. }) = self else {
            return false;
        };
        matches!(
            failure,
            Broken | Overloaded | QuotaExceeded | RateLimited | TimedOut | Unexpected
        )
    }

    /// The HTTP status that the error has before a reply's first byte.
    pub fn status(&self) -> StatusCode {
        self.describe().status
    }

    /// OpenAI's code for the error, `null` in the body where there is none.
    pub fn code(&self) -> Option<String> {
        self.describe().code
    }

    /// OpenAI's error object. Settings that cannot be used are beside its four fields.
    pub fn body(&self) -> ErrorReply {
        let Description { kind, code, param, .. } = self.describe();
        let problems = match self {
            Self::InvalidSettings(problems) => problems.clone(),
            _ => Vec::new(),
        };
        ErrorReply {
            error: ErrorObject {
                message: self.to_string(),
                r#type: kind,
                param,
                code,
                problems,
            },
        }
    }
}

/// The innermost message: the outer ones repeat the URL.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let unlogged = Unlogged::of(&self);
        let mut response = self.into_logged_response();
        response.extensions_mut().insert(unlogged);
        response
    }
}

impl Error {
    /// The response to an error that the log has.
    pub fn into_logged_response(self) -> Response {
        let Description {
            status,
            retry_after,
            should_retry,
            ..
        } = self.describe();
        let mut response = (status, axum::Json(self.body())).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Self::LimitReached { bound, ends_in } = &self
            && bound.limit.is_of_requests()
        {
            let left = RateLimit {
                limit: bound.value,
                remaining: 0,
                reset: *ends_in,
            };
            left.write(headers);
        }
        if should_retry == Some(false) {
            headers.insert(SHOULD_RETRY.clone(), HeaderValue::from_static("false"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
