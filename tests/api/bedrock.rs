//! What only Bedrock has: signatures, regions and ARNs.

use std::path::Path;

use assistant_endpoint::{protocol::bedrock, provider::choose};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::support::{TestApp, hello, provider::FakeProvider, python, streams};

#[test]
fn models_profiles_and_arns_are_paths() {
    for (model, path, region) in [
        (
            "amazon.nova-lite-v1:0",
            "/model/amazon.nova-lite-v1%3A0/converse-stream",
            None,
        ),
        (
            "bedrock/us.anthropic.claude-opus-4-7",
            "/model/us.anthropic.claude-opus-4-7/converse-stream",
            None,
        ),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3",
            "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2c3/converse-stream",
            Some("eu-west-1"),
        ),
    ] {
        let model = choose(model, None, None).unwrap();
        assert_eq!(bedrock::path(&model), path);
        assert_eq!(bedrock::region_of(&model.name), region);
    }
}

/// An owner's ARN leads to no host of the owner's: its region is a single label, or else the function's own is taken.
#[test]
fn an_arn_leads_to_no_other_host() {
    for region in [
        "x.attacker.example/",
        "@10.0.0.5/",
        "a#",
        "a?b",
        "a\\b",
        "",
        "ü",
        "us east",
    ] {
        let model = format!("arn:aws:bedrock:{region}:1:m");
        assert_eq!(bedrock::region_of(&model), None, "{model}");
    }
}

/// Botocore signs the same request at the same moment, and comes to the same signature.
#[tokio::test]
async fn the_signature_is_the_one_that_botocore_makes() {
    let provider = FakeProvider::always(streams::answer("bedrock-text")).await;
    let origin = provider.origin();
    let app = TestApp::with(provider, &[("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &origin)]).await;
    for (model, region) in [
        ("us.amazon.nova-lite-v1:0", "us-east-1"),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0",
            "eu-west-1",
        ),
    ] {
        let token = app.assistant_with(json!({"type==agent/model": model})).await;
        let completion = app.chat(&token, &hello(false)).await.json();
        assert_eq!(completion["choices"][0]["finish_reason"], "stop", "{completion}");
        let request = app.provider.received().pop().unwrap();
        let checked = json!({"origin": origin, "region": region, "head": request.head, "body": request.text});
        let mut botocore = Command::new(python());
        botocore.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/botocore_signature.py"));
        let mut botocore = botocore
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        botocore
            .stdin
            .take()
            .unwrap()
            .write_all(checked.to_string().as_bytes())
            .await
            .unwrap();
        let output = botocore.wait_with_output().await.unwrap();
        let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
        let ours = request
            .head
            .lines()
            .find_map(|line| line.strip_prefix("authorization: "))
            .unwrap();
        assert_eq!(theirs["authorization"], ours);
        assert!(ours.contains(&format!("/{region}/bedrock/aws4_request")), "{ours}");
    }
}

#[tokio::test]
async fn a_bearer_token_wins_over_the_role() {
    let provider = FakeProvider::always(streams::answer("bedrock-text")).await;
    let origin = provider.origin();
    let settings = [
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", origin.as_str()),
        ("AWS_BEARER_TOKEN_BEDROCK", "the-bearer-token"),
    ];
    let app = TestApp::with(provider, &settings).await;
    let token = app
        .assistant_with(json!({"type==agent/model": "amazon.nova-lite-v1:0"}))
        .await;
    app.chat(&token, &hello(false)).await.json();
    let head = app.provider.received().pop().unwrap().head;
    assert!(
        head.contains("authorization: Bearer the-bearer-token") && !head.contains("x-amz-date"),
        "{head}"
    );
}
