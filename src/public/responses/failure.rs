//! How a failure is told: the code of a response that failed, out of the closed list that OpenAI's schema has for it
//! (`ResponseErrorCode`), and which of the two events comes first that end a broken stream.

use axum::http::{HeaderMap, header::USER_AGENT};

use crate::error::Error;

/// Which of the two events that end a broken stream comes first. Each is there for clients that look for it alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum First {
    /// `response.failed`, since OpenAI's SDKs raise at `error` and read no further.
    Failed,
    /// `error`, as OpenAI sends them. Vercel's AI SDK reads both: in this order it knows that they are one failure, and in the
    /// other it shows two (`encounteredStreamError` in `openai-responses-language-model.ts` of
    /// <https://github.com/vercel/ai>, read 2026-11).
    Error,
}

impl First {
    /// The order for a client, by its `User-Agent`. The AI SDK's name in it is `ai-sdk`: `ai-sdk/openai/2.0.130`, or
    /// `ai-sdk-openai/4.0.118`, each with more around it.
    pub(super) fn for_client(headers: &HeaderMap) -> Self {
        let agent = headers.get(USER_AGENT).map_or(&b""[..], |agent| agent.as_bytes());
        if agent.windows(AI_SDK.len()).any(|name| name == AI_SDK) {
            Self::Error
        } else {
            Self::Failed
        }
    }
}

const AI_SDK: &[u8] = b"ai-sdk";

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
    use axum::http::HeaderValue;

    #[test]
    fn the_ai_sdk_gets_the_error_event_first() {
        for (agent, expected) in [
            (None, First::Failed),
            (Some("curl/8.14.1"), First::Failed),
            (Some("OpenAI/JS 7.57.0"), First::Failed),
            (Some("OpenAI/Python 2.51.0"), First::Failed),
            (
                Some("ai/5.0.277 ai-sdk/provider-utils/3.0.39 runtime/node.js/v20.20.2"),
                First::Error,
            ),
            (
                Some("ai-sdk/openai/2.0.130 ai-sdk/provider-utils/3.0.39 runtime/node.js/v20.20.2"),
                First::Error,
            ),
            (
                Some("ai-sdk-openai/4.0.118 ai-sdk-provider-utils/5.0.81 node.js/v20.20.2"),
                First::Error,
            ),
        ] {
            let agent = agent.map(|agent| (USER_AGENT, HeaderValue::from_static(agent)));
            assert_eq!(First::for_client(&agent.into_iter().collect()), expected);
        }
    }

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
