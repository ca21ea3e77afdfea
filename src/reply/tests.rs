use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use axum::response::Response;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio::sync::Notify;

use super::{buffered, form::Form, streamed};
use crate::{
    answer::{Answer, Awaited, Ended, Omitted, Tries, Unanswered, Whole},
    chat::delta::{Delta, FinishReason},
    config::Timeouts,
    deadline::Deadline,
    error::{Error, Failure, ProviderError},
    provider::{self, Model},
    record::{EndTask, Outcome, ReplyRecord},
};

/// A form of one word for each step.
struct Words;

impl Form for Words {
    fn begin(&mut self, _: &Model, out: &mut BytesMut) {
        out.put_slice(b"begin created ");
    }

    fn delta(&mut self, delta: &Delta, out: &mut BytesMut) -> Result<(), Error> {
        if let Delta::Text { text, .. } = delta {
            out.put_slice(text.as_bytes());
        }
        Ok(())
    }

    fn finish(&mut self, _: Ended, out: &mut BytesMut) -> Option<EndTask> {
        out.put_slice(b" finish");
        None
    }

    fn end(&mut self, _: Ended, out: &mut BytesMut) {
        out.put_slice(b" end");
    }

    fn error(&mut self, _: &Error, out: &mut BytesMut) {
        out.put_slice(b" error");
    }

    fn complete(&mut self, _: &Model, _: &Whole) -> Option<EndTask> {
        None
    }

    fn whole(self, _: &Model, whole: Whole) -> Bytes {
        whole.text.unwrap_or_default().into()
    }
}

/// A task at the end that waits for leave.
#[derive(Default)]
struct Seen {
    begun: AtomicUsize,
    leave: Notify,
    done: AtomicUsize,
    outcome: Mutex<Option<Outcome>>,
}

impl Seen {
    fn counts(&self) -> (usize, usize) {
        (self.begun.load(Ordering::SeqCst), self.done.load(Ordering::SeqCst))
    }

    /// What the one run of the task saw.
    async fn outcome(&self) -> Outcome {
        // A spawned task has its turn.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.counts(), (1, 1));
        self.outcome.lock().unwrap().clone().unwrap()
    }
}

fn model() -> Model {
    provider::choose("gpt-4o", None, None).unwrap()
}

fn record(seen: &Arc<Seen>, function: Option<Duration>) -> ReplyRecord {
    let deadline = Deadline::new(function.map(|time| SystemTime::now() + time));
    let mut record = ReplyRecord::new("assistant".into(), &model(), true, Instant::now(), deadline);
    let seen = Arc::clone(seen);
    record.at_end(Box::new(move |record| {
        seen.begun.fetch_add(1, Ordering::SeqCst);
        *seen.outcome.lock().unwrap() = Some(record.outcome().clone());
        async move {
            seen.leave.notified().await;
            seen.done.fetch_add(1, Ordering::SeqCst);
        }
        .boxed()
    }));
    record
}

fn text(text: &str) -> Delta {
    Delta::Text {
        text: text.into(),
        logprobs: None,
    }
}

fn answering(deltas: impl Stream<Item = Delta> + Send + 'static) -> Awaited {
    let (model, deltas, tries) = (model(), Box::pin(deltas.map(Ok)), Tries::default());
    let omitted = Omitted::default();
    Box::pin(async move {
        Ok(Answer {
            model,
            deltas,
            tries,
            omitted,
        })
    })
}

fn complete() -> Awaited {
    answering(stream::iter([text("Hi"), Delta::Finish(FinishReason::Stop)]))
}

/// Begins and goes silent.
fn silent() -> Awaited {
    answering(stream::iter([text("Hi")]).chain(stream::pending()))
}

fn failing() -> Awaited {
    let error = ProviderError::new(Failure::Overloaded, "").into();
    let tries = Tries::default();
    Box::pin(async move { Err(Unanswered { error, tries }) })
}

async fn streamed(awaited: Awaited, record: ReplyRecord) -> Result<Response, Error> {
    let timeouts = Timeouts::default();
    streamed::reply(awaited, Words, &timeouts, record).await
}

async fn read(pieces: &mut axum::body::BodyDataStream) -> String {
    let piece = pieces.next().await.unwrap().unwrap();
    String::from_utf8(piece.to_vec()).unwrap()
}

#[tokio::test]
async fn a_stream_has_sent_text_and_finish_before_its_end_is_written_and_ends_after() {
    let seen = Arc::<Seen>::default();
    let reply = streamed(complete(), record(&seen, None)).await.unwrap();
    let mut pieces = reply.into_body().into_data_stream();
    assert_eq!(seen.counts(), (0, 0));
    assert_eq!(read(&mut pieces).await, "begin created Hi finish");
    assert!(pieces.next().now_or_never().is_none());
    tokio::task::yield_now().await;
    assert_eq!(seen.counts(), (1, 0));
    assert!(pieces.next().now_or_never().is_none());
    seen.leave.notify_one();
    assert_eq!(read(&mut pieces).await, " end");
    assert!(pieces.next().await.is_none());
    assert_eq!(seen.outcome().await, Outcome::Finished(FinishReason::Stop));
}

#[tokio::test(start_paused = true)]
async fn an_end_that_hangs_is_given_up() {
    for (function, limit) in [(None, 500), (Some(Duration::from_millis(800)), 100)] {
        let seen = Arc::<Seen>::default();
        let reply = streamed(complete(), record(&seen, function)).await.unwrap();
        let mut pieces = reply.into_body().into_data_stream();
        assert_eq!(read(&mut pieces).await, "begin created Hi finish");
        let before = tokio::time::Instant::now();
        assert_eq!(read(&mut pieces).await, " end");
        let waited = before.elapsed().as_millis();
        // A quarter of a short function's time is kept back, and the time of this machine passes too.
        assert!((limit / 2..=limit + 1).contains(&waited), "{waited} ms");
        seen.leave.notify_one();
        tokio::task::yield_now().await;
        assert_eq!(seen.counts(), (1, 0));
    }
}

#[tokio::test]
async fn the_end_is_written_once_where_the_client_goes_away() {
    // Within the text, …
    let seen = Arc::<Seen>::default();
    seen.leave.notify_one();
    let reply = streamed(silent(), record(&seen, None)).await.unwrap();
    let mut body = reply.into_body().into_data_stream();
    assert_eq!(read(&mut body).await, "begin created Hi");
    drop(body);
    assert_eq!(seen.outcome().await, Outcome::ClientGone);

    // … before anything, …
    let seen = Arc::<Seen>::default();
    seen.leave.notify_one();
    drop(streamed(silent(), record(&seen, None)).await.unwrap());
    assert_eq!(seen.outcome().await, Outcome::ClientGone);

    // … while the end is being written, …
    let seen = Arc::<Seen>::default();
    let reply = streamed(complete(), record(&seen, None)).await.unwrap();
    let mut body = reply.into_body().into_data_stream();
    read(&mut body).await;
    drop(body);
    seen.leave.notify_one();
    assert_eq!(seen.outcome().await, Outcome::Finished(FinishReason::Stop));

    // … and while a buffered reply is not there yet.
    let seen = Arc::<Seen>::default();
    seen.leave.notify_one();
    assert!(
        buffered::reply(silent(), Words, record(&seen, None))
            .now_or_never()
            .is_none()
    );
    assert_eq!(seen.outcome().await, Outcome::ClientGone);
}

#[tokio::test]
async fn a_failed_reply_waits_for_its_end_too() {
    let failed = Outcome::Failed {
        status: 503,
        code: "provider_overloaded".into(),
        cause: None,
        fault: Some("provider_failing"),
    };
    for stream in [false, true] {
        let seen = Arc::<Seen>::default();
        let record = record(&seen, None);
        let reply = async move {
            if stream {
                streamed(failing(), record).await
            } else {
                buffered::reply(failing(), Words, record).await
            }
        };
        tokio::pin!(reply);
        assert!(futures_util::poll!(&mut reply).is_pending());
        seen.leave.notify_one();
        assert_eq!(reply.await.unwrap_err().status(), 503);
        assert_eq!(seen.outcome().await, failed);
    }

    // Within a stream: the error is its last event.
    let seen = Arc::<Seen>::default();
    let cut = answering(stream::iter([text("Hi")]));
    let reply = streamed(cut, record(&seen, None)).await.unwrap();
    let mut pieces = reply.into_body().into_data_stream();
    assert_eq!(read(&mut pieces).await, "begin created Hi");
    assert!(pieces.next().now_or_never().is_none());
    seen.leave.notify_one();
    assert_eq!(read(&mut pieces).await, " error");
    assert!(pieces.next().await.is_none());
    assert!(matches!(seen.outcome().await, Outcome::Failed { status: 502, .. }));
}

#[tokio::test]
async fn a_buffered_reply_is_there_after_its_end_is_written() {
    let seen = Arc::<Seen>::default();
    let reply = buffered::reply(complete(), Words, record(&seen, None));
    tokio::pin!(reply);
    assert!(futures_util::poll!(&mut reply).is_pending());
    seen.leave.notify_one();
    assert_eq!(reply.await.unwrap().status(), 200);
    assert_eq!(seen.outcome().await, Outcome::Finished(FinishReason::Stop));
}
