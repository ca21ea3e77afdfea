//! What an owner's and an operator's limits let in, and what a refusal says.

use assistant_endpoint::{local::embedded_store, token::sha256};
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, early_in_a_minute, hello,
    management::{Management, SECRET, id, jwt},
    provider::{FakeProvider, answer},
    store_proxy::Calls,
    usage_calls::{Happens, NONE, Trouble},
};

/// An endpoint whose assistant has these settings, its token, and the calls of the Usage table.
async fn start(settings: Value, environment: &[(&str, &str)], trouble: Trouble) -> (TestApp, String, Calls) {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let (app, calls) = TestApp::noting_usage(provider, environment, trouble).await;
    let token = app.assistant_with(settings).await;
    early_in_a_minute().await;
    (app, token, calls)
}

/// The statuses of so many requests, one after another, in both forms by turns.
async fn statuses(app: &TestApp, token: &str, requests: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for at in 0..requests {
        statuses.push(app.chat(token, &hello(at % 2 == 0)).await.status.as_u16());
    }
    statuses
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_minute_and_a_day_have_room_for_so_many_requests() {
    for (limit, code, retry) in [
        ("requests_per_minute", "rate_limit_exceeded", ""),
        ("requests_per_day", "quota_exceeded", "false"),
    ] {
        let (app, token, calls) = start(json!({limit: 2}), &[], NONE).await;
        let mut left = Vec::new();
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            assert_eq!(header(&reply, "x-ratelimit-limit-requests"), "2");
            assert!(header(&reply, "x-ratelimit-reset-requests").ends_with('s'));
            left.push(header(&reply, "x-ratelimit-remaining-requests").to_owned());
        }
        assert_eq!(left, ["1", "0"]);
        calls.take();
        for (stream, called) in [(false, 1), (true, 0), (false, 0)] {
            let reply = app.chat(&token, &hello(stream)).await;
            reply.error(429, code);
            let message = reply.body()["error"]["message"].as_str().unwrap().to_owned();
            assert!(
                message.contains(&format!("(`{limit}` is 2)")) && message.contains("Try again "),
                "{message}"
            );
            assert_eq!(header(&reply, "x-ratelimit-remaining-requests"), "0");
            let seconds: u64 = header(&reply, "retry-after").parse().unwrap();
            assert!((1..=59).contains(&seconds));
            assert_eq!(header(&reply, "x-should-retry"), retry);
            // Refused once, nothing is asked again until the window ends.
            assert_eq!(calls.take().len(), called);
        }
        assert_eq!(app.provider.received().len(), 2);
    }
}

/// Each reply of the tests has 9 prompt and 12 completion tokens.
#[tokio::test]
async fn a_day_has_room_for_so_many_tokens() {
    let (app, token, calls) = start(json!({"tokens_per_day": 22}), &[], NONE).await;
    assert_eq!(statuses(&app, &token, 2).await, [200, 200]);
    calls.take();
    app.chat(&token, &hello(false)).await.error(429, "quota_exceeded");
    let reply = app.chat(&token, &hello(true)).await;
    reply.error(429, "quota_exceeded");
    assert_eq!(header(&reply, "x-should-retry"), "false");
    assert_eq!(calls.take().len(), 1);
}

#[tokio::test]
async fn refusals_are_counted_nowhere_and_a_raised_limit_holds_at_once() {
    let (app, _, _) = start(json!({}), &[], NONE).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET), ("USAGE_TABLE", "Usage")]).await;
    let created = management
        .create(json!({"model": "gpt-4o", "access_mode": "public_token", "requests_per_minute": 1}))
        .await;
    let token = created["public_token"].as_str().unwrap();
    assert_eq!(statuses(&app, token, 3).await, [200, 429, 429]);
    assert_eq!(
        management
            .patch(id(&created), json!({"requests_per_minute": 2}))
            .await
            .status,
        200
    );
    assert_eq!(statuses(&app, token, 2).await, [200, 429]);
    assert_eq!(
        management
            .patch(id(&created), json!({"requests_per_minute": null}))
            .await
            .status,
        200
    );
    assert_eq!(statuses(&app, token, 1).await, [200]);
    let usage = management.get(&format!("/assistants/{}/usage", id(&created))).await;
    assert_eq!(usage["total"]["requests"], 3, "{usage}");
}

/// A request that the model cannot answer, or whose assistant has no key, is refused on its way, behind the limits.
#[tokio::test]
async fn what_is_refused_before_a_model_is_asked_is_not_counted() {
    let (app, _, _) = start(json!({}), &[("ANTHROPIC_API_KEY", "sk-ant")], NONE).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET), ("USAGE_TABLE", "Usage")]).await;
    let limits = json!({"access_mode": "public_token", "requests_per_minute": 1, "requests_per_day": 1,
        "requests_per_minute_per_caller": 1});
    for (model, status, code) in [
        ("claude-3-haiku-20240307", 400, "unsupported_parameter"),
        ("mistral/mistral-large-latest", 500, "assistant_misconfigured"),
    ] {
        let mut settings = limits.clone();
        settings["model"] = json!(model);
        let created = management.create(settings).await;
        let token = created["public_token"].as_str().unwrap();
        // At once, so that one which is counted for a moment would be in another's way.
        let refused = join_all((0..10).map(async |at| {
            let mut body = hello(at % 2 == 0);
            body["response_format"] = json!({"type": "json_object"});
            app.chat(token, &body).await
        }));
        refused.await.iter().for_each(|reply| drop(reply.error(status, code)));
        let usage = management.get(&format!("/assistants/{}/usage", id(&created))).await;
        assert_eq!(usage["total"]["requests"], 0, "{usage}");
        let patched = management.patch(id(&created), json!({"model": "gpt-4o"})).await;
        assert_eq!(patched.status, 200, "{}", patched.text);
        assert_eq!(statuses(&app, token, 2).await, [200, 429]);
    }
}

/// Others are asked for them: they are bounded as models are.
#[tokio::test]
async fn images_are_not_fetched_beyond_the_limits() {
    let (app, _, _) = start(json!({}), &[("GEMINI_API_KEY", "key")], NONE).await;
    let settings = json!({"type==agent/model": "gemini-2.5-flash", "requests_per_minute": 1});
    let token = app.assistant_with(settings).await;
    let image = json!({"type": "image_url", "image_url": {"url": "https://127.0.0.1:1/cat.png"}});
    let body = json!({"messages": [{"role": "user", "content": [image]}]});
    app.chat(&token, &body).await.error(400, "invalid_image_url");
    app.chat(&token, &body).await.error(429, "rate_limit_exceeded");
}

#[tokio::test]
async fn a_refusal_by_the_assistants_limit_uses_up_nothing_of_the_callers() {
    let (app, _, _) = start(json!({}), &[], NONE).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET), ("USAGE_TABLE", "Usage")]).await;
    let settings = json!({"model": "gpt-4o", "access_mode": "public_token", "requests_per_minute": 1,
        "requests_per_minute_per_caller": 3});
    let created = management.create(settings).await;
    let token = created["public_token"].as_str().unwrap();
    assert_eq!(statuses(&app, token, 3).await, [200, 429, 429]);
    let raised = management
        .patch(id(&created), json!({"requests_per_minute": 100}))
        .await;
    assert_eq!(raised.status, 200, "{}", raised.text);
    assert_eq!(statuses(&app, token, 3).await, [200, 200, 429]);
}

#[tokio::test]
async fn without_limits_no_call_comes_before_the_model_and_one_after() {
    let (app, token, calls) = start(json!({}), &[], NONE).await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        assert!(reply.status == 200 && !reply.headers.contains_key("x-ratelimit-limit-requests"));
        let today = time::OffsetDateTime::now_utc().date().to_string();
        assert_eq!(calls.take(), [format!("UpdateItem {today}")]);
    }
    // With one, a new minute and a new day cost a second call.
    let token = app
        .assistant_with(json!({"requests_per_minute": 5, "requests_per_day": 5}))
        .await;
    for before in [2, 1, 1] {
        assert_eq!(statuses(&app, &token, 1).await, [200]);
        let calls = calls.take();
        assert_eq!(calls[..calls.len() - 1], vec!["UpdateItem live"; before]);
    }
}

#[tokio::test]
async fn an_answer_and_a_request_are_as_long_as_they_may_be() {
    let (app, token, _) = start(json!({"max_output_tokens": 50, "max_input_chars": 10}), &[], NONE).await;
    for (sent, asked) in [
        (json!({}), 50),
        (json!({"max_tokens": 9}), 9),
        (json!({"max_completion_tokens": 99}), 50),
    ] {
        let mut body = hello(false);
        body.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
        assert_eq!(app.chat(&token, &body).await.status, 200);
        let received = app.provider.received().pop().unwrap().body;
        assert_eq!(
            received["max_completion_tokens"]
                .as_u64()
                .or(received["max_tokens"].as_u64()),
            Some(asked)
        );
    }
    let mut long = hello(true);
    long["messages"] = json!([{"role": "user", "content": "Grüße!"}, {"role": "user", "content": [{"type": "text", "text": "hello"}]}]);
    let reply = app.chat(&token, &long).await;
    reply.error(400, "context_length_exceeded");
    let message = reply.body()["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("at most 10 characters") && message.contains("has 11"),
        "{message}"
    );
    long["messages"][1]["content"][0]["text"] = json!("four");
    assert_eq!(app.chat(&token, &long).await.status, 200);
}

#[tokio::test]
async fn all_text_that_goes_to_the_provider_counts_by_both_doors() {
    let (app, token, _) = start(json!({"max_input_chars": 100}), &[], NONE).await;
    let long = "x".repeat(1000);
    let schema = json!({"type": "object", "description": long});
    for stream in [false, true] {
        for (name, value) in [
            ("user", json!(long)),
            ("stop", json!([long])),
            ("prompt_cache_key", json!(long)),
            ("safety_identifier", json!(long)),
            (
                "logit_bias",
                (0..300).map(|token| (token.to_string(), json!(1))).collect(),
            ),
            (
                "response_format",
                json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}),
            ),
            ("messages", json!([{"role": "user", "content": "Hi", "name": long}])),
        ] {
            let mut body = hello(stream);
            body["messages"] = json!([{"role": "user", "content": "Hi"}]);
            body[name] = value;
            app.chat(&token, &body).await.error(400, "context_length_exceeded");
        }
        for (name, value) in [
            ("user", json!(long)),
            (
                "text",
                json!({"format": {"type": "json_schema", "name": "n", "schema": schema}}),
            ),
        ] {
            let mut body = json!({"input": "Hi", "stream": stream});
            body[name] = value;
            app.respond(&token, &body).await.error(400, "context_length_exceeded");
        }
    }
}

#[tokio::test]
async fn the_operators_ceilings_hold_whatever_an_assistant_says() {
    let ceilings = [
        ("MAX_REQUESTS_PER_MINUTE", "1"),
        ("MAX_OUTPUT_TOKENS", "20"),
        ("MAX_TOKENS_PER_DAY", "1000"),
    ];
    for settings in [json!({}), json!({"requests_per_minute": 50, "max_output_tokens": 100})] {
        let (app, token, _) = start(settings, &ceilings, NONE).await;
        assert_eq!(statuses(&app, &token, 1).await, [200]);
        let received = app.provider.received().pop().unwrap().body;
        assert_eq!(
            received["max_completion_tokens"]
                .as_u64()
                .or(received["max_tokens"].as_u64()),
            Some(20)
        );
        let reply = app.chat(&token, &hello(false)).await;
        reply.error(429, "rate_limit_exceeded");
        assert!(reply.text.contains("`MAX_REQUESTS_PER_MINUTE` is 1"), "{}", reply.text);
    }
    let (app, ..) = start(json!({}), &[], NONE).await;
    let management = Management::beside(&app, &[&[("JWT_SECRET", SECRET)], &ceilings[..]].concat()).await;
    let assistant = management.create(json!({"model": "gpt-4o"})).await;
    let above =
        json!({"requests_per_minute": 2, "max_output_tokens": 20, "tokens_per_day": 1001, "requests_per_day": 9});
    let reply = management.patch(id(&assistant), above).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert_eq!(reply.status, 400);
    let problems = reply.body()["error"]["problems"].clone();
    let params: Vec<_> = problems
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["param"].clone())
        .collect();
    assert_eq!(
        params,
        [
            "config.configurable.requests_per_minute",
            "config.configurable.tokens_per_day"
        ]
    );
    assert_eq!(problems[0]["message"], "must be at most 1, which the operator allows");
}

#[tokio::test]
async fn a_limit_that_cannot_be_read_or_counted_is_never_passed_over() {
    let (app, ..) = start(json!({}), &[], NONE).await;
    for value in [json!(0), json!(-1), json!(1.5), json!("many"), json!([5]), json!(true)] {
        for limit in ["requests_per_minute", "max_input_chars"] {
            let token = app.assistant_with(json!({limit: value})).await;
            app.chat(&token, &hello(false))
                .await
                .error(500, "assistant_misconfigured");
        }
    }
    let spelled = app
        .assistant_with(json!({"requests_per_minute": "1", "requests_per_day": null, "tokens_per_day": ""}))
        .await;
    assert_eq!(statuses(&app, &spelled, 2).await, [200, 429]);
    let uncounted = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    for limit in [
        "requests_per_minute",
        "requests_per_day",
        "tokens_per_day",
        "requests_per_minute_per_caller",
    ] {
        let token = uncounted.assistant_with(json!({limit: 5})).await;
        let reply = uncounted.chat(&token, &hello(true)).await;
        reply.error(500, "assistant_misconfigured");
        assert!(
            reply.text.contains(limit) && reply.text.contains("USAGE_TABLE"),
            "{}",
            reply.text
        );
    }
    let token = uncounted.assistant_with(json!({"max_output_tokens": 5})).await;
    assert_eq!(statuses(&uncounted, &token, 2).await, [200, 200]);
}

/// A table that cannot be reached leaves it to the assistant, one that is throttled refuses.
#[tokio::test]
async fn a_table_that_does_not_answer() {
    let unreachable: [Trouble; 3] = [&[Happens::NoTable], &[Happens::Lost], &[Happens::ServerError]];
    for trouble in unreachable {
        for (fail, status) in [(json!("open"), 200), (json!("closed"), 503), (Value::Null, 200)] {
            for limit in ["requests_per_minute", "tokens_per_day"] {
                let (app, token, _) = start(json!({limit: 5, "limits_fail": fail}), &[], trouble).await;
                let reply = app.chat(&token, &hello(false)).await;
                assert_eq!(reply.status, status, "{trouble:?} {fail} {limit}: {}", reply.text);
                assert_eq!(status == 503, reply.headers.contains_key("retry-after"));
            }
        }
    }
    for trouble in [&[Happens::Throttled][..], &[Happens::Conflict]] {
        let (app, token, _) = start(json!({"requests_per_minute": 5}), &[], trouble).await;
        let reply = app.chat(&token, &hello(true)).await;
        reply.error(429, "rate_limit_exceeded");
        assert_eq!(header(&reply, "retry-after"), "1");
    }
    // What comes right in the end is let in.
    for trouble in [
        &[Happens::Conflict, Happens::Answer][..],
        &[Happens::Lost, Happens::Answer, Happens::Answer],
        &[Happens::DoneAndLost, Happens::Answer, Happens::Answer],
        &[Happens::ServerError, Happens::Answer, Happens::Answer],
    ] {
        let (app, token, _) = start(json!({"requests_per_day": 5}), &[], trouble).await;
        assert_eq!(app.chat(&token, &hello(false)).await.status, 200, "{trouble:?}");
    }
}

#[tokio::test]
async fn an_owner_has_so_many_assistants_and_no_more_however_fast_they_come() {
    let (app, ..) = start(json!({}), &[], NONE).await;
    let settings = [("JWT_SECRET", SECRET), ("MAX_ASSISTANTS_PER_OWNER", "5")];
    let (one, other) = tokio::join!(Management::beside(&app, &settings), Management::beside(&app, &settings));
    let body = json!({"config": {"configurable": {"model": "gpt-4o", "access_mode": "public_token"}}});
    let create = |management: &Management, owner: &str| {
        Reply::of(management.request(Method::POST, "/assistants", &jwt(owner)).json(&body))
    };
    let replies = join_all((0..20).map(|at| create(if at % 2 == 0 { &one } else { &other }, "owner-7"))).await;
    let (created, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 201);
    assert_eq!(created.len(), 5);
    for reply in &refused {
        reply.error(403, "too_many_assistants");
    }
    assert_eq!(create(&one, "owner-8").await.status, 201);
    let first = format!("/assistants/{}", created[0].json()["assistant_id"].as_str().unwrap());
    let delete = || Reply::of(one.request(Method::DELETE, &first, &jwt("owner-7")));
    assert_eq!(
        (delete().await.status.as_u16(), delete().await.status.as_u16()),
        (204, 404)
    );
    assert_eq!(create(&one, "owner-7").await.status, 201);
    create(&one, "owner-7").await.error(403, "too_many_assistants");
    // The count is no assistant.
    assert_eq!(app.store.list(Some("owner-7")).await.unwrap().len(), 5);
    assert!(
        app.store
            .list(None)
            .await
            .unwrap()
            .iter()
            .all(|record| !record.owner_id.is_empty())
    );
    // Those who had some before they were counted have them counted.
    let client = aws_sdk_dynamodb::Client::new(&embedded_store::client_config(app.store_address).await);
    let count = AttributeValue::S(format!("owner:{}", sha256("owner-8")));
    let forgotten = client.delete_item().table_name("Assistants").key("assistant_id", count);
    forgotten.send().await.unwrap();
    let replies = join_all((0..10).map(|_| create(&one, "owner-8"))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 4);
}
