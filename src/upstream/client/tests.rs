//! Connections that go silent or break, with a real HTTP/2 server. Without TLS: both sides know that they speak it.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::StreamExt;
use h2::{Reason, SendStream, server::SendResponse};
use tokio::net::TcpListener;

use super::*;
use crate::{config::Timeouts, deadline::Deadline, error::ProviderError, upstream::frames};

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

/// A server that does `first` on its first connection, request by request, and answers on all others.
async fn serve(first: Vec<Does>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
            let steps = if is_first { first.clone() } else { Vec::new() };
            tokio::spawn(async move {
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
            });
        }
    });
    (url, connections)
}

fn answer(mut respond: SendResponse<bytes::Bytes>) -> SendStream<bytes::Bytes> {
    let head = axum::http::Response::builder().header("content-type", "text/event-stream");
    respond.send_response(head.body(()).unwrap(), false).unwrap()
}

fn client(connections: &Connections, http2_ping: Duration) -> Client {
    let timeouts = Timeouts {
        http2_ping,
        ..Timeouts::default()
    };
    connections
        .client(|| builder(&timeouts).http2_prior_knowledge())
        .unwrap()
}

async fn call(client: &Client, url: &str) -> Result<String, reqwest::Error> {
    client.http.post(url).send().await?.text().await
}

#[tokio::test]
async fn a_connection_that_goes_silent_is_found_out() {
    let (url, count) = serve(vec![Does::Answers, Does::GoesSilent]).await;
    let connections = Connections::default();
    let client = client(&connections, SOON);
    call(&client, &url).await.unwrap();
    let silent = tokio::time::timeout(NEVER, call(&client, &url)).await;
    assert!(silent.unwrap().is_err());
    call(&client, &url).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_connection_on_which_a_call_took_too_long_is_not_used_again() {
    let (url, count) = serve(vec![Does::Answers, Does::GoesSilent]).await;
    let connections = Connections::default();
    let first = client(&connections, NEVER);
    call(&first, &url).await.unwrap();
    assert!(tokio::time::timeout(SOON, call(&first, &url)).await.is_err());
    first.abandon();
    let second = client(&connections, NEVER);
    // Whoever waited on the same connection changes nothing more.
    first.abandon();
    call(&second, &url).await.unwrap();
    call(&client(&connections, NEVER), &url).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_call_that_is_broken_off_leaves_the_next_one_well() {
    for (does, is_answered) in [(Does::GoesAway, true), (Does::BreaksOff, false), (Does::Refuses, false)] {
        let (url, _) = serve(vec![Does::Answers, does]).await;
        let client = client(&Connections::default(), NEVER);
        call(&client, &url).await.unwrap();
        assert_eq!(call(&client, &url).await.is_ok(), is_answered, "{does:?}");
        call(&client, &url).await.unwrap();
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_is_cut_off() {
    let (url, _) = serve(vec![Does::Answers, Does::ResetsWithoutError]).await;
    let client = client(&Connections::default(), NEVER);
    for cut_off in [false, true] {
        let response = client.http.post(&url).send().await.unwrap();
        let frames: Vec<_> = frames::read(response, NEVER, Deadline::new(None)).collect().await;
        assert_eq!(frames.len(), 1 + usize::from(cut_off), "{frames:?}");
        assert!(frames[0].is_ok(), "{frames:?}");
        assert_eq!(
            matches!(frames.last(), Some(Err(ProviderError::Failed { .. }))),
            cut_off,
            "{frames:?}"
        );
    }
}
