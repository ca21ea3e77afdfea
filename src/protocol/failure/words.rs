//! Reads a provider's error by one fixed walk through its body.

use std::time::SystemTime;

use axum::http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde_json::Value;

use super::wordings::LOGGED;
use crate::protocol::wire;

/// Longest part of the text that is read, in bytes. Less of it is shown.
const MAX_READ: usize = 8000;
/// Longest request id that the log has, in bytes.
const MAX_REQUEST_ID: usize = 80;
/// How many errors within each other are looked through: a gateway's around a provider's.
const MAX_DEPTH: usize = 10;

/// Fields with an error of its own within an error, in the order in which they are looked through. OpenRouter has the
/// provider's own words in `metadata.raw` (<https://openrouter.ai/docs/api-reference/errors>, read 2026-11).
const INNER: [&str; 6] = ["metadata", "raw", "error", "errors", "detail", "message"];
/// Fields with the text.
const TEXTS: [&str; 4] = ["Message", "msg", "error_message", "error_msg"];

/// What a provider says about a failure.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub text: String,
    pub kind: Option<String>,
    pub param: Option<String>,
    pub code: Option<String>,
    /// The response's own; `None` for an event within a stream.
    pub http_status: Option<u16>,
    /// Some gateways put the status in the place of the code.
    pub status: Option<u16>,
    /// Seconds.
    pub retry_after: Option<u64>,
    /// Whether a moderation states what it has against the request.
    pub is_flagged: bool,
    request_id: Option<String>,
}

impl Said {
    /// Reads a response's body and headers.
    pub(super) fn in_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let said = Self::in_body(&String::from_utf8_lossy(body));
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // `ValidationException:http://internal.amazon.com/coral/…`
        let kind = text("x-amzn-errortype").and_then(|kind| kind.split(':').next());
        let in_milliseconds = || {
            let names = ["retry-after-ms", "x-ms-retry-after-ms"];
            names.into_iter().find_map(|name| seconds(text(name)?, 1000.0))
        };
        let retry_after = in_milliseconds().or_else(|| text(RETRY_AFTER.as_str()).and_then(retry_after));
        let ids = ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id"];
        Self {
            kind: said.kind.or(kind.map(str::to_owned)),
            retry_after: retry_after.or(said.retry_after),
            http_status: Some(status.as_u16()),
            request_id: ids.into_iter().find_map(|name| request_id(text(name)?)),
            ..said
        }
    }

    /// Reads a body of JSON, of an event (`data: {…}`) or of plain text. A page of HTML says nothing.
    fn in_body(body: &str) -> Self {
        let body = body.trim_start_matches('\u{feff}').trim();
        let event = || body.lines().find_map(|line| line.strip_prefix("data:"));
        let json = wire::parse_error(body).or_else(|_| wire::parse_error(event().unwrap_or_default()));
        match json {
            Ok(value) => Self::in_value(&value),
            Err(_) if body.starts_with('<') => Self::default(),
            Err(_) => Self::in_value(&Value::from(body)),
        }
    }

    /// Reads an error: the walk goes from the outermost object to the innermost one that has a text. What only an outer one
    /// states is kept.
    pub(super) fn in_value(value: &Value) -> Self {
        let mut said = Self::default();
        said.walk(value, MAX_DEPTH);
        // An error without a text of its own: its fields say what is wrong (ASP.NET, Rails, Laravel).
        if said.text.is_empty() && value.is_object() {
            said.text = value.to_string();
        }
        said.text.truncate(said.text.floor_char_boundary(MAX_READ));
        said
    }

    fn walk(&mut self, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        match value {
            Value::String(text) => {
                if let Some(inner) = json_at_the_end(text) {
                    self.walk(&inner, depth);
                }
                if self.text.is_empty() {
                    text.trim().clone_into(&mut self.text);
                }
            }
            // FastAPI and Pydantic: `[{"loc": ["body", "stop"], "msg": "…"}, …]`; all are told, the first names the field.
            Value::Array(list) => {
                let texts: Vec<_> = list
                    .iter()
                    .map(|one| {
                        self.walk(one, depth);
                        std::mem::take(&mut self.text)
                    })
                    .filter(|text| !text.is_empty())
                    .collect();
                self.text = texts.join("; ");
            }
            Value::Object(_) => {
                for name in INNER.iter().filter(|name| !value[**name].is_null()) {
                    self.walk(&value[*name], depth);
                    if !self.text.is_empty() {
                        break;
                    }
                }
                self.add_fields(value);
            }
            _ => {}
        }
    }

    /// Adds an error's own fields, each if nothing within it states the same.
    fn add_fields(&mut self, error: &Value) {
        let text = |name: &str| error[name].as_str().filter(|text| !text.is_empty());
        let first = |names: &[&str]| names.iter().find_map(|name| text(name)).map(str::to_owned);
        if self.text.is_empty() {
            self.text = first(&TEXTS).unwrap_or_default();
        }
        let path = path(&error["loc"]);
        if let Some(path) = path.as_deref().filter(|_| !self.text.is_empty()) {
            self.text = format!("{path}: {}", self.text);
        }
        let param = || first(&["param"]).filter(|param| !param.contains(' ') && param != "None");
        let kind = || {
            first(&["type", "error_type"])
                .or_else(|| aws_kind(text("__type")?))
                .or_else(|| google_detail(error, "reason"))
                .or_else(|| first(&["status"]))
        };
        let status = |name: &&str| {
            let number = error[*name].as_u64().or_else(|| error[*name].as_str()?.parse().ok())?;
            u16::try_from(number).ok().filter(|status| (400..600).contains(status))
        };
        let code = || first(&["code", "error_code"]).filter(|code| code.parse::<u64>().is_err());
        self.param = self.param.take().or_else(param).or(path);
        self.kind = self.kind.take().or_else(kind);
        self.code = self.code.take().or_else(code);
        let mut statuses = ["code", "status", "status_code", "statusCode"].iter();
        self.status = self.status.or_else(|| statuses.find_map(status));
        let delay = google_detail(error, "retryDelay");
        self.retry_after = self.retry_after.or_else(|| seconds(delay?.trim_end_matches('s'), 1.0));
        self.is_flagged |= !error["flagged_input"].is_null() || !error["reasons"].is_null();
    }

    /// Returns the labels for the log: kind and code if they are known words, and the request's id.
    pub(super) fn labels(&self) -> String {
        let names = [&self.kind, &self.code].into_iter().flatten();
        let known = names.filter_map(|name| LOGGED.iter().find(|known| name.eq_ignore_ascii_case(known)));
        let known: Vec<_> = known.copied().collect();
        let labels = if known.is_empty() {
            String::new()
        } else {
            format!(" ({})", known.join(", "))
        };
        match &self.request_id {
            Some(id) => format!("{labels}, request id {id}"),
            None => labels,
        }
    }
}

/// The JSON that a text is or ends with: gateways such as `LiteLLM` write a provider's error after words of their own.
fn json_at_the_end(text: &str) -> Option<Value> {
    let begins = [text.find('{'), text.find("[{")].into_iter().flatten().min()?;
    wire::parse_error(text[begins..].trim_end()).ok()
}

/// A request id that looks like one. Anything else may be a text of the conversation, which no log may hold.
fn request_id(text: &str) -> Option<String> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let is_id =
        text.len() <= MAX_REQUEST_ID && text.bytes().all(is_inner) && text.bytes().any(|byte| byte.is_ascii_digit());
    is_id.then(|| text.to_owned())
}

/// AWS names an error in its body if it does not in a header: `com.amazon.coral.service#ExpiredTokenException`.
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization>, read 2026-11.
fn aws_kind(text: &str) -> Option<String> {
    let name = text.rsplit('#').next()?.split(':').next()?;
    Some(name.to_owned())
}

/// The first of `details` that has a field (`ErrorInfo.reason`, `RetryInfo.retryDelay`: "Error details").
fn google_detail(error: &Value, field: &str) -> Option<String> {
    let details = error["details"].as_array()?;
    details
        .iter()
        .find_map(|detail| Some(detail[field].as_str()?.to_owned()))
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

/// Both forms of `Retry-After`: seconds, or the date from which on, in each of the three forms that HTTP has for it.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>
fn retry_after(text: &str) -> Option<u64> {
    seconds(text, 1.0).or_else(|| {
        let date = httpdate::parse_http_date(text.trim()).ok()?;
        let left = date.duration_since(SystemTime::now()).ok()?;
        seconds(&left.as_secs_f64().to_string(), 1.0)
    })
}

/// Whole seconds, rounded up, of a number in parts of a second. A number that is zero, less or infinite counts as none.
fn seconds(text: &str, parts: f64) -> Option<u64> {
    let number: f64 = text.trim().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is above zero, and saturates"
    )]
    (number > 0.0 && number.is_finite()).then(|| (number / parts).ceil() as u64)
}

#[cfg(test)]
mod tests;
