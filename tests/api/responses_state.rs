//! Conversations that are carried on by ids.

use assistant_endpoint::local::embedded_store;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, early_in_a_minute,
    provider::{FakeProvider, answer},
    response_calls::Trouble,
    responses::{ask, output_text, streamed_text},
    store_proxy::Calls,
};

/// An endpoint that keeps responses, its assistant's token, and the calls of the table.
async fn start(settings: Value) -> (TestApp, String, Calls) {
    let provider = FakeProvider::always(answer(&["Hel", "lo"])).await;
    let (app, calls) = TestApp::noting_responses(provider, &[], Trouble::None).await;
    let token = app.assistant_with(settings).await;
    (app, token, calls)
}

fn after(id: &Value, input: impl Into<Value>) -> Value {
    json!({"previous_response_id": id, "input": input.into()})
}

/// The response of a turn, in either form.
async fn turn(app: &TestApp, token: &str, mut body: Value, stream: bool) -> Value {
    body["stream"] = json!(stream);
    let reply = app.respond(token, &body).await;
    if !stream {
        return reply.response();
    }
    let events = reply.response_events();
    assert_eq!(streamed_text(&events), "Hello");
    assert!(!events[0]["response"]["store"].is_null());
    events.last().unwrap()["response"].clone()
}

/// The messages of the provider's last request, as `role: text`.
fn asked(app: &TestApp) -> Vec<String> {
    let received = app.provider.received();
    let messages = received.last().unwrap().body["messages"].as_array().unwrap().clone();
    let said = |message: &Value| {
        let text = message["content"].as_str().map(str::to_owned);
        let role = message["role"].as_str().unwrap();
        format!("{role}: {}", text.unwrap_or_else(|| message["content"].to_string()))
    };
    messages.iter().map(said).collect()
}

#[track_caller]
fn not_found(reply: &Reply, param: &str) {
    let message = reply.error(400, "previous_response_not_found");
    assert!(message.contains("send the whole conversation in 'input'"), "{message}");
    assert_eq!(reply.body()["error"]["param"], param);
}

async fn table(app: &TestApp) -> Client {
    Client::new(&embedded_store::client_config(app.store_address).await)
}

/// All items of the Responses table.
async fn items(app: &TestApp) -> Vec<std::collections::HashMap<String, AttributeValue>> {
    let scanned = table(app).await.scan().table_name("Responses").send().await.unwrap();
    scanned.items.unwrap()
}

#[tokio::test]
async fn a_conversation_is_carried_on_by_its_last_id() {
    let (app, token, calls) = start(json!({"system_message": "You are Ada."})).await;
    for stream in [false, true] {
        let mut first = json!({"input": "My name is Alice", "instructions": "Be brief."});
        first["metadata"] = json!({"topic": "names"});
        let first = turn(&app, &token, first, stream).await;
        assert_eq!(
            (&first["store"], &first["previous_response_id"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(calls.take(), ["PutItem"]);
        let second = turn(&app, &token, after(&first["id"], "And yours?"), stream).await;
        assert_eq!(second["previous_response_id"], first["id"]);
        assert_eq!(output_text(&second), "Hello");
        assert_eq!(calls.take(), ["GetItem", "PutItem"]);
        turn(&app, &token, after(&second["id"], "Bye"), stream).await;
        // The instructions are the first request's own.
        let expected = [
            "system: You are Ada.",
            "user: My name is Alice",
            "assistant: Hello",
            "user: And yours?",
            "assistant: Hello",
            "user: Bye",
        ];
        assert_eq!(asked(&app), expected);
        assert_eq!(calls.take(), ["GetItem", "BatchGetItem", "PutItem"]);
        // A turn may be carried on in several ways.
        turn(&app, &token, after(&first["id"], "Another way"), stream).await;
        assert_eq!(
            asked(&app)[1..],
            ["user: My name is Alice", "assistant: Hello", "user: Another way"]
        );
        calls.take();
    }
}

#[tokio::test]
async fn an_item_is_referred_to_by_its_id() {
    let (app, token, calls) = start(json!({})).await;
    let first = turn(&app, &token, ask(false), false).await;
    calls.take();
    let message = first["output"][0]["id"].as_str().unwrap();
    let input = json!([{"role": "user", "content": "Hello"},
        {"type": "item_reference", "id": message.replace("msg_", "rs_")},
        {"type": "item_reference", "id": message}, {"id": message}, {"role": "user", "content": "Go on"}]);
    let second = turn(&app, &token, json!({"input": input}), true).await;
    let expected = ["user: Hello", "assistant: Hello", "assistant: Hello", "user: Go on"];
    assert_eq!(asked(&app), expected);
    assert_eq!(calls.take(), ["BatchGetItem", "PutItem"]);
    // Both at once, of which the one is the other's.
    let reference = json!([{"type": "item_reference", "id": message}]);
    turn(&app, &token, after(&second["id"], reference), false).await;
    assert_eq!(asked(&app)[4..], ["assistant: Hello", "assistant: Hello"]);
    for id in [
        "msg_1",
        "msg_00000000000000000000000000000000",
        &format!("{message}0"),
        "ä",
    ] {
        let input = json!([{"role": "user", "content": "Hi"}, {"type": "item_reference", "id": id}]);
        not_found(&app.respond(&token, &json!({"input": input})).await, "input[1].id");
    }
}

#[tokio::test]
async fn another_assistants_response_is_not_there() {
    let (app, token, _) = start(json!({})).await;
    let first = turn(&app, &token, ask(false), false).await;
    let other = app.assistant().await;
    for stream in [false, true] {
        let mut body = after(&first["id"], "Go on");
        body["stream"] = json!(stream);
        app.respond(&other, &body).await.error(404, "response_not_found");
        let reference =
            json!({"stream": stream, "input": [{"type": "item_reference", "id": first["output"][0]["id"]}]});
        app.respond(&other, &reference).await.error(404, "response_not_found");
    }
    assert_eq!(app.provider.received().len(), 1);
    for id in [
        "resp_1",
        "resp_00000000000000000000000000000000",
        "../../x",
        &"x".repeat(3000),
    ] {
        not_found(
            &app.respond(&token, &after(&json!(id), "Hi")).await,
            "previous_response_id",
        );
    }
}

#[tokio::test]
async fn what_has_expired_is_not_there_before_it_is_deleted() {
    let (app, token, _) = start(json!({})).await;
    let first = turn(&app, &token, ask(false), false).await;
    let second = turn(&app, &token, after(&first["id"], "Go on"), false).await;
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let table = table(&app).await;
    for item in items(&app).await {
        let expires_at: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
        let days = (expires_at - now) / (24 * 60 * 60);
        assert!((29..=30).contains(&days), "{days}");
        if item["response_id"].as_s().unwrap() == first["id"].as_str().unwrap() {
            let mut item = item.clone();
            item.insert("expires_at".into(), AttributeValue::N((now - 1).to_string()));
            let put = table.put_item().table_name("Responses").set_item(Some(item));
            put.send().await.unwrap();
        }
    }
    for id in [&first["id"], &second["id"]] {
        not_found(&app.respond(&token, &after(id, "Hi")).await, "previous_response_id");
    }
    let reference = json!({"input": [{"type": "item_reference", "id": first["output"][0]["id"]}]});
    not_found(&app.respond(&token, &reference).await, "input[0].id");
}

#[tokio::test]
async fn a_conversation_has_at_most_200_turns_and_takes_three_calls() {
    let (app, token, calls) = start(json!({})).await;
    let mut last = turn(&app, &token, ask(false), false).await;
    for at in 1..200 {
        calls.take();
        last = app
            .respond(&token, &after(&last["id"], format!("Turn {at}")))
            .await
            .json();
    }
    assert_eq!(calls.take(), ["GetItem", "BatchGetItem", "BatchGetItem", "PutItem"]);
    let asked = asked(&app);
    assert_eq!(asked.len(), 399);
    assert_eq!((asked[0].as_str(), asked[2].as_str()), ("user: Hello", "user: Turn 1"));
    assert_eq!(
        (asked[300].as_str(), asked[398].as_str()),
        ("user: Turn 150", "user: Turn 199")
    );
    let reply = app.respond(&token, &after(&last["id"], "One more")).await;
    let message = reply.error(400, "context_length_exceeded");
    assert!(
        message.contains("200 turns") && message.contains("Begin a new one"),
        "{message}"
    );
    assert_eq!(reply.body()["error"]["param"], "previous_response_id");
}

#[tokio::test]
async fn a_conversation_has_at_most_4_mib() {
    let (app, token, calls) = start(json!({})).await;
    let long = "long ".repeat(300_000);
    let first = turn(&app, &token, json!({"input": long}), false).await;
    assert_eq!(first["store"], true);
    let second = turn(&app, &token, after(&first["id"], long.as_str()), false).await;
    let reply = app.respond(&token, &after(&second["id"], long.as_str())).await;
    let message = reply.error(400, "context_length_exceeded");
    assert!(message.contains("4 MiB"), "{message}");
    assert_eq!(reply.body()["error"]["param"], "input");
    // There is room for less.
    turn(&app, &token, after(&second["id"], "Go on"), false).await;
    // What is referred to counts too.
    let sent = app.provider.received().len();
    calls.take();
    let reference = |response: &Value| {
        let id = response["id"].as_str().unwrap().replace("resp_", "msg_");
        json!({"type": "item_reference", "id": format!("{id}i00")})
    };
    let input = json!([reference(&first), reference(&second), reference(&first)]);
    app.respond(&token, &json!({"input": input}))
        .await
        .error(400, "context_length_exceeded");
    assert_eq!(
        (app.provider.received().len(), calls.take()),
        (sent, vec!["BatchGetItem".to_owned()])
    );
}

/// A few bytes may refer to a lot of text again and again.
#[tokio::test]
async fn each_reference_counts() {
    let (app, token, _) = start(json!({})).await;
    let part = json!({"type": "input_text", "text": ""});
    let empty = json!([{"role": "user", "content": vec![part; 20_000]}]);
    for (input, most) in [(json!("a".repeat(1_000_000)), 4), (empty, 6)] {
        let first = turn(&app, &token, json!({"input": input}), false).await;
        let item =
            json!({"type": "item_reference", "id": first["id"].as_str().unwrap().replace("resp_", "msg_") + "i00"});
        let sent = app.provider.received().len();
        for (times, stream) in [(most + 1, true), (3_000, false)] {
            let body = json!({"input": vec![item.clone(); times], "stream": stream});
            let reply = app.respond(&token, &body).await;
            reply.error(400, "context_length_exceeded");
            assert_eq!(reply.body()["error"]["param"], "input");
        }
        assert_eq!(app.provider.received().len(), sent);
        turn(&app, &token, json!({"input": vec![item; most]}), false).await;
    }
}

/// Reading that comes to no end is given up; the caller may try again.
#[tokio::test]
async fn a_table_that_gives_too_little_is_asked_four_times() {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let (app, calls) = TestApp::noting_responses(provider, &[], Trouble::SmallBatches).await;
    let token = app.assistant().await;
    let mut last = app.respond(&token, &ask(false)).await.response();
    for _ in 0..4 {
        calls.take();
        last = app.respond(&token, &after(&last["id"], "Go on")).await.response();
    }
    let batches = ["BatchGetItem"; 3];
    assert_eq!(calls.take(), [&["GetItem"], &batches[..], &["PutItem"]].concat());
    let reply = app.respond(&token, &after(&last["id"], "Go on")).await;
    reply.error(503, "service_unavailable");
    assert_eq!(calls.take(), [&["GetItem"], &batches[..]].concat());
}

#[tokio::test]
async fn an_images_turn_is_carried_on_as_it_was() {
    let (app, token, _) = start(json!({})).await;
    let image = "data:image/png;base64,iVBORw0KGgo=";
    let input = json!([{"role": "developer", "content": "Look."},
        {"role": "user", "content": [{"type": "input_image", "image_url": image, "detail": "low"}]},
        {"role": "assistant", "content": "Hm."}, {"role": "user", "content": "Well?"}]);
    let first = turn(&app, &token, json!({"input": input}), true).await;
    let before = asked(&app);
    turn(&app, &token, after(&first["id"], "Sure?"), false).await;
    let expected = [before, vec!["assistant: Hello".into(), "user: Sure?".into()]].concat();
    assert_eq!(asked(&app), expected);
}

/// What was said before counts, and the refusal names the field that this API has.
#[tokio::test]
async fn limits_hold_for_whole_conversations() {
    let (app, token, _) = start(json!({"max_input_chars": 14})).await;
    // 5 characters, 5 of the answer, and 4.
    let first = turn(&app, &token, ask(false), false).await;
    turn(&app, &token, after(&first["id"], "1234"), true).await;
    for stream in [false, true] {
        let mut body = after(&first["id"], "12345");
        body["stream"] = json!(stream);
        let reply = app.respond(&token, &body).await;
        let message = reply.error(400, "context_length_exceeded");
        assert!(message.contains("this one has 15"), "{message}");
        assert_eq!(reply.body()["error"]["param"], "input");
    }

    let provider = FakeProvider::always(answer(&["Hello"])).await;
    let settings = [("RESPONSES_TABLE", "Responses"), ("USAGE_TABLE", "Usage")];
    let app = TestApp::with(provider, &settings).await;
    let token = app.assistant_with(json!({"requests_per_minute": 2})).await;
    early_in_a_minute().await;
    let first = turn(&app, &token, ask(false), false).await;
    let reply = app.respond(&token, &after(&first["id"], "Go on")).await;
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), Some("0"));
    for stream in [false, true] {
        let mut body = after(&first["id"], "Go on");
        body["stream"] = json!(stream);
        app.respond(&token, &body).await.error(429, "rate_limit_exceeded");
    }
}

/// The bodies that n8n's OpenAI node sends for "message a model", bare and with its options, and how its next step goes on.
/// <https://github.com/n8n-io/n8n/blob/master/packages/@n8n/nodes-langchain/nodes/vendors/OpenAi/v2/actions/text/helpers/responses.ts>,
/// read 2026-11.
#[tokio::test]
async fn n8ns_node_holds_a_conversation() {
    let (app, token, _) = start(json!({})).await;
    let said = |text: &str| json!([{"role": "user", "content": [{"type": "input_text", "text": text}]}]);
    let bare = json!({"model": "gpt-4o", "input": said("My name is Alice"), "parallel_tool_calls": true, "store": true,
        "background": false});
    let first = turn(&app, &token, bare, false).await;
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let all = json!({"model": "gpt-4o", "input": said("What's my name?"), "parallel_tool_calls": true, "store": true,
        "instructions": "Be brief.", "max_output_tokens": 100, "previous_response_id": first["id"], "background": false,
        "prompt_cache_key": "k", "safety_identifier": "s", "service_tier": "auto", "temperature": 0.7, "top_p": 1,
        "max_tool_calls": 5, "truncation": "disabled", "include": ["message.input_image.image_url"],
        "metadata": {"topic": "names"}, "reasoning": {"effort": "low"}, "tools": [],
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n", "schema": schema}}});
    let second = turn(&app, &token, all, false).await;
    assert_eq!(
        (&second["store"], &second["previous_response_id"]),
        (&json!(true), &first["id"])
    );
    let expected = [
        "system: Be brief.",
        "user: My name is Alice",
        "assistant: Hello",
        "user: What's my name?",
    ];
    assert_eq!(asked(&app), expected);
}
