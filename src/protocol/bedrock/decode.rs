//! The events of `ConverseStream`, as deltas.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    chat::delta::{Delta, Usage, count},
    error::ProviderError,
    protocol::{
        decode::{Decode, Ending},
        failure, finish_reason,
    },
};

/// Decodes a stream's events, and a whole answer of `Converse` in one frame.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    ending: Ending,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ContentBlockDelta {
    delta: Block,
}

/// A content block or a piece of one: a union by the name of its one field.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Block {
    text: Option<String>,
    reasoning_content: Option<Reasoning>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Reasoning {
    text: Option<String>,
    /// In a whole answer.
    reasoning_text: Option<ReasoningText>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReasoningText {
    text: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct MessageStop {
    stop_reason: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Converse {
    output: Output,
    stop_reason: Value,
    usage: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Output {
    message: OutputMessage,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputMessage {
    content: Vec<Block>,
}

impl Decode for Decoder {
    fn decode(&mut self, event: Option<&str>, message: Value) -> Result<Vec<Delta>, ProviderError> {
        let mut deltas = Vec::new();
        match event {
            Some("contentBlockDelta") => deltas.extend(parse::<ContentBlockDelta>(message)?.delta.into_delta()),
            Some("messageStop") => self.finish(&parse::<MessageStop>(message)?.stop_reason, &mut deltas)?,
            // Usage comes after the stop, and last.
            Some("metadata") => {
                deltas.extend(usage(&message["usage"]));
            }
            // `messageStart`, `contentBlockStart`, `contentBlockStop`, and what may come.
            Some(_) => {}
            None => {
                let whole: Converse = parse(message)?;
                deltas.extend(whole.output.message.content.into_iter().filter_map(Block::into_delta));
                self.finish(&whole.stop_reason, &mut deltas)?;
                deltas.extend(usage(&whole.usage));
            }
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
            deltas.push(Delta::Finish(reason));
            self.ending = Ending::Complete;
        }
        Ok(())
    }
}

fn parse<T: DeserializeOwned>(message: Value) -> Result<T, ProviderError> {
    serde_json::from_value(message).map_err(|error| failure::malformed("event", &error))
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

/// Bedrock counts cached tokens beside `inputTokens`, OpenAI within them.
fn usage(counts: &Value) -> Option<Delta> {
    let of = |name: &str| count(&counts[name]);
    let (read, written) = (of("cacheReadInputTokens"), of("cacheWriteInputTokens"));
    let usage = Usage {
        prompt: [of("inputTokens"), read, written].into_iter().flatten().sum(),
        completion: of("outputTokens").unwrap_or(0),
        cached: read,
        written_to_cache: written,
        reasoning: None,
    };
    counts.is_object().then_some(Delta::Usage(usage))
}
