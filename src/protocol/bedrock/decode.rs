//! The events of `ConverseStream`, as deltas.

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

/// Decodes a stream's events, and a whole answer of `Converse` in one frame.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    ending: Ending,
}

#[derive(Deserialize)]
struct ContentBlockDelta {
    delta: Block,
}

/// A content block or a piece of one: a union by the name of its one field.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    text: Option<String>,
    reasoning_content: Option<Reasoning>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reasoning {
    text: Option<String>,
    /// In a whole answer.
    reasoning_text: Option<ReasoningText>,
}

#[derive(Deserialize)]
struct ReasoningText {
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop {
    stop_reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Converse {
    output: Output,
    stop_reason: String,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Output {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Vec<Block>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
#[expect(clippy::struct_field_names, reason = "Bedrock's names")]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
}

impl Decode for Decoder {
    fn decode(&mut self, frame: &Frame) -> Result<Decoded, ProviderError> {
        let mut deltas = Vec::new();
        match frame.event.as_deref() {
            Some("contentBlockDelta") => deltas.extend(parse::<ContentBlockDelta>(frame)?.delta.into_delta()),
            Some("messageStop") => {
                deltas.push(Delta::Finish(finish_reason(&parse::<MessageStop>(frame)?.stop_reason)?));
                self.ending = Ending::Complete;
            }
            // Usage comes after the stop, and last.
            Some("metadata") => {
                let usage = parse::<Metadata>(frame).ok().and_then(|metadata| metadata.usage);
                deltas.extend(usage.map(WireUsage::into_delta));
            }
            Some("error") => {
                let error: Value = serde_json::from_str(&frame.data).unwrap_or_default();
                return Err(failure::from_event(&error));
            }
            // `messageStart`, `contentBlockStart`, `contentBlockStop`, and what may come.
            Some(_) => {}
            None => {
                let whole: Converse = parse(frame)?;
                deltas.extend(whole.output.message.content.into_iter().filter_map(Block::into_delta));
                deltas.push(Delta::Finish(finish_reason(&whole.stop_reason)?));
                deltas.extend(whole.usage.map(WireUsage::into_delta));
                self.ending = Ending::Complete;
            }
        }
        Ok(Decoded::Deltas(deltas))
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

fn parse<'a, T: Deserialize<'a>>(frame: &'a Frame) -> Result<T, ProviderError> {
    serde_json::from_str(&frame.data).map_err(|error| failure::malformed("event", &error))
}

/// Converse's `StopReason`. One that is not known is an error, and so are `tool_use` and `malformed_…`: to guess
/// `stop` would make cut-off text look complete.
fn finish_reason(reason: &str) -> Result<FinishReason, ProviderError> {
    match reason {
        "end_turn" | "stop_sequence" => Ok(FinishReason::Stop),
        "max_tokens" | "model_context_window_exceeded" => Ok(FinishReason::Length),
        // `refusal`: Claude's own word, which some of its versions let through.
        "guardrail_intervened" | "content_filtered" | "refusal" => Ok(FinishReason::ContentFilter),
        other => Err(failure::finish_reason(other)),
    }
}

impl Block {
    fn into_delta(self) -> Option<Delta> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(text) = filled(self.text) {
            return Some(Delta::Text { text, logprobs: None });
        }
        let reasoning = self.reasoning_content?;
        filled(reasoning.text.or(reasoning.reasoning_text.map(|whole| whole.text))).map(Delta::Reasoning)
    }
}

impl WireUsage {
    /// Bedrock counts cached tokens beside `inputTokens`, OpenAI within them.
    fn into_delta(self) -> Delta {
        Delta::Usage(Usage {
            prompt: self
                .input_tokens
                .saturating_add(self.cache_read_input_tokens.unwrap_or(0))
                .saturating_add(self.cache_write_input_tokens.unwrap_or(0)),
            completion: self.output_tokens,
            cached: self.cache_read_input_tokens,
            reasoning: None,
        })
    }
}
