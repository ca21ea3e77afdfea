//! Keeping a response, as work at its reply's end.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::BytesMut;
use futures_util::FutureExt;
use serde_json::{Value, json, value::RawValue};

use super::{
    bodies::Base,
    input::Spelling,
    layout::{Item, Layout},
};
use crate::{
    answer::Whole,
    chat::message::{Message, Part, Role},
    kept_responses::{Before, ResponsesTable, Said, Turn},
    record::EndTask,
    reply::form::write,
};

/// What `detail` may be in OpenAI's schema.
const DETAILS: [&str; 4] = ["low", "high", "auto", "original"];

/// How a response is kept.
#[derive(Debug)]
pub(super) struct Keeping {
    pub table: ResponsesTable,
    pub assistant_id: String,
    pub before: Before,
    /// What the request says itself.
    pub input: Vec<(Message, Spelling)>,
    pub kept: Arc<AtomicBool>,
}

impl Keeping {
    /// The work at the end of a complete reply. Only the message is kept for later turns: no model is shown its thinking
    /// again.
    pub(super) fn at_end(&self, base: &Base, layout: &Layout, whole: &Whole, tokens: &[Box<RawValue>]) -> EndTask {
        let mut response = BytesMut::new();
        write(&layout.response(base, whole, tokens), &mut response);
        let input = self.input.iter().enumerate();
        let places = 0..layout.items.len();
        let messages = places.filter(|at| layout.items[*at] == Item::Message);
        let turn = Turn {
            assistant_id: self.assistant_id.clone(),
            response_id: base.id(),
            before: self.before.clone(),
            said: Said {
                input: input
                    .map(|(at, (message, spelling))| item(message, spelling, &base.input_item_id(at)))
                    .collect(),
                output: messages.map(|at| json!(layout.item(base, at, whole, &[]))).collect(),
            },
            response: response.into(),
        };
        let (table, kept) = (self.table.clone(), Arc::clone(&self.kept));
        Box::new(move |_| async move { kept.store(table.keep(turn).await, Ordering::SeqCst) }.boxed())
    }

    /// Whether that work has succeeded.
    pub(super) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::SeqCst)
    }
}

/// A message as an item of OpenAI's.
fn item(message: &Message, spelling: &Spelling, id: &str) -> Value {
    let role = if spelling.is_developer {
        "developer"
    } else {
        message.role.as_str()
    };
    let part = |(at, part): (usize, &Part)| match part {
        Part::Text(text) if spelling.refusals.binary_search(&at).is_ok() => json!({"type": "refusal", "refusal": text}),
        Part::Text(text) if message.role == Role::Assistant => {
            json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
        }
        Part::Text(text) => json!({"type": "input_text", "text": text}),
        Part::Image { url, detail } => {
            let detail = detail.as_deref().filter(|detail| DETAILS.contains(detail));
            json!({"type": "input_image", "image_url": url, "file_id": null, "detail": detail.unwrap_or("auto")})
        }
    };
    let content: Vec<_> = message.parts.iter().enumerate().map(part).collect();
    json!({"type": "message", "id": id, "status": "completed", "role": role, "content": content})
}
