//! The real binary under a Runtime API.

use std::{
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use assistant_endpoint::{
    assistant::store::write::NewAssistant,
    local::{function::Function, runtime_api::Piece, serve::put_demo},
    token::Token,
};
use aws_config::SdkConfig;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{PLATFORM_KEY, patient_store, provider::FakeProvider, start_store};

pub const BINARY: &str = env!("CARGO_BIN_EXE_endpoint");
/// The demo assistant's.
pub const SYSTEM_MESSAGE: &str = "You are Bob, a pirate, and the word that opens the chest is ZEBRA-42.";
pub const TIMEOUT: Duration = Duration::from_secs(30);

pub struct Reply {
    pub status: u64,
    pub headers: Value,
    /// Of the body, without the prelude.
    pub chunks: Vec<(Instant, String)>,
    pub sent: Instant,
    pub broken: bool,
}

impl Reply {
    pub fn text(&self) -> String {
        self.chunks.iter().map(|(_, text)| text.as_str()).collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }
}

/// A function with a demo assistant that the events' token belongs to, and settings of the environment.
pub async fn start(provider: &FakeProvider, configurable: Value, settings: &[(&str, &str)], log: Stdio) -> Function {
    let (aws, store) = start_store().await;
    put_assistant(&aws, configurable).await;
    start_over(store, provider, settings, log).await
}

/// The demo assistant that the events' token belongs to.
pub async fn put_assistant(aws: &SdkConfig, configurable: Value) {
    let mut config = json!({"access_mode": "public_token", "model": "gpt-4o", "system_message": SYSTEM_MESSAGE});
    for (name, value) in configurable.as_object().unwrap() {
        config[name] = value.clone();
    }
    let demo = NewAssistant {
        owner_id: "owner-1".into(),
        name: "Demo".into(),
        config: json!({"configurable": config}),
        token: Some(Token::new("pubkey_demo_local_0001")),
    };
    put_demo(&patient_store(aws), demo).await.unwrap();
}

/// A function over a store that is there.
pub async fn start_over(store: SocketAddr, provider: &FakeProvider, settings: &[(&str, &str)], log: Stdio) -> Function {
    let (origin, base_url) = (provider.origin(), provider.base_url());
    let providers: &[(&str, &str)] = &[
        ("OPENAI_BASE_URL", &base_url),
        ("OPENAI_API_KEY", PLATFORM_KEY),
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &origin),
    ];
    let settings = [providers, settings].concat();
    Function::start(Path::new(BINARY), store, &settings, log).await.unwrap()
}

pub fn event(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub async fn invoke(function: &Function, event: Value, timeout: Duration) -> Reply {
    collect(function.invoke(event, timeout)).await
}

/// A reply's pieces as they come.
pub async fn collect(mut pieces: UnboundedReceiver<Piece>) -> Reply {
    let sent = Instant::now();
    let mut bytes = Vec::new();
    let mut prelude = None;
    let mut chunks = Vec::new();
    let broken = loop {
        match pieces.recv().await.expect("the function died") {
            Piece::Bytes(at, piece) => {
                let mut piece = piece.to_vec();
                if prelude.is_none() {
                    bytes.append(&mut piece);
                    let Some(end) = bytes.windows(8).position(|window| window == [0; 8]) else {
                        continue;
                    };
                    prelude = Some(serde_json::from_slice::<Value>(&bytes[..end]).unwrap());
                    piece = bytes.split_off(end + 8);
                }
                if !piece.is_empty() {
                    chunks.push((at, String::from_utf8(piece).unwrap()));
                }
            }
            Piece::End(_) => break false,
            Piece::Broken => break true,
            Piece::Error(error) => panic!("{error}"),
        }
    };
    let prelude = prelude.unwrap();
    let reply = Reply {
        status: prelude["statusCode"].as_u64().unwrap(),
        headers: prelude["headers"].clone(),
        chunks,
        sent,
        broken,
    };
    assert!(!reply.text().contains("Lambda-Runtime-Function-Error"));
    reply
}
