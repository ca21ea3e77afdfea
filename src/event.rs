//! A Function URL's events as requests, and responses as the streams that Lambda takes.
//!
//! `lambda_http` panics on a URL or a body that is none, and a panic ends the process and with it every reply of the
//! environment. Anybody may send one, so each event is made to be fine first.

use axum::{body::BodyDataStream, http::header::HOST, response::Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use lambda_http::{Request, RequestExt, aws_lambda_events::apigw::ApiGatewayV2httpRequest, request::LambdaRequest};
use lambda_runtime::{LambdaEvent, MetadataPrelude, StreamResponse};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::way_in::PeerAddress;

/// What may not stand in a query as it is (RFC 3986, section 3.4; `http::Uri` lets the rest pass).
const NOT_IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');
/// Longest path and longest query, in bytes: encoded, both together have to fit into a URL of 65,534.
const MAX_PART: usize = 8 * 1024;
/// How much of a path that is longer is kept, for the 404.
const SHORTENED_PATH: usize = 200;

/// The request that an event is about, with the invocation's context in its extensions.
pub fn request(event: LambdaEvent<LambdaRequest>) -> Request {
    let LambdaEvent { mut payload, context } = event;
    let mut peer = None;
    if let LambdaRequest::ApiGatewayV2(event) = &mut payload {
        tidy(event);
        let source_ip = event.request_context.http.source_ip.as_deref();
        peer = source_ip.and_then(|address| address.parse().ok()).map(PeerAddress);
    }
    let mut request = Request::from(payload).with_lambda_context(context);
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    request
}

/// A response's head as the prelude, its body as the stream behind it.
pub(crate) fn response(response: Response) -> StreamResponse<BodyDataStream> {
    let (parts, body) = response.into_parts();
    StreamResponse {
        metadata_prelude: MetadataPrelude {
            status_code: parts.status,
            headers: parts.headers,
            cookies: Vec::new(),
        },
        stream: body.into_data_stream(),
    }
}

fn tidy(event: &mut ApiGatewayV2httpRequest) {
    let path = event.raw_path.take().unwrap_or_default();
    let path = if path.len() > MAX_PART {
        path.chars().take(SHORTENED_PATH).collect()
    } else {
        path
    };
    event.raw_path = Some(if path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    });
    let query = event.raw_query_string.take().filter(|query| query.len() <= MAX_PART);
    event.raw_query_string = query.map(|query| utf8_percent_encode(&query, NOT_IN_QUERY).to_string());
    // They become part of the URL, and nobody reads them.
    event.headers.remove(HOST);
    event.request_context.domain_name = None;
    // A body that is not what it is said to be is read as it is, and found not to be JSON.
    event.is_base64_encoded &= event
        .body
        .as_ref()
        .is_none_or(|body| BASE64_STANDARD.decode(body).is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn of(change: impl Fn(&mut Value)) -> Request {
        let mut event = json!({
            "version": "2.0", "rawPath": "/health", "rawQueryString": "", "isBase64Encoded": false, "body": "{}",
            "headers": {"host": "a.lambda-url.us-east-1.on.aws", "x-forwarded-proto": "https"},
            "requestContext": {"stage": "$default", "http": {"method": "POST", "path": "/health"}}});
        change(&mut event);
        let payload: LambdaRequest = serde_json::from_value(event).unwrap();
        request(LambdaEvent::new(payload, lambda_runtime::Context::default()))
    }

    #[test]
    fn no_event_panics() {
        assert_eq!(of(|_| {}).uri(), "/health");
        let queried = of(|event| event["rawQueryString"] = json!("a=\"<b>\" c#d|e^ü"));
        assert_eq!(queried.uri().query(), Some("a=%22%3Cb%3E%22%20c%23d|e^%C3%BC"));
        for host in ["a b", "", "[", "a:b", "a/b", "ü", "a\"b", "a{b", "a%7Bb", "a?b"] {
            let request = of(|event| {
                event["headers"] = json!({"host": host, "x-forwarded-proto": "ht tp"});
                event["requestContext"]["domainName"] = json!(host);
            });
            assert_eq!(request.uri().path(), "/health", "{host:?}");
        }
        for path in ["", ":1", "health", "/\"<>{}|^`ü", &"/ü".repeat(100_000)] {
            of(|event| event["rawPath"] = json!(path));
        }
        let long = of(|event| event["rawQueryString"] = json!("ü".repeat(100_000)));
        assert_eq!(long.uri().query(), None);
        let body = of(|event| (event["isBase64Encoded"], event["body"]) = (json!(true), json!("{}")));
        assert_eq!(&body.body()[..], b"{}");
    }

    proptest! {
        #[test]
        fn no_text_anywhere_panics(path in ".*", query in ".*", stage in ".*", body in ".*", encoded: bool) {
            let request = of(|event| {
                event["rawPath"] = json!(path);
                event["rawQueryString"] = json!(query);
                event["requestContext"]["stage"] = json!(stage);
                event["body"] = json!(body);
                event["isBase64Encoded"] = json!(encoded);
            });
            prop_assert!(request.uri().path().starts_with('/'));
        }
    }
}
