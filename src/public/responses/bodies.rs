//! OpenAI's `response` and what it holds.

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};
use utoipa::ToSchema;

use crate::chat::delta::Usage;

/// OpenAI's `response`.
#[derive(Serialize, ToSchema)]
#[schema(as = Response)]
pub(crate) struct ResponseObject<'a> {
    /// `resp_` and 40 hexadecimal digits.
    pub id: String,
    /// `response`.
    pub object: &'static str,
    /// Seconds since the epoch.
    pub created_at: i64,
    pub status: Status,
    /// Seconds since the epoch, in a completed response.
    #[schema(required)]
    pub completed_at: Option<i64>,
    /// `false`.
    pub background: bool,
    /// Why a streamed response failed.
    #[schema(required)]
    pub error: Option<Failure>,
    /// Why the answer is incomplete.
    #[schema(required)]
    pub incomplete_details: Option<IncompleteDetails>,
    /// The configured model that answers.
    pub model: &'a str,
    /// The model's thinking, where the assistant shows it, and the message.
    pub output: Vec<OutputItem<'a>>,
    /// `true`.
    pub parallel_tool_calls: bool,
    /// The response whose conversation this one carries on.
    #[schema(required)]
    pub previous_response_id: Option<&'a str>,
    /// Whether the response is kept.
    pub store: bool,
    /// `auto`.
    pub tool_choice: &'static str,
    /// None.
    #[schema(value_type = Vec<Object>)]
    pub tools: [&'static str; 0],
    /// `disabled`.
    pub truncation: &'static str,
    /// Where the provider gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<ResponseUsage>,
    #[serde(flatten)]
    pub echo: &'a Echo,
}

/// How far a response or an item of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    InProgress,
    Completed,
    Incomplete,
    Failed,
}

/// Why a response failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResponseError)]
pub(crate) struct Failure {
    /// One of OpenAI's closed list, such as `server_error`. The event `error` behind it has the exact one.
    pub code: &'static str,
    /// What was wrong and what to do.
    pub message: String,
}

/// Why an answer is incomplete.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncompleteDetails {
    /// `max_output_tokens` or `content_filter`.
    pub reason: &'static str,
}

/// What a request said, as far as the response repeats it.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = ResponseParameters)]
pub(crate) struct Echo {
    /// The request's own, never the assistant's system message.
    #[schema(required)]
    pub instructions: Option<String>,
    #[schema(required, value_type = Option<i64>)]
    pub max_output_tokens: Option<Value>,
    /// Texts by name.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    #[schema(required)]
    pub prompt_cache_key: Option<String>,
    /// It has its own place in the response.
    #[serde(skip)]
    pub previous_response_id: Option<String>,
    pub reasoning: ReasoningEcho,
    #[schema(required)]
    pub safety_identifier: Option<String>,
    /// `null` where the assistant's own applies.
    #[schema(required, value_type = Option<f64>)]
    pub temperature: Option<Value>,
    pub text: TextEcho,
    #[schema(required, value_type = Option<i64>)]
    pub top_logprobs: Option<Value>,
    /// `null` where the assistant's own applies.
    #[schema(required, value_type = Option<f64>)]
    pub top_p: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// How much the model was to think.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = ResponseReasoning)]
pub(crate) struct ReasoningEcho {
    #[schema(required)]
    pub effort: Option<String>,
    #[schema(required)]
    pub summary: Option<String>,
}

/// The form that the text was to have.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = ResponseText)]
pub(crate) struct TextEcho {
    /// An object whose `type` is `text`, `json_object` or `json_schema`.
    #[schema(value_type = Object)]
    pub format: Value,
    #[schema(required)]
    pub verbosity: Option<String>,
}

/// A part of a response.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum OutputItem<'a> {
    /// The model's thinking.
    Reasoning { id: String, summary: Vec<SummaryPart<'a>> },
    /// The answer.
    Message {
        id: String,
        status: Status,
        /// `assistant`.
        role: &'static str,
        content: Vec<OutputPart<'a>>,
    },
}

/// A piece of a message.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum OutputPart<'a> {
    OutputText {
        text: &'a str,
        /// None.
        #[schema(value_type = Vec<Object>)]
        annotations: [&'static str; 0],
        /// Of each token, where the request asked for it.
        #[schema(value_type = Vec<Object>)]
        logprobs: &'a [Box<RawValue>],
    },
    Refusal {
        refusal: &'a str,
    },
}

/// A piece of the model's thinking.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum SummaryPart<'a> {
    SummaryText { text: &'a str },
}

/// OpenAI's `ResponseUsage`: 0 where the provider gives no count.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResponseUsage {
    input_tokens: u64,
    input_tokens_details: InputTokensDetails,
    output_tokens: u64,
    output_tokens_details: OutputTokensDetails,
    total_tokens: u64,
}

/// What the input's tokens are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InputTokensDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

/// What the output's tokens are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutputTokensDetails {
    reasoning_tokens: u64,
}

impl From<Usage> for ResponseUsage {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.prompt,
            input_tokens_details: InputTokensDetails {
                cached_tokens: usage.cached.unwrap_or(0),
                cache_write_tokens: 0,
            },
            output_tokens: usage.completion,
            output_tokens_details: OutputTokensDetails {
                reasoning_tokens: usage.reasoning.unwrap_or(0),
            },
            total_tokens: usage.prompt.saturating_add(usage.completion),
        }
    }
}

/// What all responses of one reply share.
#[derive(Debug)]
pub(super) struct Base {
    /// The digits of the ids, which an item's id shares with its response's.
    pub digits: String,
    pub created_at: i64,
    /// Once the response is complete.
    pub completed_at: Option<i64>,
    pub model: String,
    /// Whether the response is to be kept, and in its end whether it is.
    pub store: bool,
    pub echo: Echo,
}

impl Base {
    pub(super) fn id(&self) -> String {
        format!("resp_{}", self.digits)
    }

    /// A response without output.
    pub(super) fn response(&self, status: Status) -> ResponseObject<'_> {
        ResponseObject {
            id: self.id(),
            object: "response",
            created_at: self.created_at,
            status,
            completed_at: self.completed_at.filter(|_| status == Status::Completed),
            background: false,
            error: None,
            incomplete_details: None,
            model: &self.model,
            output: Vec::new(),
            parallel_tool_calls: true,
            previous_response_id: self.echo.previous_response_id.as_deref(),
            store: self.store,
            tool_choice: "auto",
            tools: [],
            truncation: "disabled",
            usage: None,
            echo: &self.echo,
        }
    }

    /// The id of an item at a place of the input.
    pub(super) fn input_item_id(&self, input_index: usize) -> String {
        format!("msg_{}i{input_index:02x}", self.digits)
    }

    /// The id of an item at a place of the output.
    pub(super) fn item_id(&self, prefix: &str, output_index: usize) -> String {
        format!("{prefix}_{}{output_index:02x}", self.digits)
    }
}

/// The answer to a deletion.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedResponse {
    /// Of the response that was deleted.
    pub id: String,
    /// `response`.
    pub object: &'static str,
    /// `true`.
    pub deleted: bool,
}

/// A page of what a request said.
#[derive(Serialize, ToSchema)]
#[schema(as = ResponseItemList)]
pub(crate) struct ItemList {
    /// `list`.
    pub object: &'static str,
    /// Messages as OpenAI's items.
    #[schema(value_type = Vec<Object>)]
    pub data: Vec<Value>,
    #[schema(required)]
    pub first_id: Option<String>,
    #[schema(required)]
    pub last_id: Option<String>,
    /// Whether there are more behind `last_id`.
    pub has_more: bool,
}
