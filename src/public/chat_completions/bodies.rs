//! OpenAI's objects: what a request may hold, the completion and its chunks.

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use super::message_schema::RequestMessage;
use crate::{
    chat::delta::{FinishReason, Usage},
    provider::Model,
    public::now,
};

/// A body of OpenAI's chat completions API. Any other field of OpenAI's may be there too.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read field by field, as leniently as no-code tools need")]
pub(crate) struct ChatCompletionRequest {
    /// The conversation, oldest first.
    #[schema(min_items = 1)]
    messages: Vec<RequestMessage>,
    /// Ignored, whatever it is: the assistant has its own.
    model: Option<Value>,
    /// Whether the reply is a stream of server-sent events.
    #[schema(default = false)]
    stream: Option<bool>,
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    #[schema(minimum = 0, maximum = 1)]
    top_p: Option<f64>,
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    max_completion_tokens: Option<i64>,
}

/// OpenAI's `chat.completion`.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChatCompletion {
    /// `chatcmpl-` and a random part.
    pub id: String,
    /// `chat.completion`.
    pub object: &'static str,
    /// Seconds since the epoch.
    pub created: i64,
    /// The configured model that answered.
    pub model: String,
    pub choices: [Choice; 1],
    /// Where the provider gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<CompletionUsage>,
}

/// The one answer.
#[derive(Serialize, ToSchema)]
pub(crate) struct Choice {
    pub index: u32,
    pub message: AnswerMessage,
    /// OpenAI's `logprobs` object, where the request asked for it.
    #[schema(required, value_type = Option<Object>)]
    pub logprobs: Option<Box<RawValue>>,
    /// `stop`, `length` or `content_filter`.
    #[schema(value_type = String)]
    pub finish_reason: FinishReason,
}

/// What the assistant says.
#[derive(Serialize, ToSchema)]
pub(crate) struct AnswerMessage {
    /// `assistant`.
    pub role: &'static str,
    /// `null` where the model refused without a word of content.
    #[schema(required)]
    pub content: Option<String>,
    /// The model's refusal.
    #[schema(required)]
    pub refusal: Option<String>,
    /// The model's thinking, where the assistant shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
}

/// OpenAI's `CompletionUsage`, with all the counts that OpenAI sends: 0 where the provider gives none.
#[derive(Serialize, ToSchema)]
pub(crate) struct CompletionUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptTokensDetails,
    completion_tokens_details: CompletionTokensDetails,
}

/// What the prompt's tokens are.
#[derive(Serialize, ToSchema)]
pub(crate) struct PromptTokensDetails {
    cached_tokens: u64,
    audio_tokens: u64,
}

/// What the completion's tokens are.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "OpenAI's names")]
pub(crate) struct CompletionTokensDetails {
    reasoning_tokens: u64,
    audio_tokens: u64,
    accepted_prediction_tokens: u64,
    rejected_prediction_tokens: u64,
}

impl From<Usage> for CompletionUsage {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt,
            completion_tokens: usage.completion,
            total_tokens: usage.prompt.saturating_add(usage.completion),
            prompt_tokens_details: PromptTokensDetails {
                cached_tokens: usage.cached.unwrap_or(0),
                audio_tokens: 0,
            },
            completion_tokens_details: CompletionTokensDetails {
                reasoning_tokens: usage.reasoning.unwrap_or(0),
                audio_tokens: 0,
                accepted_prediction_tokens: 0,
                rejected_prediction_tokens: 0,
            },
        }
    }
}

/// The data of one server-sent event of a streamed reply.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChatCompletionChunk<'a> {
    /// One for all chunks of a reply.
    pub id: String,
    /// `chat.completion.chunk`.
    pub object: &'static str,
    /// Seconds since the epoch.
    pub created: i64,
    /// The configured model that answers.
    pub model: &'a str,
    /// One, and none in the chunk with the usage. (The last field: each chunk's bytes go on from here.)
    pub choices: &'a [ChunkChoice<'a>],
}

/// A chunk's one choice.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChunkChoice<'a> {
    pub index: u32,
    pub delta: ChunkDelta<'a>,
    /// OpenAI's `logprobs` object for this text, where the request asked for it.
    #[schema(required, value_type = Option<Object>)]
    pub logprobs: Option<&'a Value>,
    /// In the last choice only: `stop`, `length` or `content_filter`.
    #[schema(required, value_type = Option<String>)]
    pub finish_reason: Option<FinishReason>,
}

/// What is new: a role in the first chunk, and one of the others in all but the last.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct ChunkDelta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<&'a str>,
}

impl<'a> ChatCompletionChunk<'a> {
    /// What all chunks of a reply share: a fresh id, the time now, and the model that answers.
    pub(super) fn head(model: &'a Model) -> Self {
        Self {
            id: fresh_id(),
            object: "chat.completion.chunk",
            created: now(),
            model: &model.name,
            choices: &[],
        }
    }
}

pub(super) fn fresh_id() -> String {
    format!("chatcmpl-{}", uuid::Uuid::new_v4().simple())
}
