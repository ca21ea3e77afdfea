//! A provider's rejection of a request, in our own words.
//!
//! A provider may quote the request in its error, the system message and the key included, in any encoding. So its words are
//! never passed on, except to the assistant's owner; callers read which of a closed set of reasons it was.

use std::fmt;

use axum::http::StatusCode;

/// Why a provider rejects a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The conversation is longer than the model's context.
    ContextLength,
    /// The model does not support a parameter.
    Parameter,
    /// A parameter's value, or what a message holds.
    Value,
    /// An image that cannot be read.
    Image,
    /// Any image: the model sees none.
    NoImages,
    /// Moderation.
    ContentPolicy,
    /// The order of the messages.
    MessageOrder,
    /// The size of the request, in bytes.
    TooLarge,
    /// Anything else.
    Other,
}

/// A provider's rejection, as far as a caller learns of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejected {
    /// 400, 413 or 422.
    pub status: StatusCode,
    /// Why.
    pub reason: Reason,
    /// The field at fault, as a path in the caller's own body. Never a string of the provider's.
    pub field: Option<String>,
    /// OpenAI's code, if the provider sent one of [`CODES`].
    pub exact_code: Option<&'static str>,
    /// The model's context length in tokens, if the provider states it beyond doubt.
    pub limit: Option<u64>,
    /// The request's length in tokens, likewise.
    pub sent: Option<u64>,
}

/// OpenAI's codes that are passed on if a provider sends them, and the reason that each states.
/// <https://platform.openai.com/docs/guides/error-codes>, the enum `ResponseErrorCode` of its schema, and the 400s of its API;
/// read 2026-12.
pub(crate) const CODES: [(&str, Reason); 34] = [
    ("context_length_exceeded", Reason::ContextLength),
    ("unsupported_parameter", Reason::Parameter),
    ("unknown_parameter", Reason::Parameter),
    ("unsupported_value", Reason::Value),
    ("invalid_value", Reason::Value),
    ("invalid_type", Reason::Value),
    ("integer_above_max_value", Reason::Value),
    ("integer_below_min_value", Reason::Value),
    ("decimal_above_max_value", Reason::Value),
    ("decimal_below_min_value", Reason::Value),
    ("string_above_max_length", Reason::Value),
    ("array_above_max_length", Reason::Value),
    ("empty_string", Reason::Value),
    ("empty_array", Reason::Value),
    ("missing_required_parameter", Reason::Value),
    ("content_filter", Reason::ContentPolicy),
    ("content_policy_violation", Reason::ContentPolicy),
    ("bio_policy", Reason::ContentPolicy),
    ("image_content_policy_violation", Reason::ContentPolicy),
    ("unsupported_image", Reason::NoImages),
    ("invalid_image", Reason::Image),
    ("invalid_image_format", Reason::Image),
    ("invalid_base64_image", Reason::Image),
    ("invalid_image_url", Reason::Image),
    ("image_too_large", Reason::Image),
    ("image_too_small", Reason::Image),
    ("image_parse_error", Reason::Image),
    ("invalid_image_mode", Reason::Image),
    ("image_file_too_large", Reason::Image),
    ("unsupported_image_media_type", Reason::Image),
    ("empty_image_file", Reason::Image),
    ("failed_to_download_image", Reason::Image),
    ("image_file_not_found", Reason::Image),
    ("data_residency_mismatch", Reason::Other),
];

impl Rejected {
    /// The error's code: always one of [`CODES`] or `request_too_large`.
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self.reason {
            Reason::ContextLength => Some("context_length_exceeded"),
            Reason::ContentPolicy => self.exact_code.or(Some("content_policy_violation")),
            Reason::Parameter => self.exact_code.or(Some("unsupported_parameter")),
            Reason::Value | Reason::MessageOrder => self.exact_code.or(Some("invalid_value")),
            Reason::Image => self.exact_code.or(Some("invalid_image")),
            Reason::NoImages => Some("unsupported_image"),
            Reason::TooLarge => Some("request_too_large"),
            Reason::Other => self.exact_code,
        }
    }

    /// The reason's name in the log.
    pub(crate) fn reason_name(&self) -> &'static str {
        match self.reason {
            Reason::ContextLength => "context_length",
            Reason::Parameter => "parameter",
            Reason::Value => "value",
            Reason::Image | Reason::NoImages => "image",
            Reason::ContentPolicy => "content_policy",
            Reason::MessageOrder => "message_order",
            Reason::TooLarge => "size",
            Reason::Other => "other",
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let field = self.field.as_deref();
        match self.reason {
            Reason::ContextLength => {
                // LangChain and LiteLLM look for these first words.
                match (self.limit, self.sent) {
                    (Some(limit), Some(sent)) => write!(
                        f,
                        "This model's maximum context length is {limit} tokens, and the request has {sent}."
                    )?,
                    (Some(limit), None) => write!(f, "This model's maximum context length is {limit} tokens.")?,
                    (None, _) => write!(f, "This model's maximum context length is exceeded.")?,
                }
                write!(f, " Send fewer or shorter messages, or ask for a shorter answer.")
            }
            Reason::Parameter => match field {
                Some(field) => write!(f, "The assistant's model does not support '{field}'. Remove it."),
                None => write!(
                    f,
                    "The assistant's model does not support a parameter of the request. Send fewer parameters."
                ),
            },
            Reason::Value => match field {
                Some(field) => write!(
                    f,
                    "The assistant's model does not accept '{field}' as it was sent. Change or remove it."
                ),
                None => write!(
                    f,
                    "The assistant's model does not accept a value of the request. Check its parameters and messages."
                ),
            },
            Reason::Image => write!(
                f,
                "The model's provider could not read an image. Send a PNG, JPEG, GIF or WebP image, smaller or from \
                 another address."
            ),
            Reason::NoImages => write!(
                f,
                "The assistant's model reads no images. Send text only, or set a model that reads images."
            ),
            Reason::ContentPolicy => write!(
                f,
                "The model's provider rejected the request's content by its usage policy. Rephrase the messages."
            ),
            Reason::MessageOrder => write!(
                f,
                "The assistant's model does not accept the messages in this order. Let user and assistant take turns, the \
                 user first and last."
            ),
            Reason::TooLarge => write!(
                f,
                "The request is too large for the model's provider. Send fewer or shorter messages, fewer or smaller images."
            ),
            Reason::Other => write!(
                f,
                "The model's provider rejected the request (status {}). Check its parameters and messages.",
                self.status.as_u16()
            ),
        }
    }
}

impl std::error::Error for Rejected {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_the_field_and_the_numbers_that_are_known() {
        let rejected = |reason| Rejected {
            status: StatusCode::BAD_REQUEST,
            reason,
            field: None,
            exact_code: None,
            limit: None,
            sent: None,
        };
        let mut value = rejected(Reason::Value);
        value.field = Some("stop[1]".into());
        assert!(value.to_string().contains("'stop[1]'"));
        let mut overflow = rejected(Reason::ContextLength);
        let words = overflow.to_string();
        assert!(
            words.starts_with("This model's maximum context length is exceeded."),
            "{words}"
        );
        (overflow.limit, overflow.sent) = (Some(8192), Some(9000));
        let words = overflow.to_string();
        assert!(words.contains("is 8192 tokens, and the request has 9000."), "{words}");
        for (code, reason) in CODES {
            let exact = Rejected {
                exact_code: Some(code),
                ..rejected(reason)
            };
            assert_eq!(exact.code(), Some(code));
        }
    }
}
