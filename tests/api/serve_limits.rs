//! What a client of the local server does too slowly, wrongly or not at all ends in time.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use assistant_endpoint::{
    local::http_server::{Limits, serve},
    stop::Stopper,
};
use axum::{
    Router,
    body::{Body, Bytes},
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::sleep,
};

use crate::support::{error_message, soon};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(600);

/// No limit that a test could reach.
fn no_limits() -> Limits {
    Limits {
        head: LONG,
        body_silence: LONG,
        idle: LONG,
        write: LONG,
        stream: LONG,
        stop: LONG,
    }
}

/// Tells when it is dropped.
struct Dropped(mpsc::UnboundedSender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

struct Serving {
    address: SocketAddr,
    /// Endless bodies that have been dropped.
    dropped: mpsc::UnboundedReceiver<()>,
    stopper: Stopper,
}

impl Serving {
    async fn start(limits: Limits) -> Self {
        let (sender, dropped) = mpsc::unbounded_channel();
        let endless = move || {
            let held = Dropped(sender.clone());
            let pieces = futures_util::stream::repeat_with(move || {
                let _ = &held;
                Ok::<_, Infallible>(Bytes::from(vec![b'a'; 64 * 1024]))
            });
            std::future::ready(Body::from_stream(pieces))
        };
        let slow = || async {
            sleep(SHORT * 3).await;
            "done"
        };
        let router = Router::new()
            .route("/", get(|| async { "done" }))
            .route("/slow", get(slow))
            .route("/echo", post(|body: String| async { body }))
            .route("/endless", get(endless));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stopper, stop) = Stopper::new();
        tokio::spawn(serve(listener, router, limits, stop));
        Self {
            address,
            dropped,
            stopper,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection whose reply never ends.
    async fn ask_for_endless(&self) -> TcpStream {
        let mut connection = self.connect().await;
        let request = b"GET /endless HTTP/1.1\r\nhost: a\r\n\r\n";
        connection.write_all(request).await.unwrap();
        connection
    }

    /// Sends the bytes and returns all that comes until the connection is closed.
    async fn send(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut connection = self.connect().await;
        // The server may have answered before it has read all.
        let _ = connection.write_all(bytes.as_ref()).await;
        rest(connection).await
    }
}

async fn rest(mut connection: TcpStream) -> String {
    let mut bytes = Vec::new();
    soon(connection.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Checks the only response's form, status and code.
#[track_caller]
fn check_refusal(answer: &str, status: u16, code: &str, what: &str) {
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("{what}: {answer:?}"));
    assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{what}: {head}");
    for header in [
        "content-type: application/json",
        "connection: close",
        "cache-control: no-store",
        "x-request-id: ",
        &format!("content-length: {}", body.len()),
    ] {
        assert!(head.contains(header), "{what}: {header} is missing: {head}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(!error_message(&body, code).is_empty());
}

#[tokio::test]
async fn what_is_not_http_gets_an_error_in_openais_form() {
    let serving = Serving::start(no_limits()).await;
    let with_headers = |headers: String| format!("GET / HTTP/1.1\r\n{headers}\r\n").into_bytes();
    let many = "a: a\r\n".repeat(150);
    for (what, bytes, status, code) in [
        ("no HTTP", b"Hello\r\n\r\n".to_vec(), 400, "invalid_http"),
        (
            "a handshake of TLS",
            b"\x16\x03\x01\x02\0\x01\0".to_vec(),
            400,
            "invalid_http",
        ),
        (
            "HTTP/2",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            400,
            "invalid_http",
        ),
        ("a broken header", with_headers("a b\r\n".into()), 400, "invalid_http"),
        (
            "a length that is none",
            with_headers("content-length: a\r\n".into()),
            400,
            "invalid_http",
        ),
        ("too many headers", with_headers(many), 431, "headers_too_large"),
        (
            "too long a header",
            with_headers(format!("a: {}\r\n", "a".repeat(1 << 20))),
            431,
            "headers_too_large",
        ),
        (
            "too long a URL",
            format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(70_000)).into(),
            414,
            "uri_too_long",
        ),
    ] {
        check_refusal(&serving.send(&bytes).await, status, code, what);
        // Behind a request that was answered it is no different.
        let both = serving
            .send([b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", &bytes[..]].concat())
            .await;
        let (first, second) = both.split_once("done").unwrap_or_else(|| panic!("{what}: {both:?}"));
        assert!(first.starts_with("HTTP/1.1 200 "), "{what}: {first}");
        check_refusal(second, status, code, what);
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_is_refused() {
    let serving = Serving::start(Limits {
        head: SHORT,
        ..no_limits()
    })
    .await;
    check_refusal(&serving.send("GET / HT").await, 408, "request_timeout", "silent");
    // Each byte of a slow one buys no more time.
    let (mut reader, mut writer) = serving.connect().await.into_split();
    let slow = tokio::spawn(async move {
        while writer.write_all(b"GET / HTTP/1.1\r\na: b\r\n").await.is_ok() {
            sleep(SHORT / 10).await;
        }
    });
    let mut answer = Vec::new();
    let _ = soon(reader.read_to_end(&mut answer)).await;
    slow.abort();
    check_refusal(&String::from_utf8(answer).unwrap(), 408, "request_timeout", "slow");
}

#[tokio::test]
async fn a_body_that_goes_silent_is_refused() {
    let serving = Serving::start(Limits {
        body_silence: SHORT,
        ..no_limits()
    })
    .await;
    for (what, coding) in [
        ("known length", "content-length: 9"),
        ("chunked", "transfer-encoding: chunked"),
    ] {
        let request = format!("POST /echo HTTP/1.1\r\nhost: a\r\n{coding}\r\n\r\n5\r\nHello\r\n");
        let request = &request[..request.len() - 3];
        check_refusal(&serving.send(request).await, 408, "request_timeout", what);
    }
}

#[tokio::test]
async fn only_an_idle_connection_is_closed_for_being_idle() {
    let limits = Limits {
        idle: SHORT,
        head: SHORT,
        body_silence: SHORT,
        write: SHORT,
        ..no_limits()
    };
    let serving = Serving::start(limits).await;
    assert_eq!(serving.send("").await, "");
    // The reply takes longer than any limit.
    let answer = serving.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("done"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_stream_ends_though_its_client_does_not_read_it() {
    let no_progress = Limits {
        write: SHORT,
        ..no_limits()
    };
    let too_long = Limits {
        stream: SHORT,
        ..no_limits()
    };
    for limits in [no_progress, too_long] {
        let mut serving = Serving::start(limits.clone()).await;
        let mut connection = serving.ask_for_endless().await;
        soon(serving.dropped.recv()).await.unwrap();
        // Visibly cut off: by a reset, or at least without the last chunk.
        let mut bytes = Vec::new();
        let read = soon(connection.read_to_end(&mut bytes)).await;
        assert!(read.is_err() || !bytes.ends_with(b"0\r\n\r\n"), "{limits:?}");
    }
}

#[tokio::test]
async fn a_stream_ends_though_its_client_reads_a_little() {
    let mut serving = Serving::start(Limits {
        stream: SHORT * 3,
        ..no_limits()
    })
    .await;
    let mut connection = serving.ask_for_endless().await;
    let reading = tokio::spawn(async move {
        while let Ok(1..) = connection.read(&mut [0; 1024]).await {
            sleep(SHORT / 10).await;
        }
    });
    soon(serving.dropped.recv()).await.unwrap();
    reading.abort();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_client_that_does_not_read() {
    let mut serving = Serving::start(Limits {
        stop: SHORT,
        ..no_limits()
    })
    .await;
    let connection = serving.ask_for_endless().await;
    connection.readable().await.unwrap();
    serving.stopper.stop();
    soon(serving.dropped.recv()).await.unwrap();
}
