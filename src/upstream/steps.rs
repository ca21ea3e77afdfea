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
                Ending::CutOff | Ending::AtEndOfInput => {
                    until = None;
                    frames.next().await
                }
            };
            let deltas = match next {
                None if ending == Ending::CutOff => Err(reader.cut_off()),
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
                }
            }
        }
    }
}
