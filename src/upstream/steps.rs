//! A response's frames as the steps of an answer.

use std::time::Duration;

use async_stream::stream;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use crate::{
    chat::delta::Delta,
    error::ProviderError,
    protocol::decode::{Ending, Frame, Reader},
};

/// The steps of an answer from a successful response's frames, up to the answer's end or the first error. Once the finish
/// reason is there, usage or an end marker may come for as long as `after_finish`.
pub fn read(
    mut frames: impl Stream<Item = Result<Frame, ProviderError>> + Send + Unpin,
    mut reader: Reader,
    after_finish: Duration,
) -> impl Stream<Item = Result<Delta, ProviderError>> + Send {
    stream! {
        // All of what follows the finish has this long, however much of it there is: pings may come for ever.
        let mut until = None;
        loop {
            let ending = reader.ending();
            let next = match ending {
                Ending::Over => return,
                Ending::Complete => {
                    let until = *until.get_or_insert_with(|| Instant::now() + after_finish);
                    match timeout_at(until, frames.next()).await {
                        Ok(next) => next,
                        Err(_) => return,
                    }
                }
                Ending::Unclosed => {
                    until.get_or_insert_with(|| Instant::now() + after_finish);
                    frames.next().await
                }
                Ending::CutOff | Ending::AtEndOfInput => {
                    until = None;
                    frames.next().await
                }
            };
            let deltas = match next {
                None if matches!(ending, Ending::CutOff | Ending::Unclosed) => Err(reader.cut_off()),
                None => return,
                Some(Err(_)) if ending == Ending::Complete => return,
                Some(frame) => frame.and_then(|frame| reader.read(&frame)),
            };
            match deltas {
                Err(error) => {
                    yield Err(error);
                    return;
                }
                Ok(deltas) => {
                    for delta in deltas {
                        yield Ok(delta);
                    }
                    // The connection is alive, and the end marker has not come.
                    if reader.ending() == Ending::Unclosed && until.is_some_and(|until| Instant::now() > until) {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::stream::{iter, unfold};

    use super::*;
    use crate::protocol::Protocol;

    fn frame(data: &str) -> Frame {
        Frame {
            event: None,
            data: data.to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pings_after_the_finish_do_not_hold_a_reply_open() {
        let answer = [
            r#"{"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}"#,
            r#"{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}"#,
        ];
        for sign_of_life in [r#"{"type": "ping"}"#, ""] {
            let pings = unfold((), |()| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Some((frame(sign_of_life), ()))
            });
            let frames = pin!(iter(answer.map(frame)).chain(pings).map(Ok));
            let steps: Vec<_> = read(frames, Protocol::Anthropic.reader(), Duration::from_secs(3))
                .collect()
                .await;
            assert_eq!(steps.len(), 3, "{steps:?}");
            assert!(steps.iter().all(Result::is_ok), "{steps:?}");
        }
        // What comes late is read all the same.
        let late = unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Some((frame(r#"{"type": "error", "error": {"message": "boom"}}"#), ()))
        });
        let frames = pin!(iter(answer.map(frame)).chain(late).map(Ok));
        let steps: Vec<_> = read(frames, Protocol::Anthropic.reader(), Duration::from_secs(3))
            .collect()
            .await;
        assert!(steps.last().is_some_and(Result::is_err), "{steps:?}");
    }
}
