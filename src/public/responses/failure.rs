//! The code of a response that failed: OpenAI's schema has a closed list of them, `ResponseErrorCode`.

use crate::error::Error;

const SERVER_ERROR: &str = "server_error";
const INVALID_PROMPT: &str = "invalid_prompt";
const RATE_LIMIT: &str = "rate_limit_exceeded";

/// Our codes and those of a provider, by the code of the list that says the same or nearest to it. Any other is the
/// request's fault or the server's, as its status says.
const CODES: [(&str, &str); 19] = [
    (RATE_LIMIT, RATE_LIMIT),
    ("insufficient_quota", RATE_LIMIT),
    ("quota_exceeded", RATE_LIMIT),
    ("bio_policy", "bio_policy"),
    ("invalid_image", "invalid_image"),
    ("invalid_image_format", "invalid_image_format"),
    ("invalid_base64_image", "invalid_base64_image"),
    ("invalid_image_url", "invalid_image_url"),
    ("image_too_large", "image_too_large"),
    ("image_too_small", "image_too_small"),
    ("image_parse_error", "image_parse_error"),
    ("image_content_policy_violation", "image_content_policy_violation"),
    ("invalid_image_mode", "invalid_image_mode"),
    ("image_file_too_large", "image_file_too_large"),
    ("unsupported_image_media_type", "unsupported_image_media_type"),
    ("empty_image_file", "empty_image_file"),
    ("failed_to_download_image", "failed_to_download_image"),
    ("image_file_not_found", "image_file_not_found"),
    ("data_residency_mismatch", "data_residency_mismatch"),
];

/// The code for an error.
pub(super) fn code(error: &Error) -> &'static str {
    let own = error.code();
    let known = CODES.iter().find(|(code, _)| own.as_deref() == Some(*code));
    match known {
        Some((_, code)) => code,
        None if error.status().is_client_error() => INVALID_PROMPT,
        None => SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ProviderError;

    #[test]
    fn every_error_has_a_code_of_the_list() {
        let rejected = |code: &str| ProviderError::Rejected {
            status: axum::http::StatusCode::BAD_REQUEST,
            message: "No.".into(),
            param: None,
            code: Some(code.into()),
        };
        for (error, expected) in [
            (ProviderError::failed("it broke"), SERVER_ERROR),
            (ProviderError::Overloaded { retry_after: None }, SERVER_ERROR),
            (ProviderError::TimedOut { cause: "idle".into() }, SERVER_ERROR),
            (ProviderError::Authentication, SERVER_ERROR),
            (ProviderError::ModelNotFound, SERVER_ERROR),
            (ProviderError::RateLimited { retry_after: None }, RATE_LIMIT),
            (ProviderError::QuotaExceeded, RATE_LIMIT),
            (rejected("context_length_exceeded"), INVALID_PROMPT),
            (rejected("anything"), INVALID_PROMPT),
            (rejected("image_too_large"), "image_too_large"),
        ] {
            assert_eq!(code(&error.into()), expected);
        }
        assert_eq!(code(&Error::Stopped), SERVER_ERROR);
        assert_eq!(
            code(&Error::invalid_with_code("a", "invalid_image_url", "No.")),
            "invalid_image_url"
        );
    }
}
