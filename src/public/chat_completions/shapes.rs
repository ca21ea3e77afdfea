//! The shapes of bodies, for the `OpenAPI` document.

use serde_json::Value;
use utoipa::ToSchema;

/// A body of OpenAI's chat completions API. Any other field of OpenAI's may be there too.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ChatCompletionRequest {
    /// At least one message, as OpenAI defines them.
    #[schema(min_items = 1)]
    messages: Vec<Value>,
    /// Ignored: the assistant has its own.
    model: Option<String>,
    /// Whether the reply is a stream of server-sent events.
    #[schema(default = false)]
    stream: Option<bool>,
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    #[schema(minimum = 0, maximum = 1)]
    top_p: Option<f64>,
    #[schema(minimum = 1)]
    max_completion_tokens: Option<i64>,
}

/// OpenAI's `chat.completion`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ChatCompletion {
    id: String,
    object: String,
    created: i64,
    /// The configured model that answered.
    model: String,
    choices: Vec<Choice>,
    /// Where the provider gives it.
    usage: Option<Usage>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct Choice {
    index: i64,
    message: AnswerMessage,
    /// `stop`, `length` or `content_filter`.
    finish_reason: String,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct AnswerMessage {
    role: String,
    #[schema(required)]
    content: Option<String>,
    #[schema(required)]
    refusal: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, clippy::struct_field_names, reason = "a shape for the document")]
pub(crate) struct Usage {
    prompt_tokens: i64,
    completion_tokens: i64,
    total_tokens: i64,
}

/// The data of one server-sent event of a streamed reply.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ChatCompletionChunk {
    id: String,
    object: String,
    created: i64,
    model: String,
    choices: Vec<Value>,
}
