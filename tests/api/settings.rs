//! What an owner may set, and what is said of what cannot be.

use reqwest::Method;
use serde_json::json;

use crate::support::{
    create, hello,
    management::{SPECS_TOKEN, id, jwt, start},
};

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once_and_nothing_is_changed() {
    let (_app, management) = start().await;
    let assistant = management.create(json!({"model": "gpt-4o"})).await;
    let wrong = json!({
        "type==agent/access_mode": "everyone", "provider": "openia", "base_url": "http://10.0.0.1/v1",
        "allowed_origins": ["shop.example"], "temperature": 3, "system_message": 5, "public_token": "short",
        "model": "", "type==agent/max_tokens": "many", "streaming": "no",
        "fallback_models": ["gpt-4o", "nobodys-model"], "capabilities": {"sampling": "hot"}, "reasoning_content": "yes",
    });
    let reply = management.patch(id(&assistant), wrong.clone()).await;
    let message = reply.error(400, "invalid_value");
    for key in wrong.as_object().unwrap().keys() {
        assert!(
            message.contains(&format!("`config.configurable.{key}`")),
            "{key}: {message}"
        );
        let listed = reply.body()["error"]["problems"].as_array().unwrap().clone();
        let of_key = listed
            .iter()
            .find(|problem| problem["param"] == format!("config.configurable.{key}"));
        let told = of_key.unwrap()["message"].as_str().unwrap();
        assert!(!told.contains("struct"), "{told}");
    }
    for (settings, param) in [
        (
            json!({"base_url": "https://169.254.169.254/"}),
            "config.configurable.base_url",
        ),
        (json!({"public_token": 5}), "config.configurable.public_token"),
        (
            json!({"public_token": "with blanks in it, though long"}),
            "config.configurable.public_token",
        ),
        (json!({"model": "nobodys-model"}), "config.configurable.model"),
    ] {
        let reply = management.patch(id(&assistant), settings).await;
        reply.error(400, "invalid_value");
        assert_eq!(reply.body()["error"]["param"], param);
    }
    let path = format!("/assistants/{}", id(&assistant));
    for body in [
        json!({"nmae": "x"}),
        json!({"config": []}),
        json!({"name": 5}),
        json!({"config": {"configurable": 5}}),
    ] {
        management
            .send(Method::PATCH, &path, &jwt("owner-1"), &body)
            .await
            .error(400, "invalid_value");
    }
    management
        .send(Method::PATCH, &path, &jwt("owner-1"), &json!([]))
        .await
        .error(400, "null");
    assert_eq!(management.get(&path).await, assistant);
}

#[tokio::test]
async fn an_owner_is_told_why_a_value_is_refused() {
    let (_app, management) = start().await;
    let assistant = management.create(json!({"model": "gpt-4o"})).await;
    for (name, value, reason) in [
        (
            "base_url",
            json!("https://user:pw99@llm.example.com/v1"),
            "into the keys secret",
        ),
        (
            "allowed_origins",
            json!(["https://*.example"]),
            "entry 1 has a wildcard",
        ),
        ("fallback_models", json!(vec!["gpt-4o-mini"; 6]), "at most 5 models"),
    ] {
        let reply = management.patch(id(&assistant), json!({name: value})).await;
        let message = reply.error(400, "invalid_value");
        assert!(message.contains(reason) && !message.contains("pw99"), "{message}");
        assert_eq!(reply.body()["error"]["param"], format!("config.configurable.{name}"));
    }
    let origins = json!([
        "https://A.example:443",
        "capacitor://localhost",
        "https://bücher.example"
    ]);
    let reply = management
        .patch(id(&assistant), json!({"allowed_origins": origins}))
        .await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn another_types_key_means_nothing_and_a_type_brings_its_own() {
    let (app, management) = start().await;
    let closed =
        json!({"type==agent/model": "gpt-4o", "type==chatbot/model": 5, "type==chatbot/access_mode": "public_token"});
    let assistant = management.create(closed).await;
    assert!(assistant["token_hint"].is_null(), "{assistant}");
    // The token of another type would be stored as it is.
    let reply = management
        .patch(id(&assistant), json!({"type==chatbot/public_token": SPECS_TOKEN}))
        .await;
    let message = reply.error(400, "invalid_value");
    assert!(message.contains("`type==agent/public_token`"), "{message}");
    // A new type brings its keys: all of them have to be right now.
    let message = management
        .patch(id(&assistant), json!({"type": "chatbot"}))
        .await
        .error(400, "invalid_value");
    assert!(message.contains("type==chatbot/model"), "{message}");
    let patched = management
        .patch(
            id(&assistant),
            json!({"type": "chatbot", "type==chatbot/model": "gpt-4o", "type==chatbot/public_token": SPECS_TOKEN}),
        )
        .await
        .json();
    assert_eq!(patched["token_hint"], "c123");
    assert!(!patched.to_string().contains(SPECS_TOKEN));
    for stream in [false, true] {
        assert_eq!(app.chat(SPECS_TOKEN, &hello(stream)).await.status, 200);
    }
}

#[tokio::test]
async fn what_was_wrong_before_does_not_stand_in_the_way_of_another_change() {
    let (app, management) = start().await;
    let config = json!({"model": "gpt-4o", "access_mode": "public_token", "temperature": "hot"});
    let (record, token) = create(&app.store, config).await;
    app.chat(&token, &hello(false))
        .await
        .error(500, "assistant_misconfigured");
    let id = record.assistant_id;
    assert_eq!(management.patch(&id, json!({"top_p": 0.5})).await.status, 200);
    management
        .patch(&id, json!({"temperature": "cold"}))
        .await
        .error(400, "invalid_value");
    assert_eq!(management.patch(&id, json!({"temperature": null})).await.status, 200);
    assert_eq!(app.chat(&token, &hello(false)).await.status, 200);
}

#[tokio::test]
async fn a_setting_without_a_name_is_a_400() {
    let (_app, management) = start().await;
    let assistant = management.create(json!({"model": "gpt-4o"})).await;
    for settings in [
        json!({"": 1}),
        json!({"unknown": {"deep": [{"": 1}]}}),
        json!({"type==agent/": {"": 1}}),
    ] {
        let message = management
            .patch(id(&assistant), settings)
            .await
            .error(400, "invalid_value");
        assert!(message.contains("empty name"), "{message}");
    }
}
