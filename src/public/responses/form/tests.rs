use super::*;
use crate::{
    answer::Progress,
    chat::delta::{FinishReason, Usage},
    error::ProviderError,
    provider,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn model() -> Model {
    provider::choose("gpt-4o", None, None).unwrap()
}

fn form() -> ResponseForm {
    ResponseForm::new(Echo::default(), "0".repeat(40), &model(), None)
}

/// The data of each event. Checks that each is named by its type, and that their numbers have no gap.
fn events(out: &BytesMut) -> Vec<Value> {
    let text = std::str::from_utf8(out).unwrap();
    let events = text.split_terminator("\n\n").enumerate().map(|(number, event)| {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        assert_eq!(data["sequence_number"], number);
        data
    });
    events.collect()
}

fn streamed(deltas: &[Delta]) -> Vec<Value> {
    let (mut form, mut out, mut progress) = (form(), BytesMut::new(), Progress::default());
    form.begin(&model(), &mut out);
    for delta in deltas {
        form.delta(delta, &mut out).unwrap();
        progress.note(delta);
    }
    let ended = progress.ended().unwrap();
    form.finish(ended, &mut out);
    form.end(ended, &mut out);
    events(&out)
}

fn whole(deltas: &[Delta]) -> Value {
    let mut folded = Folded::default();
    for delta in deltas {
        folded.add(delta).unwrap();
    }
    let (mut form, whole) = (form(), folded.complete().unwrap());
    assert!(form.complete(&model(), &whole).is_none());
    let body = form.whole(&model(), whole);
    serde_json::from_slice(&body).unwrap()
}

/// Without what is another in each reply.
fn normal(response: &Value) -> Value {
    let random = &response["id"].as_str().unwrap()["resp_".len()..];
    assert_eq!(random.len(), 40);
    let mut response: Value = serde_json::from_str(&response.to_string().replace(random, "R")).unwrap();
    for name in ["created_at", "completed_at"] {
        if response[name].is_number() {
            response[name] = json!(0);
        }
    }
    response
}

fn text(text: &str) -> Delta {
    let text = text.into();
    Delta::Text { text, logprobs: None }
}

fn reasoning(text: &str) -> Delta {
    Delta::Reasoning(text.into())
}

fn refusal(text: &str) -> Delta {
    Delta::Refusal(text.into())
}

const STOP: Delta = Delta::Finish(FinishReason::Stop);

/// The events' types, without what all begin with, and where they belong: item and part.
fn order(events: &[Value]) -> Vec<String> {
    let places = events.iter().map(|event| {
        let name = event["type"].as_str().unwrap().trim_start_matches("response.");
        let part = event.get("content_index").or(event.get("summary_index"));
        match (event["output_index"].as_u64(), part) {
            (Some(item), Some(part)) => format!("{name} {item}.{part}"),
            (Some(item), None) => format!("{name} {item}"),
            _ => name.to_owned(),
        }
    });
    places.collect()
}

#[test]
fn events_come_in_openais_order() {
    let message = |item: usize| {
        let added = [
            format!("output_item.added {item}"),
            format!("content_part.added {item}.0"),
        ];
        let done = ["output_text.done", "content_part.done"].map(|name| format!("{name} {item}.0"));
        let delta = format!("output_text.delta {item}.0");
        let end = format!("output_item.done {item}");
        (added.join(", "), delta, [done.join(", "), end].join(", "))
    };
    let thinking = |item: usize| {
        let names = ["part.added", "text.delta", "text.done", "part.done"];
        let names = names
            .map(|name| format!("reasoning_summary_{name} {item}.0"))
            .join(", ");
        format!("output_item.added {item}, {names}, output_item.done {item}")
    };
    let (added, delta, done) = message(0);
    let (added_1, delta_1, done_1) = message(1);
    let refused = "output_item.added 0, content_part.added 0.0, refusal.delta 0.0, refusal.done 0.0, content_part.done 0.0, \
                   output_item.done 0";
    for (deltas, expected) in [
        (vec![text("a"), text("b")], format!("{added}, {delta}, {delta}, {done}")),
        (vec![], format!("{added}, {done}")),
        (vec![refusal("No.")], refused.to_owned()),
        (
            vec![reasoning("Hm"), text("a")],
            format!("{}, {added_1}, {delta_1}, {done_1}", thinking(0)),
        ),
        (vec![reasoning("Hm")], format!("{}, {added_1}, {done_1}", thinking(0))),
        // Thinking behind the message is an item of its own, and the message goes on.
        (
            vec![text("a"), reasoning("Hm"), text("b")],
            format!(
                "{added}, {delta}, output_item.added 1, reasoning_summary_part.added 1.0, reasoning_summary_text.delta 1.0, \
                 {delta}, {done}, reasoning_summary_text.done 1.0, reasoning_summary_part.done 1.0, output_item.done 1"
            ),
        ),
        (
            vec![text("a"), refusal("No."), text("b")],
            format!(
                "{added}, {delta}, content_part.added 0.1, refusal.delta 0.1, {delta}, output_text.done 0.0, \
                 content_part.done 0.0, refusal.done 0.1, content_part.done 0.1, output_item.done 0"
            ),
        ),
    ] {
        let events = streamed(&[deltas, vec![STOP]].concat());
        assert_eq!(
            order(&events).join(", "),
            format!("created, in_progress, {expected}, completed")
        );
    }
}

#[test]
fn a_delta_is_these_bytes() {
    let (mut form, mut out) = (form(), BytesMut::new());
    form.begin(&model(), &mut out);
    form.delta(&text("a"), &mut out).unwrap();
    out.clear();
    let logprobs = Some(json!({"content": [{"token": "b", "logprob": 0, "bytes": null, "top_logprobs": []}]}));
    let text = "\"\n👋".to_owned();
    form.delta(&Delta::Text { text, logprobs }, &mut out).unwrap();
    let id = form.base.item_id("msg", 0);
    let expected = format!(
        concat!(
            "event: response.output_text.delta\n",
            r#"data: {{"type":"response.output_text.delta","item_id":"{}","output_index":0,"content_index":0,"#,
            r#""delta":"\"\n👋","logprobs":[{{"token":"b","logprob":0,"bytes":[],"top_logprobs":[]}}],"sequence_number":5}}"#,
            "\n\n"
        ),
        id
    );
    assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
}

#[test]
fn a_response_says_how_it_ended() {
    let usage = Usage {
        prompt: 9,
        completion: 12,
        cached: Some(4),
        written_to_cache: None,
        reasoning: None,
    };
    for (finish, status, reason) in [
        (FinishReason::Stop, "completed", Value::Null),
        (
            FinishReason::Length,
            "incomplete",
            json!({"reason": "max_output_tokens"}),
        ),
        (
            FinishReason::ContentFilter,
            "incomplete",
            json!({"reason": "content_filter"}),
        ),
    ] {
        let deltas = [text("Hi"), Delta::Usage(usage), Delta::Finish(finish)];
        let events = streamed(&deltas);
        let last = events.last().unwrap();
        assert_eq!(last["type"], format!("response.{status}"));
        let response = &last["response"];
        assert_eq!(
            (&response["status"], &response["incomplete_details"]),
            (&json!(status), &reason)
        );
        assert_eq!(response["output"][0]["status"], status);
        assert_eq!(
            response["usage"],
            json!({"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
                "output_tokens": 12, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 21})
        );
        assert_eq!(normal(response), normal(&whole(&deltas)));
    }
}

#[test]
fn a_failure_is_told_twice_and_shows_no_answer() {
    for begun in [false, true] {
        let (mut form, mut out) = (form(), BytesMut::new());
        if begun {
            form.begin(&model(), &mut out);
            form.delta(&text("secret"), &mut out).unwrap();
        }
        // Every stream begins in the same way, one that fails before anything came too.
        let before = 2 + usize::from(begun) * events(&out).len().saturating_sub(2);
        form.error(
            &ProviderError::new(crate::error::Failure::RateLimited, "").into(),
            &mut out,
        );
        let all = events(&out);
        assert_eq!(
            (&all[0]["type"], &all[1]["type"]),
            (&json!("response.created"), &json!("response.in_progress"))
        );
        let [error, failed] = &all[before..] else {
            panic!("{all:?}")
        };
        let response = &failed["response"];
        assert_eq!(failed["type"], "response.failed");
        assert_eq!(
            (&response["status"], &response["output"]),
            (&json!("failed"), &json!([]))
        );
        assert_eq!(response["model"], "gpt-4o");
        assert_eq!(response["error"]["code"], "rate_limit_exceeded");
        assert_eq!(error["type"], "error");
        for name in ["code", "message", "param"] {
            assert_eq!(error[name], error["error"][name]);
        }
        assert_eq!(error["code"], "rate_limit_exceeded");
        assert_eq!(error["error"]["type"], "rate_limit_error");
    }
}

#[test]
fn an_answer_that_is_too_long_is_an_error() {
    let (mut form, mut out) = (form(), BytesMut::new());
    let long = text(&"a".repeat(5 * 1024 * 1024));
    form.delta(&long, &mut out).unwrap();
    let error = form.delta(&long, &mut out).unwrap_err();
    assert_eq!(error.code().as_deref(), Some("provider_error"));
}

fn any_delta() -> impl Strategy<Value = Delta> {
    prop_oneof![
        3 => ".{1,5}".prop_map(|said| text(&said)),
        1 => ".{1,5}".prop_map(Delta::Reasoning),
        1 => ".{1,5}".prop_map(Delta::Refusal),
        1 => Just(Delta::Finish(FinishReason::Length)),
    ]
}

/// All deltas of a kind, joined.
fn joined(events: &[Value], kind: &str) -> String {
    let deltas = events.iter().filter(|event| event["type"] == kind);
    deltas.map(|event| event["delta"].as_str().unwrap()).collect()
}

proptest! {
    /// Buffered and streamed, the text, the thinking and the refusal are those of the deltas, in any order of them.
    #[test]
    fn nothing_is_lost_or_said_twice(deltas in prop::collection::vec(any_delta(), 0..12)) {
        let deltas = [deltas, vec![STOP]].concat();
        let events = streamed(&deltas);
        let mut folded = Folded::default();
        for delta in &deltas {
            folded.add(delta).unwrap();
        }
        let answer = folded.complete().unwrap();
        let (said, refused) = (answer.text.unwrap_or_default(), answer.refusal.unwrap_or_default());
        let thought = answer.reasoning.unwrap_or_default();
        prop_assert_eq!(joined(&events, "response.output_text.delta"), said.clone());
        prop_assert_eq!(joined(&events, "response.refusal.delta"), refused.clone());
        prop_assert_eq!(joined(&events, "response.reasoning_summary_text.delta"), thought.clone());
        let last = &events.last().unwrap()["response"];
        for response in [last, &whole(&deltas)] {
            let items = response["output"].as_array().unwrap();
            let texts = |kind: &str, field: &str| -> String {
                let parts = items.iter().flat_map(|item| {
                    let parts = item["content"].as_array().or(item["summary"].as_array());
                    parts.into_iter().flatten()
                });
                parts.filter(|part| part["type"] == kind).map(|part| part[field].as_str().unwrap()).collect()
            };
            prop_assert_eq!(texts("output_text", "text"), said.clone());
            prop_assert_eq!(texts("refusal", "refusal"), refused.clone());
            prop_assert_eq!(texts("summary_text", "text"), thought.clone());
            prop_assert_eq!(items.iter().filter(|item| item["type"] == "message").count(), 1);
        }
        // What is said of an item or a part at its end is what the response has at its place.
        for event in &events {
            let item = &last["output"][event["output_index"].as_u64().map_or(0, |at| usize::try_from(at).unwrap())];
            match event["type"].as_str().unwrap() {
                "response.output_item.done" => prop_assert_eq!(&event["item"], item),
                "response.output_item.added" => prop_assert_eq!(&event["item"]["id"], &item["id"]),
                "response.content_part.done" => {
                    let at = usize::try_from(event["content_index"].as_u64().unwrap()).unwrap();
                    prop_assert_eq!(&event["part"], &item["content"][at]);
                }
                _ => {}
            }
        }
    }
}
