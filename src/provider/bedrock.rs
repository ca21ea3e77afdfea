//! Amazon Bedrock's Converse API.

use super::{Model, protocol::segment};

pub mod decode;
pub mod encode;

/// `/model/{modelId}/converse-stream`: a model's id, an inference profile's or an ARN, encoded as AWS's SDKs do.
pub fn path(model: &Model) -> String {
    let operation = if model.streams { "converse-stream" } else { "converse" };
    format!("/model/{}/{operation}", segment(&model.name))
}

/// The region that an ARN names: `arn:partition:bedrock:region:account:resource`.
pub fn region_of(model: &str) -> Option<&str> {
    let mut fields = model.strip_prefix("arn:")?.split(':');
    fields.nth(2).filter(|region| !region.is_empty())
}
