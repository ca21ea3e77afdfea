//! The events of the Messages API, as deltas.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    chat::delta::{Delta, Usage, newer_count},
    error::ProviderError,
    protocol::{
        decode::{Decode, Ending},
        failure, finish_reason,
    },
};

/// Decodes a stream's events, and a whole message in one frame.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    usage: WireUsage,
    /// Whether a stop reason has come.
    finished: bool,
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
        usage: WireUsage,
    },
    MessageStop,
    /// A reply that was not streamed.
    Message {
        #[serde(default)]
        content: Vec<Block>,
        #[serde(default)]
        stop_reason: Value,
        #[serde(default)]
        usage: WireUsage,
    },
    /// `ping`, `content_block_stop`, and what may come: "Streaming messages" asks to ignore unknown events.
    #[serde(other)]
    Other,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MessageStart {
    usage: WireUsage,
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
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireUsage {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
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
            Event::MessageStart { message } => self.usage.update(message.usage),
            Event::ContentBlockStart { content_block } => deltas.extend(content_block.into_delta()),
            Event::ContentBlockDelta { delta } => deltas.extend(delta.into_delta()),
            Event::MessageDelta { delta, usage } => {
                self.usage.update(usage);
                self.finish(&delta.stop_reason, &mut deltas)?;
            }
            Event::MessageStop if self.finished => self.ending = Ending::Over,
            Event::MessageStop => return Err(ProviderError::failed("message_stop without a stop reason")),
            Event::Message {
                content,
                stop_reason,
                usage,
            } => {
                self.usage.update(usage);
                deltas.extend(content.into_iter().filter_map(Block::into_delta));
                self.finish(&stop_reason, &mut deltas)?;
                if self.finished {
                    self.ending = Ending::Complete;
                }
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
    fn finish(&mut self, stop_reason: &Value, deltas: &mut Vec<Delta>) -> Result<(), ProviderError> {
        if let Some(reason) = finish_reason::read(stop_reason)? {
            self.finished = true;
            deltas.push(Delta::Finish(reason));
            deltas.push(Delta::Usage(self.usage.total()));
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

impl WireUsage {
    fn update(&mut self, newer: Self) {
        let Self {
            input_tokens,
            cache_creation_input_tokens,
            cache_read_input_tokens,
            output_tokens,
            output_tokens_details,
        } = newer;
        self.input_tokens = newer_count(input_tokens, self.input_tokens);
        self.cache_creation_input_tokens = newer_count(cache_creation_input_tokens, self.cache_creation_input_tokens);
        self.cache_read_input_tokens = newer_count(cache_read_input_tokens, self.cache_read_input_tokens);
        self.output_tokens = newer_count(output_tokens, self.output_tokens);
        self.output_tokens_details = output_tokens_details.or(self.output_tokens_details);
    }

    /// Anthropic counts cached tokens beside `input_tokens`, OpenAI within them.
    fn total(&self) -> Usage {
        let count = |tokens: Option<u64>| tokens.unwrap_or(0);
        Usage {
            prompt: count(self.input_tokens)
                .saturating_add(count(self.cache_creation_input_tokens))
                .saturating_add(count(self.cache_read_input_tokens)),
            completion: count(self.output_tokens),
            cached: self.cache_read_input_tokens,
            reasoning: self.output_tokens_details.and_then(|details| details.thinking_tokens),
        }
    }
}
