//! What providers say about a failure, in all the shapes that they say it in.

use axum::http::{HeaderMap, header::RETRY_AFTER};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Longest message of a provider's that is passed on, in characters.
const MAX_MESSAGE: usize = 2000;

/// What a provider says about a failure.
#[derive(Debug, Default)]
pub struct Words {
    pub message: Option<String>,
    pub kind: Option<String>,
    pub param: Option<String>,
    pub code: Option<String>,
    /// Some gateways put the status in the place of the code.
    pub status: Option<u16>,
    /// Seconds.
    pub retry_after: Option<u64>,
}

impl Words {
    /// Reads a response's body, and what else it says in its headers: Bedrock the kind of error.
    pub fn of_response(headers: &HeaderMap, body: &[u8]) -> Self {
        let words = serde_json::from_slice(body)
            .map(|body| Self::read(&body))
            .unwrap_or_default();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // `ValidationException:http://internal.amazon.com/coral/…`
        let kind = text("x-amzn-errortype").and_then(|kind| kind.split(':').next());
        Self {
            kind: words.kind.or(kind.map(str::to_owned)),
            retry_after: text(RETRY_AFTER.as_str()).and_then(retry_after).or(words.retry_after),
            ..words
        }
    }

    /// Reads `{"error": {…}}`, `[{"error": {…}}]` and `{"error": {"status", "details": […]}}` (Google), `{"error": "…"}`,
    /// `{"message", "type", "code"}` (Mistral), `{"message"}` (Bedrock, in either case) and
    /// `{"detail": "…" | [{"loc", "msg"}]}` (FastAPI: Mistral, vLLM).
    pub fn read(body: &Value) -> Self {
        let body = body.get(0).unwrap_or(body);
        let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        let detail = &body["detail"];
        let first = &detail[0];
        let message = text("message")
            .or_else(|| text("Message"))
            .or_else(|| error.as_str().map(str::to_owned))
            .or_else(|| detail.as_str().map(str::to_owned))
            .or_else(|| details(detail))
            .or_else(|| details(&body["message"]["detail"]));
        let number = error["code"].as_u64().or_else(|| error["code"].as_str()?.parse().ok());
        Self {
            message,
            kind: text("type")
                .or_else(|| google_detail(error, "reason"))
                .or_else(|| text("status")),
            param: text("param").filter(is_param).or_else(|| path(&first["loc"])),
            code: text("code").filter(|code| code.parse::<u64>().is_err()),
            status: number.and_then(|number| u16::try_from(number).ok()),
            retry_after: google_detail(error, "retryDelay").and_then(|delay| seconds(delay.trim_end_matches('s'))),
        }
    }
}

/// Some gateways write that there is none (Go's empty text, Python's `None`).
fn is_param(param: &String) -> bool {
    !param.is_empty() && param != "None"
}

/// The first of `details` that has a field (`ErrorInfo.reason`, `RetryInfo.retryDelay`: "Error details").
fn google_detail(error: &Value, field: &str) -> Option<String> {
    let details = error["details"].as_array()?;
    details
        .iter()
        .find_map(|detail| Some(detail[field].as_str()?.to_owned()))
}

/// A message that is not longer than is passed on.
pub fn shortened(message: String) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    }
}

/// Both forms of `Retry-After` (RFC 9110, section 10.2.3): seconds, or the date from which on.
fn retry_after(text: &str) -> Option<u64> {
    seconds(text).or_else(|| {
        let date = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
        seconds(&(date - OffsetDateTime::now_utc()).as_seconds_f64().to_string())
    })
}

/// Whole seconds, rounded up.
fn seconds(text: &str) -> Option<u64> {
    let seconds: f64 = text.trim().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and what is negative becomes 0"
    )]
    Some(seconds.ceil() as u64)
}

fn details(detail: &Value) -> Option<String> {
    let problems: Vec<_> = detail
        .as_array()?
        .iter()
        .filter_map(|problem| {
            let message = problem["msg"].as_str()?;
            Some(match path(&problem["loc"]) {
                Some(path) => format!("{path}: {message}"),
                None => message.to_owned(),
            })
        })
        .collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// `["body", "messages", 0, "content"]` as `messages[0].content`.
fn path(location: &Value) -> Option<String> {
    let mut path = String::new();
    for step in location.as_array()? {
        match step {
            Value::String(name) if name == "body" && path.is_empty() => {}
            Value::String(name) if path.is_empty() => path.push_str(name),
            Value::String(name) => path.extend([".", name]),
            other => path.extend(["[", &other.to_string(), "]"]),
        }
    }
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_has_two_forms() {
        assert_eq!(retry_after(" 6.2 "), Some(7));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0));
        assert!(retry_after("Fri, 31 Dec 2100 23:59:59 GMT").is_some_and(|seconds| seconds > 1_000_000));
        assert_eq!(retry_after("soon"), None);
    }
}
