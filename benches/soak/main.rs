//! Many streams at once through `assistants serve`, and many invocations of the release binary: neither may need more memory
//! in the second half than in the first, nor keep a socket.
//!
//! `make soak` builds the binaries and names them as arguments: the endpoint, then the program. `SOAK_STREAMS` (1000) is how
//! many streams run at once, `SOAK_INVOCATIONS` (100000) how often the function is called. The figures are the kernel's, so
//! this needs `/proc`.

use std::{
    convert::Infallible,
    fs,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use assistant_endpoint::{
    assistant::store::{Store, write::NewAssistant},
    local::{
        embedded_store::{self, Error},
        function::Function,
        http_server::{Limits, serve},
        runtime_api::Piece,
        serve::put_demo,
    },
    stop::Stopper,
    token::Token,
};
use axum::{Router, body::Body, routing::post};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

mod process;
mod report;

use process::{Peaks, check_descriptors, sample, settled};
use report::Report;

const TOKEN: &str = "pubkey_demo_local_0001";
const FOLDER: &str = "target/soak";
/// How often all streams run, one time after the other.
const ROUNDS: u64 = 4;
/// Chunks of a slow answer, and the time between them.
const CHUNKS: usize = 40;
const GAP: Duration = Duration::from_millis(500);
/// How many streams wait for their first chunk at once: the embedded store, a debug build, looks up one assistant after the
/// other. A stream takes twenty seconds, so that all of them run at once where the machine is not too slow.
const BEGINNING: usize = 16;
/// A connection to the provider that nobody uses is closed after so long.
const IDLE: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let paths: Vec<_> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let [endpoint, program] = paths.as_slice() else {
        return Err("run it with `make soak`".into());
    };
    let (streams, invocations) = (number("SOAK_STREAMS", 1000)?, number("SOAK_INVOCATIONS", 100_000)?);
    // A stream has a client, a provider, and at most both ends of a connection to the store.
    check_descriptors(4 * streams + 200)?;
    fs::create_dir_all(FOLDER)?;
    let provider = start_provider().await?;
    let reports = [
        soak_server(program, provider, streams).await?,
        soak_function(endpoint, provider, invocations).await?,
    ];
    report::print(&reports);
    let problems: Vec<_> = reports.iter().flat_map(Report::problems).collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(problems.join("; ").into())
}

fn number(variable: &str, usual: u64) -> Result<u64, Error> {
    match std::env::var(variable) {
        Ok(value) => value
            .parse()
            .map_err(|_| format!("{variable} must be a number, such as {usual}").into()),
        Err(_) => Ok(usual),
    }
}

async fn soak_server(program: &str, provider: SocketAddr, streams: u64) -> Result<Report, Error> {
    let (server, url, store) = start_server(program, provider).await?;
    let process = server.id().ok_or("the server has ended")?;
    // Once, so that what is made at the first use is there.
    stream_once(&reqwest::Client::new(), &url, &Load::default()).await?;
    sleep(IDLE * 2).await;
    let start = sample(process, store)?;
    let (peaks, started) = (Peaks::of(process), Instant::now());
    let (mut done, mut errors) = (0, 0);
    let load = Arc::new(Load::default());
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            peaks.second_half();
        }
        let client = reqwest::Client::new();
        let mut running = JoinSet::new();
        for _ in 0..streams {
            let (client, url, load) = (client.clone(), url.clone(), Arc::clone(&load));
            running.spawn(async move { stream_once(&client, &url, &load).await });
        }
        for ended in running.join_all().await {
            done += 1;
            if let Err(error) = ended {
                errors += 1;
                note(errors, "stream", &error);
            }
        }
    }
    let (took, peaks) = (started.elapsed(), peaks.end());
    Ok(Report {
        what: "streams",
        done,
        at_once: load.most.load(Ordering::Relaxed),
        errors,
        took,
        peaks,
        start,
        end: settled(process, store, start).await?,
    })
}

/// `assistants serve`, the URL of its chat completions, and its store's port.
async fn start_server(program: &str, provider: SocketAddr) -> Result<(Child, String, u16), Error> {
    let mut server = Command::new(program)
        .args(["serve", "--port", "0", "--store-port", "0", "--data"])
        .arg(Path::new(FOLDER).join("assistants.db"))
        .args(["--demo-model", "gpt-4o", "--demo-token", TOKEN])
        .env("OPENAI_BASE_URL", format!("http://{provider}/slow/v1"))
        .env("OPENAI_API_KEY", "sk-soak")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let output = server.stdout.take().ok_or("the server has no output")?;
    let mut lines = BufReader::new(output).lines();
    let first = lines.next_line().await?.ok_or("the server did not start")?;
    let base_url = first.strip_prefix("Base URL").ok_or("the server did not start")?;
    let url = format!("{}/chat/completions", base_url.trim());
    let store = loop {
        let line = lines.next_line().await?.ok_or("the server has named no store")?;
        if let Some(address) = line.strip_prefix("Store") {
            let address = address
                .split_whitespace()
                .next()
                .ok_or("the server has named no store")?;
            break address.parse::<SocketAddr>()?.port();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((server, url, store))
}

/// Says what went wrong, a few times.
fn note(errors: u64, what: &str, error: &Error) {
    if errors <= 5 {
        eprintln!("{what}: {error}");
    }
}

/// The streams that run.
struct Load {
    beginning: Semaphore,
    running: AtomicU64,
    most: AtomicU64,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            beginning: Semaphore::new(BEGINNING),
            running: AtomicU64::new(0),
            most: AtomicU64::new(0),
        }
    }
}

async fn stream_once(client: &reqwest::Client, url: &str, load: &Load) -> Result<(), Error> {
    let body = json!({"messages": [{"role": "user", "content": "Tell me a story"}], "stream": true});
    let beginning = load.beginning.acquire().await?;
    let response = client.post(url).bearer_auth(TOKEN).json(&body).send().await?;
    drop(beginning);
    let running = load.running.fetch_add(1, Ordering::Relaxed) + 1;
    load.most.fetch_max(running, Ordering::Relaxed);
    let text = response.text().await;
    load.running.fetch_sub(1, Ordering::Relaxed);
    let text = text?;
    let (words, is_done) = (text.matches("word ").count(), text.ends_with("data: [DONE]\n\n"));
    if words == CHUNKS && is_done {
        return Ok(());
    }
    Err(format!("a stream is not whole: {}", text.chars().take(300).collect::<String>()).into())
}

async fn soak_function(endpoint: &str, provider: SocketAddr, invocations: u64) -> Result<Report, Error> {
    let store = start_store().await?;
    let base_url = format!("http://{provider}/quick/v1");
    let settings = [("OPENAI_BASE_URL", base_url.as_str()), ("OPENAI_API_KEY", "sk-soak")];
    let function = Function::start(Path::new(endpoint), store, &settings, Stdio::null()).await?;
    let process = function.process.id().ok_or("the function has ended")?;
    let events = [
        ("chat.json", "\"finish_reason\":\"stop\""),
        ("chat-stream.json", "data: [DONE]"),
        ("models.json", "gpt-4o"),
        ("chat-stream.json", "data: [DONE]"),
        ("invalid-token.json", "invalid_api_key"),
    ];
    let mut asked = Vec::new();
    for (name, expected) in events {
        let event: Value = serde_json::from_slice(&fs::read(Path::new("events").join(name))?)?;
        invoke(&function, &event, expected).await?;
        asked.push((event, expected));
    }
    let start = sample(process, store.port())?;
    let (peaks, started) = (Peaks::of(process), Instant::now());
    let mut errors = 0;
    for (count, (event, expected)) in (0..invocations).zip(asked.iter().cycle()) {
        if count == invocations / 2 {
            peaks.second_half();
        }
        if let Err(error) = invoke(&function, event, expected).await {
            errors += 1;
            note(errors, &format!("invocation {count}"), &error);
        }
    }
    let took = started.elapsed();
    let peaks = peaks.end();
    Ok(Report {
        what: "invocations",
        done: invocations,
        at_once: 1,
        errors,
        took,
        peaks,
        start,
        end: settled(process, store.port(), start).await?,
    })
}

/// Invokes the function once; its reply must hold `expected`.
async fn invoke(function: &Function, event: &Value, expected: &str) -> Result<(), Error> {
    let mut pieces = function.invoke(event.clone(), Duration::from_secs(30));
    let mut reply = Vec::new();
    loop {
        let piece = timeout(Duration::from_secs(30), pieces.recv()).await?;
        match piece.ok_or("the function died")? {
            Piece::Bytes(_, bytes) => reply.extend_from_slice(&bytes),
            Piece::End(_) => break,
            other => return Err(format!("{other:?}").into()),
        }
    }
    let reply = String::from_utf8_lossy(&reply);
    if reply.contains(expected) {
        return Ok(());
    }
    Err(format!(
        "not the expected reply: {}",
        reply.chars().take(300).collect::<String>()
    )
    .into())
}

async fn start_store() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let aws = embedded_store::start(listener, None).await?;
    let demo = NewAssistant {
        owner_id: "soak".into(),
        name: "Soak".into(),
        config: json!({"configurable": {"access_mode": "public_token", "model": "gpt-4o"}}),
        token: Some(Token::new(TOKEN)),
    };
    put_demo(&Store::new(&aws, embedded_store::tables()), demo).await?;
    Ok(address)
}

/// Streams in OpenAI's form: with a gap between chunks below `/slow`, without below `/quick`.
async fn start_provider() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = Router::new()
        .route("/slow/v1/chat/completions", post(async || answer(GAP)))
        .route("/quick/v1/chat/completions", post(async || answer(Duration::ZERO)));
    let limits = Limits {
        idle: IDLE,
        ..Limits::default()
    };
    tokio::spawn(async move {
        let (_stopper, stop) = Stopper::new();
        serve(listener, routes, limits, stop).await;
    });
    Ok(address)
}

fn answer(gap: Duration) -> ([(&'static str, &'static str); 1], Body) {
    let body = Body::from_stream(async_stream::stream! {
        for at in 0..CHUNKS {
            // Also no time at all would be a tick of the timer.
            if at > 0 && !gap.is_zero() {
                sleep(gap).await;
            }
            let finish = if at + 1 == CHUNKS { json!("stop") } else { Value::Null };
            let chunk = json!({"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": finish}]});
            yield Ok::<_, Infallible>(Bytes::from(format!("data: {chunk}\n\n")));
        }
        yield Ok(Bytes::from_static(b"data: [DONE]\n\n"));
    });
    ([("content-type", "text/event-stream")], body)
}
