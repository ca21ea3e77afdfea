//! The errors of providers, in all the shapes they have.

use axum::http::StatusCode;
use serde_json::Value;

use crate::error::ProviderError;

/// Longest message of a provider's that is passed on, in characters.
const MAX_MESSAGE: usize = 2000;

/// Codes by which providers say that they do not know the model, whatever the status.
const MODEL_CODES: [&str; 4] = [
    "model_not_found",
    "invalid_model",
    "model_decommissioned",
    "DeploymentNotFound",
];

/// What a provider says about a failure.
#[derive(Debug, Default)]
struct Words {
    message: Option<String>,
    kind: Option<String>,
    param: Option<String>,
    code: Option<String>,
    /// Some gateways put the status in the place of the code.
    status: Option<u16>,
}

/// What a response without success means. `retry_after` is in seconds.
pub fn from_response(status: StatusCode, retry_after: Option<u64>, body: &[u8]) -> ProviderError {
    let words = serde_json::from_slice::<Value>(body)
        .map(|body| Words::read(&body))
        .unwrap_or_default();
    classify(status, retry_after, words)
}

/// What an error within a stream means: the value of `error`, or the whole frame.
pub fn from_event(error: &Value) -> ProviderError {
    let words = Words::read(error);
    let status = words.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or_else(|| {
        let says = |needle: &str| {
            [&words.kind, &words.code]
                .into_iter()
                .flatten()
                .any(|word| word.to_ascii_lowercase().contains(needle))
        };
        if says("rate_limit") || says("insufficient_quota") {
            StatusCode::TOO_MANY_REQUESTS
        } else if says("overloaded") || says("capacity") {
            StatusCode::SERVICE_UNAVAILABLE
        } else if says("invalid_request") || says("context_length") || says("badrequest") {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    });
    classify(status, None, words)
}

fn classify(status: StatusCode, retry_after: Option<u64>, words: Words) -> ProviderError {
    let code = words.code.as_deref().unwrap_or_default();
    if MODEL_CODES.contains(&code) {
        return ProviderError::ModelNotFound;
    }
    if code == "insufficient_quota" || words.kind.as_deref() == Some("insufficient_quota") {
        return ProviderError::QuotaExceeded;
    }
    match status.as_u16() {
        400 | 413 | 422 => ProviderError::Rejected {
            status,
            message: words.message.map_or_else(
                || "The model's provider rejected the request without saying why.".into(),
                shortened,
            ),
            param: words.param,
            code: words.code,
        },
        401 | 403 => ProviderError::Authentication,
        402 => ProviderError::QuotaExceeded,
        404 => ProviderError::ModelNotFound,
        429 => ProviderError::RateLimited { retry_after },
        503 | 529 => ProviderError::Overloaded { retry_after },
        other => ProviderError::failed(format!(
            "status {other}: {}",
            shortened(
                words
                    .message
                    .or(words.kind)
                    .unwrap_or_else(|| "no readable error".into())
            )
        )),
    }
}

fn shortened(message: String) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    }
}

impl Words {
    /// Reads `{"error": {…}}`, `{"error": "…"}`, `{"message", "type", "code"}` (Mistral) and
    /// `{"detail": "…" | [{"loc", "msg"}]}` (FastAPI: Mistral, vLLM).
    fn read(body: &Value) -> Self {
        let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
        let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
        let detail = &body["detail"];
        let first = &detail[0];
        let message = text("message")
            .or_else(|| error.as_str().map(str::to_owned))
            .or_else(|| detail.as_str().map(str::to_owned))
            .or_else(|| details(detail))
            .or_else(|| details(&body["message"]["detail"]));
        let number = error["code"].as_u64().or_else(|| error["code"].as_str()?.parse().ok());
        // llama.cpp says by type what OpenAI says by code, and clients look for OpenAI's.
        let overflow = text("type").filter(|kind| kind == "exceed_context_size_error");
        Self {
            message,
            kind: text("type"),
            param: text("param").or_else(|| path(&first["loc"])),
            code: overflow
                .map(|_| "context_length_exceeded".into())
                .or_else(|| text("code").filter(|code| code.parse::<u64>().is_err())),
            status: number.and_then(|number| u16::try_from(number).ok()),
        }
    }
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

    fn answer(status: u16, body: &str) -> ProviderError {
        from_response(StatusCode::from_u16(status).unwrap(), Some(7), body.as_bytes())
    }

    fn rejected(status: u16, message: &str, param: Option<&str>, code: Option<&str>) -> ProviderError {
        ProviderError::Rejected {
            status: StatusCode::from_u16(status).unwrap(),
            message: message.into(),
            param: param.map(Into::into),
            code: code.map(Into::into),
        }
    }

    #[test]
    fn what_is_wrong_with_the_request_is_passed_on() {
        for (status, body, expected) in [
            (
                400,
                r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
                rejected(400, "too long", Some("messages"), Some("context_length_exceeded")),
            ),
            (
                400,
                r#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}"#,
                rejected(400, "too long", None, Some("context_length_exceeded")),
            ),
            (400, r#"{"error":"bad image"}"#, rejected(400, "bad image", None, None)),
            (
                400,
                r#"{"object":"error","message":"no","type":"invalid","code":"3051"}"#,
                rejected(400, "no", None, None),
            ),
            (
                422,
                r#"{"detail":[{"loc":["body","messages",0,"content"],"msg":"Field required","type":"missing"}]}"#,
                rejected(
                    422,
                    "messages[0].content: Field required",
                    Some("messages[0].content"),
                    None,
                ),
            ),
            (
                413,
                "<html>Too large</html>",
                rejected(
                    413,
                    "The model's provider rejected the request without saying why.",
                    None,
                    None,
                ),
            ),
        ] {
            assert_eq!(answer(status, body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_wrong_with_us_or_the_provider_is_not() {
        for (status, body, expected) in [
            (
                401,
                r#"{"error":{"message":"Incorrect API key provided: sk-abc"}}"#,
                ProviderError::Authentication,
            ),
            (403, "", ProviderError::Authentication),
            (
                404,
                r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
                ProviderError::ModelNotFound,
            ),
            (
                400,
                r#"{"error":{"message":"gone","code":"model_decommissioned"}}"#,
                ProviderError::ModelNotFound,
            ),
            (
                429,
                r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#,
                ProviderError::RateLimited { retry_after: Some(7) },
            ),
            (
                429,
                r#"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#,
                ProviderError::QuotaExceeded,
            ),
            (503, "", ProviderError::Overloaded { retry_after: Some(7) }),
            (529, "", ProviderError::Overloaded { retry_after: Some(7) }),
            (
                500,
                r#"{"error":{"message":"oops"}}"#,
                ProviderError::failed("status 500: oops"),
            ),
            (301, "", ProviderError::failed("status 301: no readable error")),
        ] {
            assert_eq!(answer(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn errors_within_a_stream_are_told_by_code_or_type() {
        let event = |text: &str| from_event(&serde_json::from_str(text).unwrap());
        assert_eq!(
            event(r#"{"code":502,"message":"upstream"}"#),
            ProviderError::failed("status 502: upstream")
        );
        assert_eq!(
            event(r#"{"type":"rate_limit_error","message":"x"}"#),
            ProviderError::RateLimited { retry_after: None }
        );
        assert_eq!(
            event(r#"{"type":"BadRequestError","message":"x","code":400}"#),
            rejected(400, "x", None, None)
        );
        assert_eq!(
            event(r#"{"type":"overloaded_error"}"#),
            ProviderError::Overloaded { retry_after: None }
        );
        assert!(matches!(
            event(r#"{"type":"server_error","message":"x"}"#),
            ProviderError::Failed { .. }
        ));
    }
}
