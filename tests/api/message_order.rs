//! Messages go in the order that a model's server takes; which one that is, is a fact of the tables or learned.

use serde_json::{Value, json};

use crate::support::{
    TestApp, hello,
    provider::{FakeProvider, answer},
};

const MESSAGES: &str = r#"[{"role": "user", "content": "One"}, {"role": "assistant", "content": ""},
    {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Two"}, {"role": "assistant", "content": "Three"}]"#;

/// What the provider gets in either form.
async fn sent(settings: Value) -> Value {
    let app = TestApp::with(
        FakeProvider::always(answer(&["Hi"])).await,
        &[
            ("ALLOW_PRIVATE_PROVIDERS", "true"),
            ("MISTRAL_API_KEY", "sk-m"),
            ("AZURE_OPENAI_API_KEY", "sk-a"),
        ],
    )
    .await;
    let mut all = json!({"system_message": "Be brief.", "base_url": app.provider.base_url()});
    all.as_object_mut()
        .unwrap()
        .extend(settings.as_object().unwrap().clone());
    let token = app.assistant_with(all).await;
    for stream in [false, true] {
        let mut body = hello(stream);
        body["messages"] = serde_json::from_str(MESSAGES).unwrap();
        assert_eq!(app.chat(&token, &body).await.status, 200);
    }
    let received = app.provider.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body["messages"], received[1].body["messages"]);
    received[0].body["messages"].clone()
}

#[tokio::test]
async fn an_owners_server_gets_one_system_message_and_no_empty_turns() {
    // The chat templates of Qwen on vLLM turn down a second one: <https://github.com/vllm-project/vllm/issues/17788>.
    assert_eq!(
        sent(json!({"model": "qwen3"})).await,
        json!([
            {"role": "system", "content": "Be brief.\n\nBe kind."},
            {"role": "user", "content": "One"},
            {"role": "user", "content": "Two"},
            {"role": "assistant", "content": "Three"},
        ])
    );
}

#[tokio::test]
async fn without_a_place_for_a_system_prompt_the_first_turn_begins_with_it() {
    assert_eq!(
        sent(json!({"model": "gemma-2", "capabilities": {"system": false}})).await[0],
        json!({"role": "user", "content": "Be brief.\nBe kind.\nOne"})
    );
}
