//! What goes wrong around a reply: at the tables, the keys, the issuer of JWTs, and the hosts of images.

use std::time::Duration;

use assistant_endpoint::local::embedded_store;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::json;

use super::{AT_ONCE, ending};
use crate::support::{
    Reply, TestApp, create, hello,
    management::{Management, SECRET, jwt},
    provider::{Answer, FakeProvider, Step, answer, error, piece, response, stream_end, stream_head},
    secret::Secret,
    store_fault::{self, Fault},
};

const TABLES: &str = "the tables";
const USAGE: &str = "the Usage table";
const KEYS: &str = "the keys secret";
const ISSUER: &str = "the issuer's keys";
const IMAGES: &str = "an image's host";

const UNAVAILABLE: &str = "503 `service_unavailable`";
const NO_IMAGE: &str = "400 `invalid_image_url`";
const WHOLE: &str = "the whole answer";

/// Where, what goes wrong, and how a reply of either form ends; of the issuer's keys, a request of the management API.
pub const ROWS: [(&str, &str, &str); 35] = [
    (TABLES, "throttled", UNAVAILABLE),
    (TABLES, "500", UNAVAILABLE),
    (TABLES, "silence", UNAVAILABLE),
    (TABLES, "the connection is refused", UNAVAILABLE),
    (TABLES, "no such table", UNAVAILABLE),
    (TABLES, "the role is not allowed", UNAVAILABLE),
    (TABLES, "an answer that is not JSON", UNAVAILABLE),
    (TABLES, "transactions that conflict", UNAVAILABLE),
    (TABLES, "a version that is a text", "500 `assistant_misconfigured`"),
    (TABLES, "a config that is a text", "403 `public_access_disabled`"),
    (TABLES, "a kept connection that is dead", WHOLE),
    (TABLES, "an index that lags behind", WHOLE),
    (USAGE, "no such table", WHOLE),
    (USAGE, "silence", WHOLE),
    (KEYS, "no such secret", UNAVAILABLE),
    (KEYS, "silence", UNAVAILABLE),
    (KEYS, "a text that is not JSON", UNAVAILABLE),
    (KEYS, "no key of the provider's", "500 `assistant_misconfigured`"),
    (ISSUER, "500", UNAVAILABLE),
    (ISSUER, "silence", UNAVAILABLE),
    (ISSUER, "the connection is refused", UNAVAILABLE),
    (ISSUER, "a text that is not JSON", UNAVAILABLE),
    (ISSUER, "a key set that is too large", UNAVAILABLE),
    (ISSUER, "a redirect without an end", UNAVAILABLE),
    (ISSUER, "half a key set", UNAVAILABLE),
    (ISSUER, "another key", "401 `invalid_jwt`"),
    (IMAGES, "404", NO_IMAGE),
    (IMAGES, "500", NO_IMAGE),
    (IMAGES, "silence", NO_IMAGE),
    (IMAGES, "the connection is refused", NO_IMAGE),
    (IMAGES, "half an image", NO_IMAGE),
    (IMAGES, "an image that is too large", NO_IMAGE),
    (IMAGES, "an image without an end", NO_IMAGE),
    (IMAGES, "a page in place of an image", NO_IMAGE),
    (IMAGES, "a redirect without an end", NO_IMAGE),
];

/// How a reply ends in truth.
async fn end(place: &str, name: &str, stream: bool) -> String {
    match place {
        TABLES => of_tables(name, stream).await,
        USAGE => of_usage(name, stream).await,
        KEYS => of_keys(name, stream).await,
        ISSUER => of_issuer(name).await,
        IMAGES => of_images(name, stream).await,
        place => panic!("{place}"),
    }
}

async fn chat(app: &TestApp, stream: bool) -> String {
    let token = app.assistant().await;
    ending(&app.chat(&token, &hello(stream)).await, stream)
}

async fn answering() -> FakeProvider {
    FakeProvider::always(answer(&["Once", " upon"])).await
}

async fn of_tables(name: &str, stream: bool) -> String {
    let fault = match name {
        "throttled" => Fault::Throttled,
        "500" => Fault::ServerError,
        "silence" => Fault::Hang,
        "the connection is refused" => Fault::Down,
        "no such table" => Fault::NoTable,
        "the role is not allowed" => Fault::NotAllowed,
        "an answer that is not JSON" => Fault::Unreadable,
        "a kept connection that is dead" => Fault::DeadConnection,
        "an index that lags behind" => Fault::EmptyIndex,
        "transactions that conflict" => return of_transactions().await,
        "a version that is a text" => return of_types("version", stream).await,
        "a config that is a text" => return of_types("config", stream).await,
        name => panic!("{name}"),
    };
    chat(&TestApp::with_store_fault(answering().await, fault).await, stream).await
}

/// An owner makes an assistant while others write the same items.
async fn of_transactions() -> String {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let faulty = store_fault::in_front_of(app.store_address, Fault::Conflict).await;
    let management = Management::over(&faulty, &[("JWT_SECRET", SECRET)]).await;
    let new = json!({"name": "Test"});
    let reply = management
        .send(Method::POST, "/assistants", &jwt("owner-1"), &new)
        .await;
    ending(&reply, false)
}

/// An attribute is what another program wrote.
async fn of_types(attribute: &str, stream: bool) -> String {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let (record, token) = create(&app.store, json!({"type==agent/access_mode": "public_token"})).await;
    let client = Client::new(&embedded_store::client_config(app.store_address).await);
    let update = client
        .update_item()
        .table_name(embedded_store::tables().assistants)
        .key("assistant_id", AttributeValue::S(record.assistant_id))
        .update_expression("SET #attribute = :text")
        .expression_attribute_names("#attribute", attribute)
        .expression_attribute_values(":text", AttributeValue::S("one".into()));
    update.send().await.unwrap();
    ending(&app.chat(&token, &hello(stream)).await, stream)
}

async fn of_usage(name: &str, stream: bool) -> String {
    let app = match name {
        "no such table" => TestApp::with(answering().await, &[("USAGE_TABLE", "NoSuchTable")]).await,
        "silence" => TestApp::with_faulty_usage(answering().await, Fault::HangsOnUpdates).await,
        name => panic!("{name}"),
    };
    chat(&app, stream).await
}

async fn of_keys(name: &str, stream: bool) -> String {
    let secret = match name {
        "no such secret" => Secret::default(),
        "silence" => {
            let secret = Secret::default();
            secret.hang();
            secret
        }
        "a text that is not JSON" => {
            let secret = Secret::default();
            secret.set_text("sk-not-an-object");
            secret
        }
        "no key of the provider's" => Secret::new(json!({"GROQ_API_KEY": "gsk"})),
        name => panic!("{name}"),
    };
    chat(&TestApp::with_secret(answering().await, &secret).await, stream).await
}

/// What goes wrong when something is fetched, whatever it is.
fn of_fetching(name: &str, kind: &str) -> Option<Answer> {
    Some(match name {
        "404" => error(404, "not_found"),
        "500" => error(500, "internal"),
        "silence" => vec![Step::Hang],
        "a redirect without an end" => response(302, "location: /again\r\n", ""),
        "half a key set" | "half an image" => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: 100\r\n\r\n{{\"keys\": [");
            vec![Step::Send(head.into())]
        }
        "a text that is not JSON" | "a page in place of an image" => response(200, "", "<html>nothing here</html>"),
        "a key set that is too large" | "an image that is too large" => {
            let Step::Send(much) = piece("x".repeat(1024 * 1024)) else {
                unreachable!()
            };
            vec![stream_head(kind), Step::Repeat(much, 6), stream_end()]
        }
        "an image without an end" => vec![stream_head(kind), piece(b"\x89PNG"), Step::Hang],
        _ => return None,
    })
}

async fn fetched(name: &str, kind: &str) -> FakeProvider {
    match of_fetching(name, kind) {
        Some(answer) => FakeProvider::always(answer).await,
        None => FakeProvider::refusing(),
    }
}

async fn of_issuer(name: &str) -> String {
    let issuer = match name {
        "another key" => FakeProvider::always(response(200, "", r#"{"keys": []}"#)).await,
        name => fetched(name, "application/json").await,
    };
    let app = TestApp::start(FakeProvider::refusing()).await;
    let url = format!("{}/keys", issuer.origin());
    let settings = [
        ("JWKS_URL", url.as_str()),
        ("JWT_ISSUER", "https://issuer.example"),
        ("JWT_AUDIENCE", "assistants"),
    ];
    let management = Management::beside(&app, &settings).await;
    // Its header alone is read before the keys are.
    let jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJvd25lci0xIn0.c2lnbmF0dXJl";
    ending(
        &Reply::of(management.request(Method::GET, "/assistants", jwt)).await,
        false,
    )
}

async fn of_images(name: &str, stream: bool) -> String {
    let host = fetched(name, "image/png").await;
    let provider = answering().await;
    let origin = provider.origin();
    let settings = [
        ("ALLOW_PRIVATE_PROVIDERS", "true"),
        ("GEMINI_BASE_URL", origin.as_str()),
        ("GEMINI_API_KEY", "key-of-the-tests"),
    ];
    let app = TestApp::with(provider, &settings).await;
    let token = app
        .assistant_with(json!({"type==agent/model": "gemini-2.5-flash"}))
        .await;
    let mut body = hello(stream);
    let url = format!("{}/cat.png", host.origin());
    body["messages"][0]["content"] = json!([{"type": "image_url", "image_url": {"url": url}}]);
    let end = ending(&app.chat(&token, &body).await, stream);
    assert!(app.provider.received().is_empty(), "{name}");
    end
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_around_a_reply_looks_like_anything_else() {
    let cells = ROWS.iter().flat_map(|&(place, name, expected)| {
        [false, true].map(|stream| async move {
            let found = tokio::time::timeout(Duration::from_secs(60), Box::pin(end(place, name, stream))).await;
            let found = found.unwrap_or_else(|_| "nothing".into());
            (found != expected).then(|| format!("{place}: {name}, stream {stream}: {found}, not {expected}"))
        })
    });
    let ended: Vec<_> = stream::iter(cells).buffer_unordered(AT_ONCE).collect().await;
    let red: Vec<_> = ended.into_iter().flatten().collect();
    assert!(red.is_empty(), "{} red cells:\n{}", red.len(), red.join("\n"));
}
