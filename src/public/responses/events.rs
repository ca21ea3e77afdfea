//! The server-sent events of a streamed response.

use bytes::BytesMut;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::bodies::{OutputItem, OutputPart, ResponseObject, SummaryPart};
use crate::{error::ErrorObject, reply::form::write};

/// The data of an event. Each also has a `sequence_number`, one more than that of the event before.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type")]
#[schema(as = ResponseStreamEvent)]
pub(crate) enum StreamEvent<'a> {
    #[serde(rename = "response.created")]
    Created { response: ResponseObject<'a> },
    #[serde(rename = "response.in_progress")]
    InProgress { response: ResponseObject<'a> },
    #[serde(rename = "response.output_item.added")]
    ItemAdded { output_index: usize, item: OutputItem<'a> },
    #[serde(rename = "response.content_part.added")]
    PartAdded {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        part: OutputPart<'a>,
    },
    #[serde(rename = "response.output_text.delta")]
    TextDelta {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        delta: &'a str,
        #[schema(value_type = Vec<Object>)]
        logprobs: &'a [Box<RawValue>],
    },
    #[serde(rename = "response.output_text.done")]
    TextDone {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        text: &'a str,
        #[schema(value_type = Vec<Object>)]
        logprobs: &'a [Box<RawValue>],
    },
    #[serde(rename = "response.refusal.delta")]
    RefusalDelta {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        delta: &'a str,
    },
    #[serde(rename = "response.refusal.done")]
    RefusalDone {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        refusal: &'a str,
    },
    #[serde(rename = "response.content_part.done")]
    PartDone {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        part: OutputPart<'a>,
    },
    #[serde(rename = "response.reasoning_summary_part.added")]
    SummaryAdded {
        item_id: &'a str,
        output_index: usize,
        summary_index: usize,
        part: SummaryPart<'a>,
    },
    #[serde(rename = "response.reasoning_summary_text.delta")]
    SummaryDelta {
        item_id: &'a str,
        output_index: usize,
        summary_index: usize,
        delta: &'a str,
    },
    #[serde(rename = "response.reasoning_summary_text.done")]
    SummaryTextDone {
        item_id: &'a str,
        output_index: usize,
        summary_index: usize,
        text: &'a str,
    },
    #[serde(rename = "response.reasoning_summary_part.done")]
    SummaryDone {
        item_id: &'a str,
        output_index: usize,
        summary_index: usize,
        part: SummaryPart<'a>,
    },
    #[serde(rename = "response.output_item.done")]
    ItemDone { output_index: usize, item: OutputItem<'a> },
    #[serde(rename = "response.completed")]
    Completed { response: ResponseObject<'a> },
    #[serde(rename = "response.incomplete")]
    Incomplete { response: ResponseObject<'a> },
    #[serde(rename = "response.failed")]
    Failed { response: ResponseObject<'a> },
    /// Of a stream that failed, beside `response.failed`. `error` says the same, since OpenAI's SDKs look for it.
    #[serde(rename = "error")]
    Error {
        #[schema(required)]
        code: Option<String>,
        message: String,
        #[schema(required)]
        param: Option<String>,
        error: ErrorObject,
    },
}

/// Numbers the events of one stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    next: u64,
}

/// An event up to its delta, for all deltas of one part.
#[derive(Debug, Default)]
pub(super) struct DeltaHead(Vec<u8>);

impl Events {
    pub(super) fn write(&mut self, event: &StreamEvent, out: &mut BytesMut) {
        write_open(event, out);
        self.number(out);
    }

    /// An event with a delta. `logprobs` is given for a text's.
    pub(super) fn write_delta(
        &mut self,
        head: &DeltaHead,
        delta: &str,
        logprobs: Option<&[Box<RawValue>]>,
        out: &mut BytesMut,
    ) {
        out.extend_from_slice(&head.0);
        write(&delta, out);
        if let Some(logprobs) = logprobs {
            out.extend_from_slice(b",\"logprobs\":");
            write(&logprobs, out);
        }
        self.number(out);
    }

    /// Ends an event's data.
    fn number(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(b",\"sequence_number\":");
        write(&self.next, out);
        out.extend_from_slice(b"}\n\n");
        self.next += 1;
    }
}

impl DeltaHead {
    /// `event` has an empty delta.
    pub(super) fn of(event: &StreamEvent) -> Self {
        let tail = match event {
            StreamEvent::TextDelta { .. } => r#""","logprobs":[]"#,
            _ => r#""""#,
        };
        let mut head = BytesMut::new();
        write_open(event, &mut head);
        head.truncate(head.len() - tail.len());
        Self(head.into())
    }

    /// Whether nothing of the part has come.
    pub(super) fn is_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// An event whose data has not ended.
fn write_open(event: &StreamEvent, out: &mut BytesMut) {
    /// How the data begins: serde writes a tag first.
    const TYPE: &[u8] = b"{\"type\":\"";
    let mut data = BytesMut::new();
    write(event, &mut data);
    data.truncate(data.len() - 1);
    let name = data[TYPE.len()..].split(|byte| *byte == b'"').next();
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.unwrap_or_default());
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(&data);
}
