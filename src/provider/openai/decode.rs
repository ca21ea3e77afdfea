//! The chunks of a server that speaks OpenAI's API, as deltas.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    chat::delta::{Delta, FinishReason, Usage},
    error::ProviderError,
    provider::failure,
    upstream::{Decode, Decoded, Frame},
};

/// Decodes `chat.completion.chunk` frames, and a whole `chat.completion` in one frame.
#[derive(Debug, Default)]
pub struct Decoder {
    finished: bool,
}

#[derive(Deserialize)]
struct Chunk {
    choices: Option<Vec<Choice>>,
    usage: Option<WireUsage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    #[serde(alias = "message")]
    delta: Option<WireMessage>,
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

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl Decode for Decoder {
    fn decode(&mut self, frame: &Frame) -> Result<Decoded, ProviderError> {
        let data = frame.data.trim();
        if data == "[DONE]" {
            return if self.finished {
                Ok(Decoded::End)
            } else {
                Err(ProviderError::failed("[DONE] without a finish reason"))
            };
        }
        if data.is_empty() {
            return Ok(Decoded::Deltas(Vec::new()));
        }
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|error| ProviderError::failed(format!("malformed chunk: {error}")))?;
        if let Some(error) = chunk.error {
            return Err(failure::from_event(&error));
        }
        if frame.event.as_deref() == Some("error") || (chunk.choices.is_none() && chunk.usage.is_none()) {
            let body: Value = serde_json::from_str(data).unwrap_or_default();
            return Err(failure::from_event(&body));
        }
        let mut deltas = Vec::new();
        for choice in chunk.choices.into_iter().flatten() {
            if choice.index == 0 {
                self.choice(choice, &mut deltas)?;
            }
        }
        deltas.extend(chunk.usage.map(|usage| Delta::Usage(usage.into())));
        Ok(Decoded::Deltas(deltas))
    }

    fn may_end(&self) -> bool {
        self.finished
    }
}

impl Decoder {
    fn choice(&mut self, choice: Choice, deltas: &mut Vec<Delta>) -> Result<(), ProviderError> {
        let message = choice.delta.unwrap_or_default();
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
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            // Some servers repeat the reason on the chunk that carries usage.
            let reason = finish_reason(&reason)?;
            if !std::mem::replace(&mut self.finished, true) {
                deltas.push(Delta::Finish(reason));
            }
        }
        Ok(())
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
        other => Err(ProviderError::failed(format!("finish reason {other:?}"))),
    }
}

impl From<WireUsage> for Usage {
    fn from(usage: WireUsage) -> Self {
        Self {
            prompt: usage.prompt_tokens,
            completion: usage.completion_tokens,
            cached: usage.prompt_tokens_details.and_then(|details| details.cached_tokens),
            reasoning: usage
                .completion_tokens_details
                .and_then(|details| details.reasoning_tokens),
        }
    }
}
