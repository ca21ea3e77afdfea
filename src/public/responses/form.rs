//! OpenAI's Responses API as the wire form of a reply: the `response` and the events of its stream.

use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;

use super::{
    bodies::{Base, Echo, Failure, OutputItem, OutputPart, Status, SummaryPart},
    events::{DeltaHead, Events, StreamEvent},
    failure,
    keeping::Keeping,
    layout::{Item, Layout, Part, output_text},
    logprobs,
};
use crate::{
    answer::{Ended, Folded, Whole},
    chat::delta::Delta,
    error::{Error, ErrorObject},
    provider::Model,
    public::now,
    record::EndTask,
    reply::form::{Form, write},
};

/// The form of one reply.
#[derive(Debug)]
pub(super) struct ResponseForm {
    base: Base,
    events: Events,
    begun: bool,
    folded: Folded,
    /// Where the response is to be kept.
    keeping: Option<Keeping>,
    layout: Layout,
    /// Of the deltas of the text, the refusal and the thinking that is open.
    text: DeltaHead,
    refusal: DeltaHead,
    thinking: DeltaHead,
    /// The answer and its log probabilities, once it is complete.
    complete: Option<(Whole, Vec<Box<RawValue>>)>,
}

impl ResponseForm {
    /// `digits` are those of its ids; `model` is the one that is asked first.
    pub(super) fn new(echo: Echo, digits: String, model: &Model, keeping: Option<Keeping>) -> Self {
        Self {
            base: Base {
                digits,
                created_at: now(),
                completed_at: None,
                model: model.name.clone(),
                store: keeping.is_some(),
                echo,
            },
            keeping,
            events: Events::default(),
            begun: false,
            folded: Folded::default(),
            layout: Layout::default(),
            text: DeltaHead::default(),
            refusal: DeltaHead::default(),
            thinking: DeltaHead::default(),
            complete: None,
        }
    }

    /// The events that every stream begins with.
    fn created(&mut self, out: &mut BytesMut) {
        self.begun = true;
        let response = self.base.response(Status::InProgress);
        self.events.write(&StreamEvent::Created { response }, out);
        let response = self.base.response(Status::InProgress);
        self.events.write(&StreamEvent::InProgress { response }, out);
    }

    /// Begins an item of thinking, unless one is open.
    fn open_thinking(&mut self, from: usize, out: &mut BytesMut) {
        if !self.thinking.is_none() {
            return;
        }
        let output_index = self.layout.items.len();
        self.layout.items.push(Item::Thinking { from, to: None });
        let id = self.base.item_id("rs", output_index);
        let item = OutputItem::Reasoning {
            id: id.clone(),
            summary: Vec::new(),
        };
        self.events.write(&StreamEvent::ItemAdded { output_index, item }, out);
        let added = StreamEvent::SummaryAdded {
            item_id: &id,
            output_index,
            summary_index: 0,
            part: SummaryPart::SummaryText { text: "" },
        };
        self.events.write(&added, out);
        self.thinking = DeltaHead::of(&StreamEvent::SummaryDelta {
            item_id: &id,
            output_index,
            summary_index: 0,
            delta: "",
        });
    }

    /// Ends the item of thinking that is open, of which nothing more will come.
    fn close_thinking(&mut self, all: &str, out: &mut BytesMut) {
        self.thinking = DeltaHead::default();
        for output_index in 0..self.layout.items.len() {
            if let Item::Thinking { from, to: None } = self.layout.items[output_index] {
                let to = Some(all.len());
                self.layout.items[output_index] = Item::Thinking { from, to };
                self.thinking_done(output_index, &all[from..], out);
            }
        }
    }

    fn thinking_done(&mut self, output_index: usize, text: &str, out: &mut BytesMut) {
        let id = self.base.item_id("rs", output_index);
        let part = SummaryPart::SummaryText { text };
        let text_done = StreamEvent::SummaryTextDone {
            item_id: &id,
            output_index,
            summary_index: 0,
            text,
        };
        self.events.write(&text_done, out);
        let part_done = StreamEvent::SummaryDone {
            item_id: &id,
            output_index,
            summary_index: 0,
            part,
        };
        self.events.write(&part_done, out);
        let summary = vec![part];
        let item = OutputItem::Reasoning { id, summary };
        self.events.write(&StreamEvent::ItemDone { output_index, item }, out);
    }

    /// Begins a part of the message, and the message with the first one.
    fn open_part(&mut self, part: Part, out: &mut BytesMut) {
        if self.layout.parts.contains(&part) {
            return;
        }
        if !self.layout.items.contains(&Item::Message) {
            self.open_message(out);
        }
        let content_index = self.layout.parts.len();
        self.layout.parts.push(part);
        let output_index = self.layout.message();
        let id = self.base.item_id("msg", output_index);
        let (empty, delta) = match part {
            Part::Text => (
                output_text("", &[]),
                StreamEvent::TextDelta {
                    item_id: &id,
                    output_index,
                    content_index,
                    delta: "",
                    logprobs: &[],
                },
            ),
            Part::Refusal => (
                OutputPart::Refusal { refusal: "" },
                StreamEvent::RefusalDelta {
                    item_id: &id,
                    output_index,
                    content_index,
                    delta: "",
                },
            ),
        };
        let added = StreamEvent::PartAdded {
            item_id: &id,
            output_index,
            content_index,
            part: empty,
        };
        self.events.write(&added, out);
        *match part {
            Part::Text => &mut self.text,
            Part::Refusal => &mut self.refusal,
        } = DeltaHead::of(&delta);
    }

    fn open_message(&mut self, out: &mut BytesMut) {
        if !self.thinking.is_none() {
            let folded = std::mem::take(&mut self.folded);
            self.close_thinking(folded.reasoning(), out);
            self.folded = folded;
        }
        let output_index = self.layout.items.len();
        self.layout.items.push(Item::Message);
        let item = OutputItem::Message {
            id: self.base.item_id("msg", output_index),
            status: Status::InProgress,
            role: "assistant",
            content: Vec::new(),
        };
        self.events.write(&StreamEvent::ItemAdded { output_index, item }, out);
    }

    /// Ends the parts of the message and then the message.
    fn close_message(&mut self, whole: &Whole, tokens: &[Box<RawValue>], out: &mut BytesMut) {
        let output_index = self.layout.message();
        let id = self.base.item_id("msg", output_index);
        let item_id = id.as_str();
        for (content_index, part) in self.layout.content(whole, tokens).into_iter().enumerate() {
            let done = match part {
                OutputPart::OutputText { text, logprobs, .. } => StreamEvent::TextDone {
                    item_id,
                    output_index,
                    content_index,
                    text,
                    logprobs,
                },
                OutputPart::Refusal { refusal } => StreamEvent::RefusalDone {
                    item_id,
                    output_index,
                    content_index,
                    refusal,
                },
            };
            self.events.write(&done, out);
            let part_done = StreamEvent::PartDone {
                item_id,
                output_index,
                content_index,
                part,
            };
            self.events.write(&part_done, out);
        }
        let item = self.layout.item(&self.base, output_index, whole, tokens);
        self.events.write(&StreamEvent::ItemDone { output_index, item }, out);
    }
}

impl Form for ResponseForm {
    fn begin(&mut self, model: &Model, out: &mut BytesMut) {
        self.base.model.clone_from(&model.name);
        self.created(out);
    }

    fn delta(&mut self, delta: &Delta, out: &mut BytesMut) -> Result<(), Error> {
        let thought = self.folded.reasoning().len();
        self.folded.add(delta)?;
        match delta {
            Delta::Text { text, logprobs } => {
                self.open_part(Part::Text, out);
                let tokens = logprobs.as_ref().map(logprobs::of_delta).unwrap_or_default();
                self.events.write_delta(&self.text, text, Some(&tokens), out);
            }
            Delta::Refusal(text) => {
                self.open_part(Part::Refusal, out);
                self.events.write_delta(&self.refusal, text, None, out);
            }
            Delta::Reasoning(text) => {
                self.open_thinking(thought, out);
                self.events.write_delta(&self.thinking, text, None, out);
            }
            Delta::Finish(_) | Delta::Usage(_) => {}
        }
        Ok(())
    }

    fn finish(&mut self, ended: Ended, out: &mut BytesMut) -> Option<EndTask> {
        if self.layout.parts.is_empty() {
            self.open_part(Part::Text, out);
        }
        let whole = std::mem::take(&mut self.folded).whole(ended);
        let tokens = whole.logprobs.as_deref().map(logprobs::of_whole).unwrap_or_default();
        self.close_message(&whole, &tokens, out);
        // Thinking is open only where it came behind the message.
        self.close_thinking(whole.reasoning.as_deref().unwrap_or_default(), out);
        self.base.completed_at = Some(now());
        let at_end = self.keeping.as_ref();
        let at_end = at_end.map(|keeping| keeping.at_end(&self.base, &self.layout, &whole, &tokens));
        self.complete = Some((whole, tokens));
        at_end
    }

    fn end(&mut self, _: Ended, out: &mut BytesMut) {
        self.base.store = self.keeping.as_ref().is_some_and(Keeping::is_kept);
        let Some((whole, tokens)) = &self.complete else {
            return;
        };
        let response = self.layout.response(&self.base, whole, tokens);
        let event = match response.status {
            Status::Completed => StreamEvent::Completed { response },
            _ => StreamEvent::Incomplete { response },
        };
        self.events.write(&event, out);
    }

    /// No part of the answer is in the response that failed: it would look like an answer. It is not kept either.
    fn error(&mut self, error: &Error, out: &mut BytesMut) {
        // OpenAI's SDKs take no other event for a stream's first.
        if !self.begun {
            self.created(out);
        }
        self.base.store = false;
        let mut response = self.base.response(Status::Failed);
        response.error = Some(Failure {
            code: failure::code(error),
            message: error.to_string(),
        });
        let mut object: ErrorObject = error.body().error;
        // Vercel's AI SDK takes no error without a code for one.
        object.code.get_or_insert_with(|| failure::code(error).to_owned());
        let error = StreamEvent::Error {
            code: object.code.clone(),
            message: object.message.clone(),
            param: object.param.clone(),
            error: object,
        };
        // In OpenAI's own order: Vercel's AI SDK shows two errors in the other (`encounteredStreamError` in
        // `openai-responses-language-model.ts` of <https://github.com/vercel/ai>, read 2026-11).
        self.events.write(&error, out);
        self.events.write(&StreamEvent::Failed { response }, out);
    }

    fn complete(&mut self, model: &Model, whole: &Whole) -> Option<EndTask> {
        self.base.model.clone_from(&model.name);
        self.base.completed_at = Some(now());
        let tokens = whole.logprobs.as_deref().map(logprobs::of_whole).unwrap_or_default();
        let keeping = self.keeping.as_ref()?;
        Some(keeping.at_end(&self.base, &Layout::of(whole), whole, &tokens))
    }

    fn whole(mut self, _: &Model, whole: Whole) -> Bytes {
        self.base.store = self.keeping.as_ref().is_some_and(Keeping::is_kept);
        let tokens = whole.logprobs.as_deref().map(logprobs::of_whole).unwrap_or_default();
        let mut body = BytesMut::new();
        write(&Layout::of(&whole).response(&self.base, &whole, &tokens), &mut body);
        body.freeze()
    }
}

#[cfg(test)]
mod tests;
