//! The metrics of the real binaries: lines of the log in CloudWatch's embedded metric format.

use std::{path::Path, time::Duration};

use assistant_endpoint::local::function::Function;
use serde_json::{Value, json};

use crate::support::{
    function::{self, TIMEOUT, event, invoke},
    log::Log,
    metrics::{metrics_of, sum},
    provider::{
        Answer, FakeProvider, Step, answer, error, events_head, finish, piece, response, stream_end, text, usage,
    },
    start_store,
};

/// The log of both of the sample events.
async fn log_of(provider: Answer, configurable: Value, settings: &[(&str, &str)]) -> Log {
    let log = Log::new();
    let provider = FakeProvider::always(provider).await;
    let function = function::start(&provider, configurable, settings, log.stdio()).await;
    for name in ["chat.json", "chat-stream.json"] {
        invoke(&function, event(name), TIMEOUT).await;
    }
    log
}

/// An answer whose texts do not come together.
fn slowly(texts: &[&str]) -> Answer {
    let pause = || Step::Pause(Duration::from_millis(20));
    let texts = texts.iter().flat_map(|said| [text(said), pause()]);
    let end = [finish("stop"), usage(9, 12), stream_end()];
    std::iter::once(events_head()).chain(texts).chain(end).collect()
}

#[tokio::test]
async fn a_replys_line_is_its_metrics_at_any_level() {
    for (setting, level, expected) in [
        ("RUST_LOG", "off", "INFO"),
        ("AWS_LAMBDA_LOG_LEVEL", "DEBUG", "INFO"),
        // Lambda drops lines below its own level.
        ("AWS_LAMBDA_LOG_LEVEL", "WARN", "WARN"),
        ("AWS_LAMBDA_LOG_LEVEL", "FATAL", "FATAL"),
    ] {
        let log = log_of(slowly(&["Hi", " there"]), json!({}), &[(setting, level)]).await;
        let replies = log.lines("reply");
        assert_eq!(replies.len(), 2, "{level}: {}", log.text());
        assert!(
            replies.iter().all(|reply| reply["level"] == expected),
            "{level}: {replies:?}"
        );
        let metrics = metrics_of(&log.text());
        // One line a reply, and no other line beside it.
        let with_metrics = log.text().lines().filter(|line| line.contains("\"_aws\"")).count();
        assert_eq!(with_metrics, 2, "{}", log.text());
        let provider = "gen_ai.provider.name=openai";
        for name in ["request.duration", "time_to_first_token", "time_per_output_token"] {
            for dimensions in [provider, ""] {
                let seconds = &metrics[&(format!("gen_ai.server.{name}"), dimensions.to_owned())];
                assert!(
                    seconds.len() == 2 && seconds.iter().all(|time| *time < 30.0),
                    "{name}: {seconds:?}"
                );
            }
        }
        for (kind, tokens) in [("input", 18.0), ("output", 24.0)] {
            for dimensions in [provider, ""] {
                let name = format!("gen_ai.usage.{kind}_tokens");
                assert_eq!(sum(&metrics, &name, dimensions), Some(tokens));
            }
        }
        for (name, expected) in [("Retries", 0.0), ("Fallbacks", 0.0), ("ColdStart", 1.0)] {
            assert_eq!(sum(&metrics, name, ""), Some(expected), "{name}");
        }
        assert_eq!(sum(&metrics, "ReplyErrors", ""), None);
    }
}

#[tokio::test]
async fn failures_are_counted_by_provider_and_code_and_stand_out() {
    let rejected = |code: &str| {
        let body = json!({"error": {"message": "No.", "type": "invalid_request_error", "code": code}});
        response(400, "", &body.to_string())
    };
    let cut_off = vec![events_head(), text("Hi"), usage(9, 12)];
    for (answer, level, code) in [
        (error(503, "overloaded"), "WARN", "provider_overloaded"),
        (error(401, "invalid_api_key"), "WARN", "provider_authentication_failed"),
        (cut_off, "WARN", "provider_error"),
        (error(429, "rate_limit_exceeded"), "WARN", "rate_limit_exceeded"),
        (rejected("context_length_exceeded"), "INFO", "context_length_exceeded"),
        // A code that a provider made up is no dimension and in no line.
        (rejected("a_code_of_theirs"), "INFO", "rejected"),
    ] {
        let log = log_of(answer, json!({}), &[]).await;
        let metrics = metrics_of(&log.text());
        for dimensions in ["gen_ai.provider.name=openai", &format!("code={code}"), ""] {
            assert_eq!(sum(&metrics, "ReplyErrors", dimensions), Some(2.0), "{metrics:?}");
        }
        for reply in log.lines("reply") {
            assert_eq!(
                (&reply["level"], &reply["outcome"]),
                (&json!(level), &json!("error")),
                "{reply}"
            );
        }
    }
}

/// However many models owners choose, and whatever their servers are called, there are no more series.
#[tokio::test]
async fn no_model_and_no_server_of_an_owners_own_makes_a_series() {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let base_url = provider.base_url();
    let mut of_models = Vec::new();
    for (server, name) in [
        (json!({"provider": "openai", "model": "gpt-4o"}), "openai"),
        (json!({"provider": "openai", "model": "acme/our-very-own-1"}), "openai"),
        (json!({"base_url": base_url, "model": "theirs"}), "own"),
        (
            json!({"base_url": format!("{base_url}/other"), "model": "gpt-4o"}),
            "own",
        ),
    ] {
        let log = Log::new();
        let private = [("ALLOW_PRIVATE_PROVIDERS", "true")];
        let function = function::start(&provider, server.clone(), &private, log.stdio()).await;
        invoke(&function, event("chat.json"), TIMEOUT).await;
        let reply = log.lines("reply").pop().unwrap();
        assert_eq!(
            (&reply["model"], &reply["gen_ai.provider.name"]),
            (&server["model"], &json!(name))
        );
        let series: Vec<_> = metrics_of(&log.text())
            .into_keys()
            .filter(|(metric, _)| metric == "gen_ai.server.request.duration")
            .collect();
        of_models.push(series);
    }
    assert_eq!((&of_models[0], &of_models[2]), (&of_models[1], &of_models[3]));
}

/// Claude counts what it wrote to its cache, and what it read there, beside the rest of the input.
#[tokio::test]
async fn cached_tokens_are_metrics_of_their_own() {
    let usage = json!({"input_tokens": 10, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 3000, "output_tokens": 1});
    let events = [
        json!({"type": "message_start", "message": {"usage": usage}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
        json!({"type": "message_stop"}),
    ];
    let events = events.map(|event| piece(format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())));
    let said: Answer = std::iter::once(events_head())
        .chain(events)
        .chain([stream_end()])
        .collect();
    let (log, provider) = (Log::new(), FakeProvider::always(said).await);
    let base_url = provider.base_url();
    let anthropic = [("ANTHROPIC_BASE_URL", &*base_url), ("ANTHROPIC_API_KEY", "sk-ant")];
    let settings = json!({"model": "claude-sonnet-5"});
    let function = function::start(&provider, settings, &anthropic, log.stdio()).await;
    assert_eq!(invoke(&function, event("chat-stream.json"), TIMEOUT).await.status, 200);
    let metrics = metrics_of(&log.text());
    for (name, tokens) in [
        ("input_tokens", 3210.0),
        ("output_tokens", 5.0),
        ("cache_read.input_tokens", 3000.0),
        ("cache_creation.input_tokens", 200.0),
    ] {
        let name = format!("gen_ai.usage.{name}");
        assert_eq!(
            sum(&metrics, &name, "gen_ai.provider.name=anthropic"),
            Some(tokens),
            "{name}"
        );
    }
}

/// Else a test stack would set off another stack's alarms.
#[tokio::test]
async fn metrics_stand_in_the_stacks_own_namespace() {
    let settings = [("METRICS_NAMESPACE", " AssistantEndpoint/test-1 ")];
    let log = log_of(answer(&["Hi"]), json!({}), &settings).await;
    for reply in log.lines("reply") {
        for directive in reply["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "AssistantEndpoint/test-1");
        }
    }
}

#[tokio::test]
async fn requests_that_were_refused_are_counted_and_grave_ones_stand_out() {
    let (log, provider) = (Log::new(), FakeProvider::always(answer(&["Hi"])).await);
    let function = function::start(&provider, json!({"model": "no-such-model"}), &[], log.stdio()).await;
    let mut unknown = event("chat.json");
    unknown["headers"]["authorization"] = json!("Bearer pubkey_of_nobody_0001");
    for (event, status, level, code) in [
        (unknown, 401, "INFO", "invalid_api_key"),
        (event("chat.json"), 500, "WARN", "assistant_misconfigured"),
    ] {
        assert_eq!(invoke(&function, event, TIMEOUT).await.status, status);
        let refused = log.lines("refused").pop().unwrap();
        assert_eq!(
            (&refused["level"], &refused["code"]),
            (&json!(level), &json!(code)),
            "{refused}"
        );
    }
    let private = json!({"access_mode": "authenticated"});
    let (log, provider) = (Log::new(), FakeProvider::always(answer(&["Hi"])).await);
    let function = function::start(&provider, private, &[("AWS_LAMBDA_LOG_LEVEL", "ERROR")], log.stdio()).await;
    assert_eq!(invoke(&function, event("chat.json"), TIMEOUT).await.status, 403);
    // At Lambda's own level, so that the metric is not dropped.
    let refused = log.lines("refused").pop().unwrap();
    assert_eq!(
        (&refused["level"], &refused["ColdStart"]),
        (&json!("ERROR"), &json!(1)),
        "{refused}"
    );
    let metrics = metrics_of(&log.text());
    assert_eq!(sum(&metrics, "Refused", "code=public_access_disabled"), Some(1.0));
    assert_eq!(sum(&metrics, "ColdStart", ""), Some(1.0));
}

#[tokio::test]
async fn lines_lead_to_those_of_the_services_before() {
    let (log, provider) = (Log::new(), FakeProvider::always(answer(&["Hi"])).await);
    let function = function::start(&provider, json!({}), &[], log.stdio()).await;
    let mut traced = event("chat.json");
    traced["headers"]["x-amz-cf-id"] = json!("KTxYOFOZOAO6Q_4Z4V0MA7GvZ8yZEHyL2mCz4YJ7r2l3eg2MRS7k5w==");
    traced["headers"]["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    invoke(&function, traced.clone(), TIMEOUT).await;
    let reply = log.lines("reply").pop().unwrap();
    for name in ["x-amz-cf-id", "traceparent"] {
        assert_eq!(reply[name], traced["headers"][name]);
    }
    // The local Runtime API's.
    assert_eq!(reply["xray_trace_id"], "1-00000000-000000000000000000000000");
    for name in ["x-amz-cf-id", "traceparent"] {
        traced["headers"][name] = json!("no id, but a secret");
    }
    invoke(&function, traced, TIMEOUT).await;
    assert!(!log.text().contains("a secret"), "{}", log.text());
}

#[tokio::test]
async fn the_management_function_counts_what_it_refuses() {
    let (log, (_aws, store)) = (Log::new(), start_store().await);
    let settings = [("JWT_SECRET", crate::support::management::SECRET)];
    let binary = Path::new(env!("CARGO_BIN_EXE_manage"));
    let function = Function::start(binary, store, &settings, log.stdio()).await.unwrap();
    let mut list = event("models.json");
    list["rawPath"] = json!("/assistants");
    assert_eq!(invoke(&function, list, TIMEOUT).await.status, 401);
    assert_eq!(sum(&metrics_of(&log.text()), "Refused", "code=invalid_jwt"), Some(1.0));
}

/// An owner's mistake has an area of its own, which no alarm watches.
#[tokio::test]
async fn an_owners_mistake_is_no_fault_of_the_operators_area() {
    let own = |base_url: &str| json!({"base_url": base_url, "model": "theirs"});
    let owners = Some(("own_server_failing", "owner"));
    for (answer, is_own, expected) in [
        (
            error(401, "invalid_api_key"),
            false,
            Some(("provider_key_refused", "account")),
        ),
        (
            error(429, "insufficient_quota"),
            false,
            Some(("provider_without_credit", "account")),
        ),
        (error(500, "boom"), false, Some(("provider_failing", "provider"))),
        (error(400, "no"), false, None),
        (error(401, "invalid_api_key"), true, owners),
        (error(500, "boom"), true, owners),
        (error(400, "no"), true, None),
    ] {
        let (log, provider) = (Log::new(), FakeProvider::always(answer).await);
        let settings = if is_own { own(&provider.base_url()) } else { json!({}) };
        let private = [("ALLOW_PRIVATE_PROVIDERS", "true")];
        let function = function::start(&provider, settings, &private, log.stdio()).await;
        invoke(&function, event("chat.json"), TIMEOUT).await;
        let reply = log.lines("reply").pop().unwrap();
        let (fault, area) = expected.unzip();
        assert_eq!(
            (reply["fault"].as_str(), reply["area"].as_str()),
            (fault, area),
            "{reply}"
        );
        let metrics = metrics_of(&log.text());
        for dimension in [
            fault.map(|fault| format!("fault={fault}")),
            area.map(|area| format!("area={area}")),
        ] {
            let dimension = dimension.unwrap_or_default();
            assert_eq!(sum(&metrics, "Faults", &dimension), fault.map(|_| 1.0), "{dimension}");
        }
    }
}

/// Any caller could keep an operator's alarm red otherwise.
#[tokio::test]
async fn a_provider_without_a_key_is_its_owners_fault_by_both_doors_and_in_both_forms() {
    for (path, stream) in [
        ("chat/completions", false),
        ("chat/completions", true),
        ("responses", false),
        ("responses", true),
    ] {
        let (log, provider) = (Log::new(), FakeProvider::always(answer(&["Hi"])).await);
        let settings = json!({"model": "mistral/mistral-large-latest"});
        let function = function::start(&provider, settings, &[], log.stdio()).await;
        let mut asked = event("chat.json");
        let path = format!("/public/openai/v1/{path}");
        asked["rawPath"] = json!(path);
        asked["requestContext"]["http"]["path"] = json!(path);
        let body = json!({"input": "Hi", "messages": [{"role": "user", "content": "Hi"}], "stream": stream});
        asked["body"] = json!(body.to_string());
        assert_eq!(invoke(&function, asked, TIMEOUT).await.status, 500);
        let refused = log.lines("refused").pop().unwrap();
        assert_eq!(
            (&refused["fault"], &refused["area"]),
            (&json!("not_set_up"), &json!("owner")),
            "{refused}"
        );
        assert!(
            refused["cause"].as_str().unwrap().contains("`MISTRAL_API_KEY`"),
            "{refused}"
        );
        let metrics = metrics_of(&log.text());
        assert_eq!(sum(&metrics, "Faults", "area=owner"), Some(1.0));
        assert_eq!(sum(&metrics, "Faults", "area=account"), None);
    }
}

/// Both have all that their metrics need.
#[tokio::test]
async fn refusals_with_a_fault_and_without_are_counted() {
    let (log, provider) = (Log::new(), FakeProvider::always(answer(&["Hi"])).await);
    let settings = json!({"model": "mistral/mistral-large-latest"});
    let function = function::start(&provider, settings, &[], log.stdio()).await;
    assert_eq!(invoke(&function, event("chat.json"), TIMEOUT).await.status, 500);
    let mut malformed = event("chat.json");
    malformed["body"] = json!("{");
    assert_eq!(invoke(&function, malformed, TIMEOUT).await.status, 400);
    let metrics = metrics_of(&log.text());
    assert_eq!(sum(&metrics, "Faults", "fault=not_set_up"), Some(1.0));
    assert_eq!(sum(&metrics, "Refused", "code=assistant_misconfigured"), Some(1.0));
    assert_eq!(sum(&metrics, "Refused", "code=invalid_request"), Some(1.0));
    assert_eq!(sum(&metrics, "ColdStart", ""), Some(1.0));
    // Whose request it was stands in the line of a refusal too.
    assert!(log.lines("refused").iter().all(|line| line["assistant_id"].is_string()));
}
