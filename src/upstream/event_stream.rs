//! AWS's event stream as frames: binary messages with headers, a payload and two checksums.

use async_stream::stream;
use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use aws_smithy_types::event_stream::Message;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};

use crate::{error::ProviderError, protocol::decode::Frame};

/// Each message begins with its length in bytes, four bytes wide, and none is longer than 16 MB.
pub(super) const FIRST_BYTE: u8 = 0;

/// Frames as they arrive, up to the end of input or the first error. Calls `arrived` at each.
pub(super) fn read(
    mut bytes: impl Stream<Item = Result<Bytes, ProviderError>> + Send + Unpin,
    arrived: impl Fn() + Send,
) -> impl Stream<Item = Result<Frame, ProviderError>> + Send {
    stream! {
        let mut decoder = MessageFrameDecoder::new();
        let mut buffer = BytesMut::new();
        loop {
            let frame = match decoder.decode_frame(&mut buffer) {
                Ok(DecodedFrame::Complete(message)) => {
                    arrived();
                    frame(&message)
                }
                Ok(DecodedFrame::Incomplete) => match bytes.next().await {
                    None => return,
                    Some(Ok(piece)) => {
                        buffer.extend_from_slice(&piece);
                        continue;
                    }
                    Some(Err(error)) => Err(error),
                },
                Err(error) => Err(ProviderError::failed(format!("malformed frame: {error}"))),
            };
            let broken = frame.is_err();
            yield frame;
            if broken {
                return;
            }
        }
    }
}

/// An exception is named in the headers and described in the payload, an error is all in the headers. Either becomes
/// what other providers send: an event `error` that says both.
fn frame(message: &Message) -> Result<Frame, ProviderError> {
    let header = |name: &str| {
        let header = message.headers().iter().find(|header| header.name().as_str() == name)?;
        Some(header.value().as_string().ok()?.as_str())
    };
    let payload = String::from_utf8_lossy(message.payload());
    let error = |kind: Option<&str>, message: Option<&str>, status: Option<u64>| Frame {
        event: Some("error".into()),
        data: json!({"type": kind, "message": message, "status": status}).to_string(),
    };
    match header(":message-type") {
        Some("event") => Ok(Frame {
            event: Some(header(":event-type").unwrap_or_default().to_owned()),
            data: payload.into_owned(),
        }),
        Some("exception") => {
            let described: Value = serde_json::from_str(&payload).unwrap_or_default();
            // `modelStreamErrorException` says what the model itself answered, which may be that the request is at fault.
            let status = described["originalStatusCode"]
                .as_u64()
                .filter(|status| [400, 413, 422].contains(status));
            let message = described["originalMessage"].as_str().filter(|_| status.is_some());
            let message = message.or(described["message"].as_str());
            Ok(error(header(":exception-type"), message, status))
        }
        Some("error") => Ok(error(header(":error-code"), header(":error-message"), None)),
        _ => Err(ProviderError::failed("a frame without a known message type")),
    }
}
