//! Google's Gemini API, version v1beta.

use super::encode::segment;
use crate::provider::Model;

pub(crate) mod decode;
pub(crate) mod encode;

/// The version that has all of it: `v1` lacks system instructions and thinking.
pub(super) const VERSION: &str = "v1beta";

/// `models/{model}:streamGenerateContent`; a tuned model stands under `tunedModels/`.
pub(super) fn path(model: &Model) -> String {
    let segments: Vec<_> = model.name.split('/').map(|name| segment(name).to_string()).collect();
    let folder = if segments.len() > 1 { "" } else { "models/" };
    let name = segments.join("/");
    let operation = if model.streams {
        "streamGenerateContent?alt=sse"
    } else {
        "generateContent"
    };
    format!("/{VERSION}/{folder}{name}:{operation}")
}
