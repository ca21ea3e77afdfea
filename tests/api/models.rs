//! `GET /public/openai/v1/models`.

use reqwest::Method;
use serde_json::json;

use crate::support::{Reply, TestApp, provider::FakeProvider};

#[tokio::test]
async fn models_shows_the_assistants_one_model_under_any_id() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let token = app.assistant().await;
    let list = Reply::of(
        app.request(Method::GET, "/public/openai/v1/models/")
            .bearer_auth(&token),
    )
    .await
    .json();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    for id in ["gpt-4o", "anything", "org/model", "a%2Fb"] {
        let path = format!("/public/openai/v1/models/{id}");
        let model = Reply::of(app.request(Method::GET, &path).bearer_auth(&token))
            .await
            .json();
        assert_eq!(model, list["data"][0], "{id}");
    }
    let model = &list["data"][0];
    assert_eq!((&model["id"], &model["object"]), (&json!("gpt-4o"), &json!("model")));
    assert!(model["created"].as_i64().unwrap() > 1_700_000_000 && model["owned_by"].is_string());
    assert_eq!(model["supported_endpoints"], json!(["/chat/completions", "/responses"]));
}
