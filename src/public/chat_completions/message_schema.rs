//! What the `OpenAPI` document says of a request's messages. They are read by `chat::message`.

#![expect(
    dead_code,
    reason = "describes what is read field by field, as leniently as no-code tools need"
)]

use serde::Serialize;
use utoipa::ToSchema;

/// A message. Messages with tool calls, and those of tools, are not supported.
#[derive(Serialize, ToSchema)]
#[serde(tag = "role", rename_all = "lowercase")]
pub(crate) enum RequestMessage {
    System(InstructionMessage),
    Developer(InstructionMessage),
    User(UserMessage),
    Assistant(AssistantMessage),
}

/// Instructions. They follow the assistant's own system message and never replace it.
#[derive(Serialize, ToSchema)]
pub(crate) struct InstructionMessage {
    content: InstructionContent,
    name: Option<String>,
}

/// What the user says.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserMessage {
    content: UserContent,
    name: Option<String>,
}

/// An earlier answer. One without content is an empty turn.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssistantMessage {
    content: Option<AssistantContent>,
    refusal: Option<String>,
    name: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum InstructionContent {
    Text(String),
    Parts(TextParts),
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum UserContent {
    Text(String),
    Parts(UserParts),
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum AssistantContent {
    Text(String),
    Parts(Vec<AssistantPart>),
}

#[derive(Serialize, ToSchema)]
#[schema(min_items = 1)]
struct TextParts(Vec<TextPart>);

#[derive(Serialize, ToSchema)]
#[schema(min_items = 1)]
struct UserParts(Vec<UserPart>);

#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum TextPart {
    Text { text: String },
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum UserPart {
    Text { text: String },
    ImageUrl { image_url: ImageUrl },
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum AssistantPart {
    Text { text: String },
    Refusal { refusal: String },
}

/// An image. A model that takes images as data only gets what is fetched from the URL.
#[derive(Serialize, ToSchema)]
struct ImageUrl {
    /// An https URL at a public address, or a data URL in base64.
    #[schema(pattern = "^(https?|data):")]
    url: String,
    /// `low`, `high` or `auto`.
    detail: Option<String>,
}
