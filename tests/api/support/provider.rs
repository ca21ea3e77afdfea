//! A provider whose answers are written byte by byte, so that it can fail in any place.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};

/// One answer, step by step. The connection is closed after the last step.
pub type Answer = Vec<Step>;

#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Silence until the client goes away.
    /// The connection is reset.
    Reset,
    /// The same bytes so many times.
    Repeat(Vec<u8>, usize),
    Hang,
}

impl Step {
    /// Whether these bytes have a text among them.
    pub fn contains(&self, text: &str) -> bool {
        matches!(self, Self::Send(bytes) if bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    pub head: String,
    /// Its exact text.
    pub text: String,
    /// `null` where it is no JSON.
    pub body: Value,
}

/// Chooses an answer for a request.
type Choose = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

pub struct FakeProvider {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    _bound: Option<TcpSocket>,
}

impl FakeProvider {
    /// Gives the answers in turn, the last one again and again.
    pub async fn new(answers: Vec<Answer>) -> Self {
        let answers = Mutex::new(VecDeque::from(answers));
        Self::choosing(move |_| {
            let mut answers = answers.lock().unwrap();
            if answers.len() > 1 {
                answers.pop_front().unwrap()
            } else {
                answers[0].clone()
            }
        })
        .await
    }

    /// Gives the answer that `choose` has for a request's body.
    pub async fn choosing(choose: impl Fn(&Value) -> Answer + Send + Sync + 'static) -> Self {
        Self::seeing(move |request| choose(&request.body)).await
    }

    /// Gives the answer that `choose` has for a whole request.
    pub async fn seeing(choose: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let choose: Choose = Arc::new(choose);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&choose), Arc::clone(&log)));
            }
        });
        Self {
            port,
            received,
            _bound: None,
        }
    }

    pub async fn always(answer: Answer) -> Self {
        Self::new(vec![answer]).await
    }

    /// A port that nobody listens on, and that nobody else can bind meanwhile.
    pub fn refusing() -> Self {
        let bound = TcpSocket::new_v4().unwrap();
        bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self {
            port: bound.local_addr().unwrap().port(),
            received: Arc::default(),
            _bound: Some(bound),
        }
    }

    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn base_url(&self) -> String {
        format!("{}/v1", self.origin())
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(mut connection: TcpStream, choose: Choose, log: Arc<Mutex<Vec<Received>>>) {
    connection.set_nodelay(true).unwrap();
    let Some(request) = read_request(&mut connection).await else {
        return;
    };
    let answer = choose(&request);
    log.lock().unwrap().push(request);
    for step in answer {
        match step {
            Step::Send(bytes) => {
                if connection.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Step::Repeat(bytes, times) => {
                for _ in 0..times {
                    if connection.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
            }
            Step::Reset => {
                SockRef::from(&connection).set_linger(Some(Duration::ZERO)).unwrap();
                return;
            }
            Step::Pause(duration) => tokio::time::sleep(duration).await,
            Step::Hang => {
                let _ = connection.read(&mut [0; 16]).await;
                return;
            }
        }
    }
}

async fn read_request(connection: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_lowercase();
            let length = lower
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.lines().next());
            if body.len() >= length.map_or(Some(0), |length| length.parse().ok())? {
                return Some(Received {
                    head: head.to_owned(),
                    body: serde_json::from_str(body).unwrap_or_default(),
                    text: body.to_owned(),
                });
            }
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A response that is no stream.
pub fn response(status: u16, headers: &str, body: &str) -> Answer {
    let response = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    vec![Step::Send(response.into())]
}

/// An error as OpenAI documents it.
pub fn error(status: u16, code: &str) -> Answer {
    let body = json!({"error": {"message": format!("the provider's words on {code}"), "type": "some_error", "param": null, "code": code}});
    response(status, "", &body.to_string())
}

/// The head of a stream in chunked transfer coding.
pub fn stream_head(content_type: &str) -> Step {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    Step::Send(head.into())
}

/// The head of a stream of events.
pub fn events_head() -> Step {
    stream_head("text/event-stream")
}

/// A piece of a stream's body.
pub fn piece(bytes: impl AsRef<[u8]>) -> Step {
    let bytes = bytes.as_ref();
    Step::Send([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}

/// The regular end of a stream's body. Without it the connection is cut.
pub fn stream_end() -> Step {
    Step::Send("0\r\n\r\n".into())
}

fn chunk(choices: Value) -> String {
    let chunk = json!({"id": "chatcmpl-upstream", "object": "chat.completion.chunk", "created": 1,
        "model": "gpt-4o-2024-08-06", "choices": choices});
    format!("data: {chunk}\n\n")
}

/// A chunk with text, as OpenAI sends it.
pub fn text(text: &str) -> Step {
    piece(chunk(
        json!([{"index": 0, "delta": {"content": text}, "logprobs": null, "finish_reason": null}]),
    ))
}

/// The chunk with the finish reason, as OpenAI sends it.
pub fn finish(reason: &str) -> Step {
    piece(chunk(
        json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": reason}]),
    ))
}

/// The chunk that `stream_options.include_usage` asks for.
pub fn usage(prompt: u64, completion: u64) -> Step {
    let usage = json!({"id": "chatcmpl-upstream", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-2024-08-06",
        "choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}});
    piece(format!("data: {usage}\n\n"))
}

/// A stream of these pieces of text, ended as OpenAI ends it.
pub fn answer(texts: &[&str]) -> Answer {
    let mut steps = vec![events_head()];
    steps.push(piece(chunk(json!([{"index": 0, "delta": {"role": "assistant", "content": "", "refusal": null}, "logprobs": null, "finish_reason": null}]))));
    steps.extend(texts.iter().map(|part| text(part)));
    steps.extend([finish("stop"), usage(9, 12), piece("data: [DONE]\n\n"), stream_end()]);
    steps
}
