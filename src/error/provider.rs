//! Failures at the model's provider.

use std::fmt;

use axum::http::StatusCode;

use super::{Description, Rejected, Words};

/// A failure at the model's provider. Its `Display` form goes to callers and holds no text of the provider's, except what a
/// rejection shows to an assistant's owner.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderError {
    /// Which failure.
    pub failure: Failure,
    /// For the log alone, in our own words: the provider's status, its request id, the limit of time that was reached.
    pub cause: String,
    /// Seconds that the provider asks to wait.
    pub retry_after: Option<u64>,
    /// The provider's own words, if it said anything.
    pub words: Words,
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.failure.fmt(f)?;
        match self.failure {
            Failure::Rejected(_) => self.words.fmt(f),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for ProviderError {}

/// The closed set of failures.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The provider rejected the request itself: context overflow, bad image, ….
    #[error(transparent)]
    Rejected(Box<Rejected>),
    /// Our key or role is bad, or may not use the model.
    #[error(
        "The model's provider did not accept this service's API key or role. The operator has to check it, and its \
         access to the model."
    )]
    Authentication,
    /// The configured model is unknown to the provider.
    #[error("The model's provider does not know the configured model. Check the assistant's `model`.")]
    ModelNotFound,
    /// Too many requests.
    #[error("The model's provider is limiting the rate of requests. Try again later.")]
    RateLimited,
    /// The account behind our key is out of credit.
    #[error("The quota of this service's account at the model's provider is used up. Check its plan and billing.")]
    QuotaExceeded,
    /// The provider has no capacity left.
    #[error("The model's provider is overloaded. Try again in a moment.")]
    Overloaded,
    /// A 5xx, a broken connection, a malformed or cut-off reply.
    #[error("The model's provider failed to answer completely. Try again.")]
    Broken,
    /// An answer that no later call changes, such as a redirect.
    #[error(
        "The model's provider answered in a way that this service does not expect. The operator has to check its \
         address and the assistant's settings."
    )]
    Unexpected,
    /// Nothing came in time.
    #[error("The model's provider did not answer in time. Try again, or ask for a shorter answer.")]
    TimedOut,
}

impl ProviderError {
    /// A failure with its cause for the log.
    pub fn new(failure: Failure, cause: impl Into<String>) -> Self {
        Self {
            failure,
            cause: cause.into(),
            retry_after: None,
            words: Words::default(),
        }
    }

    /// A broken connection or reply.
    pub fn failed(cause: impl Into<String>) -> Self {
        Self::new(Failure::Broken, cause)
    }

    /// A limit of time that was reached.
    pub fn timed_out(cause: impl Into<String>) -> Self {
        Self::new(Failure::TimedOut, cause)
    }

    /// The rejection, if the request itself was rejected.
    pub fn rejected(&self) -> Option<&Rejected> {
        match &self.failure {
            Failure::Rejected(rejected) => Some(rejected),
            _ => None,
        }
    }

    /// Whether the same call may succeed when made again at once.
    pub fn is_transient(&self) -> bool {
        matches!(self.failure, Failure::Broken | Failure::Overloaded)
    }

    pub(super) fn describe(&self) -> Description {
        let new = Description::new;
        let api_error = |status, code| new(status, "api_error", code);
        match &self.failure {
            Failure::Rejected(rejected) => Description {
                code: rejected.code().map(str::to_owned),
                param: rejected.field.clone(),
                ..new(rejected.status, "invalid_request_error", "")
            },
            Failure::Authentication => {
                api_error(StatusCode::BAD_GATEWAY, "provider_authentication_failed").never_retry()
            }
            Failure::ModelNotFound => api_error(StatusCode::BAD_GATEWAY, "provider_model_not_found").never_retry(),
            Failure::RateLimited => new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "rate_limit_exceeded")
                .retry_after(self.retry_after),
            Failure::QuotaExceeded => new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "insufficient_quota"),
            Failure::Overloaded => {
                api_error(StatusCode::SERVICE_UNAVAILABLE, "provider_overloaded").retry_after(self.retry_after)
            }
            Failure::Broken => api_error(StatusCode::BAD_GATEWAY, "provider_error").retry_after(self.retry_after),
            Failure::Unexpected => api_error(StatusCode::BAD_GATEWAY, "provider_error").never_retry(),
            Failure::TimedOut => api_error(StatusCode::GATEWAY_TIMEOUT, "provider_timeout"),
        }
    }
}
