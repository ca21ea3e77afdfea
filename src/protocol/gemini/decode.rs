//! The chunks of `streamGenerateContent`, as deltas.

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

/// Decodes `GenerateContentResponse` frames; a whole answer of `generateContent` is one of them.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    ending: Ending,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<WireUsage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Content,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
    /// Whether it is thinking and no part of the answer.
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

/// Counts so far: those of the last chunk that has them are the answer's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "Google's names")]
struct WireUsage {
    #[serde(default)]
    prompt_token_count: u64,
    #[serde(default)]
    candidates_token_count: u64,
    thoughts_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
}

impl Decode for Decoder {
    fn decode(&mut self, frame: &Frame) -> Result<Decoded, ProviderError> {
        let response: Response =
            serde_json::from_str(&frame.data).map_err(|error| failure::malformed("chunk", &error))?;
        if let Some(error) = response.error {
            return Err(failure::from_event(&error));
        }
        let mut deltas = Vec::new();
        if let Some(candidate) = response.candidates.into_iter().next() {
            deltas.extend(candidate.content.parts.into_iter().filter_map(Part::into_delta));
            if let Some(reason) = candidate.finish_reason {
                self.finish(finish_reason(&reason)?, &mut deltas);
            } else if !deltas.is_empty() {
                // There was a reason before, on a chunk that was not the last: old models have one on each.
                self.ending = Ending::CutOff;
            }
        } else if response
            .prompt_feedback
            .is_some_and(|feedback| feedback.block_reason.is_some())
        {
            // The prompt was blocked, and there is no candidate.
            self.finish(FinishReason::ContentFilter, &mut deltas);
        }
        deltas.extend(response.usage_metadata.map(WireUsage::into_delta));
        Ok(Decoded::Deltas(deltas))
    }

    fn ending(&self) -> Ending {
        self.ending
    }
}

impl Decoder {
    /// There is no end marker but the end of the body.
    fn finish(&mut self, reason: FinishReason, deltas: &mut Vec<Delta>) {
        self.ending = Ending::AtEndOfInput;
        deltas.push(Delta::Finish(reason));
    }
}

/// `FinishReason`. What went wrong within the model (`MALFORMED_FUNCTION_CALL`, `OTHER`, …) and what is not known is an
/// error: to guess `stop` would make cut-off text look complete.
fn finish_reason(reason: &str) -> Result<FinishReason, ProviderError> {
    match reason {
        "STOP" => Ok(FinishReason::Stop),
        "MAX_TOKENS" => Ok(FinishReason::Length),
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Ok(FinishReason::ContentFilter),
        other => Err(failure::finish_reason(other)),
    }
}

impl Part {
    fn into_delta(self) -> Option<Delta> {
        let Self { text, thought } = self;
        match (text.is_empty(), thought) {
            (true, _) => None,
            (false, true) => Some(Delta::Reasoning(text)),
            (false, false) => Some(Delta::Text { text, logprobs: None }),
        }
    }
}

impl WireUsage {
    /// Google counts thinking beside the candidate's tokens, OpenAI within them.
    fn into_delta(self) -> Delta {
        Delta::Usage(Usage {
            prompt: self.prompt_token_count,
            completion: self
                .candidates_token_count
                .saturating_add(self.thoughts_token_count.unwrap_or(0)),
            cached: self.cached_content_token_count,
            reasoning: self.thoughts_token_count,
        })
    }
}
