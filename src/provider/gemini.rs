//! Google's Gemini API, version v1beta.

use super::Model;

pub mod decode;
pub mod encode;

/// The version that has all of it: `v1` lacks system instructions and thinking.
pub const VERSION: &str = "v1beta";

/// `models/{model}:streamGenerateContent`; a tuned model stands under `tunedModels/`.
pub fn path(model: &Model) -> String {
    let name = &model.name;
    let folder = if name.contains('/') { "" } else { "models/" };
    let operation = if model.streams {
        "streamGenerateContent?alt=sse"
    } else {
        "generateContent"
    };
    format!("/{VERSION}/{folder}{name}:{operation}")
}
