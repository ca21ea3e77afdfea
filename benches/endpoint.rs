//! Cold start and overhead of the release binary, each as a ratio to a baseline measured in the same run.
//!
//! `make bench` builds the binaries and names them as arguments: the endpoint, then the hello world.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use assistant_endpoint::{
    assistant::store::{Store, write::NewAssistant},
    local::{
        embedded_store::{self, Error},
        function::Function,
        runtime_api::Piece,
        serve::put_demo,
    },
    token::Token,
};
use axum::{Router, body::Body, routing::post, serve::ListenerExt};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// An empty folder.
const NO_CERTIFICATES: &str = "target/no-certificates";
const ROUNDS: usize = 30;
/// Chunks of an answer, and the time between them.
const CHUNKS: usize = 20;
const GAP: Duration = Duration::from_millis(5);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let paths: Vec<_> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let [endpoint, hello] = paths.as_slice() else {
        return Err("run it with `make bench`".into());
    };
    let (provider, store) = (start_provider().await?, start_store().await?);
    let base_url = format!("http://{provider}/v1");
    // As on Lambda: one file of certificates, and no folder of hundreds, which this machine's environment may name.
    std::fs::create_dir_all(NO_CERTIFICATES)?;
    let settings = [
        ("OPENAI_BASE_URL", base_url.as_str()),
        ("OPENAI_API_KEY", "sk-bench"),
        ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
        ("SSL_CERT_DIR", NO_CERTIFICATES),
    ];

    println!(
        "sizes: endpoint {} kB, hello world {} kB",
        kilobytes(endpoint)?,
        kilobytes(hello)?
    );
    let (mut starts, mut hello_starts) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        starts.push(cold_start(endpoint, store, &settings).await?);
        hello_starts.push(cold_start(hello, store, &settings).await?);
    }
    report(
        "start to first event, against hello world",
        &mut starts,
        &mut hello_starts,
    );

    let function = Function::start(Path::new(endpoint), store, &settings, Stdio::null()).await?;
    let client = reqwest::Client::new();
    let event = serde_json::from_slice(&std::fs::read("events/chat-stream.json")?)?;
    let (mut firsts, mut wholes, mut direct_firsts, mut direct_wholes) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let (first, whole) = through_function(&function, &event).await?;
        firsts.push(first);
        wholes.push(whole);
        let (first, whole) = directly(&client, &base_url).await?;
        direct_firsts.push(first);
        direct_wholes.push(whole);
    }
    report(
        "first chunk, against the provider itself",
        &mut firsts,
        &mut direct_firsts,
    );
    report(
        "whole stream, against the provider itself",
        &mut wholes,
        &mut direct_wholes,
    );
    Ok(())
}

fn kilobytes(path: &str) -> Result<u64, Error> {
    Ok(std::fs::metadata(path)?.len() / 1000)
}

/// Medians, since these machines are noisy.
fn report(what: &str, measured: &mut [Duration], baseline: &mut [Duration]) {
    let median = |times: &mut [Duration]| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1000.0
    };
    let (ours, theirs) = (median(measured), median(baseline));
    println!("{what}: {ours:.1} ms to {theirs:.1} ms, ratio {:.2}", ours / theirs);
}

async fn cold_start(binary: &str, store: SocketAddr, settings: &[(&str, &str)]) -> Result<Duration, Error> {
    let started = Instant::now();
    let mut function = Function::start(Path::new(binary), store, settings, Stdio::null()).await?;
    let elapsed = started.elapsed();
    function.process.kill().await?;
    Ok(elapsed)
}

async fn start_store() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let aws = embedded_store::start(listener, None).await?;
    let demo = NewAssistant {
        owner_id: "bench".into(),
        name: "Bench".into(),
        config: json!({"configurable": {"access_mode": "public_token", "model": "gpt-4o"}}),
        token: Some(Token::new("pubkey_demo_local_0001")),
    };
    put_demo(&Store::new(&aws, embedded_store::tables()), demo).await?;
    Ok(address)
}

/// Streams chunks with a gap between them, in OpenAI's form.
async fn start_provider() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = Router::new().route(
        "/v1/chat/completions",
        post(|| async {
            let body = Body::from_stream(async_stream::stream! {
                for at in 0..CHUNKS {
                    tokio::time::sleep(GAP).await;
                    let finish = if at + 1 == CHUNKS { json!("stop") } else { Value::Null };
                    let chunk = json!({"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": finish}]});
                    yield Ok::<_, Infallible>(Bytes::from(format!("data: {chunk}\n\n")));
                }
                yield Ok(Bytes::from_static(b"data: [DONE]\n\n"));
            });
            ([("content-type", "text/event-stream")], body)
        }),
    );
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

async fn through_function(function: &Function, event: &Value) -> Result<(Duration, Duration), Error> {
    let sent = Instant::now();
    let mut pieces = function.invoke(event.clone(), Duration::from_secs(30));
    let mut first = None;
    loop {
        match pieces.recv().await.ok_or("the function died")? {
            Piece::Bytes(at, bytes) if first.is_none() && bytes.windows(5).any(|window| window == b"data:") => {
                first = Some(at - sent);
            }
            Piece::Bytes(..) => {}
            Piece::End(at) => return Ok((first.ok_or("no chunk came")?, at - sent)),
            other => return Err(format!("{other:?}").into()),
        }
    }
}

async fn directly(client: &reqwest::Client, base_url: &str) -> Result<(Duration, Duration), Error> {
    let sent = Instant::now();
    let request = client.post(format!("{base_url}/chat/completions")).body("{}");
    let mut response = request.send().await?;
    let mut first = None;
    while response.chunk().await?.is_some() {
        first.get_or_insert_with(|| sent.elapsed());
    }
    Ok((first.ok_or("no chunk came")?, sent.elapsed()))
}
