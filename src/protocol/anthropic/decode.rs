//! The events of the Messages API, as deltas.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    chat::delta::{Delta, Usage, count, newer_count},
    error::ProviderError,
    protocol::{
        decode::{Decode, Ending},
        failure, finish_reason,
    },
};

/// Decodes a stream's events, and a whole message in one frame.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    counts: Counts,
    ending: Ending,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        #[serde(default)]
        message: MessageStart,
    },
    ContentBlockStart {
        #[serde(default)]
        content_block: Block,
    },
    ContentBlockDelta {
        #[serde(default)]
        delta: Block,
    },
    MessageDelta {
        #[serde(default)]
        delta: MessageDelta,
        #[serde(default)]
        usage: Value,
    },
    MessageStop,
    /// A reply that was not streamed.
    Message {
        #[serde(default)]
        content: Vec<Block>,
        #[serde(default)]
        stop_reason: Value,
        #[serde(default)]
        usage: Value,
    },
    /// `ping`, `content_block_stop`, and what may come: "Streaming messages" asks to ignore unknown events.
    #[serde(other)]
    Other,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MessageStart {
    usage: Value,
}

/// A content block or a piece of one.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    thinking: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MessageDelta {
    stop_reason: Value,
}

/// Counts are cumulative: a later one replaces an earlier one, unless it is zero (proxies write zeros for what they don't know).
#[derive(Debug, Default)]
struct Counts {
    input: Option<u64>,
    written_to_cache: Option<u64>,
    read_from_cache: Option<u64>,
    output: Option<u64>,
    thinking: Option<u64>,
}

impl Decode for Decoder {
    fn decode(&mut self, event: Option<&str>, mut message: Value) -> Result<Vec<Delta>, ProviderError> {
        if message["type"].is_null() {
            let Some(event) = event else {
                return Ok(Vec::new());
            };
            message["type"] = event.into();
        }
        let event = serde_json::from_value(message).map_err(|error| failure::malformed("event", &error))?;
        let mut deltas = Vec::new();
        match event {
            Event::MessageStart { message } => {
                self.counts.update(&message.usage);
                // The prompt is paid for from here on, whatever becomes of the answer.
                deltas.push(Delta::Usage(self.counts.total()));
            }
            Event::ContentBlockStart { content_block: block } | Event::ContentBlockDelta { delta: block } => {
                deltas.extend(block.into_delta());
                if !deltas.is_empty() {
                    // There was a reason before, and the answer goes on.
                    self.ending = Ending::CutOff;
                }
            }
            Event::MessageDelta { delta, usage } => {
                self.counts.update(&usage);
                self.finish(&delta.stop_reason, Ending::Unclosed, &mut deltas)?;
            }
            Event::MessageStop if self.ending != Ending::CutOff => self.ending = Ending::Over,
            Event::MessageStop => return Err(ProviderError::failed("message_stop without a stop reason")),
            Event::Message {
                content,
                stop_reason,
                usage,
            } => {
                self.counts.update(&usage);
                deltas.extend(content.into_iter().filter_map(Block::into_delta));
                self.finish(&stop_reason, Ending::Complete, &mut deltas)?;
            }
            Event::Other => {}
        }
        Ok(deltas)
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

impl Decoder {
    fn finish(&mut self, reason: &Value, ending: Ending, deltas: &mut Vec<Delta>) -> Result<(), ProviderError> {
        if let Some(reason) = finish_reason::read(reason)? {
            self.ending = ending;
            deltas.push(Delta::Finish(reason));
            deltas.push(Delta::Usage(self.counts.total()));
        }
        Ok(())
    }
}

impl Block {
    fn into_delta(self) -> Option<Delta> {
        let Self { kind, text, thinking } = self;
        match kind.as_str() {
            "text" | "text_delta" if !text.is_empty() => Some(Delta::Text { text, logprobs: None }),
            "thinking" | "thinking_delta" if !thinking.is_empty() => Some(Delta::Reasoning(thinking)),
            _ => None,
        }
    }
}

impl Counts {
    fn update(&mut self, usage: &Value) {
        for (kept, newer) in [
            (&mut self.input, &usage["input_tokens"]),
            (&mut self.written_to_cache, &usage["cache_creation_input_tokens"]),
            (&mut self.read_from_cache, &usage["cache_read_input_tokens"]),
            (&mut self.output, &usage["output_tokens"]),
            (&mut self.thinking, &usage["output_tokens_details"]["thinking_tokens"]),
        ] {
            *kept = newer_count(count(newer), *kept);
        }
    }

    /// Anthropic counts cached tokens beside `input_tokens`, OpenAI within them.
    fn total(&self) -> Usage {
        let prompt = [self.input, self.written_to_cache, self.read_from_cache];
        Usage {
            prompt: prompt.into_iter().flatten().sum(),
            completion: self.output.unwrap_or(0),
            cached: self.read_from_cache,
            written_to_cache: self.written_to_cache,
            reasoning: self.thinking,
        }
    }
}
