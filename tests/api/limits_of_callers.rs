//! Limits over several processes and by caller, with the real binary: events tell who calls.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use assistant_endpoint::local::function::Function;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, early_in_a_minute, error_message,
    function::{self, TIMEOUT, event, invoke},
    management::{self, Management, jwt},
    provider::{FakeProvider, answer},
    start_store,
    usage_calls::{self, Happens, NONE, Trouble},
};

/// Requests to each of four processes.
const EACH: usize = 50;
/// How many of them a process has under way: the embedded store answers no more in its time.
const AT_ONCE: &str = "5";
const SECRET: &str = "0123456789abcdef";

/// So many functions over one store, in which the events' assistant has these settings.
async fn start(
    functions: usize,
    settings: Value,
    environment: &[(&str, &str)],
    trouble: Trouble,
) -> (Vec<Function>, FakeProvider) {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let (aws, store) = start_store().await;
    function::put_assistant(&aws, settings).await;
    let (proxy, _) = usage_calls::in_front_of(store, trouble).await;
    let environment = [
        &[("USAGE_TABLE", "Usage"), ("AWS_LAMBDA_MAX_CONCURRENCY", AT_ONCE)],
        environment,
    ]
    .concat();
    let start = |proxy: SocketAddr| function::start_over(proxy, &provider, &environment, Stdio::null());
    let started = join_all((0..functions).map(|_| start(proxy))).await;
    early_in_a_minute().await;
    (started, provider)
}

/// How many of 200 requests at once to four processes are let in.
async fn let_in(settings: Value, trouble: Trouble) -> usize {
    let (functions, provider) = start(4, settings, &[], trouble).await;
    let timeout = Duration::from_secs(120);
    let requests = functions.iter().flat_map(|function| {
        (0..EACH).map(|at| {
            let name = if at % 2 == 0 { "chat.json" } else { "chat-stream.json" };
            invoke(function, event(name), timeout)
        })
    });
    let replies = join_all(requests).await;
    let answered = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(provider.received().len(), answered);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert_eq!(reply.status, 429, "{}", reply.text());
    }
    answered
}

#[tokio::test]
async fn of_200_requests_at_once_to_four_processes_exactly_50_are_let_in() {
    assert_eq!(let_in(json!({"requests_per_minute": 50}), NONE).await, 50);
}

#[tokio::test]
async fn trouble_with_the_table_never_lets_in_more() {
    use Happens::{Answer, Conflict, DoneAndLost, Lost, ServerError, Throttled};
    let trouble: Trouble = &[
        Answer,
        Answer,
        Conflict,
        Answer,
        DoneAndLost,
        Answer,
        Answer,
        Throttled,
        Answer,
        Lost,
        Answer,
        ServerError,
        Answer,
    ];
    let answered = let_in(json!({"requests_per_minute": 50}), trouble).await;
    assert!((1..=50).contains(&answered), "{answered}");
}

/// Asks from an address, with more headers.
async fn ask(function: &Function, address: &str, headers: &[(&str, &str)]) -> u64 {
    let mut event = event("chat.json");
    event["requestContext"]["http"]["sourceIp"] = json!(address);
    for (name, value) in headers {
        event["headers"][*name] = json!(value);
    }
    let reply = invoke(function, event, TIMEOUT).await;
    match reply.status {
        429 => {
            let message = error_message(&reply.json(), "rate_limit_exceeded");
            assert!(message.contains("`requests_per_minute_per_caller` is 2"), "{message}");
        }
        403 => {
            error_message(&reply.json(), "direct_access_closed");
        }
        _ => {}
    }
    reply.status
}

#[tokio::test]
async fn each_caller_has_a_limit_of_its_own_and_no_header_makes_another() {
    let settings = json!({"requests_per_minute_per_caller": 2, "requests_per_minute": 100});
    let environment = [("ORIGIN_SECRETS", "0123456789abcdef,the-one-before-it")];
    let (functions, _provider) = start(2, settings, &environment, NONE).await;
    let (one, other) = (&functions[0], &functions[1]);
    let forged = [
        ("x-forwarded-for", "198.51.100.77"),
        ("cloudfront-viewer-address", "198.51.100.77:443"),
        ("x-origin-secret", "0123456789abcdeX"),
    ];
    assert_eq!(ask(one, "198.51.100.1", &[]).await, 200);
    assert_eq!(ask(other, "198.51.100.1", &forged[..2]).await, 200);
    for function in [one, other, one] {
        assert_eq!(ask(function, "198.51.100.1", &[]).await, 429);
        assert_eq!(ask(function, "198.51.100.1", &forged).await, 429);
    }
    assert_eq!(ask(one, "198.51.100.2", &[]).await, 200);
    // An IPv6 subscriber has a whole /64.
    assert_eq!(ask(one, "2001:db8:1:2::1", &[]).await, 200);
    assert_eq!(ask(other, "2001:db8:1:2:ffff::2", &[]).await, 200);
    assert_eq!(ask(one, "2001:db8:1:2:3::4", &[]).await, 429);
    assert_eq!(ask(one, "2001:db8:1:3::1", &[]).await, 200);
    // Through CloudFront the viewer's address counts, whichever of CloudFront's own addresses calls.
    for (secret, from, status) in [
        (SECRET, "203.0.113.1", 200),
        ("the-one-before-it", "203.0.113.2", 200),
        (SECRET, "203.0.113.3", 429),
    ] {
        let headers = [
            ("x-origin-secret", secret),
            ("cloudfront-viewer-address", "198.51.100.9:46532"),
        ];
        assert_eq!(ask(one, from, &headers).await, status);
    }
    assert_eq!(ask(one, "198.51.100.9", &[]).await, 429);
}

#[tokio::test]
async fn closed_to_direct_access_only_cloudfront_gets_in() {
    let environment = [("ORIGIN_SECRETS", SECRET), ("CLOSED_TO_DIRECT_ACCESS", "true")];
    let (functions, provider) = start(1, json!({}), &environment, NONE).await;
    assert_eq!(ask(&functions[0], "198.51.100.1", &[]).await, 403);
    assert_eq!(
        ask(&functions[0], "198.51.100.1", &[("x-origin-secret", "")]).await,
        403
    );
    assert_eq!(
        ask(
            &functions[0],
            "198.51.100.1",
            &[("x-origin-secret", "0123456789abcdee")]
        )
        .await,
        403
    );
    assert_eq!(provider.received().len(), 0);
    assert_eq!(
        ask(&functions[0], "198.51.100.1", &[("x-origin-secret", SECRET)]).await,
        200
    );
    // Checked before anything else, the token included.
    let mut unknown = event("invalid-token.json");
    assert_eq!(invoke(&functions[0], unknown.clone(), TIMEOUT).await.status, 403);
    unknown["headers"]["x-origin-secret"] = json!(SECRET);
    assert_eq!(invoke(&functions[0], unknown, TIMEOUT).await.status, 401);
}

#[tokio::test]
async fn the_management_function_is_closed_in_the_same_way() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let settings = [
        ("JWT_SECRET", management::SECRET),
        ("ORIGIN_SECRETS", SECRET),
        ("CLOSED_TO_DIRECT_ACCESS", "true"),
    ];
    let management = Management::beside(&app, &settings).await;
    let ask = |secret: &str| {
        let request = management.request(Method::GET, "/assistants", &jwt("owner-1"));
        Reply::of(request.header("x-origin-secret", secret))
    };
    for secret in ["", "0123456789abcdee"] {
        ask(secret).await.error(403, "direct_access_closed");
    }
    assert_eq!(ask(SECRET).await.status, 200);
}
