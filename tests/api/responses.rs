//! The Responses API: what goes to the provider and what comes back, in both reply forms.

use serde_json::{Value, json};

use crate::support::{
    TestApp,
    provider::{FakeProvider, answer, events_head, finish, piece, stream_end},
    responses::{ask, joined, output_text, streamed_text},
};

async fn start(texts: &[&str]) -> TestApp {
    TestApp::start(FakeProvider::always(answer(texts)).await).await
}

#[tokio::test]
async fn the_buffered_reply_is_openais_response() {
    let app = start(&["Hel", "lo 👋"]).await;
    let token = app
        .assistant_with(json!({"type==agent/system_message": "You are Ada."}))
        .await;
    let mut body = ask(false);
    body["instructions"] = json!("Be brief.");
    body["metadata"] = json!({"topic": "demo"});
    body["store"] = json!(true);
    let reply = app.respond(&token, &body).await;
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(!reply.text.contains("You are Ada."));
    let mut response = reply.response();
    let id = response["id"].take();
    let random = id.as_str().unwrap().strip_prefix("resp_").unwrap();
    assert!(
        random.len() == 40 && random.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    for name in ["created_at", "completed_at"] {
        assert!(response[name].take().is_i64(), "{name}");
    }
    let text = json!({"type": "output_text", "text": "Hello 👋", "annotations": [], "logprobs": []});
    assert_eq!(
        response,
        json!({"id": null, "object": "response", "created_at": null, "status": "completed", "completed_at": null,
            "background": false, "error": null, "incomplete_details": null, "model": "gpt-4o",
            "output": [{"type": "message", "id": format!("msg_{random}00"), "status": "completed", "role": "assistant",
                "content": [text]}],
            "parallel_tool_calls": true, "previous_response_id": null, "store": false, "tool_choice": "auto", "tools": [],
            "truncation": "disabled",
            "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": 12, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 21},
            "instructions": "Be brief.", "max_output_tokens": null, "metadata": {"topic": "demo"},
            "prompt_cache_key": null, "reasoning": {"effort": null, "summary": null}, "safety_identifier": null,
            "temperature": null, "text": {"format": {"type": "text"}, "verbosity": null}, "top_logprobs": null,
            "top_p": null})
    );
}

#[tokio::test]
async fn the_streamed_reply_is_openais_events() {
    let app = start(&["Once", " upon"]).await;
    let reply = app.respond(&app.assistant().await, &ask(true)).await;
    assert!(reply.header("content-type").unwrap().starts_with("text/event-stream"));
    let events = reply.response_events();
    let types: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        types.join(" ").replace("response.", ""),
        "created in_progress output_item.added content_part.added output_text.delta output_text.delta output_text.done \
         content_part.done output_item.done completed"
    );
    assert!(!reply.text.contains("[DONE]"));
    let (created, completed) = (&events[0]["response"], &events[9]["response"]);
    for name in ["id", "created_at", "model"] {
        assert_eq!(created[name], completed[name]);
    }
    assert_eq!(
        (&created["status"], &created["output"]),
        (&json!("in_progress"), &json!([]))
    );
    assert_eq!(completed["usage"]["total_tokens"], 21);
    assert_eq!(events[6]["text"], "Once upon");
    assert_eq!(output_text(completed), "Once upon");
}

#[tokio::test]
async fn the_provider_is_asked_as_by_chat_completions() {
    let app = start(&["Hi"]).await;
    let token = app
        .assistant_with(json!({"type==agent/system_message": "You are Ada.", "temperature": 0.2, "top_p": 0.9}))
        .await;
    let format = json!({"name": "n", "schema": {"type": "object"}, "strict": true});
    let mut flat = format.clone();
    flat["type"] = json!("json_schema");
    let image = json!({"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"});
    let body = json!({"model": "ignored", "temperature": "0.7", "max_output_tokens": 5, "instructions": "Be brief.",
        "text": {"format": flat}, "input": [
            {"role": "user", "content": "My name is Alice"},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "text": "Hello Alice!", "annotations": []}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": image["url"], "detail": "low"}]}]});
    app.respond(&token, &body).await.response();
    let chat = json!({"temperature": 0.7, "max_tokens": 5, "response_format": {"type": "json_schema", "json_schema": format},
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "My name is Alice"},
            {"role": "assistant", "content": "Hello Alice!"},
            {"role": "user", "content": [{"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": image}]}]});
    assert_eq!(app.chat(&token, &chat).await.status, 200);
    let [by_responses, by_chat] = app.provider.received().try_into().unwrap();
    assert_eq!(by_responses.body, by_chat.body);
    assert_eq!(by_responses.body["messages"][0]["content"], "You are Ada.");
    assert_eq!(by_responses.body["messages"][1]["content"], "Be brief.");
}

#[tokio::test]
async fn thinking_is_shown_where_the_assistant_shows_it() {
    let delta = |delta: Value| {
        piece(format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": delta}]})
        ))
    };
    let steps = vec![
        events_head(),
        delta(json!({"reasoning_content": "Hm"})),
        delta(json!({"content": "Fo"})),
        delta(json!({"reasoning_content": "m"})),
        delta(json!({"content": "ur"})),
        finish("stop"),
        stream_end(),
    ];
    let app = TestApp::start(FakeProvider::always(steps).await).await;
    let hidden = app.assistant().await;
    let response = app.respond(&hidden, &ask(false)).await.response();
    assert_eq!(response["output"].as_array().unwrap().len(), 1);
    let shown = app.assistant_with(json!({"type==agent/reasoning_content": true})).await;
    let response = app.respond(&shown, &ask(false)).await.response();
    assert_eq!(response["output"][0]["type"], "reasoning");
    assert_eq!(
        response["output"][0]["summary"],
        json!([{"type": "summary_text", "text": "Hmm"}])
    );
    assert_eq!(output_text(&response), "Four");
    let events = app.respond(&shown, &ask(true)).await.response_events();
    assert_eq!(joined(&events, "response.reasoning_summary_text.delta"), "Hmm");
    assert_eq!(streamed_text(&events), "Four");
    let items = &events.last().unwrap()["response"]["output"];
    let types: Vec<_> = items.as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert_eq!(types, ["reasoning", "message", "reasoning"]);
}

#[tokio::test]
async fn a_refusal_is_a_part_of_its_own() {
    let refusal = r#"data: {"choices":[{"index":0,"delta":{"refusal":"I can't."},"finish_reason":null}]}"#;
    let steps = vec![
        events_head(),
        piece(format!("{refusal}\n\n")),
        finish("stop"),
        stream_end(),
    ];
    let app = TestApp::start(FakeProvider::always(steps).await).await;
    let token = app.assistant().await;
    let expected = json!([{"type": "refusal", "refusal": "I can't."}]);
    let response = app.respond(&token, &ask(false)).await.response();
    assert_eq!(response["output"][0]["content"], expected);
    let events = app.respond(&token, &ask(true)).await.response_events();
    assert_eq!(joined(&events, "response.refusal.delta"), "I can't.");
    assert_eq!(events.last().unwrap()["response"]["output"][0]["content"], expected);
}

#[tokio::test]
async fn log_probabilities_come_where_they_are_included() {
    let with = |token: &str| {
        let logprob = json!({"token": token, "logprob": -0.1, "bytes": null, "top_logprobs": []});
        piece(format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": {"content": token}, "logprobs": {"content": [logprob], "refusal": null}}]})
        ))
    };
    let steps = vec![events_head(), with("a"), with("b"), finish("stop"), stream_end()];
    let app = TestApp::start(FakeProvider::always(steps).await).await;
    let token = app.assistant().await;
    let mut body = ask(false);
    body["include"] = json!(["message.output_text.logprobs"]);
    body["top_logprobs"] = json!(1);
    let response = app.respond(&token, &body).await.response();
    let logprobs = response["output"][0]["content"][0]["logprobs"]
        .as_array()
        .unwrap()
        .clone();
    let tokens: String = logprobs.iter().map(|entry| entry["token"].as_str().unwrap()).collect();
    assert_eq!(tokens, "ab");
    body["stream"] = json!(true);
    let events = app.respond(&token, &body).await.response_events();
    assert_eq!(events[5]["logprobs"][0]["token"], "b");
    assert_eq!(
        events.last().unwrap()["response"]["output"][0]["content"][0]["logprobs"],
        json!(logprobs)
    );
    let sent = &app.provider.received()[0].body;
    assert_eq!((&sent["logprobs"], &sent["top_logprobs"]), (&json!(true), &json!(1)));
}
