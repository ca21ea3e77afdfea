//! The providers' APIs: how the endpoint reaches each, and the same answers in each one's own bytes.

use assistant_endpoint::protocol::Protocol;
use serde_json::{Value, json};

use super::{
    TestApp,
    provider::{self, Answer, FakeProvider, Received, Step, events_head, piece, response, stream_end, stream_head},
    streams::{self, frame},
};

/// A provider's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    OpenAi,
    Anthropic,
    Bedrock,
    Gemini,
}

/// The provider's key in [`Wire::settings`].
pub const KEY: &str = "the-key-of-the-tests";

/// How the endpoint reaches the provider.
impl Wire {
    pub const ALL: [Self; 4] = [Self::OpenAi, Self::Anthropic, Self::Bedrock, Self::Gemini];
    /// Those whose API is not OpenAI's.
    pub const TRANSLATED: [Self; 3] = [Self::Anthropic, Self::Bedrock, Self::Gemini];

    /// As a prefix of a model's name, and as the folder of its streams in `tests/fixtures/streams`.
    pub const fn provider(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Bedrock => "bedrock",
            Self::Gemini => "gemini",
        }
    }

    pub const fn protocol(self) -> Protocol {
        match self {
            Self::OpenAi => Protocol::OpenAi,
            Self::Anthropic => Protocol::Anthropic,
            Self::Bedrock => Protocol::Bedrock,
            Self::Gemini => Protocol::Gemini,
        }
    }

    /// A model of the provider's.
    pub const fn model(self) -> &'static str {
        match self {
            Self::OpenAi => "gpt-4o",
            Self::Anthropic => "claude-sonnet-4-5",
            Self::Bedrock => "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            Self::Gemini => "gemini-2.5-flash",
        }
    }

    /// The first line of a request to [`Wire::model`] for a stream.
    pub const fn request_line(self) -> &'static str {
        match self {
            Self::OpenAi => "POST /v1/chat/completions HTTP/1.1",
            Self::Anthropic => "POST /v1/messages HTTP/1.1",
            Self::Bedrock => "POST /model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream HTTP/1.1",
            Self::Gemini => "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse HTTP/1.1",
        }
    }

    /// The line of a request's head that has the key.
    pub fn key_header(self) -> String {
        match self {
            Self::OpenAi | Self::Bedrock => format!("authorization: Bearer {KEY}"),
            Self::Anthropic => format!("x-api-key: {KEY}"),
            Self::Gemini => format!("x-goog-api-key: {KEY}"),
        }
    }

    /// What makes an endpoint find the provider at `origin`.
    pub fn settings(self, origin: &str) -> [(&'static str, String); 2] {
        let (base_url, key) = match self {
            Self::OpenAi => ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
            Self::Anthropic => ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"),
            Self::Bedrock => ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_BEARER_TOKEN_BEDROCK"),
            Self::Gemini => ("GEMINI_BASE_URL", "GEMINI_API_KEY"),
        };
        let path = if self == Self::OpenAi { "/v1" } else { "" };
        [(base_url, format!("{origin}{path}")), (key, KEY.to_owned())]
    }

    /// An endpoint in front of the provider, with more settings.
    pub async fn in_front_of(self, provider: FakeProvider, more: &[(&str, &str)]) -> TestApp {
        let own = self.settings(&provider.origin());
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let settings: Vec<_> = own.chain(more.iter().copied()).collect();
        TestApp::with(provider, &settings).await
    }

    /// A public assistant with the provider's model; returns its token.
    pub async fn assistant(self, app: &TestApp) -> String {
        app.assistant_with(json!({"type==agent/model": self.model()})).await
    }

    /// An endpoint and an assistant, with more settings of its own, whose model always gives this answer.
    pub async fn answering(self, answer: Answer, settings: Value) -> (TestApp, String) {
        let app = self.in_front_of(FakeProvider::always(answer).await, &[]).await;
        let mut all = json!({"type==agent/model": self.model()});
        all.as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        let token = app.assistant_with(all).await;
        (app, token)
    }

    /// The same where the answer is one of the provider's streams in `tests/fixtures/streams`.
    pub async fn streaming(self, fixture: &str) -> (TestApp, String) {
        self.answering(self.stream(fixture), json!({})).await
    }

    /// The provider's stream `fixture` in `tests/fixtures/streams`: `text`, and so on.
    pub fn stream(self, fixture: &str) -> Answer {
        streams::answer(&format!("{}-{fixture}", self.provider()))
    }
}

/// What the provider gets and gives.
impl Wire {
    /// The model that a request is for.
    pub fn requested_model(self, request: &Received) -> String {
        let path = request.head.split(' ').nth(1).unwrap();
        let after = |folder: &str| {
            path.split_once(folder)
                .unwrap()
                .1
                .split(['/', ':'])
                .next()
                .unwrap()
                .to_owned()
        };
        match self {
            Self::OpenAi | Self::Anthropic => request.body["model"].as_str().unwrap().to_owned(),
            Self::Bedrock => after("/model/"),
            Self::Gemini => after("/models/"),
        }
    }

    /// The texts of a request's messages, the system prompts first.
    pub fn texts(self, body: &Value) -> Vec<String> {
        let (system, turns) = match self {
            Self::OpenAi => (json!([]), &body["messages"]),
            Self::Anthropic => {
                let joined = body["system"].as_str().unwrap_or_default();
                let texts = joined.split("\n\n").map(|text| json!({"text": text}));
                (texts.collect(), &body["messages"])
            }
            Self::Bedrock => (body["system"].clone(), &body["messages"]),
            Self::Gemini => (body["systemInstruction"]["parts"].clone(), &body["contents"]),
        };
        let turns = turns.as_array().unwrap().iter();
        let content = turns.map(|turn| turn.get("content").unwrap_or(&turn["parts"]));
        std::iter::once(&system).chain(content).flat_map(texts).collect()
    }

    pub fn start(self) -> Vec<Step> {
        match self {
            Self::OpenAi | Self::Gemini => vec![events_head()],
            Self::Anthropic => {
                let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "claude",
                    "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 9, "output_tokens": 1}});
                let block =
                    json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
                vec![
                    events_head(),
                    event(&json!({"type": "message_start", "message": message})),
                    event(&block),
                    event(&json!({"type": "ping"})),
                ]
            }
            Self::Bedrock => vec![
                stream_head("application/vnd.amazon.eventstream"),
                piece(frame(r#"messageStart {"role":"assistant"}"#)),
            ],
        }
    }

    pub fn text(self, text: &str) -> Step {
        match self {
            Self::OpenAi => provider::text(text),
            Self::Anthropic => event(
                &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
            ),
            Self::Bedrock => {
                let delta = json!({"contentBlockIndex": 0, "delta": {"text": text}});
                piece(frame(&format!("contentBlockDelta {delta}")))
            }
            Self::Gemini => data(
                &json!({"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}],
                    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 1, "totalTokenCount": 10}}),
            ),
        }
    }

    /// The end of an answer of 9 and `tokens` tokens. `reason` is OpenAI's word.
    pub fn end(self, reason: &str, tokens: u64) -> Vec<Step> {
        let theirs = |stop: &'static str, length: &'static str, filter: &'static str| match reason {
            "stop" => stop,
            "length" => length,
            _ => filter,
        };
        let mut steps = match self {
            Self::OpenAi => vec![
                provider::finish(reason),
                provider::usage(9, tokens),
                piece("data: [DONE]\n\n"),
            ],
            Self::Anthropic => {
                let reason = theirs("end_turn", "max_tokens", "refusal");
                let delta = json!({"stop_reason": reason, "stop_sequence": null});
                vec![
                    event(&json!({"type": "content_block_stop", "index": 0})),
                    event(&json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": tokens}})),
                    event(&json!({"type": "message_stop"})),
                ]
            }
            Self::Bedrock => {
                let reason = theirs("end_turn", "max_tokens", "guardrail_intervened");
                let usage = json!({"inputTokens": 9, "outputTokens": tokens, "totalTokens": 9 + tokens});
                let metadata = json!({"usage": usage, "metrics": {"latencyMs": 1}});
                vec![
                    piece(frame(r#"contentBlockStop {"contentBlockIndex":0}"#)),
                    piece(frame(&format!("messageStop {}", json!({"stopReason": reason})))),
                    piece(frame(&format!("metadata {metadata}"))),
                ]
            }
            Self::Gemini => {
                let reason = theirs("STOP", "MAX_TOKENS", "SAFETY");
                let usage =
                    json!({"promptTokenCount": 9, "candidatesTokenCount": tokens, "totalTokenCount": 9 + tokens});
                vec![data(
                    &json!({"candidates": [{"finishReason": reason, "index": 0}], "usageMetadata": usage}),
                )]
            }
        };
        steps.push(stream_end());
        steps
    }

    /// An error in mid-stream.
    pub fn failure(self) -> Step {
        match self {
            Self::OpenAi => data(&json!({"error": {"message": "boom", "type": "server_error", "code": null}})),
            Self::Anthropic => event(&json!({"type": "error", "error": {"type": "api_error", "message": "boom"}})),
            Self::Bedrock => piece(frame(r#"exception:internalServerException {"message":"boom"}"#)),
            Self::Gemini => data(&json!({"error": {"code": 500, "message": "boom", "status": "INTERNAL"}})),
        }
    }

    /// An error before the stream. `kind` is the provider's own word for it: a code, a type, an exception or a status.
    pub fn error(self, status: u16, kind: &str, message: &str, headers: &str) -> Answer {
        let (headers, body) = match self {
            Self::OpenAi => {
                let error = json!({"message": message, "type": "some_error", "param": null, "code": kind});
                (headers.to_owned(), json!({"error": error}))
            }
            Self::Anthropic => {
                let error = json!({"type": kind, "message": message});
                (headers.to_owned(), json!({"type": "error", "error": error}))
            }
            Self::Bedrock => {
                let exception = format!("{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/");
                let headers = format!("{headers}x-amzn-errortype: {exception}\r\n");
                (headers, json!({"message": message}))
            }
            Self::Gemini => {
                let error = json!({"code": status, "message": message, "status": kind});
                (headers.to_owned(), json!({"error": error}))
            }
        };
        response(status, &headers, &body.to_string())
    }
}

fn texts(content: &Value) -> Vec<String> {
    match content {
        Value::String(text) => vec![text.clone()],
        Value::Array(parts) => parts
            .iter()
            .map(|part| part["text"].as_str().unwrap_or("(image)").to_owned())
            .collect(),
        _ => vec![],
    }
}

fn data(value: &Value) -> Step {
    piece(format!("data: {value}\n\n"))
}

fn event(value: &Value) -> Step {
    piece(format!("event: {}\ndata: {value}\n\n", value["type"].as_str().unwrap()))
}
