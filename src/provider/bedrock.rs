//! Amazon Bedrock's Converse API.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Model;

pub mod decode;
pub mod encode;

/// What a path's segment may hold as it is (RFC 3986's unreserved characters): AWS's SDKs encode all else, the `/` and
/// `:` of ARNs among it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `/model/{modelId}/converse-stream`: a model's id, an inference profile's or an ARN.
pub fn path(model: &Model) -> String {
    let operation = if model.streams { "converse-stream" } else { "converse" };
    format!("/model/{}/{operation}", utf8_percent_encode(&model.name, ENCODED))
}

/// The region that an ARN names: `arn:partition:bedrock:region:account:resource`.
pub fn region_of(model: &str) -> Option<&str> {
    let mut fields = model.strip_prefix("arn:")?.split(':');
    fields.nth(2).filter(|region| !region.is_empty())
}
