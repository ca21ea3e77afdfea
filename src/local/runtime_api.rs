//! A Lambda Runtime API for one function on this machine, after AWS's "Using the Lambda runtime API for custom
//! runtimes": `next` hands out an event, `response` takes the reply piece by piece.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, mpsc},
};

/// What the function does with an event.
#[derive(Debug)]
pub enum Piece {
    /// Bytes of the response's body, the prelude first, and when they came.
    Bytes(Instant, Bytes),
    /// The body ended as it should.
    End(Instant),
    /// The connection broke within the body: the client of a Function URL sees a broken response.
    Broken,
    /// The function reported an error in place of a response.
    Error(Value),
}

/// The Runtime API; a function is pointed at it by `AWS_LAMBDA_RUNTIME_API`.
#[derive(Debug)]
pub struct RuntimeApi {
    /// Where it listens.
    pub address: SocketAddr,
    events: mpsc::UnboundedSender<Invocation>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    event: Value,
    deadline: SystemTime,
}

#[derive(Debug)]
struct Shared {
    events: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    running: Mutex<HashMap<String, mpsc::UnboundedSender<Piece>>>,
    polled: tokio::sync::watch::Sender<Option<Instant>>,
}

impl RuntimeApi {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            events: AsyncMutex::new(queue),
            running: Mutex::default(),
            polled: tokio::sync::watch::Sender::new(None),
        });
        let runtime = Router::new()
            .route("/invocation/next", get(next))
            .route("/invocation/{id}/response", post(response))
            .route("/invocation/{id}/error", post(failure))
            .route("/init/error", post(init_failure));
        let routes = Router::new()
            .nest("/2018-06-01/runtime", runtime)
            .with_state(Arc::clone(&shared));
        let listener = listener.tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            address,
            events,
            shared,
        })
    }

    /// Waits until the function has asked for its first event: its cold start is over then.
    pub async fn first_poll(&self) -> Option<Instant> {
        let mut polled = self.shared.polled.subscribe();
        let polled = polled.wait_for(Option::is_some).await.ok()?;
        *polled
    }

    /// Hands an event to the function and returns what comes of it. `deadline` is the function's.
    pub fn invoke(&self, event: Value, deadline: SystemTime) -> mpsc::UnboundedReceiver<Piece> {
        let (pieces, received) = mpsc::unbounded_channel();
        let id = uuid::Uuid::new_v4().to_string();
        self.shared.running().insert(id.clone(), pieces);
        let _ = self.events.send(Invocation { id, event, deadline });
        received
    }
}

impl Shared {
    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<Piece>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.polled.send_if_modified(|polled| {
        let first = polled.is_none();
        polled.get_or_insert_with(Instant::now);
        first
    });
    let Some(invocation) = shared.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = invocation
        .deadline
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:endpoint".into(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-00000000-000000000000000000000000;Sampled=0".into(),
        ),
    ];
    (headers, Json(invocation.event)).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Body) -> Response {
    let Some(pieces) = shared.running().remove(&id) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        let Ok(bytes) = piece else {
            let _ = pieces.send(Piece::Broken);
            return StatusCode::BAD_REQUEST.into_response();
        };
        let _ = pieces.send(Piece::Bytes(Instant::now(), bytes));
    }
    let _ = pieces.send(Piece::End(Instant::now()));
    accepted()
}

async fn failure(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> Response {
    if let Some(pieces) = shared.running().remove(&id) {
        let error = serde_json::from_slice(&body).unwrap_or_default();
        let _ = pieces.send(Piece::Error(error));
    }
    accepted()
}

async fn init_failure(body: Bytes) -> Response {
    eprintln!("the function failed to start: {}", String::from_utf8_lossy(&body));
    accepted()
}

fn accepted() -> Response {
    let ok = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::ACCEPTED, ok, json!({"status": "OK"}).to_string()).into_response()
}
