//! What the log and the metrics say of an error.

use super::{Error, Failure, ProviderError};

/// What the log has still to say of an error response; an extension of it.
#[derive(Debug, Clone)]
pub struct Unlogged {
    /// [`Error::closed_code`].
    pub(crate) code: String,
    /// [`Error::cause`].
    pub(crate) cause: Option<String>,
    /// [`Error::fault_at`], of a request that asked no model.
    pub(crate) fault: Option<&'static str>,
}

impl Unlogged {
    pub(super) fn of(error: &Error) -> Self {
        Self {
            code: error.closed_code(),
            cause: error.cause().map(str::to_owned),
            fault: error.fault_at(false),
        }
    }
}

impl Error {
    /// The code for the log and the metrics, out of a closed set.
    pub(crate) fn closed_code(&self) -> String {
        let unnamed = match self {
            Self::Provider(error) if error.rejected().is_some() => "rejected",
            _ => "invalid_request",
        };
        self.code().unwrap_or_else(|| unnamed.to_owned())
    }

    /// Returns the fault, one of a closed set, that the log and the metrics name. A failing server of an owner's own is the
    /// owner's fault, and wakes no operator.
    pub(crate) fn fault_at(&self, is_own_server: bool) -> Option<&'static str> {
        match self {
            Self::Provider(error) if is_own_server => error.fault().map(|_| "own_server_failing"),
            Self::Provider(error) => error.fault(),
            Self::NotSetUp(_) => Some("not_set_up"),
            Self::Unavailable { .. } | Self::NotAllErased { .. } => Some("store_unavailable"),
            Self::NotCounted => Some("limits_not_counted"),
            Self::IssuerUnavailable { .. } => Some("issuer_unavailable"),
            _ => None,
        }
    }

    /// What the operator should read in the log beside the message; never sent to a client.
    pub fn cause(&self) -> Option<&str> {
        match self {
            // These words of ours name the missing variable.
            Self::NotSetUp(cause)
            | Self::Unavailable { cause }
            | Self::NotAllErased { cause, .. }
            | Self::IssuerUnavailable { cause }
            | Self::Provider(ProviderError { cause, .. }) => Some(cause.as_str()).filter(|cause| !cause.is_empty()),
            _ => None,
        }
    }
}

impl ProviderError {
    fn fault(&self) -> Option<&'static str> {
        match self.failure {
            Failure::Authentication => Some("provider_key_refused"),
            Failure::QuotaExceeded => Some("provider_without_credit"),
            Failure::RateLimited | Failure::Overloaded | Failure::Broken | Failure::Unexpected | Failure::TimedOut => {
                Some("provider_failing")
            }
            // The request, or the owner's choice.
            Failure::Rejected(_) | Failure::ModelNotFound => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::error::{Reason, Rejected};

    fn rejected(reason: Reason) -> Error {
        let rejected = Rejected {
            status: StatusCode::BAD_REQUEST,
            reason,
            field: None,
            exact_code: None,
            limit: None,
            sent: None,
        };
        ProviderError::new(Failure::Rejected(Box::new(rejected)), "").into()
    }

    #[test]
    fn every_error_has_a_code_of_a_closed_set() {
        for (error, expected) in [
            (rejected(Reason::ContextLength), "context_length_exceeded"),
            (rejected(Reason::Other), "rejected"),
            (Error::invalid("a", "No."), "invalid_request"),
            (Error::missing("a"), "missing_required_parameter"),
            (Error::NotSetUp("no key".into()), "assistant_misconfigured"),
        ] {
            assert_eq!(error.closed_code(), expected);
        }
    }
}
