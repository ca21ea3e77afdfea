//! What leads from a line of the log to those of the services before it: CloudFront's, X-Ray's, and the caller's own trace.

use axum::{extract::Request, http::HeaderMap};

/// The ids of one request. What does not look like one is left out: a caller may send anything under these names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct TraceIds {
    /// CloudFront's `x-amz-cf-id`.
    pub(super) cloudfront: Option<String>,
    /// W3C's `traceparent`. <https://www.w3.org/TR/trace-context/#traceparent-header>
    pub(super) traceparent: Option<String>,
    /// The root of X-Ray's trace. <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html>, read 2026-11.
    pub(super) xray: Option<String>,
}

impl TraceIds {
    pub(super) fn of(request: &Request) -> Self {
        let context = request.extensions().get::<lambda_runtime::Context>();
        let of_invocation = context.and_then(|context| context.xray_trace_id.clone());
        Self::read(request.headers(), of_invocation)
    }

    fn read(headers: &HeaderMap, of_invocation: Option<String>) -> Self {
        let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        Self {
            cloudfront: header("x-amz-cf-id").filter(|id| is_cloudfronts(id)),
            traceparent: header("traceparent").filter(|id| is_hex_groups(id, &[2, 32, 16, 2]) && names_a_trace(id)),
            xray: of_invocation
                .or_else(|| header("x-amzn-trace-id"))
                .and_then(|id| root(&id)),
        }
    }
}

/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`
fn root(header: &str) -> Option<String> {
    let root = header.split(';').find_map(|part| part.trim().strip_prefix("Root="))?;
    is_hex_groups(root, &[1, 8, 24]).then(|| root.to_owned())
}

/// An id of zeros alone is none.
fn names_a_trace(traceparent: &str) -> bool {
    let mut ids = traceparent.split('-').skip(1).take(2);
    ids.all(|id| id.bytes().any(|digit| digit != b'0'))
}

/// 41 bytes in base64 for URLs, as all of them that the documents show; something else is a caller's own text.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>, read 2026-11.
fn is_cloudfronts(id: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let digits = id.strip_suffix("==");
    digits.is_some_and(|digits| digits.len() == 54 && digits.bytes().all(is_digit))
}

/// Whether a text is groups of so many hexadecimal digits each, with `-` between them.
fn is_hex_groups(text: &str, digits: &[usize]) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    groups.len() == digits.len()
        && groups
            .iter()
            .zip(digits)
            .all(|(group, digits)| group.len() == *digits && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    const CLOUDFRONT: &str = "KTxYOFOZOAO6Q_4Z4V0MA7GvZ8yZEHyL2mCz4YJ7r2l3eg2MRS7k5w==";
    const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const XRAY: &str = "1-5759e988-bd862e3fe1be46a994272793";

    fn read(headers: &[(&'static str, &str)], of_invocation: Option<&str>) -> TraceIds {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(*value).unwrap()));
        TraceIds::read(&headers.collect(), of_invocation.map(str::to_owned))
    }

    #[test]
    fn ids_are_taken_where_they_look_like_ids() {
        let root = format!("Root={XRAY};Parent=53995c3f42cd8ad8;Sampled=1");
        let all = TraceIds {
            cloudfront: Some(CLOUDFRONT.into()),
            traceparent: Some(TRACEPARENT.into()),
            xray: Some(XRAY.into()),
        };
        let sent = [("x-amz-cf-id", CLOUDFRONT), ("traceparent", TRACEPARENT)];
        assert_eq!(read(&sent, Some(&root)), all);
        assert_eq!(read(&[sent[0], sent[1], ("x-amzn-trace-id", &root)], None), all);
        let zeros = format!("00-{}-{}-01", "0".repeat(32), "0".repeat(16));
        let long = "a".repeat(101);
        for odd in [
            "",
            "pubkey_secret",
            "pubkey_a secret",
            "{}",
            "00-0af7-b7ad-01",
            &zeros,
            &long,
        ] {
            let headers = [("x-amz-cf-id", odd), ("traceparent", odd), ("x-amzn-trace-id", odd)];
            assert_eq!(read(&headers, None), TraceIds::default(), "{odd}");
        }
    }
}
