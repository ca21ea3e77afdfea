//! Of which items and parts a response consists.
//!
//! It has at most one message, with at most one text and one refusal, so that a text that somebody parses is in one piece.
//! Thinking that comes after the message has begun is an item behind it.

use serde_json::value::RawValue;

use super::bodies::{Base, IncompleteDetails, OutputItem, OutputPart, ResponseObject, Status, SummaryPart};
use crate::{
    answer::{Ended, Whole},
    chat::delta::FinishReason,
};

/// What an output consists of.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub items: Vec<Item>,
    /// Of the message.
    pub parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Item {
    /// From a place in all the thinking on, in bytes, to another or to its end.
    Thinking {
        from: usize,
        to: Option<usize>,
    },
    Message,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    Text,
    Refusal,
}

impl Layout {
    /// That of an answer whose thinking has come before all else.
    pub(super) fn of(whole: &Whole) -> Self {
        let thinking = whole.reasoning.as_ref().map(|_| Item::Thinking { from: 0, to: None });
        let text = whole.text.as_ref().map(|_| Part::Text);
        let refusal = whole.refusal.as_ref().map(|_| Part::Refusal);
        Self {
            items: thinking.into_iter().chain([Item::Message]).collect(),
            parts: text.into_iter().chain(refusal).collect(),
        }
    }

    /// Where the message stands.
    pub(super) fn message(&self) -> usize {
        let at = self.items.iter().position(|item| *item == Item::Message);
        at.unwrap_or(self.items.len())
    }

    pub(super) fn content<'a>(&self, whole: &'a Whole, tokens: &'a [Box<RawValue>]) -> Vec<OutputPart<'a>> {
        let part = |part: &Part| match part {
            Part::Text => output_text(whole.text.as_deref().unwrap_or_default(), tokens),
            Part::Refusal => OutputPart::Refusal {
                refusal: whole.refusal.as_deref().unwrap_or_default(),
            },
        };
        self.parts.iter().map(part).collect()
    }

    pub(super) fn item<'a>(
        &self,
        base: &Base,
        at: usize,
        whole: &'a Whole,
        tokens: &'a [Box<RawValue>],
    ) -> OutputItem<'a> {
        match self.items[at] {
            Item::Thinking { from, to } => {
                let all = whole.reasoning.as_deref().unwrap_or_default();
                let text = &all[from..to.unwrap_or(all.len())];
                OutputItem::Reasoning {
                    id: base.item_id("rs", at),
                    summary: vec![SummaryPart::SummaryText { text }],
                }
            }
            Item::Message => OutputItem::Message {
                id: base.item_id("msg", at),
                status: status(whole.ended.finish),
                role: "assistant",
                content: self.content(whole, tokens),
            },
        }
    }

    /// The response of a complete answer.
    pub(super) fn response<'a>(
        &self,
        base: &'a Base,
        whole: &'a Whole,
        tokens: &'a [Box<RawValue>],
    ) -> ResponseObject<'a> {
        let Ended { finish, usage } = whole.ended;
        let items = 0..self.items.len();
        ResponseObject {
            incomplete_details: incomplete(finish).map(|reason| IncompleteDetails { reason }),
            output: items.map(|at| self.item(base, at, whole, tokens)).collect(),
            usage: usage.map(Into::into),
            ..base.response(status(finish))
        }
    }
}

pub(super) fn output_text<'a>(text: &'a str, logprobs: &'a [Box<RawValue>]) -> OutputPart<'a> {
    let annotations = [];
    OutputPart::OutputText {
        text,
        annotations,
        logprobs,
    }
}

/// OpenAI's word for why an answer is incomplete.
const fn incomplete(finish: FinishReason) -> Option<&'static str> {
    match finish {
        FinishReason::Stop => None,
        FinishReason::Length => Some("max_output_tokens"),
        FinishReason::ContentFilter => Some("content_filter"),
    }
}

const fn status(finish: FinishReason) -> Status {
    match incomplete(finish) {
        None => Status::Completed,
        Some(_) => Status::Incomplete,
    }
}
