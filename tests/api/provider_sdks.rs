//! The fakes are right: the providers' own SDKs read the streams in `tests/fixtures/streams` as our decoders do.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{TestApp, events, hello, provider::FakeProvider, python, streams, wire::Wire};

/// The stream's name is the model's, which is in the body (Anthropic) or in the path.
fn fixture(head: &str, body: &Value) -> String {
    let path = head.split(' ').nth(1).unwrap();
    let model = body["model"].as_str().unwrap_or_else(|| {
        let rest = path.split_once("/models/").or(path.split_once("/model/")).unwrap().1;
        rest.split(['/', ':']).next().unwrap()
    });
    model.to_owned()
}

async fn read_with_sdks() -> BTreeMap<String, Value> {
    let provider = FakeProvider::seeing(|request| streams::answer(&fixture(&request.head, &request.body))).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/provider_sdks.py");
    let output = Command::new(python())
        .arg(script)
        .env("ORIGIN", provider.origin())
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_providers_own_sdks_read_what_our_decoders_read() {
    let theirs = read_with_sdks().await;
    let count: usize = Wire::TRANSLATED
        .iter()
        .map(|wire| std::fs::read_dir(streams::folder(wire.provider())).unwrap().count())
        .sum();
    assert_eq!(theirs.len(), count);
    for (name, theirs) in theirs {
        let (provider, stream) = name.split_once('-').unwrap();
        let wire = Wire::ALL.into_iter().find(|wire| wire.provider() == provider).unwrap();
        let (app, token) = wire
            .answering(wire.stream(stream), json!({"reasoning_content": true}))
            .await;
        let ours = read(&app, &token).await;
        for field in ["text", "reasoning"] {
            let (theirs, ours_says) = (theirs[field].as_str().unwrap(), ours[field].as_str().unwrap());
            // What stands in the frame that is the error is not shown.
            let same = theirs == ours_says || (ours["error"] == true && theirs.starts_with(ours_says));
            assert!(same, "{field} of {name}: {theirs:?}, {ours_says:?}");
        }
        // They take a stream that stops for a complete one, and know no reasons that they have no words for; we do not.
        assert!(theirs["error"] != true || ours["error"] == true, "{name}");
        assert!(theirs["reason"].is_string() || ours["error"] == true, "{name}");
    }
}

async fn read(app: &TestApp, token: &str) -> Value {
    let streamed = app.chat(token, &hello(true)).await;
    let events = events(&streamed.text);
    let all = |field: &str| -> String {
        events
            .iter()
            .filter_map(|event| event["choices"][0]["delta"][field].as_str())
            .collect()
    };
    json!({"text": all("content"), "reasoning": all("reasoning_content"), "error": !streamed.is_done()})
}
