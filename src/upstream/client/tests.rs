//! Connections that go silent or break, with a real HTTP/2 server: over TLS, as providers have it, and without, where both sides
//! know that they speak it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use h2::{Reason, SendStream, server::SendResponse};
use reqwest::Certificate;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer},
};

use super::*;
use crate::{config::Timeouts, deadline::Deadline, error::Failure, upstream::frames};

const SOON: Duration = Duration::from_millis(200);
const NEVER: Duration = Duration::from_secs(600);

/// What a server does with a request.
#[derive(Debug, Clone, Copy)]
enum Does {
    Answers,
    /// Reads nothing more from this connection, but keeps it.
    GoesSilent,
    /// Answers, and takes no more requests on this connection.
    GoesAway,
    /// Breaks the connection off with an error.
    BreaksOff,
    /// Resets the stream before its head.
    Refuses,
    /// Sends a beginning of an answer and resets the stream, which says that there was no error.
    ResetsWithoutError,
}

/// A server of HTTP/2.
struct Server {
    url: String,
    /// How many connections there have been.
    connections: Arc<AtomicUsize>,
    /// What it is trusted by, where it has TLS.
    certificate: Option<Certificate>,
}

/// A server that does `first` on its first connection, request by request, and answers on all others.
async fn serve(first: Vec<Does>, with_tls: bool) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scheme = if with_tls { "https" } else { "http" };
    let url = format!("{scheme}://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    let (acceptor, certificate) = with_tls.then(tls).unzip();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            let steps = if is_first { first.clone() } else { Vec::new() };
            let acceptor: Option<TlsAcceptor> = acceptor.clone();
            tokio::spawn(async move {
                match acceptor {
                    Some(acceptor) => speak(acceptor.accept(socket).await.unwrap(), steps).await,
                    None => speak(socket, steps).await,
                }
            });
        }
    });
    Server {
        url,
        connections,
        certificate,
    }
}

/// TLS that offers HTTP/2, and the certificate that it has.
fn tls() -> (TlsAcceptor, Certificate) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let certificate = Certificate::from_der(own.cert.der()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

/// One connection.
async fn speak(socket: impl AsyncRead + AsyncWrite + Unpin, steps: Vec<Does>) {
    let mut connection = h2::server::handshake(socket).await.unwrap();
    let mut steps = steps.into_iter();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        match steps.next().unwrap_or(Does::Answers) {
            Does::Answers => answer(respond).send_data("data: {}\n\n".into(), true).unwrap(),
            Does::GoesAway => {
                answer(respond).send_data("data: {}\n\n".into(), true).unwrap();
                connection.graceful_shutdown();
            }
            Does::BreaksOff => connection.abrupt_shutdown(Reason::INTERNAL_ERROR),
            Does::Refuses => respond.send_reset(Reason::INTERNAL_ERROR),
            Does::GoesSilent => std::future::pending().await,
            Does::ResetsWithoutError => {
                let mut body = answer(respond);
                body.send_data("data: {}\n\n".into(), false).unwrap();
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    body.send_reset(Reason::NO_ERROR);
                });
            }
        }
    }
}

fn answer(mut respond: SendResponse<bytes::Bytes>) -> SendStream<bytes::Bytes> {
    let head = axum::http::Response::builder().header("content-type", "text/event-stream");
    respond.send_response(head.body(()).unwrap(), false).unwrap()
}

fn client(connections: &Connections, server: &Server, http2_ping: Duration) -> Client {
    let timeouts = Timeouts {
        http2_ping,
        ..Timeouts::default()
    };
    let builder = || match &server.certificate {
        Some(certificate) => builder(&timeouts).tls_certs_only([certificate.clone()]),
        None => builder(&timeouts).http2_prior_knowledge(),
    };
    connections.client(builder).unwrap()
}

async fn call(client: &Client, server: &Server) -> Result<String, reqwest::Error> {
    let response = client.http.post(&server.url).send().await?;
    assert_eq!(response.version(), axum::http::Version::HTTP_2);
    response.text().await
}

#[tokio::test]
async fn a_connection_that_goes_silent_is_found_out() {
    for with_tls in [true, false] {
        let server = serve(vec![Does::Answers, Does::GoesSilent], with_tls).await;
        let client = client(&Connections::default(), &server, SOON);
        call(&client, &server).await.unwrap();
        let silent = tokio::time::timeout(NEVER, call(&client, &server)).await;
        assert!(silent.unwrap().is_err());
        call(&client, &server).await.unwrap();
        assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_connection_on_which_a_call_took_too_long_is_not_used_again() {
    for with_tls in [true, false] {
        let server = serve(vec![Does::Answers, Does::GoesSilent], with_tls).await;
        let connections = Connections::default();
        let first = client(&connections, &server, NEVER);
        call(&first, &server).await.unwrap();
        assert!(tokio::time::timeout(SOON, call(&first, &server)).await.is_err());
        first.abandon();
        let second = client(&connections, &server, NEVER);
        // Whoever waited on the same connection changes nothing more.
        first.abandon();
        call(&second, &server).await.unwrap();
        call(&client(&connections, &server, NEVER), &server).await.unwrap();
        assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    }
}

/// What comes of a fault, as `docs/faults.md` has it too.
#[derive(serde::Deserialize)]
struct Row {
    fault: String,
    call: String,
    next: String,
}

fn named(fault: &str) -> Does {
    match fault {
        "the connection goes silent" => Does::GoesSilent,
        "the connection is broken off" => Does::BreaksOff,
        "GOAWAY while the call is answered" => Does::GoesAway,
        "the stream is reset before its head" => Does::Refuses,
        "the stream is reset without an error, in the middle of its answer" => Does::ResetsWithoutError,
        fault => panic!("{fault}"),
    }
}

/// How a call ends that is read as the decoders read it.
async fn ending(client: &Client, server: &Server) -> &'static str {
    let Ok(response) = client.http.post(&server.url).send().await else {
        return "an error";
    };
    let frames: Vec<_> = frames::read(response, NEVER, Deadline::new(None)).collect().await;
    if frames.iter().all(Result::is_ok) {
        "the whole answer"
    } else {
        "an error"
    }
}

#[tokio::test]
async fn a_call_that_is_broken_off_leaves_the_next_one_well() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../../../tests/fixtures/http2_faults.json")).unwrap();
    for Row {
        fault,
        call: broken_off,
        next,
    } in rows
    {
        for with_tls in [true, false] {
            let server = serve(vec![Does::Answers, named(&fault)], with_tls).await;
            let client = client(&Connections::default(), &server, SOON);
            call(&client, &server).await.unwrap();
            assert_eq!(ending(&client, &server).await, broken_off, "{fault}");
            assert_eq!(ending(&client, &server).await, next, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_is_cut_off() {
    let server = serve(vec![Does::Answers, Does::ResetsWithoutError], true).await;
    let client = client(&Connections::default(), &server, NEVER);
    for cut_off in [false, true] {
        let response = client.http.post(&server.url).send().await.unwrap();
        let frames: Vec<_> = frames::read(response, NEVER, Deadline::new(None)).collect().await;
        assert_eq!(frames.len(), 1 + usize::from(cut_off), "{frames:?}");
        assert!(frames[0].is_ok(), "{frames:?}");
        assert_eq!(
            matches!(
                frames.last(),
                Some(Err(error)) if error.failure == Failure::Broken
            ),
            cut_off,
            "{frames:?}"
        );
    }
}
