//! The conversation that a request carries on, and how its response is kept.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

use super::{
    ids::{is_of, is_response_id, response_of},
    input::{self, Entry, Spelling},
    keeping::Keeping,
    request::{PREVIOUS, ResponseRequest},
};
use crate::{
    assistant::Assistant,
    chat::message::{Message, Part, Role},
    error::Error,
    kept_responses::{Before, Earlier, MAX_BYTES, MAX_TURNS, Said, Unread},
    public::{App, Entered, out_of_time},
};

/// What a model is asked.
pub(super) struct Conversation {
    /// The request's instructions, what was said before, and what the request says.
    pub messages: Vec<Message>,
    /// How the request's own input was spelled: the last ones of the messages.
    own: Vec<Spelling>,
    before: Before,
}

impl App {
    /// Reads what a request refers to.
    ///
    /// # Errors
    /// A 400 where that is not kept or too much, a 404 where it is another assistant's; [`Error::Unavailable`] where the table does not answer.
    pub(super) async fn conversation(
        &self,
        request: &ResponseRequest,
        entered: &Entered,
    ) -> Result<Conversation, Error> {
        let previous = request.echo.previous_response_id.as_deref();
        let references = references(&request.input, self.responses.is_some())?;
        let mut earlier = Earlier::default();
        if previous.is_some() || !references.is_empty() {
            let param = |id: &str| {
                let reference = references.get(id).filter(|_| previous != Some(id));
                reference.copied().unwrap_or(PREVIOUS)
            };
            let Some(table) = &self.responses else {
                return Err(not_kept(PREVIOUS));
            };
            if previous.is_some_and(|id| !is_response_id(id)) {
                return Err(not_found(PREVIOUS));
            }
            let ids = references.keys().cloned().collect();
            let assistant_id = entered.assistant.id();
            let mut all = references.keys().map(String::as_str).chain(previous);
            if !all.all(|id| is_of(assistant_id, id)) {
                return Err(Error::NoSuchResponse);
            }
            let read = table.earlier(assistant_id, previous, &ids);
            let read = tokio::time::timeout(entered.deadline.remaining(), read).await;
            let limit = if previous.is_some() { PREVIOUS } else { "input" };
            earlier = read
                .unwrap_or_else(|_| Err(out_of_time().into()))
                .map_err(|unread| match unread {
                    Unread::Missing(id) => not_found(param(&id)),
                    Unread::TooManyTurns => too_long(limit, &format!("{MAX_TURNS} turns")),
                    Unread::TooLong => too_long(limit, TOO_MUCH),
                    Unread::Unavailable(error) => error,
                })?;
        }
        Conversation::new(request, earlier)
    }

    /// How the response is kept, if it is.
    pub(super) fn keeping(
        &self,
        request: &ResponseRequest,
        assistant: &Assistant,
        conversation: &Conversation,
    ) -> Option<Keeping> {
        let table = self.responses.as_ref();
        let table = table.filter(|_| request.store && assistant.stores_responses())?;
        let Conversation { messages, own, before } = conversation;
        let input = messages[messages.len() - own.len()..].iter().cloned();
        Some(Keeping {
            table: table.clone(),
            assistant_id: assistant.id().to_owned(),
            before: before.clone(),
            input: input.zip(own.iter().cloned()).collect(),
            kept: Arc::default(),
        })
    }
}

impl Conversation {
    fn new(request: &ResponseRequest, earlier: Earlier) -> Result<Self, Error> {
        let Earlier { before, said } = earlier;
        let mut messages = Vec::new();
        messages.extend(
            request
                .echo
                .instructions
                .iter()
                .map(|text| Message::text(Role::System, text)),
        );
        for Said { input, output } in before.ids.iter().filter_map(|id| said.get(id)) {
            for item in input.iter().chain(output) {
                messages.extend(message_of(item)?.map(|(message, _)| message));
            }
        }
        let kept = by_id(&said);
        let mut own = Vec::with_capacity(request.input.len());
        let mut bytes = before.bytes;
        for entry in &request.input {
            // An item may be referred to again and again. Each time counts what it takes where it is kept, before it is copied.
            bytes = bytes.saturating_add(match entry {
                Entry::Message(message, _) => size(message),
                Entry::Reference { id, .. } => kept.get(id.as_str()).map_or(0, |item| item.to_string().len()),
            });
            if bytes > MAX_BYTES && !said.is_empty() {
                return Err(too_long("input", TOO_MUCH));
            }
            let (message, spelling) = match entry {
                Entry::Message(message, spelling) => (message.clone(), spelling.clone()),
                Entry::Reference { id, param } => {
                    let item = kept.get(id.as_str()).map(|item| message_of(item));
                    item.transpose()?.flatten().ok_or_else(|| not_found(param))?
                }
            };
            messages.push(message);
            own.push(spelling);
        }
        Ok(Self { messages, own, before })
    }
}

const TOO_MUCH: &str = "4 MiB of text";

/// The responses that the input refers to, and where it does first.
fn references(input: &[Entry], is_kept: bool) -> Result<HashMap<String, &str>, Error> {
    let mut references = HashMap::new();
    for entry in input {
        if let Entry::Reference { id, param } = entry {
            if !is_kept {
                return Err(not_kept(param));
            }
            let response = response_of(id).ok_or_else(|| not_found(param))?;
            references.entry(response).or_insert(param.as_str());
        }
    }
    Ok(references)
}

/// The items of the responses that were read.
fn by_id(said: &HashMap<String, Said>) -> HashMap<&str, &Value> {
    let items = said.values().flat_map(|said| said.input.iter().chain(&said.output));
    items.filter_map(|item| Some((item["id"].as_str()?, item))).collect()
}

/// A message that was kept. It is read as it was when it came.
fn message_of(item: &Value) -> Result<Option<(Message, Spelling)>, Error> {
    match input::read_item(item, "input")? {
        Some(Entry::Message(message, spelling)) => Ok(Some((message, spelling))),
        Some(Entry::Reference { .. }) | None => Ok(None),
    }
}

fn size(message: &Message) -> usize {
    let lengths = message.parts.iter().map(|part| match part {
        Part::Text(text) => text.len(),
        Part::Image { url, .. } => url.len(),
    });
    lengths.sum()
}

/// A 400 for what would have to be looked up where nothing is kept.
fn not_kept(param: &str) -> Error {
    unresolved(param, "this deployment keeps no responses")
}

fn not_found(param: &str) -> Error {
    unresolved(
        param,
        "this assistant does not have that response any more, or lacks an earlier turn of its conversation. It was not kept, \
         has expired or has been deleted",
    )
}

fn unresolved(param: &str, why: &str) -> Error {
    Error::invalid_with_code(
        param,
        "previous_response_not_found",
        format!("'{param}' cannot be resolved: {why}. Leave it out and send the whole conversation in 'input'."),
    )
}

fn too_long(param: &str, limit: &str) -> Error {
    Error::invalid_with_code(
        param,
        "context_length_exceeded",
        format!(
            "The conversation has more than {limit}. Begin a new one: leave '{PREVIOUS}' and references to items out, and send \
             what matters of the old one in 'input'."
        ),
    )
}
