//! A response's frames as the steps of an answer.

use std::time::Duration;

use async_stream::stream;
use futures_util::{Stream, StreamExt};

use crate::{
    chat::delta::Delta,
    error::ProviderError,
    protocol::decode::{Decode, Decoded, Ending, Frame},
};

/// The steps of an answer from a successful response's frames, up to the answer's end or the first error. Once the finish
/// reason is there, usage or an end marker may come for as long as `after_finish`.
pub fn read(
    mut frames: impl Stream<Item = Result<Frame, ProviderError>> + Send + Unpin,
    mut decoder: Box<dyn Decode>,
    after_finish: Duration,
) -> impl Stream<Item = Result<Delta, ProviderError>> + Send {
    stream! {
        loop {
            let ending = decoder.ending();
            let next = if ending == Ending::Complete {
                match tokio::time::timeout(after_finish, frames.next()).await {
                    Ok(next) => next,
                    Err(_) => return,
                }
            } else {
                frames.next().await
            };
            let decoded = match next {
                None if ending == Ending::CutOff => Err(ProviderError::failed("the stream ended before the answer did")),
                None => return,
                Some(Err(_)) if ending == Ending::Complete => return,
                Some(frame) => frame.and_then(|frame| decoder.decode(&frame)),
            };
            match decoded {
                Err(error) => {
                    yield Err(error);
                    return;
                }
                Ok(Decoded::End) => return,
                Ok(Decoded::Deltas(deltas)) => {
                    for delta in deltas {
                        yield Ok(delta);
                    }
                }
            }
        }
    }
}
