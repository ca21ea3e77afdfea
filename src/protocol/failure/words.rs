//! What providers say about a failure, in all the shapes that they say it in.

use axum::http::{HeaderMap, header::RETRY_AFTER};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Longest part of a message that is read, in characters. Less of it is passed on.
const MAX_READ: usize = 8000;
/// Longest word of a provider's that may stand in the log, in bytes.
const MAX_IDENTIFIER: usize = 64;

/// What a provider says about a failure.
#[derive(Debug, Default)]
pub(super) struct Words {
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
    pub(super) fn of_response(headers: &HeaderMap, body: &[u8]) -> Self {
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
    pub(super) fn read(body: &Value) -> Self {
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
            message: message.map(|message| without_input(&message)),
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

impl Words {
    /// What the log may say of them: ` (server_error, internal)`, or nothing.
    pub(super) fn labels(&self) -> String {
        let labels: Vec<_> = [&self.kind, &self.code]
            .into_iter()
            .flatten()
            .filter_map(|label| identifier(label))
            .collect();
        if labels.is_empty() {
            return String::new();
        }
        format!(" ({})", labels.join(", "))
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

/// A word that names a kind of thing, such as `server_error`. Anything else a provider writes may be a text of the
/// conversation, which no log may hold.
pub(super) fn identifier(text: &str) -> Option<&str> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    (!text.is_empty() && text.len() <= MAX_IDENTIFIER && text.bytes().all(is_inner)).then_some(text)
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

/// A message without the request that servers in Python quote in it: Pydantic's errors hold `'input': {…}` (as a list of
/// `dict`s, which vLLM writes into its message) or `input_value={…}, input_type=dict` (as text).
/// <https://docs.pydantic.dev/latest/errors/errors/>, read 2026-11.
fn without_input(message: &str) -> String {
    const MARKS: [&str; 3] = ["'input': ", "\"input\": ", "input_value="];
    let message: String = message.chars().take(MAX_READ).collect();
    let mut kept = String::new();
    let mut rest = message.as_str();
    while let Some((at, mark)) = MARKS
        .iter()
        .filter_map(|mark| Some((rest.find(mark)?, *mark)))
        .min_by_key(|(at, _)| *at)
    {
        kept.push_str(&rest[..at]);
        let value = &rest[at + mark.len()..];
        let end = if mark.ends_with('=') {
            // Cut in its middle, so that its brackets and quotes tell nothing.
            value.rfind(", input_type=").map_or(value.len(), |end| end + 2)
        } else {
            let end = literal_length(value);
            end + value[end..].strip_prefix(", ").map_or(0, |_| 2)
        };
        rest = &value[end..];
    }
    kept + rest
}

/// The length in bytes of the Python or JSON value at a text's start; all of the text where the value has no end in it.
fn literal_length(text: &str) -> usize {
    let (mut depth, mut quote) = (0_usize, None);
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (byte, quote) {
            (b'\\', Some(_)) => {
                bytes.next();
            }
            (_, Some(open)) => quote = (byte != open).then_some(open),
            (b'\'' | b'"', None) => quote = Some(byte),
            (b'[' | b'{' | b'(', None) => depth += 1,
            (b']' | b'}' | b')' | b',', None) if depth == 0 => return at,
            (b']' | b'}' | b')', None) => depth -= 1,
            _ => {}
        }
    }
    text.len()
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
    fn the_request_is_taken_out_of_a_message_that_quotes_it() {
        for (message, expected) in [
            (
                // vLLM 0.11's answer to `top_logprobs` without `logprobs`.
                r#"[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, when using `top_logprobs`, `logprobs` must be set to true.', 'input': {'messages': [{'role': 'system', 'content': 'It\'s }]a "secret"'}], 'top_logprobs': 2}, 'ctx': {'error': ValueError()}}]"#,
                "[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, when using `top_logprobs`, `logprobs` must be set to true.', 'ctx': {'error': ValueError()}}]",
            ),
            (
                "[{'loc': ('body', 'seed'), 'msg': 'Extra', 'input': 7}, {'loc': ('body', 'a'), 'input': 'secret'}]",
                "[{'loc': ('body', 'seed'), 'msg': 'Extra', }, {'loc': ('body', 'a'), }]",
            ),
            (
                "1 validation error for Request\n  Value error, no. [type=value_error, input_value={'messages': [{'role': 'sy...se}, input_type=dict]",
                "1 validation error for Request\n  Value error, no. [type=value_error, input_type=dict]",
            ),
            ("[{\"input\": {\"messages\": \"cut", "[{"),
            ("Unknown input: 5", "Unknown input: 5"),
        ] {
            assert_eq!(without_input(message), expected);
        }
    }

    #[test]
    fn a_log_holds_identifiers_only() {
        for name in ["server_error", "ModelStreamErrorException", "a.b:c-1"] {
            assert_eq!(identifier(name), Some(name));
        }
        for text in ["", "my name is Anna", "Anna!", "é", &"a".repeat(65)] {
            assert_eq!(identifier(text), None, "{text}");
        }
    }

    #[test]
    fn retry_after_has_two_forms() {
        assert_eq!(retry_after(" 6.2 "), Some(7));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0));
        assert!(retry_after("Fri, 31 Dec 2100 23:59:59 GMT").is_some_and(|seconds| seconds > 1_000_000));
        assert_eq!(retry_after("soon"), None);
    }
}
