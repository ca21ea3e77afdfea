//! What the log and the metrics say of an error.

use super::{Error, ProviderError};

/// Codes by which providers say what is wrong with a request.
const REJECTIONS: [&str; 6] = [
    "content_policy_violation",
    "context_length_exceeded",
    "invalid_image_url",
    "invalid_value",
    "unsupported_parameter",
    "unsupported_value",
];

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
    /// The code for the log: one that a provider made up is named only where it is a word.
    pub fn log_code(&self) -> Option<String> {
        let is_word = |code: &String| code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        self.code()
            .map(|code| if is_word(&code) { code } else { "other".into() })
    }

    /// The code for metrics, out of a closed set: each one costs money. One that a provider chose is there where it is well
    /// known.
    pub(crate) fn closed_code(&self) -> String {
        let code = self.code();
        match self {
            Self::Provider(ProviderError::Rejected { .. }) => {
                let known = code.filter(|code| REJECTIONS.contains(&code.as_str()));
                known.unwrap_or_else(|| "rejected".to_owned())
            }
            _ => code.unwrap_or_else(|| "invalid_request".to_owned()),
        }
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
            | Self::Provider(
                ProviderError::Failed { cause, .. }
                | ProviderError::Unexpected { cause }
                | ProviderError::TimedOut { cause },
            ) => Some(cause),
            _ => None,
        }
    }
}

impl ProviderError {
    fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Authentication => Some("provider_key_refused"),
            Self::QuotaExceeded => Some("provider_without_credit"),
            Self::RateLimited { .. }
            | Self::Overloaded { .. }
            | Self::Failed { .. }
            | Self::Unexpected { .. }
            | Self::TimedOut { .. } => Some("provider_failing"),
            // The request, or the owner's choice.
            Self::Rejected { .. } | Self::ModelNotFound => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn rejected(code: Option<&str>) -> Error {
        let error = ProviderError::Rejected {
            status: StatusCode::BAD_REQUEST,
            message: "No.".into(),
            param: None,
            code: code.map(str::to_owned),
        };
        error.into()
    }

    #[test]
    fn every_error_has_a_code_of_a_closed_set() {
        for (error, expected) in [
            (rejected(Some("context_length_exceeded")), "context_length_exceeded"),
            (rejected(Some("a_code_of_theirs")), "rejected"),
            (rejected(None), "rejected"),
            (Error::invalid("a", "No."), "invalid_request"),
            (Error::missing("a"), "missing_required_parameter"),
            (Error::NotSetUp("no key".into()), "assistant_misconfigured"),
        ] {
            assert_eq!(error.closed_code(), expected);
        }
    }
}
