//! What a model turns down is left out from then on, and nobody can make the endpoint leave out what it takes.

use serde_json::{Value, json};

use crate::support::{
    TestApp, hello,
    provider::{Answer, FakeProvider, Received, answer, response},
    wire::Wire,
};

#[tokio::test]
async fn what_a_model_turns_down_is_left_out_from_then_on() {
    for (wire, message, sent) in [
        (
            Wire::Anthropic,
            "`temperature` is deprecated for this model.",
            "temperature",
        ),
        (
            Wire::Bedrock,
            "This model doesn't support the temperature field. Remove temperature and try again.",
            "temperature",
        ),
        (
            Wire::Gemini,
            "Thinking budget is not supported for this model.",
            "thinkingBudget",
        ),
    ] {
        let refusal = |text: &str| text.contains(&format!("\"{sent}\""));
        let provider = FakeProvider::seeing({
            let (answer, error) = (wire.stream("text"), message.to_owned());
            let rejected = response(400, "", &json!({"error": {"message": error}}).to_string());
            let sent = sent.to_owned();
            move |request| {
                let refused = request.text.contains(&format!("\"{sent}\""));
                if refused { rejected.clone() } else { answer.clone() }
            }
        })
        .await;
        let app = wire.in_front_of(provider, &[]).await;
        let token = wire.assistant(&app).await;
        let mut body = hello(false);
        body["temperature"] = json!(0.5);
        if wire == Wire::Gemini {
            body["reasoning_effort"] = json!("low");
        }
        for _ in 0..2 {
            let completion = app.chat(&token, &body).await.json();
            assert_eq!(completion["choices"][0]["finish_reason"], "stop", "{completion}");
        }
        let asked: Vec<_> = app
            .provider
            .received()
            .iter()
            .map(|request| refusal(&request.text))
            .collect();
        assert_eq!(asked, [true, false, false], "{wire:?}");
    }
}

#[tokio::test]
async fn what_is_turned_down_all_the_same_is_the_answer() {
    let message = "this model takes none";
    let error = response(400, "", &json!({"error": {"message": message}}).to_string());
    let (app, token) = Wire::Anthropic
        .answering(error, json!({"type==agent/model": "claude-opus-5"}))
        .await;
    let mut body = hello(false);
    body["reasoning_effort"] = json!("low");
    // A second field within the same object, which is never left out.
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}});
    app.chat(&token, &body).await.error(400, "null");
    assert_eq!(app.provider.received().len(), 2);
}

/// What travels by another name is left out as well: Mistral calls `seed` `random_seed`.
#[tokio::test]
async fn a_parameter_is_left_out_whatever_the_provider_calls_it() {
    let choose = |body: &Value| -> Answer {
        if body.get("random_seed").is_some() {
            let detail = json!([{"type": "extra_forbidden", "loc": ["body", "random_seed"], "msg": "Extra inputs are not permitted"}]);
            let error = json!({"object": "error", "message": {"detail": detail}, "param": "random_seed"});
            return response(422, "", &error.to_string());
        }
        answer(&["Hi"])
    };
    for stream in [false, true] {
        let provider = FakeProvider::choosing(choose).await;
        let base_url = provider.base_url();
        let app = TestApp::with(
            provider,
            &[("MISTRAL_BASE_URL", &base_url), ("MISTRAL_API_KEY", "sk-mistral")],
        )
        .await;
        let token = app
            .assistant_with(json!({"type==agent/model": "mistral/mistral-small-latest"}))
            .await;
        let mut body = hello(stream);
        body["seed"] = json!(7);
        for _ in 0..2 {
            let reply = app.chat(&token, &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        let seeds: Vec<_> = app
            .provider
            .received()
            .iter()
            .map(|request| request.body["random_seed"].clone())
            .collect();
        assert_eq!(seeds, [json!(7), json!(null), json!(null)]);
    }
}

/// Nor is one about the value that a caller chose.
#[tokio::test]
async fn a_value_that_is_wrong_is_left_out_once() {
    let choose = |body: &Value| -> Answer {
        if body["reasoning_effort"] == "xhigh" {
            let error = json!({"error": {"message": "Invalid value: 'xhigh'. Supported values are: 'low' and 'high'.",
                "type": "invalid_request_error", "param": "reasoning_effort", "code": "invalid_value"}});
            return response(400, "", &error.to_string());
        }
        answer(&["Hi"])
    };
    let app = TestApp::start(FakeProvider::choosing(choose).await).await;
    let token = app.assistant_with(json!({"type==agent/model": "gpt-5-mini"})).await;
    for effort in ["xhigh", "low"] {
        let mut body = hello(false);
        body["reasoning_effort"] = json!(effort);
        app.chat(&token, &body).await.json();
    }
    let sent = app.provider.received();
    let efforts: Vec<_> = sent
        .iter()
        .map(|request| request.body["reasoning_effort"].clone())
        .collect();
    assert_eq!(efforts, [json!("xhigh"), json!(null), json!("low")]);
}

/// A 400 that quotes what a caller wrote is no reason to leave out what others send.
#[tokio::test]
async fn nobody_teaches_the_endpoint_for_others() {
    let quoting = |request: &Received| -> Answer {
        if request.text.contains("x.invalid") {
            // vLLM quotes the whole request.
            let error = json!({"object": "error", "message": format!("1 validation error: 'input': {}", request.text),
                "type": "BadRequestError", "param": null, "code": 400});
            return response(400, "", &error.to_string());
        }
        answer(&["Hi"])
    };
    let app = TestApp::start(FakeProvider::seeing(quoting).await).await;
    let token = app.assistant().await;
    let mut sane = hello(false);
    let mut poison = json!({"messages": [{"role": "user", "content": "x.invalid"}]});
    for body in [&mut sane, &mut poison] {
        body["temperature"] = json!(0.5);
        body["top_p"] = json!(0.9);
        body["seed"] = json!(7);
        body["max_tokens"] = json!(5);
    }
    app.chat(&token, &poison).await.error(400, "null");
    assert!(app.provider.received().len() < 10);
    app.chat(&token, &sane).await.json();
    let sent = app.provider.received().pop().unwrap().body;
    for name in ["temperature", "top_p", "seed", "max_tokens"] {
        assert_eq!(sent[name], sane[name], "{name}");
    }
}

/// A few ordinary words of a conversation are no quotation of it.
#[tokio::test]
async fn a_question_about_what_is_supported_stops_no_lesson() {
    let provider = FakeProvider::choosing(|request| {
        if request.get("temperature").is_none() {
            return answer(&["Hi"]);
        }
        let refused = "Unsupported parameter: 'temperature' is not supported with this model.";
        let error =
            json!({"error": {"message": refused, "type": "invalid_request_error", "param": null, "code": null}});
        response(400, "", &error.to_string())
    })
    .await;
    let app = TestApp::start(provider).await;
    let token = app.assistant_with(json!({"type==agent/temperature": 0.5})).await;
    for stream in [false, true] {
        let mut body = hello(stream);
        body["messages"] = json!([{"role": "user", "content": "Which feature is not supported by your shop?"}]);
        assert_eq!(app.chat(&token, &body).await.status, 200);
    }
    let sent = app.provider.received();
    assert!(sent.last().unwrap().body.get("temperature").is_none());
}

#[tokio::test]
async fn a_rejection_is_learned_from_although_the_key_is_a_word_of_it() {
    for key in ["k", "token", "max_tokens", "seed"] {
        let provider = FakeProvider::choosing(|request| {
            let refused = if request.get("seed").is_some() {
                "Unsupported parameter: 'seed' is not supported with this model."
            } else if request.get("max_tokens").is_some() {
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            } else {
                return answer(&["Hi"]);
            };
            let error = json!({"error": {"message": refused, "type": "invalid_request_error", "param": null, "code": "unsupported_parameter"}});
            response(400, "", &error.to_string())
        })
        .await;
        let app = TestApp::with(provider, &[("OPENAI_API_KEY", key)]).await;
        let token = app.assistant().await;
        let mut body = hello(false);
        body["seed"] = json!(7);
        body["max_tokens"] = json!(5);
        for calls in [3, 4] {
            assert_eq!(app.chat(&token, &body).await.status, 200, "{key}");
            assert_eq!(app.provider.received().len(), calls, "{key}");
        }
    }
}
