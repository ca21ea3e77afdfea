//! The OpenAPI document against real replies.

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, hello,
    management::{Management, SECRET, jwt},
    provider::{FakeProvider, answer},
    responses::{PATH, ask},
};

struct Document(Value);

impl Document {
    /// Checks a reply against what the document says of its operation and status.
    fn check(&self, method: &str, path: &str, reply: &Reply) {
        let responses = &self.0["paths"][path][method]["responses"];
        let status = reply.status.as_u16().to_string();
        let response = responses
            .get(&status)
            .or_else(|| responses.get(format!("{}XX", &status[..1])));
        let response = response.unwrap_or_else(|| panic!("{method} {path} has no {status}"));
        let Some(schema) = response
            .get("content")
            .map(|content| &content["application/json"]["schema"])
        else {
            assert_eq!(reply.text, "");
            return;
        };
        let validator = self.validator(schema);
        let json = reply.body();
        let problems: Vec<_> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{method} {path}: {problems:?} in {json:#}");
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut whole = schema.clone();
        whole["components"] = self.0["components"].clone();
        jsonschema::draft202012::new(&whole).unwrap()
    }
}

#[tokio::test]
async fn real_replies_are_as_the_document_says() {
    let keeping = ("RESPONSES_TABLE", "Responses");
    let app = TestApp::with(FakeProvider::always(answer(&["Hi"])).await, &[keeping]).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET), keeping]).await;
    let document = Reply::of(app.request(Method::GET, "/openapi.json")).await.json();
    let document = Document(document);

    let token = app.assistant().await;
    let chat = "/public/openai/v1/chat/completions";
    document.check("post", chat, &app.chat(&token, &hello(false)).await);
    document.check("post", chat, &app.chat("pubkey_nobodys_token_1", &hello(false)).await);
    let streamed = app.chat(&token, &hello(true)).await;
    let chunk = document.validator(&json!({"$ref": "#/components/schemas/ChatCompletionChunk"}));
    assert!(streamed.events().iter().all(|event| chunk.is_valid(event)));
    document.check("post", PATH, &app.respond(&token, &ask(false)).await);
    document.check("post", PATH, &app.respond("pubkey_nobodys_token_1", &ask(false)).await);
    check_kept(&app, &document, &token).await;
    let streamed = app.respond(&token, &ask(true)).await;
    let event = document.validator(&json!({"$ref": "#/components/schemas/ResponseStreamEvent"}));
    for data in streamed.response_events() {
        assert!(event.is_valid(&data), "{data}");
    }
    for (path, template) in [
        ("/public/openai/v1/models", "/public/openai/v1/models"),
        ("/public/openai/v1/models/any/id", "/public/openai/v1/models/{id}"),
        ("/health", "/health"),
    ] {
        document.check(
            "get",
            template,
            &Reply::of(app.request(Method::GET, path).bearer_auth(&token)).await,
        );
    }

    let document = Reply::of(management.request(Method::GET, "/openapi.json", ""));
    let document = Document(document.await.json());
    let (list, one) = ("/assistants", "/assistants/{id}");
    let send = async |method: Method, path: &str, body: Value| {
        Reply::of(management.request(method, path, &jwt("owner-1")).json(&body)).await
    };
    let body = json!({"name": "Test", "config": {"configurable": {"model": "gpt-4o", "access_mode": "public_token"}}});
    let created = send(Method::POST, list, body).await;
    document.check("post", list, &created);
    let path = format!("/assistants/{}", created.json()["assistant_id"].as_str().unwrap());
    document.check("get", one, &send(Method::GET, &path, json!({})).await);
    document.check("patch", one, &send(Method::PATCH, &path, json!({"name": "New"})).await);
    document.check("patch", one, &send(Method::PATCH, &path, json!({"name": 5})).await);
    let rotation =
        json!({"token_grace_seconds": 60, "config": {"configurable": {"public_token": "pubkey_mybot_abc123"}}});
    let rotated = send(Method::PATCH, &path, rotation).await;
    assert!(rotated.json()["old_token_valid_until"].is_string(), "{}", rotated.text);
    document.check("patch", one, &rotated);
    document.check("get", list, &send(Method::GET, "/assistants?limit=1", json!({})).await);
    let responses = send(Method::DELETE, &format!("{path}/responses"), json!({})).await;
    document.check("delete", "/assistants/{id}/responses", &responses);
    document.check("delete", one, &send(Method::DELETE, &path, json!({})).await);
    document.check("get", one, &send(Method::GET, &path, json!({})).await);
    let schema = "/settings-schema.json";
    document.check("get", schema, &send(Method::GET, schema, json!({})).await);
}

/// What can be done with a response that is kept, and once it is not.
async fn check_kept(app: &TestApp, document: &Document, token: &str) {
    let kept = app.respond(token, &ask(false)).await.json();
    let path = format!("{PATH}/{}", kept["id"].as_str().unwrap());
    let (one, items) = (format!("{PATH}/{{id}}"), format!("{PATH}/{{id}}/input_items"));
    let send = async |method, path: &str| Reply::of(app.request(method, path).bearer_auth(token)).await;
    for _ in 0..2 {
        let listed = send(Method::GET, &format!("{path}/input_items")).await;
        document.check("get", &items, &listed);
        document.check("get", &one, &send(Method::GET, &path).await);
        document.check("delete", &one, &send(Method::DELETE, &path).await);
    }
}

#[tokio::test]
async fn what_the_document_says_of_requests_is_what_is_taken() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    let token = app.assistant().await;
    let document = Reply::of(app.request(Method::GET, "/openapi.json")).await.json();
    let chat = Document(document).validator(&json!({"$ref": "#/components/schemas/ChatCompletionRequest"}));
    let saying = |message: Value| json!({"messages": [message]});
    let image = |url: &str| json!([{"type": "image_url", "image_url": {"url": url}}]);
    let mut with_limit = saying(json!({"role": "user", "content": "Hi"}));
    with_limit["max_completion_tokens"] = json!(2_147_483_648_u32);
    for (body, status) in [
        (saying(json!({"role": "user", "content": "Hi", "name": "Ada"})), 200),
        (saying(json!({"role": "assistant", "content": null})), 200),
        (saying(json!({"role": "assistant", "content": []})), 200),
        (
            saying(json!({"role": "user", "content": image("https://example.com/cat.png")})),
            200,
        ),
        (
            saying(json!({"role": "user", "content": image("ftp://example.com/cat.png")})),
            400,
        ),
        (
            saying(json!({"role": "system", "content": image("https://example.com/cat.png")})),
            400,
        ),
        (saying(json!({"role": "user", "content": []})), 400),
        (saying(json!({"role": "user", "content": null})), 400),
        (saying(json!({"role": "tool", "content": "42"})), 400),
        (saying(json!(null)), 400),
        (json!({"messages": []}), 400),
        (with_limit, 400),
    ] {
        assert_eq!(chat.is_valid(&body), status == 200, "{body}");
        assert_eq!(app.chat(&token, &body).await.status, status, "{body}");
    }

    let document = Reply::of(management.request(Method::GET, "/openapi.json", ""));
    let created = Document(document.await.json()).validator(&json!({"$ref": "#/components/schemas/NewAssistant"}));
    for (body, status) in [
        (
            json!({"name": null, "config": {"configurable": {"model": "gpt-4o"}}}),
            201,
        ),
        (json!({}), 201),
        (json!({"nme": "Test"}), 400),
        (json!({"name": 5}), 400),
        (json!({"config": []}), 400),
        (json!({"token_grace_seconds": 60}), 400),
    ] {
        assert_eq!(created.is_valid(&body), status == 201, "{body}");
        let request = management.request(Method::POST, "/assistants", &jwt("owner-1"));
        assert_eq!(Reply::of(request.json(&body)).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn what_the_document_says_of_inputs_is_what_is_taken() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let token = app.assistant().await;
    let document = Reply::of(app.request(Method::GET, "/openapi.json")).await.json();
    let response = Document(document).validator(&json!({"$ref": "#/components/schemas/CreateResponse"}));
    let user = |content: Value| json!({"input": [{"role": "user", "content": content}]});
    let image = |url: &str| user(json!([{"type": "input_image", "image_url": url}]));
    for (body, status) in [
        (json!({"input": "Hi", "instructions": "Be brief."}), 200),
        (user(json!("Hi")), 200),
        (image("https://example.com/cat.png"), 200),
        (image("ftp://example.com/cat.png"), 400),
        (user(json!([])), 400),
        (user(json!(null)), 400),
        (json!({"input": [{"role": "assistant", "content": null}]}), 200),
        (json!({"input": [{"role": "tool", "content": "42"}]}), 400),
        (json!({"input": " "}), 400),
        (json!({"input": []}), 400),
        (json!({}), 400),
        (json!({"input": "Hi", "max_output_tokens": 0}), 400),
    ] {
        assert_eq!(response.is_valid(&body), status == 200, "{body}");
        assert_eq!(app.respond(&token, &body).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn the_settings_schema_is_one_and_takes_what_the_api_takes() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    let schema = Reply::of(management.request(Method::GET, "/settings-schema.json", ""))
        .await
        .json();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let good = json!({"model": "gpt-4o", "access_mode": "public_token", "allowed_origins": ["https://shop.example"],
        "reasoning_content": true, "system_message": "You are Ada.", "provider": "openai", "fallback_models": ["o3"]});
    assert!(validator.is_valid(&good));
    let created = management.create(good).await;
    let path = format!("/assistants/{}", created["assistant_id"].as_str().unwrap());
    for (name, value) in [
        ("access_mode", json!("open")),
        ("allowed_origins", json!("https://shop.example")),
        ("reasoning_content", json!("true")),
        ("system_message", json!(5)),
        ("model", json!(" ")),
        ("provider", json!("nobody")),
        ("type", json!("other")),
    ] {
        let settings = json!({name: value});
        assert!(!validator.is_valid(&settings), "{settings}");
        let patch = json!({"config": {"configurable": settings}});
        let request = management.request(Method::PATCH, &path, &jwt("owner-1"));
        Reply::of(request.json(&patch)).await.error(400, "invalid_value");
    }
}

#[tokio::test]
async fn every_operation_says_who_may_call_it() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    for request in [
        app.request(Method::GET, "/openapi.json"),
        management.request(Method::GET, "/openapi.json", ""),
    ] {
        let document = Reply::of(request).await.json();
        let schemes = document["components"]["securitySchemes"].as_object().unwrap();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let scheme = operation["security"][0]
                    .as_object()
                    .and_then(|scheme| scheme.keys().next());
                let known = scheme.is_some_and(|scheme| schemes.contains_key(scheme));
                let is_open = ["/health", "/settings-schema.json"].contains(&path.as_str());
                assert!(known || is_open, "{method} {path}");
                assert!(
                    operation["summary"]
                        .as_str()
                        .is_some_and(|summary| summary.ends_with('.'))
                );
            }
        }
    }
}
