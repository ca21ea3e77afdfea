//! What providers say about a failure, in all the shapes that they say it in.

use std::time::SystemTime;

use axum::http::{HeaderMap, header::RETRY_AFTER};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::phrases::MINIMAX;
use crate::{chat::surrogates, protocol::wire};

/// Longest part of a message that is read, in characters. Less of it is passed on.
const MAX_READ: usize = 8000;
/// Longest word of a provider's that may stand in the log, in bytes.
const MAX_IDENTIFIER: usize = 64;

/// How many errors within each other are looked through: a gateway's around a provider's.
const MAX_DEPTH: usize = 6;

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
    /// Whether a moderation says what it has against the request.
    pub is_flagged: bool,
}

impl Words {
    /// Reads a response's body, and what else it says in its headers: Bedrock the kind of error.
    pub(super) fn of_response(headers: &HeaderMap, body: &[u8]) -> Self {
        let words = Self::of_body(&String::from_utf8_lossy(body));
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        // `ValidationException:http://internal.amazon.com/coral/…`
        let kind = text("x-amzn-errortype").and_then(|kind| kind.split(':').next());
        let in_milliseconds = || {
            let names = ["retry-after-ms", "x-ms-retry-after-ms"];
            names.into_iter().find_map(|name| seconds(text(name)?, 1000.0))
        };
        let retry_after = in_milliseconds().or_else(|| text(RETRY_AFTER.as_str()).and_then(retry_after));
        Self {
            kind: words.kind.or(kind.map(str::to_owned)),
            retry_after: retry_after.or(words.retry_after),
            ..words
        }
    }

    /// Reads a body of JSON, of an event (`data: {…}`) or of plain text. A page of HTML says nothing to a caller.
    fn of_body(body: &str) -> Self {
        let body = body.trim_start_matches('\u{feff}').trim();
        if let Ok(value) = wire::parse_error(body) {
            return Self::read(&value);
        }
        let event = body.lines().find_map(|line| line.strip_prefix("data:"));
        let text = event.map_or(body, str::trim);
        match wire::parse_error(text) {
            Ok(value) => Self::read(&value),
            Err(_) if text.starts_with('<') => Self::default(),
            Err(_) => Self::read(&Value::from(text)),
        }
    }

    /// Reads an error in any of the forms that servers and gateways have:
    ///
    /// - `{"error": {…}}`, `[{"error": {…}}]`, `{"error": "…"}`, errors within errors, `{"errors": ["…" | {…}]}`;
    /// - `{"errors": {"temperature": ["must be < 1"]}}` (ASP.NET, Rails, Laravel);
    /// - `{"message", "type", "code"}` (Mistral), `{"message"}` (Bedrock, in either case), `{"msg"}`, `{"error_message"}`;
    /// - `{"detail": "…" | {…} | [{"loc", "msg"}]}` (FastAPI: Mistral, vLLM);
    /// - `{"error": {"status", "details": […]}}` (Google);
    /// - `{"error": {"metadata": {"raw": "{…}"}}}` (OpenRouter: the provider's own words,
    ///   <https://openrouter.ai/docs/api-reference/errors>, read 2026-11) and JSON at the end of a message (LiteLLM).
    pub(super) fn read(body: &Value) -> Self {
        let words = Self::read_at(body, MAX_DEPTH);
        let message = words.message.filter(|message| !is_broken_json(message));
        Self {
            message: message.map(|message| without_input(&message)),
            ..words
        }
    }

    fn read_at(value: &Value, depth: usize) -> Self {
        let Some(depth) = depth.checked_sub(1) else {
            return Self::default();
        };
        match value {
            // Other JSON may be a part of the request that the message is about.
            Value::String(text) => json_within(text)
                .map(|inner| Self::read_at(&inner, depth))
                .filter(|words| words.message.is_some())
                .unwrap_or_else(|| Self::of_text(text)),
            Value::Array(list) => match details(value) {
                Some(message) => Self {
                    message: Some(message),
                    param: path(&value[0]["loc"]),
                    ..Self::default()
                },
                None => list
                    .first()
                    .map(|first| Self::read_at(first, depth))
                    .unwrap_or_default(),
            },
            Value::Object(error) => {
                let inner = [&error.get("metadata").unwrap_or(&Value::Null)["raw"]]
                    .into_iter()
                    .chain(INNER.iter().filter_map(|name| error.get(*name)))
                    .map(|inner| Self::read_at(inner, depth))
                    .find(|words| words.message.is_some() || words.code.is_some() || words.kind.is_some());
                let inner = inner.or_else(|| Self::by_field(error.get("errors")?));
                let own = Self::of_object(value).or(Self::of_minimax(&value["base_resp"]));
                inner.unwrap_or_default().or(own).with_sentence(error.get("param"))
            }
            _ => Self::default(),
        }
    }

    /// These words with those that Xiaomi's server writes into `param`, while its message is "Param Incorrect".
    /// <https://github.com/AQBot-Desktop/AQBot/issues/93>, read 2026-11.
    fn with_sentence(self, param: Option<&Value>) -> Self {
        let sentence = param.and_then(Value::as_str).filter(|param| param.contains(' '));
        let message = match (self.message, sentence) {
            (Some(message), Some(sentence)) => Some(format!("{message}: {sentence}")),
            (message, _) => message,
        };
        Self { message, ..self }
    }

    /// What is wrong with each field of the request.
    fn by_field(errors: &Value) -> Option<Self> {
        let fields = errors.as_object()?;
        let texts_of = |value: &Value| {
            let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        };
        let mut problems: Vec<_> = fields.iter().map(|(name, value)| (name, texts_of(value))).collect();
        problems.retain(|(_, texts)| !texts.is_empty());
        let param = problems.first().map(|(name, _)| (*name).clone())?;
        let problems: Vec<_> = problems
            .iter()
            .map(|(name, texts)| format!("{name}: {texts}"))
            .collect();
        Some(Self {
            message: Some(problems.join("; ")),
            param: Some(param).filter(is_param),
            ..Self::default()
        })
    }

    fn of_text(text: &str) -> Self {
        let text = text.trim();
        Self {
            message: (!text.is_empty()).then(|| text.to_owned()),
            ..Self::default()
        }
    }

    /// What an error's own fields say.
    fn of_object(error: &Value) -> Self {
        let text = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let first = |names: &[&str]| names.iter().find_map(|name| text(name)).map(str::to_owned);
        let status = |name: &&str| {
            let value = &error[*name];
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
            u16::try_from(number).ok().filter(|status| (400..600).contains(status))
        };
        Self {
            message: first(&MESSAGES),
            kind: first(&["type", "error_type"])
                .or_else(|| aws_kind(text("__type")?))
                .or_else(|| google_detail(error, "reason"))
                .or_else(|| first(&["status"])),
            param: first(&["param"]).filter(is_param),
            code: first(&["code", "error_code"]).filter(|code| code.parse::<u64>().is_err()),
            status: ["code", "status", "status_code", "statusCode"].iter().find_map(status),
            retry_after: google_detail(error, "retryDelay").and_then(|delay| seconds(delay.trim_end_matches('s'), 1.0)),
            is_flagged: !error["metadata"]["flagged_input"].is_null() || !error["metadata"]["reasons"].is_null(),
        }
    }

    /// `MiniMax` has numbers of its own: [`MINIMAX`].
    fn of_minimax(base_resp: &Value) -> Self {
        let number = &base_resp["status_code"];
        let known = MINIMAX.iter().find(|(theirs, _)| *number == *theirs);
        Self {
            message: base_resp["status_msg"].as_str().map(str::to_owned),
            status: known.map(|(_, status)| *status),
            ..Self::default()
        }
    }

    /// These words, and others where these say nothing.
    fn or(self, other: Self) -> Self {
        Self {
            message: self.message.or(other.message),
            kind: self.kind.or(other.kind),
            param: self.param.or(other.param),
            code: self.code.or(other.code),
            status: self.status.or(other.status),
            retry_after: self.retry_after.or(other.retry_after),
            is_flagged: self.is_flagged || other.is_flagged,
        }
    }
}

/// Fields with an error of its own within an error.
const INNER: [&str; 4] = ["error", "errors", "detail", "message"];
/// Fields with the words.
const MESSAGES: [&str; 9] = [
    "message",
    "Message",
    "msg",
    "error_message",
    "error_msg",
    "errorMessage",
    "error_description",
    "status_msg",
    "title",
];

/// The JSON that a text is or ends with, after words of a gateway's. Words after it too, as `LiteLLM` writes them ("Received
/// Model Group=…"), are passed over where it is an error without doubt.
fn json_within(text: &str) -> Option<Value> {
    let whole = wire::parse_error(text).ok().filter(Value::is_array);
    whole.or_else(|| {
        let rest = &text[text.find('{')?..];
        object_before_words(rest).or_else(|| {
            let mut object = object_before_words(&wire::mended(rest))?;
            surrogates::replace(&mut object);
            Some(object)
        })
    })
}

fn object_before_words(rest: &str) -> Option<Value> {
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let object = values.next()?.ok()?;
    let is_end = rest[values.byte_offset()..].trim_end().is_empty();
    (is_end || object.get("error").is_some_and(Value::is_object)).then_some(object)
}

/// Whether a text is the beginning of JSON, whose end is missing.
fn is_broken_json(text: &str) -> bool {
    let text = text.trim_start();
    let is_json = text.starts_with('{')
        || text
            .strip_prefix('[')
            .is_some_and(|list| list.trim_start().starts_with(['{', '"']));
    is_json && serde_json::from_str::<IgnoredAny>(&wire::mended(text)).is_err_and(|error| error.is_eof())
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

/// Some gateways write that there is none (Go's empty text, Python's `None`), and some write a sentence.
fn is_param(param: &String) -> bool {
    !param.is_empty() && param != "None" && !param.contains(' ')
}

/// AWS names an error in its body where it does not in a header: `com.amazon.coral.service#ExpiredTokenException`.
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

/// A word that names a kind of thing, such as `server_error`. Anything else a provider writes may be a text of the
/// conversation, which no log may hold.
pub(super) fn identifier(text: &str) -> Option<&str> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    (!text.is_empty() && text.len() <= MAX_IDENTIFIER && text.bytes().all(is_inner)).then_some(text)
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

/// Whole seconds, rounded up, of a number in parts of a second. A number that is zero, less or infinite says nothing.
fn seconds(text: &str, parts: f64) -> Option<u64> {
    let number: f64 = text.trim().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is above zero, and saturates"
    )]
    (number > 0.0 && number.is_finite()).then(|| (number / parts).ceil() as u64)
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
mod tests;
