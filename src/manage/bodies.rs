//! The bodies of the management API.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    assistant::{
        Record,
        store::claims::{Grace, MAX_GRACE},
    },
    token::Token,
};

/// A new assistant. What else an assistant is shown with, such as its version, may stand here too and is ignored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read field by field, so that a 400 names everything that is wrong"
)]
pub(crate) struct NewAssistant {
    /// A name for the owner.
    name: Option<String>,
    config: Option<ConfigPatch>,
}

/// A JSON Merge Patch (RFC 7396) of an assistant: a field that is `null` is removed, one that is not there stays. What else
/// an assistant is shown with, such as its version, may stand here too and is ignored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "read field by field, so that a 400 names everything that is wrong"
)]
pub(crate) struct AssistantPatch {
    /// A name for the owner.
    name: Option<String>,
    config: Option<ConfigPatch>,
    /// How long the old token keeps working beside the new one, in seconds. Without it the old token stops at once. Only
    /// in a PATCH that sets or generates a token.
    #[schema(minimum = 1, maximum = 2_592_000, nullable = false)]
    token_grace_seconds: Option<i64>,
}

const _: () = assert!(MAX_GRACE == 2_592_000, "the maximum above");

/// The assistant's configuration.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    reason = "read field by field, so that a 400 names everything that is wrong"
)]
pub(crate) struct ConfigPatch {
    /// Settings by name. A name stands bare or behind the prefix of the assistant's type, as in `type==agent/model`.
    /// `GET /settings-schema.json` describes each. `public_token` is write-only.
    #[schema(
        value_type = Option<Object>,
        example = json!({"type==agent/access_mode": "public_token", "type==agent/public_token": "pubkey_mybot_abc123"})
    )]
    configurable: Option<Value>,
}

/// An assistant as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssistantReply {
    /// A UUID.
    assistant_id: String,
    /// The `sub` of its owner's JWT.
    owner_id: String,
    name: String,
    /// The public token's last four characters, `null` where there is no token.
    #[schema(required)]
    token_hint: Option<String>,
    /// Without the public token.
    #[schema(value_type = Object)]
    config: Value,
    /// One more with each change. The response's `ETag` holds it too.
    version: u64,
    /// RFC 3339.
    created_at: String,
    /// RFC 3339.
    updated_at: String,
    /// The public token, in the response that generated it and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_token: Option<String>,
    /// Until when the replaced token still works, in RFC 3339; in the response to the change with `token_grace_seconds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_token_valid_until: Option<String>,
}

impl AssistantReply {
    pub(super) fn new(record: &Record) -> Self {
        let mut config = record.config.clone();
        if let Some(Value::Object(configurable)) = config.get_mut("configurable") {
            // Not by this API, but an item may have been written by another.
            configurable.retain(|key, _| !key.ends_with("public_token"));
        }
        Self {
            assistant_id: record.assistant_id.clone(),
            owner_id: record.owner_id.clone(),
            name: record.name.clone(),
            token_hint: record.token_hint.clone(),
            config,
            version: record.version,
            created_at: record.created_at.clone(),
            updated_at: record.updated_at.clone(),
            public_token: None,
            old_token_valid_until: None,
        }
    }

    /// `token` is one that was generated just now, and `grace` the old one's: both are shown this once.
    pub(super) fn with_token(self, token: Option<&Token>, grace: Option<Grace>) -> Self {
        Self {
            public_token: token.map(|token| token.reveal().to_owned()),
            old_token_valid_until: grace.map(|grace| grace.valid_until()),
            ..self
        }
    }
}

/// A page of the caller's assistants, oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct AssistantList {
    /// `list`.
    object: &'static str,
    data: Vec<AssistantReply>,
    /// Whether there is another page.
    has_more: bool,
    /// What the next page's `after` has to be, `null` on the last page.
    #[schema(required)]
    next: Option<String>,
}

impl AssistantList {
    pub(super) fn new(records: &[Record], next: Option<String>) -> Self {
        Self {
            object: "list",
            data: records.iter().map(AssistantReply::new).collect(),
            has_more: next.is_some(),
            next,
        }
    }
}
