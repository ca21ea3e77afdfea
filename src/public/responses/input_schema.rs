//! What the `OpenAPI` document says of a request. It is read by `request` and `input`.

#![expect(
    dead_code,
    reason = "describes what is read field by field, as leniently as no-code tools need"
)]

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A body of OpenAI's Responses API. Any other field of OpenAI's may be there too.
#[derive(ToSchema)]
pub(crate) struct CreateResponse {
    /// The conversation, oldest first, or what the user says.
    input: Input,
    /// Instructions that follow the assistant's own system message and never replace it.
    instructions: Option<String>,
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
    max_output_tokens: Option<i64>,
    /// The response whose conversation is carried on.
    previous_response_id: Option<String>,
    /// Whether the response may be kept, so that a later request can carry it on.
    #[schema(default = true)]
    store: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ResponseInput)]
enum Input {
    Text(InputString),
    Items(InputItems),
}

#[derive(Serialize, ToSchema)]
#[schema(pattern = r"\S", value_type = String)]
struct InputString(String);

#[derive(Serialize, ToSchema)]
#[schema(min_items = 1)]
struct InputItems(Vec<InputMessage>);

/// A message. Items of other types are not supported, but for `reasoning`, which is passed over.
#[derive(Serialize, ToSchema)]
#[serde(tag = "role", rename_all = "lowercase")]
#[schema(as = ResponseInputMessage)]
enum InputMessage {
    System(InputInstructions),
    Developer(InputInstructions),
    User(InputUserMessage),
    Assistant(InputAssistantMessage),
}

#[derive(Serialize, ToSchema)]
struct InputInstructions {
    content: InputTextContent,
}

#[derive(Serialize, ToSchema)]
struct InputUserMessage {
    content: InputUserContent,
}

/// An earlier answer. One without content is an empty turn.
#[derive(Serialize, ToSchema)]
struct InputAssistantMessage {
    content: Option<InputAssistantContent>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum InputTextContent {
    Text(String),
    Parts(InputTextParts),
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum InputUserContent {
    Text(String),
    Parts(InputUserParts),
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum InputAssistantContent {
    Text(String),
    Parts(Vec<InputAssistantPart>),
}

#[derive(Serialize, ToSchema)]
#[schema(min_items = 1)]
struct InputTextParts(Vec<InputTextPart>);

#[derive(Serialize, ToSchema)]
#[schema(min_items = 1)]
struct InputUserParts(Vec<InputUserPart>);

#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum InputTextPart {
    InputText { text: String },
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum InputUserPart {
    InputText {
        text: String,
    },
    InputImage {
        /// An https URL at a public address, or a data URL in base64.
        #[schema(pattern = "^(https?|data):")]
        image_url: String,
        /// `low`, `high` or `auto`.
        detail: Option<String>,
    },
}

#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum InputAssistantPart {
    OutputText { text: String },
    Refusal { refusal: String },
}
