//! The chunks of a server that speaks OpenAI's API, as deltas.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    chat::delta::{Delta, Usage, count},
    error::ProviderError,
    protocol::{
        decode::{Decode, Ending},
        failure, finish_reason, wire,
    },
};

/// Decodes `chat.completion.chunk` messages, and a whole `chat.completion`.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    ending: Ending,
    /// Whether the answer has said anything yet.
    begun: bool,
    /// What has come of the answer in deltas: a whole message after them repeats it.
    streamed: Streamed,
    /// Whether an answer went on after a finish reason: some servers give one with every chunk.
    went_on: bool,
    /// Of chunks without text: a token may be a part of a character, which the next chunk has.
    logprobs: Option<Value>,
}

#[derive(Debug, Default)]
struct Streamed {
    answer: bool,
    reasoning: bool,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Chunk {
    choices: Vec<WireChoice>,
    usage: Value,
    /// Groq's: <https://console.groq.com/docs/text-chat>, read 2026-11.
    x_groq: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireChoice {
    index: Value,
    delta: Option<WireMessage>,
    /// Of an answer that was not streamed; Perplexity's chunks have it beside `delta`, with all of the text so far, and
    /// `MiniMax`'s last chunk has it in place of `delta`.
    /// <https://github.com/ENTERPILOT/GoModel/issues/1068>, read 2026-11.
    message: Option<WireMessage>,
    /// Of the older completions API, which some servers speak here too.
    text: Option<String>,
    logprobs: Option<Value>,
    finish_reason: Value,
    /// Moonshot's: <https://platform.moonshot.ai/docs/api/chat>, read 2026-11.
    usage: Value,
    /// OpenRouter's: <https://openrouter.ai/docs/api-reference/overview>, read 2026-11.
    error: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireMessage {
    content: Option<WireContent>,
    refusal: Option<String>,
    /// DeepSeek, xAI, vLLM, llama.cpp. Text; whatever else it is cannot be shown.
    reasoning_content: Value,
    /// OpenRouter, Groq, Together, Ollama.
    reasoning: Value,
    /// Some gateways, after Anthropic's name.
    thinking: Value,
    /// OpenRouter, beside `reasoning` or instead of it.
    reasoning_details: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireContent {
    Text(String),
    /// Mistral's reasoning models send parts: `text`, and `thinking` with parts of its own.
    Parts(Vec<WirePart>),
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WirePart {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    thinking: Value,
    reasoning: Value,
}

impl WireMessage {
    fn is_silent(&self) -> bool {
        match &self.content {
            None => true,
            Some(WireContent::Text(text)) => text.is_empty(),
            Some(WireContent::Parts(parts)) => parts.is_empty(),
        }
    }

    /// The answer's text and the thinking.
    fn text_and_reasoning(content: Option<WireContent>, reasoning: [&Value; 4]) -> (String, String) {
        // Servers that have several of the fields write the same into them, or leave one empty.
        let mut texts = reasoning.into_iter().map(text_of);
        let mut reasoning = texts.find(|text| !text.is_empty()).unwrap_or_default();
        let mut text = String::new();
        match content {
            Some(WireContent::Text(whole)) => text = whole,
            Some(WireContent::Parts(parts)) => {
                for part in parts {
                    match part.kind.as_str() {
                        "text" | "output_text" | "" => text.push_str(&part.text),
                        "thinking" | "reasoning" => {
                            reasoning.push_str(&part.text);
                            reasoning.push_str(&text_of(&part.thinking));
                            reasoning.push_str(&text_of(&part.reasoning));
                        }
                        _ => {}
                    }
                }
            }
            None => {}
        }
        (text, reasoning)
    }
}

/// The text of a string, or of the parts in a list.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let text = |part: &Value| part["text"].as_str().or(part["summary"].as_str()).map(str::to_owned);
            parts.iter().filter_map(text).collect()
        }
        _ => String::new(),
    }
}

impl Decode for Decoder {
    fn decode(&mut self, _event: Option<&str>, message: Value) -> Result<Vec<Delta>, ProviderError> {
        let chunk: Chunk = match serde_json::from_value(message) {
            Ok(chunk) => chunk,
            // The answer is whole: this is something else.
            Err(_) if self.ending == Ending::Complete => return Ok(Vec::new()),
            Err(error) => return Err(failure::malformed("chunk", &error)),
        };
        let mut deltas = Vec::new();
        let mut counts = vec![chunk.x_groq["usage"].clone(), chunk.usage];
        for choice in chunk.choices {
            if choice.index.as_u64().unwrap_or(0) == 0 {
                counts.insert(0, choice.usage.clone());
                self.choice(choice, &mut deltas)?;
            }
        }
        let counts = counts.iter().filter(|counts| counts.is_object());
        deltas.extend(counts.map(|counts| Delta::Usage(usage(counts))));
        Ok(deltas)
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

impl Decoder {
    fn choice(&mut self, choice: WireChoice, deltas: &mut Vec<Delta>) -> Result<(), ProviderError> {
        if wire::says_error(&choice.error) {
            return Err(failure::from_event(&choice.error));
        }
        let reason = finish_reason::read(&choice.finish_reason)?;
        let repeats = choice.delta.is_none() && choice.message.is_some();
        let message = match (choice.delta, choice.message) {
            // Perplexity's whole answer has an empty delta beside it.
            (Some(delta), Some(message)) if reason.is_some() && !self.begun && delta.is_silent() => message,
            (delta, message) => delta.or(message).unwrap_or_else(|| WireMessage {
                content: choice.text.map(WireContent::Text),
                ..WireMessage::default()
            }),
        };
        let before = deltas.len();
        let fields = [
            &message.reasoning_content,
            &message.reasoning,
            &message.thinking,
            &message.reasoning_details,
        ];
        let (mut text, mut reasoning) = WireMessage::text_and_reasoning(message.content, fields);
        let mut refusal = message.refusal.unwrap_or_default();
        let mut logprobs = choice.logprobs;
        if repeats && self.streamed.answer {
            (text, refusal, logprobs) = Default::default();
        }
        if repeats && self.streamed.reasoning {
            reasoning.clear();
        }
        if !repeats {
            self.streamed.answer |= !text.is_empty() || !refusal.is_empty();
            self.streamed.reasoning |= !reasoning.is_empty();
        }
        if !reasoning.is_empty() {
            deltas.push(Delta::Reasoning(reasoning));
        }
        if let Some(logprobs) = logprobs.and_then(complete_logprobs) {
            self.logprobs = Some(joined(self.logprobs.take(), logprobs));
        }
        if !text.is_empty() {
            let logprobs = self.logprobs.take();
            deltas.push(Delta::Text { text, logprobs });
        }
        if !refusal.is_empty() {
            deltas.push(Delta::Refusal(refusal));
        }
        self.update_ending(deltas.len() > before, reason.is_some());
        deltas.extend(reason.map(Delta::Finish));
        Ok(())
    }

    /// A reason on a chunk of its own, after the text, is the end; one beside text may stand on every chunk.
    fn update_ending(&mut self, speaks: bool, finishes: bool) {
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

/// The log probabilities of two chunks, one after the other.
fn joined(earlier: Option<Value>, mut later: Value) -> Value {
    let Some(mut earlier) = earlier else {
        return later;
    };
    for name in ["content", "refusal"] {
        let more = later[name].take();
        match (earlier[name].as_array_mut(), more) {
            (Some(tokens), Value::Array(more)) => tokens.extend(more),
            (None, more) => earlier[name] = more,
            (Some(_), _) => {}
        }
    }
    earlier
}

/// Logprobs with all the fields that OpenAI's have: strict clients decode them, and other servers leave some out.
fn complete_logprobs(mut logprobs: Value) -> Option<Value> {
    let fields = logprobs.as_object_mut()?;
    for name in ["content", "refusal"] {
        for token in fields
            .entry(name)
            .or_insert(Value::Null)
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            let token = token.as_object_mut()?;
            token.entry("bytes").or_insert(Value::Null);
            for one in token
                .entry("top_logprobs")
                .or_insert(json!([]))
                .as_array_mut()
                .into_iter()
                .flatten()
            {
                one.as_object_mut()?.entry("bytes").or_insert(Value::Null);
            }
        }
    }
    Some(logprobs)
}

/// Reads the counts, where they stand in each server's chunks.
///
/// - `prompt_cache_hit_tokens`: DeepSeek, <https://api-docs.deepseek.com/guides/kv_cache>, read 2026-11.
/// - `cached_tokens`: Moonshot, <https://platform.moonshot.ai/docs/api/chat>, read 2026-11.
/// - `input_tokens`, `output_tokens`: gateways that pass on the counts of other protocols.
fn usage(counts: &Value) -> Usage {
    let first = |values: &[&Value]| values.iter().find_map(|value| count(value));
    let prompt = first(&[&counts["prompt_tokens"], &counts["input_tokens"]]).unwrap_or(0);
    let completion = first(&[&counts["completion_tokens"], &counts["output_tokens"]]).unwrap_or(0);
    let reasoning = first(&[
        &counts["completion_tokens_details"]["reasoning_tokens"],
        &counts["output_tokens_details"]["reasoning_tokens"],
        &counts["reasoning_tokens"],
    ]);
    Usage {
        prompt,
        completion: with_reasoning(completion, reasoning, prompt, count(&counts["total_tokens"])),
        cached: first(&[
            &counts["prompt_tokens_details"]["cached_tokens"],
            &counts["input_tokens_details"]["cached_tokens"],
            &counts["prompt_cache_hit_tokens"],
            &counts["cached_tokens"],
        ]),
        written_to_cache: None,
        reasoning,
    }
}

/// xAI counts reasoning beside `completion_tokens`, OpenAI within them: the total tells, or that there is more of it.
/// <https://docs.x.ai/docs/guides/reasoning>, read 2026-11.
fn with_reasoning(completion: u64, reasoning: Option<u64>, prompt: u64, total: Option<u64>) -> u64 {
    let reasoning = reasoning.unwrap_or(0);
    let sum = completion.saturating_add(reasoning);
    let is_beside = reasoning > completion || (reasoning > 0 && total == Some(sum.saturating_add(prompt)));
    if is_beside { sum } else { completion }
}

#[cfg(test)]
mod tests;
