//! The code of a response that failed, out of the closed list that OpenAI's schema has for it (`ResponseErrorCode`).

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
    use axum::http::StatusCode;

    use crate::error::{CODES as REJECTIONS, Failure, ProviderError, Rejected};

    #[test]
    fn every_error_has_a_code_of_the_list() {
        for (failure, expected) in [
            (Failure::Broken, SERVER_ERROR),
            (Failure::Overloaded, SERVER_ERROR),
            (Failure::TimedOut, SERVER_ERROR),
            (Failure::Authentication, SERVER_ERROR),
            (Failure::ModelNotFound, SERVER_ERROR),
            (Failure::RateLimited, RATE_LIMIT),
            (Failure::QuotaExceeded, RATE_LIMIT),
        ] {
            assert_eq!(code(&ProviderError::new(failure, "").into()), expected);
        }
        for (exact_code, reason) in REJECTIONS {
            let rejected = Failure::Rejected(Box::new(Rejected {
                status: StatusCode::BAD_REQUEST,
                reason,
                field: None,
                exact_code: Some(exact_code),
                limit: None,
                sent: None,
            }));
            let listed = CODES.iter().any(|(code, _)| *code == exact_code);
            let expected = if listed { exact_code } else { INVALID_PROMPT };
            assert_eq!(code(&ProviderError::new(rejected, "").into()), expected);
        }
        assert_eq!(code(&Error::Stopped), SERVER_ERROR);
        assert_eq!(
            code(&Error::invalid_with_code("a", "invalid_image_url", "No.")),
            "invalid_image_url"
        );
    }
}
