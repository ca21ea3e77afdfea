//! What callers send: Lambda events, headers, requests, and the names of models that assistants are set to.

use assistant_endpoint::{
    chat::{parameters::Parameter, prompt::Prompt},
    event,
    protocol::{Protocol, learned::Learned},
    provider::{Model, Provider, Server, choose},
    public::{chat_completions::request::ChatRequest, responses},
    token::Token,
};
use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use lambda_http::request::LambdaRequest;
use lambda_runtime::{Context, LambdaEvent};
use percent_encoding::percent_decode_str;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

/// Longest message of an error, in characters.
const MAX_MESSAGE: usize = 2_000;

/// Models of every protocol, with what the tables know differently of each.
const MODELS: [&str; 9] = [
    "gpt-4o",
    "openai/o3-mini",
    "mistral/mistral-large-latest",
    "groq/llama-3.3-70b-versatile",
    "claude-sonnet-4-5",
    "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock/us.amazon.nova-lite-v1:0",
    "gemini-2.5-flash",
    "gemini/gemma-3-27b-it",
];

/// A request's body of the Responses API: what its response repeats is what OpenAI's schema has there, or it is a 400 that says
/// why.
pub fn response_request(data: &[u8]) {
    let (parameters, echo) = match responses::read(data) {
        Ok(read) => read,
        Err(error) => return check(&error),
    };
    let is_one_of = |value: &Value, words: &[&str]| value.as_str().is_none_or(|value| words.contains(&value));
    assert!(is_one_of(&echo["text"]["verbosity"], &["low", "medium", "high"]));
    assert!(is_one_of(
        &echo["reasoning"]["summary"],
        &["auto", "concise", "detailed"]
    ));
    let format = &echo["text"]["format"];
    assert!(is_one_of(&format["type"], &["text", "json_object", "json_schema"]));
    if format["type"] == "json_schema" {
        assert!(format["name"].is_string() && format["schema"].is_object());
        assert!(format["strict"].is_null() || format["strict"].is_boolean());
    }
    let metadata = echo["metadata"].as_object().unwrap();
    assert!(metadata.len() <= 16 && metadata.values().all(Value::is_string));
    // What the response repeats is what the model is asked for.
    for (name, parameter) in [
        ("temperature", Parameter::Temperature),
        ("max_output_tokens", Parameter::MaxTokens),
    ] {
        assert_eq!(
            echo.get(name).filter(|value| !value.is_null()),
            parameters.get(parameter)
        );
    }
}

/// A request's body: what is accepted is encoded for every provider, as it is and with all that errors may teach, or it is a
/// 400 that says why. What is encoded is JSON that can be read again.
pub fn request(data: &[u8]) {
    let request = match ChatRequest::read(data) {
        Ok(request) => request,
        Err(error) => return check(&error),
    };
    assert!(!request.messages.is_empty());
    assert!(request.stream || !request.include_usage);
    let prompt = Prompt {
        messages: Arc::new(request.messages),
        parameters: request.parameters,
        own_messages: 0,
        show_reasoning: data.len().is_multiple_of(2),
        for_owner: false,
    };
    let learned = Learned {
        omits_stream: true,
        omits_stream_options: true,
        other_token_limit: true,
        max_output: Some(1),
        ..Learned::default()
    };
    for name in MODELS {
        let model = choose(name, None, None).unwrap();
        for learned in [Learned::default(), learned] {
            let model = learned.of_model(&model);
            match Protocol::of(&model).encode(&prompt, &model, learned) {
                Ok(body) => check_body(&body),
                Err(error) => check(&error),
            }
        }
    }
}

fn check(error: &assistant_endpoint::error::Error) {
    assert_eq!(error.status(), 400, "{error}");
    let length = error.to_string().chars().count();
    assert!((1..=MAX_MESSAGE).contains(&length), "an error of {length} characters");
}

fn check_body(body: &Value) {
    assert!(body.is_object());
    let text = serde_json::to_vec(body).unwrap();
    let read: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(serde_json::to_vec(&read).unwrap(), text);
}

/// The value of `Authorization`: what is accepted is a token of visible text, all that follows the scheme; and a token that
/// an owner may choose is read as it is.
pub fn token_header(data: &[u8]) {
    if let Some(token) = token_of(data) {
        assert!(!token.is_empty() && token.trim() == token, "{token:?}");
        assert!(!token.contains(['\r', '\n', '\0']), "{token:?}");
        let sent = String::from_utf8_lossy(data);
        let (scheme, rest) = sent.trim().split_at("bearer".len());
        assert!(
            scheme.eq_ignore_ascii_case("bearer") && rest.starts_with(' '),
            "{sent:?}"
        );
        assert_eq!(rest.trim(), token);
    }
    let chosen = std::str::from_utf8(data).ok().and_then(|text| Token::chosen(text).ok());
    if let Some(chosen) = chosen {
        for scheme in ["Bearer ", "bearer  "] {
            let header = [scheme.as_bytes(), data].concat();
            assert_eq!(token_of(&header).as_deref(), Some(chosen.reveal()));
        }
    }
}

fn token_of(header: &[u8]) -> Option<String> {
    let value = HeaderValue::from_bytes(header).ok()?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    Some(Token::from_headers(&headers).ok()?.reveal().to_owned())
}

/// The name of a model, behind a byte that stands for the setting `provider` and one for `base_url`: the name stays within
/// its place of the URL that the provider is called at, and an error is short.
pub fn model_name(data: &[u8]) {
    let Some(([provider, own], name)) = data.split_first_chunk() else {
        return;
    };
    // Settings are never blank.
    let Some(name) = std::str::from_utf8(name)
        .ok()
        .map(str::trim)
        .filter(|name| !name.is_empty())
    else {
        return;
    };
    let provider = Provider::ALL.get(usize::from(*provider)).copied();
    let own = (own % 2 == 1).then(|| Url::parse("https://llm.example.com/v1").unwrap());
    let model = match choose(name, provider, own.clone()) {
        Ok(model) => model,
        Err(message) => return assert!(message.chars().count() < 300, "{message}"),
    };
    assert!(!model.name.is_empty());
    match (&model.server, own) {
        (Server::Own(server), own) => assert_eq!(Some(server), own.as_ref()),
        (Server::Platform(chosen), own) => assert!(own.is_none() && provider.is_none_or(|named| named == *chosen)),
    }
    check_path(&model);
}

fn check_path(model: &Model) {
    let protocol = Protocol::of(model);
    let path = protocol.path(model);
    let url = Url::parse(&format!("https://provider.example{path}")).unwrap();
    assert_eq!(url.host_str(), Some("provider.example"), "{path}");
    assert!(url.fragment().is_none(), "{path}");
    let segments: Vec<_> = url.path_segments().unwrap().collect();
    match protocol {
        Protocol::OpenAi | Protocol::Anthropic => {}
        Protocol::Bedrock => match segments[..] {
            ["model", name, "converse-stream"] => {
                let sent = percent_decode_str(name).decode_utf8().unwrap();
                let leads_elsewhere = matches!(model.name.as_str(), "." | "..");
                assert_eq!(sent, if leads_elsewhere { "" } else { &model.name });
            }
            _ => panic!("{path}"),
        },
        Protocol::Gemini => {
            assert_eq!(segments[0], "v1beta", "{path}");
            assert!(url.path().ends_with(":streamGenerateContent"), "{path}");
            assert_eq!(url.query(), Some("alt=sse"), "{path}");
        }
    }
}

/// A Lambda event: whatever it holds becomes a request with a path, and a URL within the limit.
pub fn event(data: &[u8]) {
    let Ok(event) = serde_json::from_slice::<LambdaRequest>(data) else {
        return;
    };
    let request = event::request(LambdaEvent::new(event, Context::default()));
    let uri = request.uri();
    assert!(uri.path().starts_with('/'), "{uri}");
    assert!(uri.to_string().len() <= 0xFFFE);
}
