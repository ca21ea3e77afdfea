//! The chunks of `streamGenerateContent`, as deltas.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    chat::delta::{Delta, FinishReason, Usage, count},
    error::ProviderError,
    protocol::{
        decode::{Decode, Ending},
        failure, finish_reason,
    },
};

/// Decodes `GenerateContentResponse` frames; a whole answer of `generateContent` is one of them.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    ending: Ending,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    candidates: Vec<Candidate>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Candidate {
    content: CandidateContent,
    finish_reason: Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CandidateContent {
    parts: Vec<CandidatePart>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CandidatePart {
    text: String,
    /// Whether it is thinking and no part of the answer.
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

impl Decode for Decoder {
    fn decode(&mut self, _event: Option<&str>, message: Value) -> Result<Vec<Delta>, ProviderError> {
        let response: Response =
            serde_json::from_value(message).map_err(|error| failure::malformed("chunk", &error))?;
        let mut deltas = Vec::new();
        if let Some(candidate) = response.candidates.into_iter().next() {
            deltas.extend(
                candidate
                    .content
                    .parts
                    .into_iter()
                    .filter_map(CandidatePart::into_delta),
            );
            if let Some(reason) = finish_reason::read(&candidate.finish_reason)? {
                self.finish(reason, &mut deltas);
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
        deltas.extend(
            response
                .usage_metadata
                .is_object()
                .then(|| Delta::Usage(usage(&response.usage_metadata))),
        );
        Ok(deltas)
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

impl CandidatePart {
    fn into_delta(self) -> Option<Delta> {
        let Self { text, thought } = self;
        match (text.is_empty(), thought) {
            (true, _) => None,
            (false, true) => Some(Delta::Reasoning(text)),
            (false, false) => Some(Delta::Text { text, logprobs: None }),
        }
    }
}

/// Counts so far. Google counts thinking beside the candidate's tokens, OpenAI within them.
fn usage(counts: &Value) -> Usage {
    let reasoning = count(&counts["thoughtsTokenCount"]);
    let candidates = count(&counts["candidatesTokenCount"]).unwrap_or(0);
    Usage {
        prompt: count(&counts["promptTokenCount"]).unwrap_or(0),
        completion: candidates.saturating_add(reasoning.unwrap_or(0)),
        cached: count(&counts["cachedContentTokenCount"]),
        written_to_cache: None,
        reasoning,
    }
}
