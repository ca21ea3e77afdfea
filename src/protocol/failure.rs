//! Reads the errors of providers: the only place that reads their English.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

mod located;
mod wordings;
mod words;

use crate::error::{CODES, Failure, ProviderError, Reason, Rejected, Words};
pub(crate) use located::locate;
use wordings::{ACCOUNT_KINDS, KINDS, MODEL_CODES, Meaning, SPENT_CODES, meaning_of};
use words::Said;

/// Classifies a response without success.
pub(crate) fn from_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ProviderError {
    classify(status, Said::in_response(status, headers, body))
}

/// Classifies an error within a stream: the value of `error`, or the whole frame.
pub(crate) fn from_event(error: &Value) -> ProviderError {
    let said = Said::in_value(error);
    let status = said.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status
        .or_else(|| status_of(&said))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    classify(status, said)
}

/// The status that an error's kind or code has elsewhere.
fn status_of(said: &Said) -> Option<StatusCode> {
    let names = [&said.kind, &said.code].into_iter().flatten();
    let names: Vec<_> = names
        .map(|name| name.to_ascii_lowercase().replace(['_', '-', ' '], ""))
        .collect();
    let known = KINDS
        .iter()
        .find(|(part, _)| names.iter().any(|name| name.contains(part)));
    known.and_then(|(_, status)| StatusCode::from_u16(*status).ok())
}

/// A frame that cannot be read. The parser's own words quote the frame, and with it the answer, so they are left out.
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

/// A finish reason that does not end an answer well, or that is unknown. The log names it only if it is one of these.
pub(crate) fn finish_reason(reason: &str) -> ProviderError {
    const KNOWN: [&str; 7] = [
        "abort",
        "cancelled",
        "error",
        "function_call",
        "malformed_function_call",
        "tool_calls",
        "tool_use",
    ];
    let known = KNOWN.iter().find(|known| reason.eq_ignore_ascii_case(known));
    ProviderError::failed(known.map_or_else(
        || "an unknown finish reason".into(),
        |known| format!("finish reason {known}"),
    ))
}

fn classify(status: StatusCode, said: Said) -> ProviderError {
    let meaning = meaning_of(status, &said);
    let failure = match failure_of(status, &said, meaning) {
        Ok(failure) => failure,
        Err(status) => Failure::Rejected(Box::new(rejected(status, &said, meaning))),
    };
    let mut cause = format!("status {}{}", status.as_u16(), said.labels());
    if let Failure::Rejected(rejected) = &failure {
        cause = format!("rejected ({}), {cause}", rejected.reason_name());
    }
    ProviderError {
        retry_after: said.retry_after,
        words: Words::new(said.http_status, said.text, said.param),
        ..ProviderError::new(failure, cause)
    }
}

/// The failure of anybody but the caller; as an error the status with which the caller's own request is rejected.
fn failure_of(status: StatusCode, said: &Said, meaning: Option<Meaning>) -> Result<Failure, StatusCode> {
    let code = said.code.as_deref().unwrap_or_default();
    let kind = said.kind.as_deref().unwrap_or_default();
    let is_one_of = |names: &[&str]| names.contains(&code) || names.contains(&kind);
    if is_one_of(&MODEL_CODES) {
        return Ok(Failure::ModelNotFound);
    }
    if is_one_of(&SPENT_CODES) {
        return Ok(Failure::QuotaExceeded);
    }
    match kind {
        // AWS's kinds count more than its statuses: some come with a 400.
        "ThrottlingException" | "TooManyRequestsException" => return Ok(Failure::RateLimited),
        "ResourceNotFoundException" => return Ok(Failure::ModelNotFound),
        "ModelNotReadyException" => return Ok(Failure::Overloaded),
        kind if ACCOUNT_KINDS.contains(&kind) => return Ok(Failure::Authentication),
        _ => {}
    }
    match (meaning, status.as_u16()) {
        (Some(Meaning::Model), _) => Ok(Failure::ModelNotFound),
        (Some(Meaning::Spent), _) => Ok(Failure::QuotaExceeded),
        (Some(Meaning::Account), _) => Ok(Failure::Authentication),
        (_, 400 | 413 | 422) => Err(status),
        (Some(Meaning::Rejection(_)), _) | (None, 451) => Err(StatusCode::BAD_REQUEST),
        (None, status) => Ok(failure_by_status(status)),
    }
}

fn failure_by_status(status: u16) -> Failure {
    match status {
        401 | 403 => Failure::Authentication,
        402 => Failure::QuotaExceeded,
        404 => Failure::ModelNotFound,
        // Bedrock: the model took too long.
        408 => Failure::TimedOut,
        429 => Failure::RateLimited,
        503 | 529 => Failure::Overloaded,
        // Bedrock's 424 says that the model failed.
        // <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html>
        424 | 500.. => Failure::Broken,
        // A redirect, or a 4xx that no provider has: the same call meets the same answer.
        _ => Failure::Unexpected,
    }
}

/// The rejection, without its field: only the request can tell that.
fn rejected(status: StatusCode, said: &Said, meaning: Option<Meaning>) -> Rejected {
    let sent_code = said.code.as_deref().or(said.kind.as_deref());
    let exact = CODES.iter().find(|(code, _)| sent_code == Some(*code));
    let reason = match (meaning, exact) {
        (Some(Meaning::Rejection(reason)), _) => reason,
        (_, Some((_, reason))) => *reason,
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => Reason::TooLarge,
        _ => Reason::Other,
    };
    let (limit, sent) = match reason {
        Reason::ContextLength => stated_lengths(&said.text),
        _ => (None, None),
    };
    Rejected {
        status: if reason == Reason::ContextLength {
            StatusCode::BAD_REQUEST
        } else {
            status
        },
        reason,
        field: None,
        exact_code: exact.map(|(code, _)| *code),
        limit,
        sent,
    }
}

/// The limit and the request's length in tokens, if an overflow's text states these two numbers and no other. The parts of a
/// sum do not count: "9000 tokens (8500 in the messages, 500 in the completion)".
fn stated_lengths(text: &str) -> (Option<u64>, Option<u64>) {
    let all = numbers_in(text);
    let is_part = |number: &u64| {
        let mut sums = all.iter().filter_map(|sum| sum.checked_sub(*number));
        sums.any(|rest| rest != *number && rest != 0 && all.contains(&rest))
    };
    let mut lengths: Vec<_> = all.iter().copied().filter(|number| !is_part(number)).collect();
    lengths.sort_unstable();
    lengths.dedup();
    match lengths[..] {
        [limit] => (Some(limit), None),
        [limit, sent] => (Some(limit), Some(sent)),
        _ => (None, None),
    }
}

/// The whole numbers of a text that stand by themselves, `4,096` as one: neither parts of names such as `gpt-4-0613` nor of
/// decimals.
pub(crate) fn numbers_in(text: &str) -> Vec<u64> {
    let is_inner = |one: char| one.is_alphanumeric() || matches!(one, '-' | '_' | '.' | ',');
    text.split(|one: char| !is_inner(one))
        .map(|word| word.trim_matches(['-', '_', '.', ',']))
        .filter(|word| !word.starts_with('0'))
        .filter_map(|word| word.replace(',', "").parse().ok())
        .collect()
}

#[cfg(test)]
mod tests;
