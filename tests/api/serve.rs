//! `assistants serve`, run as a user would.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::timeout,
};

use crate::support::{
    PLATFORM_KEY, Reply, error_message, events,
    provider::{FakeProvider, Step, events_head, text},
    text_of,
};

const TOKEN: &str = "pubkey_demo_local_0001";

struct Serving {
    process: Child,
    /// `127.0.0.1:8787`
    address: String,
    folder: PathBuf,
}

impl Serving {
    /// A server with an assistant whose provider is at `base_url`, and more settings.
    async fn start(base_url: &str, settings: &[(&str, &str)]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("serve-{}", uuid::Uuid::new_v4()));
        let mut process = Command::new(env!("CARGO_BIN_EXE_assistants"))
            .args(["serve", "--port", "0", "--store-port", "0", "--demo-model", "gpt-4o"])
            .args(["--demo-token", TOKEN, "--data"])
            .arg(folder.join("assistants.db"))
            .envs([("OPENAI_BASE_URL", base_url), ("OPENAI_API_KEY", PLATFORM_KEY)])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        let address = first
            .split("http://")
            .nth(1)
            .unwrap()
            .split('/')
            .next()
            .unwrap()
            .to_owned();
        // Somebody has to read the rest, or the server's writing of it fails.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            process,
            address,
            folder,
        }
    }

    fn ask(&self, content: &str, stream: bool) -> reqwest::RequestBuilder {
        let body = json!({"messages": [{"role": "user", "content": content}], "stream": stream});
        let url = format!("http://{}/public/openai/v1/chat/completions", self.address);
        reqwest::Client::new().post(url).bearer_auth(TOKEN).json(&body)
    }

    /// Sends a signal and returns the process's code.
    async fn end(&mut self, signal: &str) -> Option<i32> {
        let process = self.process.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success());
        let ended = timeout(Duration::from_secs(10), self.process.wait()).await;
        ended.expect("it did not end").unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Tells a story without an end, or, asked for silence, nothing at all.
async fn provider() -> FakeProvider {
    FakeProvider::choosing(|body: &Value| {
        let messages = body["messages"].as_array().unwrap();
        if messages.last().unwrap()["content"] == "silence" {
            return vec![Step::Hang];
        }
        vec![events_head(), text("Once"), text(" upon"), Step::Hang]
    })
    .await
}

#[tokio::test]
async fn a_signal_ends_replies_with_an_error_and_the_process_with_success() {
    for signal in ["-TERM", "-INT"] {
        let provider = provider().await;
        let mut serving = Serving::start(&provider.base_url(), &[]).await;
        let mut idle = TcpStream::connect(&serving.address).await.unwrap();
        let buffered = tokio::spawn(Reply::of(serving.ask("story", false)));
        let not_begun = tokio::spawn(Reply::of(serving.ask("silence", true)));
        let mut streamed = serving.ask("story", true).send().await.unwrap();
        let mut seen = String::new();
        while !seen.contains("upon") || provider.received().len() < 3 {
            if !seen.contains("upon") {
                seen.push_str(&String::from_utf8_lossy(&streamed.chunk().await.unwrap().unwrap()));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(serving.end(signal).await, Some(0), "{signal}");

        // The bodies end as HTTP has it, so that clients see the event and no broken connection.
        seen.push_str(&streamed.text().await.unwrap());
        let chunks = events(&seen);
        assert_eq!(text_of(&chunks), "Once upon");
        let (last, before) = chunks.split_last().unwrap();
        error_message(last, "server_stopped");
        assert!(
            before
                .iter()
                .all(|chunk| chunk["choices"][0]["finish_reason"].is_null())
        );
        assert!(!seen.contains("[DONE]"), "{seen}");
        for reply in [buffered, not_begun] {
            let reply = reply.await.unwrap();
            reply.error(503, "server_stopped");
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
        assert_eq!(idle.read(&mut [0; 16]).await.unwrap(), 0);
        assert!(TcpStream::connect(&serving.address).await.is_err());
        assert_eq!(provider.received().len(), 3, "nothing is tried again");
    }
}

#[tokio::test]
async fn a_request_that_has_not_come_to_its_end_is_told_too() {
    let mut serving = Serving::start("http://127.0.0.1:1/v1", &[]).await;
    let mut client = TcpStream::connect(&serving.address).await.unwrap();
    let head = "POST /public/openai/v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\
                expect: 100-continue\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    // The server waits for the body now.
    let mut expected = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    client.read_exact(&mut expected).await.unwrap();
    client.write_all(b"{").await.unwrap();
    assert_eq!(serving.end("-TERM").await, Some(0));
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"server_stopped\""),
        "{answer}"
    );
}

/// Writes without an end, and returns once its client has closed the connection.
async fn endless(listener: TcpListener) {
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut request = [0; 4096];
    assert!(connection.read(&mut request).await.unwrap() > 0);
    let (Step::Send(head), Step::Send(piece)) = (events_head(), text(&"Once upon a time ".repeat(1000))) else {
        unreachable!()
    };
    connection.write_all(&head).await.unwrap();
    while connection.write_all(&piece).await.is_ok() {}
}

#[tokio::test]
async fn a_stream_that_nobody_reads_leaves_its_provider() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let provider = tokio::spawn(endless(listener));
    let serving = Serving::start(&base_url, &[("MAX_STREAM_SECONDS", "0.3")]).await;
    let unread = serving.ask("story", true).send().await.unwrap();
    assert_eq!(unread.status(), 200);
    timeout(Duration::from_secs(10), provider).await.unwrap().unwrap();
    let text = unread.text().await;
    assert!(text.is_err() || !text.unwrap().contains("[DONE]"));
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_assistants"))
        .args(["serve", "--port", &port, "--store-port", "0"])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .await
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && error.contains("Choose another with --port."),
        "{error}"
    );
}

#[tokio::test]
async fn the_settings_page_signs_in_on_this_machine_and_no_other_page_does() {
    let provider = provider().await;
    let serving = Serving::start(&provider.base_url(), &[]).await;
    let port = serving.address.rsplit(':').next().unwrap();
    let ask = |host: String, origin: &str, site: &str| {
        let request = reqwest::Client::new().post(format!("http://{}/local-session", serving.address));
        request
            .header("host", host)
            .header("origin", origin)
            .header("sec-fetch-site", site)
            .send()
    };
    let own = format!("http://127.0.0.1:{port}");
    let session = ask(format!("127.0.0.1:{port}"), &own, "same-origin").await.unwrap();
    assert_eq!(session.status(), 200);
    assert!(
        session
            .headers()
            .keys()
            .all(|name| !name.as_str().starts_with("access-control-"))
    );
    let session: Value = session.json().await.unwrap();
    let list = reqwest::Client::new().get(format!("http://{}/assistants", serving.address));
    let list = list
        .bearer_auth(session["token"].as_str().unwrap())
        .send()
        .await
        .unwrap();
    let list: Value = list.json().await.unwrap();
    assert_eq!(list["data"][0]["name"], "Demo");
    for (host, origin, site) in [
        ("127.0.0.1", "https://evil.example", "cross-site"),
        ("127.0.0.1", "http://127.0.0.1:1", "same-site"),
        // DNS rebinding: the name of the other page leads here.
        ("evil.example", "http://evil.example", "same-origin"),
        ("127.0.0.1", "", "same-origin"),
    ] {
        let refused = ask(format!("{host}:{port}"), origin, site).await.unwrap();
        assert_eq!(refused.status(), 403, "{host} {origin} {site}");
        assert!(
            refused
                .headers()
                .keys()
                .all(|name| !name.as_str().starts_with("access-control-"))
        );
        error_message(&refused.json().await.unwrap(), "not_the_settings_page");
    }
    for method in [reqwest::Method::GET, reqwest::Method::OPTIONS] {
        let request = reqwest::Client::new().request(method, format!("{own}/local-session"));
        let refused = request.header("origin", "https://evil.example").send().await.unwrap();
        assert_eq!(refused.status(), 405);
        assert!(
            refused
                .headers()
                .keys()
                .all(|name| !name.as_str().starts_with("access-control-"))
        );
    }
}
