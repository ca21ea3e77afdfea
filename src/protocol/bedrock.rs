//! Amazon Bedrock's Converse API.

use super::encode::segment;
use crate::provider::Model;

pub(crate) mod decode;
pub(crate) mod encode;

/// `/model/{modelId}/converse-stream`: a model's id, an inference profile's or an ARN, encoded as AWS's SDKs do.
pub fn path(model: &Model) -> String {
    let operation = if model.streams { "converse-stream" } else { "converse" };
    format!("/model/{}/{operation}", segment(&model.name))
}

/// The region that an ARN names: `arn:partition:bedrock:region:account:resource`. An owner writes it and it becomes part
/// of a host's name, which gets the operator's key or signature: it is nothing but letters, digits and hyphens.
pub fn region_of(model: &str) -> Option<&str> {
    let mut fields = model.strip_prefix("arn:")?.split(':');
    let is_label = |region: &&str| {
        let mut bytes = region.bytes();
        !region.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    fields.nth(2).filter(is_label)
}
