//! Failures at the model's provider.

use axum::http::StatusCode;

use super::Description;

/// A failure at the model's provider.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProviderError {
    /// The provider turned the request itself down (context overflow, bad image, …).
    #[error("{message}")]
    Rejected {
        /// 400, 413 or 422.
        status: StatusCode,
        /// The provider's words.
        message: String,
        /// The field it names.
        param: Option<String>,
        /// Its code.
        code: Option<String>,
    },
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
    RateLimited {
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// The account behind our key is out of credit.
    #[error("The quota of this service's account at the model's provider is used up. Check its plan and billing.")]
    QuotaExceeded,
    /// The provider has no capacity left.
    #[error("The model's provider is overloaded. Try again in a moment.")]
    Overloaded {
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// A 5xx, a broken connection, a malformed or cut-off reply.
    #[error("The model's provider failed to answer completely. Try again.")]
    Failed {
        /// For the log only.
        cause: String,
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// An answer that no later call changes, such as a redirect.
    #[error(
        "The model's provider answered in a way that this service does not expect. The operator has to check its \
         address and the assistant's settings."
    )]
    Unexpected {
        /// For the log only.
        cause: String,
    },
    /// Nothing came in time.
    #[error("The model's provider did not answer in time. Try again, or ask for a shorter answer.")]
    TimedOut {
        /// For the log only: which limit it was.
        cause: String,
    },
}

impl ProviderError {
    /// A failure with a cause for the log.
    pub fn failed(cause: impl Into<String>) -> Self {
        Self::Failed {
            cause: cause.into(),
            retry_after: None,
        }
    }

    /// Whether the same call may succeed when made again at once.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Overloaded { .. })
    }
}

impl ProviderError {
    pub(super) fn describe(&self) -> Description {
        let new = Description::new;
        let api_error = |status, code| new(status, "api_error", code);
        match self {
            Self::Rejected {
                status, param, code, ..
            } => Description {
                code: code.clone(),
                param: param.clone(),
                ..new(*status, "invalid_request_error", "")
            },
            Self::Authentication => api_error(StatusCode::BAD_GATEWAY, "provider_authentication_failed").never_retry(),
            Self::ModelNotFound => api_error(StatusCode::BAD_GATEWAY, "provider_model_not_found").never_retry(),
            Self::RateLimited { retry_after } => {
                new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "rate_limit_exceeded").retry_after(*retry_after)
            }
            Self::QuotaExceeded => new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "insufficient_quota"),
            Self::Overloaded { retry_after } => {
                api_error(StatusCode::SERVICE_UNAVAILABLE, "provider_overloaded").retry_after(*retry_after)
            }
            Self::Failed { retry_after, .. } => {
                api_error(StatusCode::BAD_GATEWAY, "provider_error").retry_after(*retry_after)
            }
            Self::Unexpected { .. } => api_error(StatusCode::BAD_GATEWAY, "provider_error").never_retry(),
            Self::TimedOut { .. } => api_error(StatusCode::GATEWAY_TIMEOUT, "provider_timeout"),
        }
    }
}
