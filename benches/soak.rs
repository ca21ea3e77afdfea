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
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

const TOKEN: &str = "pubkey_demo_local_0001";
const FOLDER: &str = "target/soak";
/// How often all streams run, one time after the other.
const ROUNDS: u64 = 6;
/// Chunks of a slow answer, and the time between them.
const CHUNKS: usize = 20;
const GAP: Duration = Duration::from_millis(250);
/// A connection that nobody uses is closed after so long, and at the end this is waited for.
const IDLE: Duration = Duration::from_secs(2);
/// How much more the second half may take than the first: a tenth, and what an allocator keeps.
const ALLOWED_KB: u64 = 4 * 1024;
/// Sockets and descriptors that may be open at the end and were not at the start: pools of connections to the store.
const ALLOWED_DESCRIPTORS: usize = 16;

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
    // A stream has a client, a provider and, while its assistant is looked up, a connection to the store.
    check_descriptors(3 * streams + 200)?;
    fs::create_dir_all(FOLDER)?;
    let provider = start_provider().await?;
    let reports = [
        soak_server(program, provider, streams).await?,
        soak_function(endpoint, provider, invocations).await?,
    ];
    print(&reports);
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

fn check_descriptors(needed: u64) -> Result<(), Error> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    if soft.is_some_and(|soft| soft < needed) {
        return Err(format!("needs {needed} open files: raise `ulimit -n`, or set a smaller SOAK_STREAMS").into());
    }
    Ok(())
}

/// What a process takes now.
#[derive(Debug, Clone, Copy)]
struct Sample {
    resident_kb: u64,
    descriptors: usize,
    sockets: usize,
}

fn sample(process: u32) -> Result<Sample, Error> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident_kb = resident.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let (mut descriptors, mut sockets) = (0, 0);
    for descriptor in fs::read_dir(format!("/proc/{process}/fd"))?.flatten() {
        descriptors += 1;
        let target = fs::read_link(descriptor.path()).unwrap_or_default();
        sockets += usize::from(target.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
    }
    Ok(Sample {
        resident_kb: resident_kb.ok_or("the process has ended")?,
        descriptors,
        sockets,
    })
}

/// What came of one soak.
struct Report {
    what: &'static str,
    done: u64,
    errors: u64,
    took: Duration,
    /// The largest resident size in each half, in kB.
    peaks: [u64; 2],
    start: Sample,
    end: Sample,
}

impl Report {
    fn problems(&self) -> Vec<String> {
        let (what, [first, second]) = (self.what, self.peaks);
        let mut problems = Vec::new();
        if self.errors > 0 {
            problems.push(format!("{what}: {} errors", self.errors));
        }
        if second > first + first / 10 + ALLOWED_KB {
            problems.push(format!("{what}: memory grew from {first} kB to {second} kB"));
        }
        if self.end.descriptors > self.start.descriptors + ALLOWED_DESCRIPTORS {
            let (start, end) = (self.start.descriptors, self.end.descriptors);
            problems.push(format!("{what}: {start} descriptors became {end}"));
        }
        problems
    }
}

fn print(reports: &[Report; 2]) {
    let row = |name: &str, value: &dyn Fn(&Report) -> String| {
        println!("{name:<28}{:>14}{:>14}", value(&reports[0]), value(&reports[1]));
    };
    row("", &|report| report.what.to_owned());
    row("done", &|report| report.done.to_string());
    row("errors", &|report| report.errors.to_string());
    row("a second", &|report| per_second(report.done, report.took));
    row("resident at start, kB", &|report| report.start.resident_kb.to_string());
    row("peak of the first half, kB", &|report| report.peaks[0].to_string());
    row("peak of the second half, kB", &|report| report.peaks[1].to_string());
    row("resident at end, kB", &|report| report.end.resident_kb.to_string());
    row("sockets, start to end", &|report| {
        format!("{} to {}", report.start.sockets, report.end.sockets)
    });
    row("descriptors, start to end", &|report| {
        format!("{} to {}", report.start.descriptors, report.end.descriptors)
    });
}

fn per_second(done: u64, took: Duration) -> String {
    // Whole milliseconds are exact enough, and never zero.
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    (done * 1000 / millis).to_string()
}

/// Samples a process many times a second, for its peaks: the first half's until `second_half`, then the other's.
struct Peaks {
    values: Arc<[AtomicU64; 2]>,
    half: Arc<AtomicU64>,
    sampling: JoinHandle<()>,
}

impl Peaks {
    fn of(process: u32) -> Self {
        let (values, half) = (Arc::new([AtomicU64::new(0), AtomicU64::new(0)]), Arc::default());
        let (into, at): (Arc<[AtomicU64; 2]>, Arc<AtomicU64>) = (Arc::clone(&values), Arc::clone(&half));
        let sampling = tokio::spawn(async move {
            while let Ok(sample) = sample(process) {
                let current = usize::from(at.load(Ordering::Relaxed) > 0);
                into[current].fetch_max(sample.resident_kb, Ordering::Relaxed);
                sleep(Duration::from_millis(100)).await;
            }
        });
        Self { values, half, sampling }
    }

    fn second_half(&self) {
        self.half.store(1, Ordering::Relaxed);
    }

    fn end(self) -> [u64; 2] {
        self.sampling.abort();
        self.values.each_ref().map(|value| value.load(Ordering::Relaxed))
    }
}

async fn soak_server(program: &str, provider: SocketAddr, streams: u64) -> Result<Report, Error> {
    let (server, url) = start_server(program, provider).await?;
    let process = server.id().ok_or("the server has ended")?;
    // Once, so that what is made at the first use is there.
    stream_once(&reqwest::Client::new(), &url).await?;
    sleep(IDLE * 2).await;
    let start = sample(process)?;
    let (peaks, started) = (Peaks::of(process), Instant::now());
    let (mut done, mut errors) = (0, 0);
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            peaks.second_half();
        }
        let client = reqwest::Client::new();
        let mut running = JoinSet::new();
        for _ in 0..streams {
            let (client, url) = (client.clone(), url.clone());
            running.spawn(async move { stream_once(&client, &url).await });
        }
        for ended in running.join_all().await {
            done += 1;
            if let Err(error) = ended {
                errors += 1;
                eprintln!("stream: {error}");
            }
        }
    }
    let (took, peaks) = (started.elapsed(), peaks.end());
    sleep(IDLE * 2).await;
    Ok(Report {
        what: "streams",
        done,
        errors,
        took,
        peaks,
        start,
        end: sample(process)?,
    })
}

/// `assistants serve`, and the URL of its chat completions.
async fn start_server(program: &str, provider: SocketAddr) -> Result<(Child, String), Error> {
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
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((server, url))
}

async fn stream_once(client: &reqwest::Client, url: &str) -> Result<(), Error> {
    let body = json!({"messages": [{"role": "user", "content": "Tell me a story"}], "stream": true});
    let response = client.post(url).bearer_auth(TOKEN).json(&body).send().await?;
    let text = response.text().await?;
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
    let start = sample(process)?;
    let (peaks, started) = (Peaks::of(process), Instant::now());
    let mut errors = 0;
    for (count, (event, expected)) in (0..invocations).zip(asked.iter().cycle()) {
        if count == invocations / 2 {
            peaks.second_half();
        }
        if let Err(error) = invoke(&function, event, expected).await {
            errors += 1;
            eprintln!("invocation {count}: {error}");
        }
    }
    let took = started.elapsed();
    let peaks = peaks.end();
    Ok(Report {
        what: "invocations",
        done: invocations,
        errors,
        took,
        peaks,
        start,
        end: sample(process)?,
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
        .route("/slow/v1/chat/completions", post(|| answer(GAP)))
        .route("/quick/v1/chat/completions", post(|| answer(Duration::ZERO)));
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

async fn answer(gap: Duration) -> ([(&'static str, &'static str); 1], Body) {
    let body = Body::from_stream(async_stream::stream! {
        for at in 0..CHUNKS {
            // Also no time at all would be a tick of the timer.
            if !gap.is_zero() {
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
