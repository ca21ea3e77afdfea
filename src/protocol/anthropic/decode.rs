//! The events of the Messages API, as deltas.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    chat::delta::{Delta, FinishReason, Usage},
    error::ProviderError,
    protocol::{
        decode::{Decode, Decoded, Ending, Frame},
        failure,
    },
};

/// Decodes a stream's events, and a whole message in one frame.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    usage: WireUsage,
    ending: Ending,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: MessageStart,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Block,
    },
    MessageDelta {
        delta: MessageDelta,
        #[serde(default)]
        usage: WireUsage,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// A reply that was not streamed.
    Message {
        content: Vec<Block>,
        stop_reason: Option<String>,
        #[serde(default)]
        usage: WireUsage,
    },
    /// `ping`, `content_block_stop`, and what may come: "Streaming messages" asks to ignore unknown events.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct MessageStart {
    #[serde(default)]
    usage: WireUsage,
}

/// A content block or a piece of one.
#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    thinking: String,
}

#[derive(Deserialize)]
struct MessageDelta {
    stop_reason: Option<String>,
}

/// Counts are cumulative: a later one replaces an earlier one.
#[derive(Debug, Default, Deserialize)]
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
    fn decode(&mut self, frame: &Frame) -> Result<Decoded, ProviderError> {
        let event = serde_json::from_str(&frame.data).map_err(|error| failure::malformed("event", &error))?;
        let mut deltas = Vec::new();
        match event {
            Event::MessageStart { message } => self.usage.update(message.usage),
            Event::ContentBlockStart { content_block } => deltas.extend(content_block.into_delta()),
            Event::ContentBlockDelta { delta } => deltas.extend(delta.into_delta()),
            Event::MessageDelta { delta, usage } => {
                self.usage.update(usage);
                self.finish(delta.stop_reason, &mut deltas)?;
            }
            Event::MessageStop => return Ok(Decoded::End),
            Event::Error { error } => return Err(failure::from_event(&error)),
            Event::Message {
                content,
                stop_reason,
                usage,
            } => {
                self.usage.update(usage);
                deltas.extend(content.into_iter().filter_map(Block::into_delta));
                self.finish(stop_reason, &mut deltas)?;
                self.ending = Ending::Complete;
            }
            Event::Other => {}
        }
        Ok(Decoded::Deltas(deltas))
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

impl Decoder {
    fn finish(&self, stop_reason: Option<String>, deltas: &mut Vec<Delta>) -> Result<(), ProviderError> {
        if let Some(reason) = stop_reason {
            deltas.push(Delta::Finish(finish_reason(&reason)?));
            deltas.push(Delta::Usage(self.usage.total()));
        }
        Ok(())
    }
}

/// "Handling stop reasons". One that is not known is an error: to guess `stop` would make cut-off text look complete.
fn finish_reason(reason: &str) -> Result<FinishReason, ProviderError> {
    match reason {
        "end_turn" | "stop_sequence" => Ok(FinishReason::Stop),
        // A paused turn would go on if it were sent back.
        "max_tokens" | "model_context_window_exceeded" | "pause_turn" => Ok(FinishReason::Length),
        "refusal" => Ok(FinishReason::ContentFilter),
        other => Err(failure::finish_reason(other)),
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
        self.input_tokens = input_tokens.or(self.input_tokens);
        self.cache_creation_input_tokens = cache_creation_input_tokens.or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = cache_read_input_tokens.or(self.cache_read_input_tokens);
        self.output_tokens = output_tokens.or(self.output_tokens);
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
