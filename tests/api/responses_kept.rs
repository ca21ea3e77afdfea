//! What is kept of responses, what is not, and who can read and delete it.

use std::collections::HashMap;

use assistant_endpoint::local::embedded_store;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, early_in_a_minute,
    management::{Management, SECRET, jwt},
    provider::{FakeProvider, Step, answer, error, events_head, finish, stream_end, text},
    response_calls::Trouble,
    responses::{PATH, ask, output_text},
};

const TABLE: [(&str, &str); 1] = [("RESPONSES_TABLE", "Responses")];

async fn start() -> (TestApp, String) {
    let app = TestApp::with(FakeProvider::always(answer(&["Hello"])).await, &TABLE).await;
    let token = app.assistant().await;
    (app, token)
}

async fn call(app: &TestApp, token: &str, method: Method, path: &str) -> Reply {
    let request = app.request(method, &format!("{PATH}/{path}"));
    Reply::of(request.bearer_auth(token)).await
}

/// All items of the Responses table.
async fn items(app: &TestApp) -> Vec<HashMap<String, AttributeValue>> {
    let client = Client::new(&embedded_store::client_config(app.store_address).await);
    let scanned = client.scan().table_name("Responses").send().await.unwrap();
    scanned.items.unwrap()
}

/// The response at the end of a reply in either form.
async fn respond(app: &TestApp, token: &str, body: &Value) -> Value {
    let reply = app.respond(token, body).await;
    if body["stream"] == true {
        reply.response_events().last().unwrap()["response"].clone()
    } else {
        reply.response()
    }
}

/// A request that carries a response on.
fn after(response: &Value) -> Value {
    json!({"previous_response_id": response["id"], "input": "Go on"})
}

fn id(response: &Value) -> &str {
    response["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_response_is_read_as_it_was_sent_and_deleted() {
    let (app, token) = start().await;
    let other = app.assistant().await;
    for stream in [false, true] {
        let mut body = ask(stream);
        body["metadata"] = json!({"topic": "demo"});
        let response = respond(&app, &token, &body).await;
        let id = id(&response);
        assert_eq!(call(&app, &token, Method::GET, id).await.response(), response);
        for (token, id) in [
            (other.as_str(), id),
            (&token, "resp_1"),
            (&token, &id.replace("resp_", "resp_0")),
            (&token, "%ff"),
        ] {
            for (method, path) in [
                (Method::GET, id.to_owned()),
                (Method::GET, format!("{id}/input_items")),
                (Method::DELETE, id.to_owned()),
            ] {
                call(&app, token, method, &path).await.error(404, "response_not_found");
            }
        }
        call(&app, "pubkey_nobodys_token_1", Method::GET, id)
            .await
            .error(401, "invalid_api_key");
        let deleted = call(&app, &token, Method::DELETE, id).await.json();
        assert_eq!(deleted, json!({"id": id, "object": "response", "deleted": true}));
        for method in [Method::GET, Method::DELETE] {
            call(&app, &token, method, id).await.error(404, "response_not_found");
        }
    }
    assert!(items(&app).await.is_empty());
}

/// An ancestor that is deleted takes the turns after it along.
#[tokio::test]
async fn a_deleted_turn_ends_its_conversation() {
    let (app, token) = start().await;
    let first = respond(&app, &token, &ask(false)).await;
    let second = respond(&app, &token, &after(&first)).await;
    call(&app, &token, Method::DELETE, id(&first)).await.json();
    let reply = app.respond(&token, &after(&second)).await;
    reply.error(400, "previous_response_not_found");
    call(&app, &token, Method::GET, id(&second)).await.response();
}

#[tokio::test]
async fn the_input_is_listed_by_pages() {
    let (app, token) = start().await;
    let first = respond(&app, &token, &ask(false)).await;
    let image = "data:image/png;base64,iVBORw0KGgo=";
    let body = json!({"previous_response_id": first["id"], "instructions": "Be brief.", "input": [
        {"role": "user", "content": [{"type": "input_image", "image_url": image}]},
        {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": "Why?"}]});
    let response = respond(&app, &token, &body).await;
    let path = format!("{}/input_items", id(&response));
    let list = async |query: &str| call(&app, &token, Method::GET, &format!("{path}{query}")).await.json();
    let all = list("?order=asc").await;
    let contents: Vec<_> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["content"])
        .collect();
    assert_eq!(
        json!(contents),
        json!([[{"type": "input_image", "image_url": image, "file_id": null, "detail": "auto"}],
            [{"type": "output_text", "text": "A cat.", "annotations": [], "logprobs": []}],
            [{"type": "input_text", "text": "Why?"}]])
    );
    let ids: Vec<_> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        (&all["first_id"], &all["last_id"], &all["has_more"]),
        (&json!(ids[0]), &json!(ids[2]), &json!(false))
    );
    let newest = list("?limit=2").await;
    assert_eq!(
        (&newest["first_id"], &newest["last_id"], &newest["has_more"]),
        (&json!(ids[2]), &json!(ids[1]), &json!(true))
    );
    let rest = list(&format!("?limit=2&after={}", ids[1])).await;
    assert_eq!(
        (&rest["data"][0]["id"], &rest["has_more"]),
        (&json!(ids[0]), &json!(false))
    );
    // Blank is not set.
    assert_eq!(list("?limit=&after=&order=").await, list("").await);
    for (query, param) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?order=up", "order"),
        ("?after=x", "after"),
    ] {
        let reply = call(&app, &token, Method::GET, &format!("{path}{query}")).await;
        reply.error(400, "null");
        assert_eq!(reply.body()["error"]["param"], param);
    }
}

/// What a model is not told is shown all the same, and so is what is referred to.
#[tokio::test]
async fn the_input_is_shown_as_it_was_sent() {
    let (app, token) = start().await;
    let refusal = json!([{"type": "output_text", "text": "Hm.", "annotations": [], "logprobs": []},
        {"type": "refusal", "refusal": "No."}]);
    let sent = json!([{"role": "system", "content": "One."}, {"role": "developer", "content": "Two."},
        {"role": "assistant", "content": refusal}, {"type": "reasoning", "id": "rs_1", "summary": []},
        {"role": "user", "content": "Why?"}]);
    let mut input = sent.clone();
    for _ in 0..2 {
        let response = respond(&app, &token, &json!({"input": input})).await;
        let path = format!("{}/input_items?order=asc", id(&response));
        let shown = call(&app, &token, Method::GET, &path).await.json();
        let items = shown["data"].as_array().unwrap();
        let roles: Vec<_> = items.iter().map(|item| item["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["system", "developer", "assistant", "user"]);
        assert_eq!(items[2]["content"], refusal);
        input = items
            .iter()
            .map(|item| json!({"type": "item_reference", "id": item["id"]}))
            .collect();
    }
}

#[tokio::test]
async fn a_response_cannot_be_streamed_again() {
    let (app, token) = start().await;
    let response = respond(&app, &token, &ask(true)).await;
    let show = async |query: &str| call(&app, &token, Method::GET, &format!("{}?{query}", id(&response))).await;
    for query in [
        "",
        "stream=",
        "stream=false",
        "stream=False",
        "include_obfuscation=false&include[]=x",
    ] {
        assert_eq!(show(query).await.response(), response);
    }
    for (query, code) in [
        ("stream=true&starting_after=3", "unsupported_parameter"),
        ("stream=yes", "invalid_type"),
    ] {
        let reply = show(query).await;
        let message = reply.error(400, code);
        assert!(message.contains("'stream'"), "{message}");
        assert_eq!(reply.body()["error"]["param"], "stream");
    }
}

#[tokio::test]
async fn nothing_is_kept_where_somebody_says_so() {
    for stream in [false, true] {
        let (app, token) = start().await;
        let private = app.assistant_with(json!({"type==agent/store_responses": false})).await;
        let mut not_stored = ask(stream);
        not_stored["store"] = json!(false);
        let without_table = TestApp::start(FakeProvider::always(answer(&["Hello"])).await).await;
        let elsewhere = without_table.assistant().await;
        for (app, token, body) in [
            (&app, &token, &not_stored),
            (&app, &private, &ask(stream)),
            (&without_table, &elsewhere, &ask(stream)),
        ] {
            let response = respond(app, token, body).await;
            assert_eq!(response["store"], false);
            call(app, token, Method::GET, id(&response))
                .await
                .error(404, "response_not_found");
            let on = app.respond(token, &after(&response)).await;
            on.error(400, "previous_response_not_found");
        }
        assert!(items(&app).await.is_empty());
        // A conversation that is kept can be carried on without keeping more of it.
        let kept = respond(&app, &token, &ask(stream)).await;
        not_stored["previous_response_id"] = kept["id"].clone();
        assert_eq!(respond(&app, &token, &not_stored).await["store"], false);
        assert_eq!(items(&app).await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_no_complete_answer_is_not_kept() {
    let cut = vec![events_head(), text("Once upon")];
    for (answer, kept) in [
        (cut, 0),
        (error(400, "some_code"), 0),
        (vec![events_head(), text("Once"), finish("length"), stream_end()], 2),
    ] {
        let app = TestApp::with(FakeProvider::always(answer).await, &TABLE).await;
        let token = app.assistant().await;
        for stream in [false, true] {
            app.respond(&token, &ask(stream)).await;
        }
        assert_eq!(items(&app).await.len(), kept);
    }
    let endless = vec![events_head(), text("Once upon"), Step::Hang];
    let app = TestApp::with(FakeProvider::always(endless).await, &TABLE).await;
    let token = app.assistant().await;
    let request = app.request(Method::POST, PATH).bearer_auth(&token).json(&ask(true));
    let mut reply = request.send().await.unwrap();
    reply.chunk().await.unwrap();
    drop(reply);
    assert!(items(&app).await.is_empty());
}

#[tokio::test]
async fn a_turn_over_380_kb_is_not_kept() {
    let (app, token) = start().await;
    // What has no pattern does not get shorter.
    let mut state = 1_u64;
    let mut noise = String::new();
    while noise.len() < 600_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        noise.push(char::from(b'!' + u8::try_from((state >> 33) % 94).unwrap()));
    }
    for (length, kept) in [(300_000, true), (600_000, false)] {
        for stream in [false, true] {
            let body = json!({"input": &noise[..length], "stream": stream});
            let response = respond(&app, &token, &body).await;
            assert_eq!(
                (&response["store"], output_text(&response).as_str()),
                (&json!(kept), "Hello")
            );
            let status = call(&app, &token, Method::GET, id(&response)).await.status;
            assert_eq!(status == 200, kept);
        }
    }
}

/// The reply comes all the same, and says that it is not kept. The write is not repeated.
#[tokio::test]
async fn a_failed_write_loses_no_reply() {
    for trouble in [Trouble::WritesThrottled, Trouble::WritesLost] {
        let provider = FakeProvider::always(answer(&["Hello"])).await;
        let (app, calls) = TestApp::noting_responses(provider, &[], trouble).await;
        let token = app.assistant().await;
        for stream in [false, true] {
            let response = respond(&app, &token, &ask(stream)).await;
            assert_eq!(
                (&response["store"], output_text(&response).as_str()),
                (&json!(false), "Hello")
            );
            assert_eq!(calls.take(), ["PutItem"]);
        }
    }
    let provider = FakeProvider::always(answer(&["Hello"])).await;
    let (app, _) = TestApp::noting_responses(provider, &[], Trouble::ReadsThrottled).await;
    let token = app.assistant().await;
    let kept = respond(&app, &token, &ask(false)).await;
    assert_eq!(kept["store"], true);
    call(&app, &token, Method::GET, id(&kept))
        .await
        .error(503, "service_unavailable");
    let on = app.respond(&token, &after(&kept)).await;
    on.error(503, "service_unavailable");
}

#[tokio::test]
async fn the_system_message_is_in_no_item() {
    const SYSTEM: &str = "You are Ada, of 21b Secret Lane.";
    let (app, _) = start().await;
    let token = app.assistant_with(json!({"system_message": SYSTEM})).await;
    let first = respond(&app, &token, &ask(false)).await;
    let on =
        json!({"previous_response_id": first["id"], "input": "Go on", "instructions": "Be brief.", "stream": true});
    let second = respond(&app, &token, &on).await;
    for response in [&first, &second] {
        let shown = call(&app, &token, Method::GET, id(response)).await.text;
        let path = format!("{}/input_items", id(response));
        let said = call(&app, &token, Method::GET, &path).await.text;
        assert!(!shown.contains("Secret Lane") && !said.contains("Secret Lane") && !said.contains("Be brief."));
    }
    let items = items(&app).await;
    assert_eq!(items.len(), 2);
    for item in items {
        for value in item.into_values() {
            let bytes = match value {
                AttributeValue::B(blob) => inflated(blob.as_ref()),
                other => format!("{other:?}"),
            };
            assert!(!bytes.contains("Secret Lane"), "{bytes}");
        }
    }
}

fn inflated(bytes: &[u8]) -> String {
    std::io::read_to_string(flate2::read::ZlibDecoder::new(bytes)).unwrap()
}

#[tokio::test]
async fn an_owner_erases_what_is_kept_of_an_assistant() {
    let (app, other) = start().await;
    let settings = [("JWT_SECRET", SECRET), ("RESPONSES_TABLE", "Responses")];
    let management = Management::beside(&app, &settings).await;
    let created = management
        .create(json!({"model": "gpt-4o", "access_mode": "public_token"}))
        .await;
    let token = created["public_token"].as_str().unwrap();
    let path = format!("/assistants/{}/responses", created["assistant_id"].as_str().unwrap());
    let mut last = Value::Null;
    // More than a batch has.
    for _ in 0..30 {
        last = respond(&app, token, &ask(false)).await;
    }
    let others = respond(&app, &other, &ask(false)).await;
    let erase = async |management: &Management, owner: &str| {
        Reply::of(management.request(Method::DELETE, &path, &jwt(owner))).await
    };
    erase(&management, "owner-2").await.error(404, "assistant_not_found");
    assert_eq!(items(&app).await.len(), 31);
    for _ in 0..2 {
        assert_eq!(erase(&management, "owner-1").await.status, 204);
    }
    call(&app, token, Method::GET, id(&last))
        .await
        .error(404, "response_not_found");
    call(&app, &other, Method::GET, id(&others)).await.response();
    assert_eq!(items(&app).await.len(), 1);
    respond(&app, token, &ask(false)).await;
    let elsewhere = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    erase(&elsewhere, "owner-1").await.error(404, "responses_not_kept");
}

/// Reading is a request of the minute; erasing goes on unless the caller itself is over its limit.
#[tokio::test]
async fn limits_of_a_minute_hold_for_what_is_kept_too() {
    let settings = [TABLE[0], ("USAGE_TABLE", "Usage")];
    for (limit, erases) in [("requests_per_minute", true), ("requests_per_minute_per_caller", false)] {
        let app = TestApp::with(FakeProvider::always(answer(&["Hello"])).await, &settings).await;
        let token = app.assistant_with(json!({limit: 3})).await;
        early_in_a_minute().await;
        let response = respond(&app, &token, &ask(false)).await;
        let id = id(&response);
        for path in [id.to_owned(), format!("{id}/input_items")] {
            assert_eq!(call(&app, &token, Method::GET, &path).await.status, 200, "{limit}");
        }
        for path in [id.to_owned(), format!("{id}/input_items")] {
            let reply = call(&app, &token, Method::GET, &path).await;
            reply.error(429, "rate_limit_exceeded");
            assert!(reply.header("retry-after").is_some(), "{limit}");
        }
        let erased = call(&app, &token, Method::DELETE, id).await;
        assert_eq!(erased.status == 200, erases, "{limit}: {}", erased.text);
    }
    // A day's limit is one of answers.
    let app = TestApp::with(FakeProvider::always(answer(&["Hello"])).await, &settings).await;
    let token = app.assistant_with(json!({"requests_per_day": 1})).await;
    let response = respond(&app, &token, &ask(false)).await;
    assert_eq!(call(&app, &token, Method::GET, id(&response)).await.status, 200);
}
