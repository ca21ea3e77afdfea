//! OpenAI's error object, as both functions answer with it.

use serde::Serialize;
use utoipa::ToSchema;

/// Every error of either function.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorReply {
    pub(crate) error: ErrorObject,
}

/// OpenAI's error object.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorObject {
    /// What was wrong and what to do.
    pub(crate) message: String,
    /// One of OpenAI's, e.g. `invalid_request_error`.
    pub(super) r#type: &'static str,
    /// The field at fault.
    #[schema(required)]
    pub(crate) param: Option<String>,
    /// For programs, e.g. `invalid_api_key`.
    #[schema(required)]
    pub(crate) code: Option<String>,
    /// In the management API, all settings that cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) problems: Vec<Problem>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// The field's path, e.g. `config.configurable.type==agent/temperature`.
    pub param: String,
    /// What is wrong, to stand behind the field's name: `must be a string`.
    pub message: String,
}

pub(super) fn sentence(problems: &[Problem]) -> String {
    let all: Vec<_> = problems
        .iter()
        .map(|Problem { param, message }| format!("`{param}` {message}"))
        .collect();
    all.join("; ")
}
