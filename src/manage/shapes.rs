//! The shapes of bodies, for the `OpenAPI` document.

use serde_json::Value;
use utoipa::ToSchema;

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
