//! OpenAI's reply objects: the completion and its chunks.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::{
    chat::delta::{FinishReason, Usage},
    provider::Model,
};

/// What a completion and all chunks of one share.
#[derive(Debug, Clone)]
pub struct Head {
    id: String,
    created: i64,
    model: String,
}

impl Head {
    /// A fresh id, the time now, and the model that answers.
    pub fn new(model: &Model) -> Self {
        Self {
            id: format!("chatcmpl-{}", uuid::Uuid::new_v4().simple()),
            created: OffsetDateTime::now_utc().unix_timestamp(),
            model: model.name.clone(),
        }
    }

    fn object(&self, kind: &str, choices: Value) -> Map<String, Value> {
        let mut object = Map::new();
        object.insert("id".into(), json!(self.id));
        object.insert("object".into(), json!(kind));
        object.insert("created".into(), json!(self.created));
        object.insert("model".into(), json!(self.model));
        object.insert("choices".into(), choices);
        object
    }

    /// `chat.completion.chunk`; `choice` is `None` in the usage chunk only. `usage` is left out where it is `None`,
    /// and `Some(Value::Null)` where usage was asked for but comes later.
    pub fn chunk(&self, choice: Option<ChunkChoice>, usage: Option<Value>) -> Value {
        let choices = choice.map_or(json!([]), |choice| {
            json!([{
                "index": 0,
                "delta": choice.delta,
                "logprobs": choice.logprobs,
                "finish_reason": choice.finish_reason,
            }])
        });
        let mut chunk = self.object("chat.completion.chunk", choices);
        if let Some(usage) = usage {
            chunk.insert("usage".into(), usage);
        }
        Value::Object(chunk)
    }

    /// `chat.completion`; `usage` is left out where the provider gave none.
    pub fn completion(&self, content: Content, finish: FinishReason, usage: Option<Usage>) -> Value {
        let mut message = json!({"role": "assistant", "content": content.text, "refusal": content.refusal});
        if let Some(reasoning) = content.reasoning {
            message["reasoning_content"] = json!(reasoning);
        }
        let choices = json!([{
            "index": 0,
            "message": message,
            "logprobs": content.logprobs,
            "finish_reason": finish,
        }]);
        let mut completion = self.object("chat.completion", choices);
        if let Some(usage) = usage {
            completion.insert("usage".into(), usage.to_json());
        }
        Value::Object(completion)
    }
}

/// A chunk's one choice.
#[derive(Debug, Default)]
pub struct ChunkChoice {
    /// `role`, `content`, `refusal`: what is new.
    pub delta: Map<String, Value>,
    /// As the provider gave it.
    pub logprobs: Option<Value>,
    /// In the last choice only.
    pub finish_reason: Option<FinishReason>,
}

/// What a whole answer says.
#[derive(Debug)]
pub struct Content {
    /// `None` where the model refused without a word of content.
    pub text: Option<String>,
    /// The model's thinking, where the assistant shows it.
    pub reasoning: Option<String>,
    /// The model's refusal.
    pub refusal: Option<String>,
    /// As the provider gave them, joined.
    pub logprobs: Option<Value>,
}
