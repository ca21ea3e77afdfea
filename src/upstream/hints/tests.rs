use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use serde_json::json;

use super::*;
use crate::{
    chat::{message::Role, parameters::Parameters},
    protocol::{Protocol, failure::from_response},
    provider::{Model, choose},
};

fn prompt(parameters: &Value, text: &str) -> Prompt {
    Prompt {
        messages: Arc::new(vec![Message::text(Role::User, text)]),
        parameters: Parameters::read(|name| parameters.get(name)).unwrap(),
        own_messages: 0,
        show_reasoning: false,
        for_owner: false,
    }
}

fn encode(model: &Model, prompt: &Prompt, learned: Learned) -> Value {
    let model = &*learned.of_model(model);
    Protocol::of(model).encode(prompt, model, learned).unwrap()
}

/// Lets a model reject a request by `reject` until it answers `None`. Returns the bodies, and what is remembered at the end.
fn asked(
    model: &str,
    prompt: &Prompt,
    reject: impl Fn(&Value) -> Option<(u16, Value)>,
) -> (Vec<Value>, Option<Learned>) {
    let model = choose(model, None, None).unwrap();
    let (mut terms, mut bodies) = (Terms::default(), Vec::new());
    loop {
        assert!(bodies.len() < 5, "{bodies:?}");
        let sent = encode(&model, prompt, terms.learned);
        bodies.push(sent.clone());
        let Some((status, error)) = reject(&sent) else {
            return (bodies, Some(terms.to_remember));
        };
        let status = StatusCode::from_u16(status).unwrap();
        let error = from_response(status, &HeaderMap::new(), error.to_string().as_bytes());
        let changed = terms.change(&Rejection {
            error: &error,
            prompt,
            sent: &sent,
            encode: |learned| Some(encode(&model, prompt, learned)),
        });
        if !changed {
            return (bodies, None);
        }
    }
}

fn hints() -> Value {
    json!({"temperature": 0.5, "top_p": 0.5, "seed": 7, "user": "u", "presence_penalty": 1, "max_tokens": 5000,
        "stop": ["a"]})
}

/// A server that rejects a field with a text.
fn rejecting<'a>(field: &'a str, text: &'a str) -> impl Fn(&Value) -> Option<(u16, Value)> + use<'a> {
    move |sent| sent.get(field).map(|_| (400, json!({"error": {"message": text}})))
}

fn omitted(learned: Learned) -> Vec<Parameter> {
    let all = Parameter::ALL.into_iter();
    all.filter(|one| learned.omitted.contains(*one)).collect()
}

#[test]
fn a_hint_that_is_named_is_left_out_and_remembered_if_it_is_unsupported() {
    let prompt = prompt(&hints(), "Hello");
    for (text, is_remembered) in [
        ("Unsupported parameter: 'top_p' is not supported with this model.", true),
        ("This model doesn't support the topP field.", true),
        ("top_p must be less than 0.4", false),
        (
            "Unsupported value: 'top_p' does not support 0.5 with this model.",
            false,
        ),
        ("Blorp top_p", false),
    ] {
        let (bodies, remembered) = asked("gpt-4o", &prompt, rejecting("top_p", text));
        assert_eq!(bodies.len(), 2, "{text}");
        assert!(bodies[1].get("top_p").is_none() && bodies[1]["seed"] == 7, "{text}");
        let expected = if is_remembered { vec![Parameter::TopP] } else { vec![] };
        assert_eq!(omitted(remembered.unwrap()), expected, "{text}");
    }
}

#[test]
fn without_a_name_or_after_a_second_rejection_all_hints_go_at_once() {
    let prompt = prompt(&hints(), "Hello");
    let (bodies, remembered) = asked("gpt-4o", &prompt, rejecting("seed", "Blorp."));
    assert_eq!(bodies.len(), 2);
    let kept: Vec<_> = bodies[1].as_object().unwrap().keys().collect();
    assert_eq!(
        kept,
        ["model", "messages", "stream", "stream_options", "max_tokens", "stop"]
    );
    assert_eq!(remembered, Some(Learned::default()));
    // One after the other, each named.
    let (bodies, remembered) = asked("gpt-4o", &prompt, |sent| {
        let field = ["top_p", "temperature", "presence_penalty"]
            .into_iter()
            .find(|field| sent.get(*field).is_some())?;
        Some((
            422,
            json!({"error": {"message": format!("{field} is not supported"), "param": field}}),
        ))
    });
    assert_eq!(bodies.len(), 3);
    assert_eq!(omitted(remembered.unwrap()), [Parameter::Temperature, Parameter::TopP]);
    // All rejected: the same call is not made again.
    let (bodies, _) = asked("gpt-4o", &prompt, |_| Some((400, json!({"error": "Blorp."}))));
    assert_eq!(bodies.len(), 2);
    let (bodies, _) = asked("gpt-4o", &self::prompt(&json!({}), "Hello"), |_| {
        Some((400, json!({"error": "Blorp."})))
    });
    assert_eq!(bodies.len(), 1);
}

#[test]
fn what_is_about_something_else_is_not_asked_again() {
    let prompt = prompt(&hints(), "Hello");
    for (status, error) in [
        (400, json!({"error": {"message": "no", "param": "messages[0].content"}})),
        (400, json!({"error": {"message": "no", "param": "response_format"}})),
        (400, json!({"error": {"message": "temperature: prompt is too long"}})),
        (
            400,
            json!({"error": {"message": "no", "code": "content_filter", "param": "seed"}}),
        ),
        (
            400,
            json!({"error": {"message": "no", "code": "model_not_found", "param": "seed"}}),
        ),
        (401, json!({"error": {"message": "temperature"}})),
        (403, json!({"error": {"message": "Forbidden"}})),
        (413, json!({"error": {"message": "temperature"}})),
        (500, json!({"error": {"message": "temperature"}})),
        (400, json!({"error": {"message": "the 'stop' sequence is too blue"}})),
    ] {
        let (bodies, _) = asked("gpt-4o", &prompt, |_| Some((status, error.clone())));
        assert_eq!(bodies.len(), 1, "{status} {error}");
    }
    let forbidden = json!({"error": {"message": "You may not use temperature."}});
    let (bodies, _) = asked("gpt-4o", &prompt, |sent| {
        sent.get("temperature").map(|_| (403, forbidden.clone()))
    });
    assert_eq!(bodies.len(), 2);
}

#[test]
fn a_stream_goes_only_if_it_is_named() {
    let prompt = prompt(&json!({"seed": 7}), "Hello");
    let verified = json!({"error": {"message": "Your organization must be verified to stream this model.", "param": "stream",
        "code": "unsupported_value"}});
    let quoted = json!({"error": {"message": "'stream' does not support true with this model."}});
    for error in [verified, quoted] {
        let (bodies, _) = asked("gpt-4o", &prompt, |sent| {
            (sent["stream"] == true).then(|| (400, error.clone()))
        });
        assert_eq!(bodies.len(), 2, "{error}");
        assert_eq!((&bodies[1]["stream"], &bodies[1]["seed"]), (&json!(false), &json!(7)));
    }
    let (bodies, remembered) = asked(
        "gpt-4o",
        &prompt,
        rejecting("stream_options", "Unknown field: stream_options"),
    );
    assert_eq!((bodies.len(), &bodies[1]["stream"]), (2, &json!(true)));
    assert!(remembered.unwrap().omits_stream_options);
}

#[test]
fn a_limit_of_tokens_is_the_largest_number_below_ours() {
    let prompt = prompt(&hints(), "Hello");
    for (text, expected) in [
        (
            "max_tokens is too large: 5000. This model supports at most 4096 completion tokens, whereas you provided 5000.",
            Some(4096),
        ),
        (
            "max_tokens: 5000 > 4,096, which is the maximum allowed number of output tokens for claude-3-haiku-20240307",
            Some(4096),
        ),
        (
            "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.",
            Some(4096),
        ),
        (
            "Invalid 'max_output_tokens': integer above maximum value. Expected a value <= 4096, but got 5000 instead.",
            Some(4096),
        ),
        ("max_tokens must be at least 4096", None),
        ("max_tokens must not be 5000", None),
    ] {
        let (bodies, remembered) = asked("gpt-4o", &prompt, |sent| {
            (sent["max_tokens"] == 5000).then(|| (400, json!({"error": {"message": text}})))
        });
        let lowered = bodies.get(1).map(|body| body["max_tokens"].as_u64().unwrap());
        assert_eq!(lowered, expected, "{text}");
        assert_eq!(remembered.and_then(|learned| learned.max_output), expected, "{text}");
    }
    // A number of the caller's own text is not remembered.
    let own = self::prompt(&json!({"max_tokens": 5000}), "What is 4096?");
    let text = "max_tokens is too large, the limit is 4096";
    let (_, remembered) = asked("gpt-4o", &own, |sent| {
        (sent["max_tokens"] == 5000).then(|| (400, json!({"error": {"message": text}})))
    });
    assert_eq!(remembered.unwrap().max_output, None);
}

#[test]
fn a_token_limit_goes_by_the_name_that_the_model_wants() {
    let prompt = prompt(&json!({"max_tokens": 100}), "Hello");
    let text =
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    let (bodies, remembered) = asked("azure/ours", &prompt, rejecting("max_tokens", text));
    assert_eq!((bodies.len(), &bodies[1]["max_completion_tokens"]), (2, &json!(100)));
    assert!(remembered.unwrap().other_token_limit);
}

#[test]
fn a_callers_own_words_teach_nothing() {
    let prompt = prompt(&json!({"temperature": 0.5}), "Please explain the Temperature!");
    let (bodies, remembered) = asked(
        "gpt-4o",
        &prompt,
        rejecting("temperature", "temperature is not supported"),
    );
    assert_eq!((bodies.len(), remembered), (2, Some(Learned::default())));
    let memory = Memory::default();
    let mut learned = Learned::default();
    learned.omitted.insert(Parameter::Seed);
    let limit = Learned {
        max_output: Some(7),
        ..Learned::default()
    };
    for to_remember in [learned, limit] {
        memory.add(&Terms {
            to_remember,
            ..memory.terms("a".into())
        });
    }
    let both = Learned {
        max_output: Some(7),
        ..learned
    };
    assert_eq!(memory.terms("a".into()).learned, both);
    assert_eq!(memory.terms("b".into()).learned, Learned::default());
}
