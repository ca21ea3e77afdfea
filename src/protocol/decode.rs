//! What a decoder is: a provider's frames in, steps of an answer out.

use serde_json::Value;

use super::{
    failure,
    wire::{self, Messages},
};
use crate::{
    chat::{
        delta::{Delta, FinishReason, Usage},
        surrogates::{self, Halves},
    },
    error::ProviderError,
};

/// One message of a provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The event's name, where it has one.
    pub event: Option<String>,
    /// The payload.
    pub data: String,
}

/// What it means if nothing more comes after a frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// The answer is cut off.
    #[default]
    CutOff,
    /// The answer is complete if the input ends cleanly. A silence or a broken connection cuts it off: more may have
    /// been to come.
    AtEndOfInput,
    /// The finish reason is there, and the end marker that the provider always writes is not: an end, a cut or a silence without
    /// it cuts the answer off. What goes on to show that the connection is alive does not.
    Unclosed,
    /// The answer is complete. Usage or an end marker may follow; neither silence nor a broken connection takes anything
    /// from it, only what the provider itself says is an error.
    Complete,
    /// The answer is complete, and the provider's own end marker is there: nothing more needs to be read.
    Over,
}

impl Ending {
    /// Whether nothing that is missing or broken from here on takes anything from the answer.
    pub(crate) fn is_complete(self) -> bool {
        matches!(self, Self::Complete | Self::Over)
    }
}

/// Turns one protocol's messages into deltas.
///
/// There are only three things to say: deltas, the end, an error. Input that stops where [`Ending::CutOff`] holds is an
/// error, so that cut-off text cannot look complete.
pub(crate) trait Decode: Send {
    /// Takes the next message, which says something and is not an error. It is as [`wire::parse`] leaves it: an absent
    /// field may have been null or empty.
    ///
    /// # Errors
    /// A field of a kind that the protocol does not have there, or a finish reason that does not end an answer well.
    fn decode(&mut self, event: Option<&str>, message: Value) -> Result<Vec<Delta>, ProviderError>;

    /// What it means if nothing more comes.
    fn ending(&self) -> Ending;
}

/// Reads the frames of one answer. The rules that hold for every provider stand here, the others in its [`Decode`].
pub struct Reader {
    decoder: Box<dyn Decode>,
    /// Whether OpenAI's end marker has come.
    is_done: bool,
    halves: Halves,
    usage: Usage,
    calls_a_tool: bool,
    has_text: bool,
}

impl Reader {
    pub(super) fn new(decoder: impl Decode + 'static) -> Self {
        Self {
            decoder: Box::new(decoder),
            is_done: false,
            halves: Halves::default(),
            usage: Usage::default(),
            calls_a_tool: false,
            has_text: false,
        }
    }

    /// What it means if nothing more comes.
    pub fn ending(&self) -> Ending {
        if self.is_done {
            Ending::Over
        } else {
            self.decoder.ending()
        }
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// What the provider reported within its stream, or that the frame is malformed.
    pub fn read(&mut self, frame: &Frame) -> Result<Vec<Delta>, ProviderError> {
        let event = frame.event.as_deref();
        let data = frame.data.trim();
        // Some servers write the marker right under the last event, and proxies write it whatever the protocol.
        let (data, is_done) = match data.strip_suffix("[DONE]") {
            Some(before) => (before, true),
            None if data.trim_matches(['[', ']', '"']).eq_ignore_ascii_case("done") => ("", true),
            None => (data, false),
        };
        let mut deltas = Vec::new();
        let Messages { all, marked } = self.messages(event, data)?;
        for message in all {
            for delta in self.message(event, message, marked)? {
                self.settle(delta, marked, &mut deltas);
            }
        }
        if is_done && self.ending() == Ending::CutOff {
            return Err(ProviderError::failed("[DONE] without a finish reason"));
        }
        self.is_done |= is_done;
        Ok(deltas)
    }

    /// What the end of the input means where [`Ending::CutOff`] holds.
    pub fn cut_off(&self) -> ProviderError {
        ProviderError::failed("the stream ended before the answer did")
    }

    fn messages(&self, event: Option<&str>, data: &str) -> Result<Messages, ProviderError> {
        let plain = |all| Messages { all, marked: false };
        let error = match wire::parse(data) {
            Ok(messages) if messages.all.is_empty() && event.is_some_and(wire::names_an_error) => {
                return Ok(plain(vec![Value::Null]));
            }
            Ok(messages) => return Ok(messages),
            Err(error) => error,
        };
        let text = Value::from(data);
        // Before the text, some servers greet (`connected`): nothing can be missing there.
        let is_greeting = !self.has_text && self.ending() == Ending::CutOff && data.starts_with(char::is_alphanumeric);
        if wire::says_failure(event, &text) {
            // An error in plain words.
            Ok(plain(vec![text]))
        } else if is_greeting || wire::is_sign_of_life(event, &text) || self.ending().is_complete() {
            Ok(plain(Vec::new()))
        } else {
            Err(failure::malformed("message", &error))
        }
    }

    fn message(&mut self, event: Option<&str>, mut message: Value, marked: bool) -> Result<Vec<Delta>, ProviderError> {
        if wire::says_failure(event, &message) {
            if marked {
                surrogates::replace(&mut message);
            }
            return Err(failure::from_event(&message));
        }
        if !message.is_object() || wire::is_sign_of_life(event, &message) {
            return Ok(Vec::new());
        }
        self.calls_a_tool |= wire::calls_a_tool(&message);
        let deltas = self.decoder.decode(event, message)?;
        self.has_text |= deltas
            .iter()
            .any(|delta| matches!(delta, Delta::Text { .. } | Delta::Refusal(_)));
        if self.calls_a_tool && !self.has_text && deltas.contains(&Delta::Finish(FinishReason::Stop)) {
            // Nobody asked for the call, and it is all that there is: as where `tool_calls` is the reason.
            return Err(failure::finish_reason("tool_calls"));
        }
        Ok(deltas)
    }

    /// Adds a delta with halves of characters joined, and counts with those before.
    fn settle(&mut self, delta: Delta, marked: bool, deltas: &mut Vec<Delta>) {
        match delta {
            Delta::Usage(newer) => {
                self.usage.update(newer);
                // Counts that are all zero say nothing.
                if !self.usage.is_empty() {
                    deltas.push(Delta::Usage(self.usage));
                }
            }
            other => self.halves.join(other, marked, deltas),
        }
    }
}
