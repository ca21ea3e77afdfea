//! The same answers in each provider's own bytes.

use serde_json::{Value, json};

use super::{
    provider::{self, Answer, Received, Step, events_head, piece, response, stream_end, stream_head},
    streams::frame,
};

/// A provider's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    OpenAi,
    Anthropic,
    Bedrock,
    Gemini,
}

impl Wire {
    /// As a prefix of a model's name.
    pub const fn provider(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Bedrock => "bedrock",
            Self::Gemini => "gemini",
        }
    }

    /// What makes an endpoint find the provider at `origin`.
    pub fn settings(self, origin: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::OpenAi => vec![],
            Self::Anthropic => vec![
                ("ANTHROPIC_BASE_URL", origin.into()),
                ("ANTHROPIC_API_KEY", "sk-ant-of-the-tests".into()),
            ],
            Self::Bedrock => vec![("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", origin.into())],
            Self::Gemini => vec![
                ("GEMINI_BASE_URL", origin.into()),
                ("GEMINI_API_KEY", "key-of-the-tests".into()),
            ],
        }
    }

    /// The model that a request is for.
    pub fn model(self, request: &Received) -> String {
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

    /// An error before the stream, in OpenAI's status and code.
    pub fn error(self, status: u16, code: &str, headers: &str) -> Answer {
        let message = match (self, code) {
            (Self::OpenAi, "context_length_exceeded") => {
                "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
            }
            (Self::Anthropic, "context_length_exceeded") => "prompt is too long: 208310 tokens > 200000 maximum",
            (Self::Bedrock, "context_length_exceeded") => "Input is too long for requested model.",
            (Self::Gemini, "context_length_exceeded") => {
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
            }
            _ => "the provider's words",
        };
        let (status, kind) = match (self, code) {
            (Self::Anthropic | Self::Gemini, "insufficient_quota") => (402, "billing_error"),
            (Self::Bedrock, "insufficient_quota") => (400, "ServiceQuotaExceededException"),
            _ => (status, code),
        };
        match self {
            Self::OpenAi => {
                let error = json!({"message": message, "type": "some_error", "param": null, "code": code});
                response(status, headers, &json!({"error": error}).to_string())
            }
            Self::Anthropic => {
                let error = json!({"type": "error", "error": {"type": kind, "message": message}});
                response(status, headers, &error.to_string())
            }
            Self::Bedrock => {
                let headers = format!("{headers}x-amzn-errortype: {kind}\r\n");
                response(status, &headers, &json!({"message": message}).to_string())
            }
            Self::Gemini => {
                let error = json!({"error": {"code": status, "message": message, "status": "SOME_STATUS"}});
                response(status, headers, &error.to_string())
            }
        }
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
