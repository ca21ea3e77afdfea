//! The errors of providers, in all the shapes they have.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

mod overflow;
mod phrases;
mod words;

use crate::error::ProviderError;
use overflow::{MAXIMUM_CONTEXT_LENGTH, OVERFLOW, is_overflow};
use phrases::{
    ACCOUNT, CONTENT, KINDS, MODEL_CODES, NOT_ALLOWED, OTHER_NAMES, SPENT, SPENT_CODES, TEMPLATE, WRONG_ACCOUNT,
    WRONG_MODEL,
};
use words::{Words, identifier};

/// What a response without success means.
pub(crate) fn from_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ProviderError {
    classify(status, Words::of_response(headers, body))
}

/// What an error within a stream means: the value of `error`, or the whole frame.
pub(crate) fn from_event(error: &Value) -> ProviderError {
    let words = Words::read(error);
    let status = words.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status
        .or_else(|| status_of(&words))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    classify(status, words)
}

/// The status that an error's kind or code has elsewhere.
fn status_of(words: &Words) -> Option<StatusCode> {
    let said = [&words.kind, &words.code].into_iter().flatten();
    let said: Vec<_> = said
        .map(|word| word.to_ascii_lowercase().replace(['_', '-', ' '], ""))
        .collect();
    let known = KINDS
        .iter()
        .find(|(part, _)| said.iter().any(|word| word.contains(part)));
    known.and_then(|(_, status)| StatusCode::from_u16(*status).ok())
}

/// A frame that cannot be read. The parser's own words quote the frame, and with it the answer.
pub(crate) fn malformed(frame: &str, error: &serde_json::Error) -> ProviderError {
    use serde_json::error::Category;
    let problem = match error.classify() {
        Category::Data => "a value of a kind that is not expected",
        Category::Eof => "an early end",
        Category::Syntax | Category::Io => "no valid JSON",
    };
    let (line, column) = (error.line(), error.column());
    ProviderError::failed(format!("malformed {frame}: {problem} at line {line}, column {column}"))
}

/// A reason that does not end an answer well, or that is not known.
pub(crate) fn finish_reason(reason: &str) -> ProviderError {
    ProviderError::failed(match identifier(reason) {
        Some(reason) => format!("finish reason {reason}"),
        None => "a finish reason that is no identifier".into(),
    })
}

fn classify(status: StatusCode, words: Words) -> ProviderError {
    if let Some(told) = told_by_words(status, &words) {
        return told;
    }
    if let Some(status) = status_of_rejection(status, &words) {
        return rejected(status, words);
    }
    let retry_after = words.retry_after;
    match status.as_u16() {
        401 | 403 => ProviderError::Authentication,
        402 => ProviderError::QuotaExceeded,
        // Bedrock: the model took too long.
        408 => ProviderError::TimedOut {
            cause: format!("status 408{}", words.labels()),
        },
        404 => ProviderError::ModelNotFound,
        429 => ProviderError::RateLimited { retry_after },
        503 | 529 => ProviderError::Overloaded { retry_after },
        // Bedrock's 424 says that the model failed.
        // <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>
        status @ (424 | 500..) => ProviderError::Failed {
            cause: format!("status {status}{}", words.labels()),
            retry_after,
        },
        // A redirect, or a 4xx that no provider has: the same call meets the same answer.
        status => ProviderError::Unexpected {
            cause: format!("status {status}{}", words.labels()),
        },
    }
}

/// What the status does not tell, or tells wrongly.
fn told_by_words(status: StatusCode, words: &Words) -> Option<ProviderError> {
    let code = words.code.as_deref().unwrap_or_default();
    let kind = words.kind.as_deref().unwrap_or_default();
    let message = words.message.as_deref().unwrap_or_default();
    let is_one_of = |codes: &[&str]| codes.contains(&code) || codes.contains(&kind);
    let lower_case = message.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower_case.contains(phrase));
    let begins = |phrases: &[&str]| phrases.iter().any(|phrase| message.starts_with(phrase));
    let retry_after = words.retry_after;
    let is_400 = status == StatusCode::BAD_REQUEST;
    if is_one_of(&MODEL_CODES) || (is_400 && says(&WRONG_MODEL)) {
        return Some(ProviderError::ModelNotFound);
    }
    let may_be_spent = is_400 || status == StatusCode::TOO_MANY_REQUESTS;
    if is_one_of(&SPENT_CODES) || (may_be_spent && says(&SPENT)) {
        return Some(ProviderError::QuotaExceeded);
    }
    match kind {
        // AWS's kinds count more than its statuses: some come with a 400.
        "ThrottlingException" | "TooManyRequestsException" => Some(ProviderError::RateLimited { retry_after }),
        "ResourceNotFoundException" => Some(ProviderError::ModelNotFound),
        "ModelNotReadyException" => Some(ProviderError::Overloaded { retry_after }),
        // Google's 400s that are about the key or its account.
        "API_KEY_INVALID" | "FAILED_PRECONDITION" => Some(ProviderError::Authentication),
        kind if NOT_ALLOWED.contains(&kind) || (is_400 && begins(&WRONG_ACCOUNT)) => {
            Some(ProviderError::Authentication)
        }
        _ => None,
    }
}

/// The status with which the caller is told that the request itself is at fault; `None` where it is not.
fn status_of_rejection(status: StatusCode, words: &Words) -> Option<StatusCode> {
    const BAD_REQUEST: Option<StatusCode> = Some(StatusCode::BAD_REQUEST);
    let code = words.code.as_deref().unwrap_or_default();
    let kind = words.kind.as_deref().unwrap_or_default();
    let message = words.message.as_deref().unwrap_or_default();
    let all = format!("{message}\n{kind}\n{code}").to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| all.contains(phrase));
    match status.as_u16() {
        // OpenRouter's 402 "Prompt tokens limit exceeded: 64128 > 6964. To increase, visit …/credits" is about the account.
        // <https://github.com/continuedev/continue/issues/11227>, read 2026-11
        401 | 402 | 404 | 429 => None,
        _ if is_overflow(message, kind, code) || says(&TEMPLATE) => BAD_REQUEST,
        400 | 413 | 422 => Some(status),
        403 if words.is_flagged || (says(&CONTENT) && !says(&ACCOUNT)) => BAD_REQUEST,
        // "Unavailable for legal reasons": RFC 7725.
        451 => BAD_REQUEST,
        _ => None,
    }
}

/// The provider's words, with the code that OpenAI has for an overflow and its name for what a model does not take.
fn rejected(status: StatusCode, words: Words) -> ProviderError {
    let message = words
        .message
        .unwrap_or_else(|| "The model's provider rejected the request without saying why.".into());
    let says = |phrase: &str| message.contains(phrase);
    let (kind, code) = (words.kind.as_deref(), words.code.as_deref());
    if is_overflow(&message, kind.unwrap_or_default(), code.unwrap_or_default()) {
        let has_openais_words = code == Some(CONTEXT_LENGTH_EXCEEDED) || says(MAXIMUM_CONTEXT_LENGTH);
        return ProviderError::Rejected {
            status,
            param: words.param,
            message: if has_openais_words {
                message
            } else {
                format!("{OVERFLOW}: {message}")
            },
            // A server's own code, which is often a general one, would hide it.
            code: Some(CONTEXT_LENGTH_EXCEEDED.into()),
        };
    }
    let other_name = OTHER_NAMES.iter().find(|(phrase, ..)| says(phrase));
    ProviderError::Rejected {
        status,
        param: words.param.or(other_name.map(|(_, name, _)| (*name).to_owned())),
        message,
        code: words.code.or(other_name.map(|(.., code)| (*code).to_owned())),
    }
}

/// OpenAI's code for a conversation that is too long.
const CONTEXT_LENGTH_EXCEEDED: &str = "context_length_exceeded";

#[cfg(test)]
mod tests;
