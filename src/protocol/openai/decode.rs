//! The chunks of a server that speaks OpenAI's API, as deltas.

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

/// Decodes `chat.completion.chunk` frames, and a whole `chat.completion` in one frame.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    ending: Ending,
    /// Whether the answer has said anything yet.
    begun: bool,
    /// Whether an answer went on after a finish reason: some servers give one with every chunk.
    went_on: bool,
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<Value>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    delta: Option<WireMessage>,
    /// Of an answer that was not streamed; Perplexity's chunks have it beside `delta`, with all of the text so far.
    message: Option<WireMessage>,
    logprobs: Option<Value>,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct WireMessage {
    content: Option<Content>,
    refusal: Option<String>,
    /// DeepSeek, xAI, vLLM, llama.cpp. Text, and whatever else it is is nothing to show.
    #[serde(default)]
    reasoning_content: Value,
    /// OpenRouter, Groq, Together, Ollama.
    #[serde(default)]
    reasoning: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    /// Mistral's reasoning models send parts: `text`, and `thinking` with parts of its own.
    Parts(Vec<ContentPart>),
}

#[derive(Deserialize)]
struct ContentPart {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    #[serde(default)]
    thinking: Value,
}

impl WireMessage {
    fn is_silent(&self) -> bool {
        match &self.content {
            None => true,
            Some(Content::Text(text)) => text.is_empty(),
            Some(Content::Parts(parts)) => parts.is_empty(),
        }
    }
}

impl Decode for Decoder {
    fn decode(&mut self, frame: &Frame) -> Result<Decoded, ProviderError> {
        let data = frame.data.trim();
        if data == "[DONE]" {
            return match self.ending {
                Ending::CutOff => Err(ProviderError::failed("[DONE] without a finish reason")),
                Ending::AtEndOfInput | Ending::Complete => Ok(Decoded::End),
            };
        }
        if data.is_empty() {
            return Ok(Decoded::Deltas(Vec::new()));
        }
        let chunk: Chunk = match serde_json::from_str(data) {
            Ok(chunk) => chunk,
            // The answer is whole: this is something else.
            Err(_) if self.ending == Ending::Complete => return Ok(Decoded::Deltas(Vec::new())),
            Err(error) => return Err(failure::malformed("chunk", &error)),
        };
        if let Some(error) = chunk.error {
            return Err(failure::from_event(&error));
        }
        let says_nothing = chunk.choices.is_none() && chunk.usage.is_none() && self.ending == Ending::CutOff;
        if frame.event.as_deref() == Some("error") || says_nothing {
            let body: Value = serde_json::from_str(data).unwrap_or_default();
            return Err(failure::from_event(&body));
        }
        let mut deltas = Vec::new();
        for choice in chunk.choices.into_iter().flatten() {
            if choice.index == 0 {
                self.choice(choice, &mut deltas)?;
            }
        }
        deltas.extend(
            chunk
                .usage
                .filter(Value::is_object)
                .map(|counts| Delta::Usage(usage(&counts))),
        );
        Ok(Decoded::Deltas(deltas))
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

impl Decoder {
    fn choice(&mut self, choice: Choice, deltas: &mut Vec<Delta>) -> Result<(), ProviderError> {
        let finishes = choice.finish_reason.is_some();
        let message = match (choice.delta, choice.message) {
            // Perplexity's whole answer has an empty delta beside it.
            (Some(delta), Some(message)) if finishes && !self.begun && delta.is_silent() => message,
            (delta, message) => delta.or(message).unwrap_or_default(),
        };
        let before = deltas.len();
        let reasoning = message.reasoning_content.as_str().or(message.reasoning.as_str());
        let mut reasoning = reasoning.unwrap_or_default().to_owned();
        let mut text = String::new();
        match message.content {
            Some(Content::Text(whole)) => text = whole,
            Some(Content::Parts(parts)) => {
                for part in parts {
                    match part.kind.as_str() {
                        "text" => text.push_str(&part.text.unwrap_or_default()),
                        "thinking" => {
                            let parts = part.thinking.as_array().into_iter().flatten();
                            reasoning.extend(parts.filter_map(|part| part["text"].as_str()));
                        }
                        _ => {}
                    }
                }
            }
            None => {}
        }
        if !reasoning.is_empty() {
            deltas.push(Delta::Reasoning(reasoning));
        }
        if !text.is_empty() {
            let logprobs = choice.logprobs.filter(|logprobs| !logprobs.is_null());
            deltas.push(Delta::Text { text, logprobs });
        }
        if let Some(refusal) = message.refusal.filter(|refusal| !refusal.is_empty()) {
            deltas.push(Delta::Refusal(refusal));
        }
        let reason = choice.finish_reason.filter(|reason| !reason.is_empty());
        self.note(deltas.len() > before, reason.is_some());
        deltas.extend(
            reason
                .map(|reason| finish_reason(&reason))
                .transpose()?
                .map(Delta::Finish),
        );
        Ok(())
    }

    /// A reason on a chunk of its own, after the text, is the end; one beside text may stand on every chunk.
    fn note(&mut self, speaks: bool, finishes: bool) {
        self.went_on |= speaks && self.ending != Ending::CutOff;
        self.ending = match (speaks, finishes, self.ending) {
            (false, true, Ending::CutOff) if self.begun && !self.went_on => Ending::Complete,
            (true, true, _) | (false, true, Ending::CutOff) => Ending::AtEndOfInput,
            (true, false, _) => Ending::CutOff,
            (false, _, ending) => ending,
        };
        self.begun |= speaks;
    }
}

/// OpenAI's reasons, and what other servers call the same. A reason that is not known is an error: to guess `stop`
/// would make cut-off text look complete.
fn finish_reason(reason: &str) -> Result<FinishReason, ProviderError> {
    match reason {
        // Together and older text-generation servers: `eos`, `eos_token`, `stop_sequence`.
        "stop" | "eos" | "eos_token" | "stop_sequence" => Ok(FinishReason::Stop),
        // Mistral: `model_length`, the end of the model's context.
        "length" | "model_length" | "max_tokens" => Ok(FinishReason::Length),
        "content_filter" => Ok(FinishReason::ContentFilter),
        // DeepSeek.
        "insufficient_system_resource" => Err(ProviderError::Overloaded { retry_after: None }),
        other => Err(failure::finish_reason(other)),
    }
}

/// Counts that are no numbers, or not whole ones, cost nobody an answer.
fn usage(counts: &Value) -> Usage {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and what is negative becomes 0"
    )]
    let count = |value: &Value| value.as_u64().or_else(|| value.as_f64().map(|float| float as u64));
    Usage {
        prompt: count(&counts["prompt_tokens"]).unwrap_or(0),
        completion: count(&counts["completion_tokens"]).unwrap_or(0),
        cached: count(&counts["prompt_tokens_details"]["cached_tokens"]),
        reasoning: count(&counts["completion_tokens_details"]["reasoning_tokens"]),
    }
}
