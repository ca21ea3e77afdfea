//! The `OpenAPI` document of both functions, generated from the handlers and the shapes below; served as
//! `GET /openapi.json` by each.

use serde_json::Value;
use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Assistants", description = "An OpenAI-compatible endpoint for assistants, and their management."),
    paths(
        crate::http::chat_completions,
        crate::http::list_models,
        crate::http::show_model,
        crate::http::health,
        crate::manage::create,
        crate::manage::list,
        crate::manage::show,
        crate::manage::update,
        crate::manage::delete,
    ),
    components(schemas(ErrorReply, ChatCompletionChunk)),
    modifiers(&Bearers)
)]
pub struct Document;

/// Both functions take bearer tokens, each of its own kind.
struct Bearers;

impl Modify for Bearers {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, format, description) in [
            ("public_token", "public token", "An assistant's own public token."),
            ("jwt", "JWT", "The owner's JWT; its `sub` is the owner."),
        ] {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format(format)
                .description(Some(description))
                .build();
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

/// Every error of either function.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ErrorReply {
    error: ErrorObject,
}

/// OpenAI's error object.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ErrorObject {
    /// What was wrong and what to do.
    message: String,
    /// One of OpenAI's, e.g. `invalid_request_error`.
    r#type: String,
    /// The field at fault.
    #[schema(required)]
    param: Option<String>,
    /// For programs, e.g. `invalid_api_key`.
    #[schema(required)]
    code: Option<String>,
}

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

/// OpenAI's list of models: the assistant's one.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ModelList {
    object: String,
    data: Vec<ModelObject>,
}

/// OpenAI's `model`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ModelObject {
    id: String,
    object: String,
    created: i64,
    owned_by: String,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct Health {
    status: String,
}

/// What a new assistant is made of, or a JSON Merge Patch (RFC 7396) of one.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct AssistantPatch {
    name: Option<String>,
    config: Option<ConfigPatch>,
    /// With a new token, in a PATCH: how long the old one keeps working, in seconds. Without it the old one stops at once.
    #[schema(minimum = 1, maximum = 2_592_000)]
    token_grace_seconds: Option<i64>,
}

/// `null` deletes a key.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ConfigPatch {
    /// Settings, each bare or prefixed: `access_mode`, `public_token` (write-only), `model`, `provider`, `base_url`,
    /// `system_message`, `allowed_origins`, `temperature`, …
    #[schema(example = json!({"type==agent/access_mode": "public_token", "type==agent/public_token": "pubkey_mybot_abc123"}))]
    configurable: Option<Value>,
}

/// An assistant as its owner sees it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct AssistantReply {
    assistant_id: String,
    owner_id: String,
    name: String,
    /// The public token's last four characters.
    #[schema(required)]
    token_hint: Option<String>,
    /// The public token where it was generated just now; it is shown this once.
    public_token: Option<String>,
    /// RFC 3339: until when the old token works that was replaced just now with `token_grace_seconds`; shown this once.
    old_token_valid_until: Option<String>,
    config: Value,
    /// One more with each write; the `ETag`.
    version: i64,
    created_at: String,
    updated_at: String,
}

/// A page of assistants.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct AssistantList {
    object: String,
    data: Vec<AssistantReply>,
    has_more: bool,
    /// The next page's `after`.
    #[schema(required)]
    next: Option<String>,
}
