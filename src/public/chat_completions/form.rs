//! OpenAI's reply objects as the wire form of a reply: the `chat.completion` and its chunks, which `[DONE]` ends.
//!
//! A chunk's bytes are written straight into the body: what all chunks of a reply share is made once.

use bytes::{Bytes, BytesMut};
use serde_json::Value;

use super::bodies::{
    AnswerMessage, ChatCompletion, ChatCompletionChunk, Choice, ChunkChoice, ChunkDelta, CompletionUsage, fresh_id,
};

use crate::{
    answer::{Ended, Whole},
    chat::delta::{Delta, Usage},
    error::Error,
    provider::Model,
    public::now,
    record::EndTask,
    reply::form::{Form, write},
};

/// How a chunk without choices ends.
const NO_CHOICES: &[u8] = b"[]}";
const DONE: &[u8] = b"data: [DONE]\n\n";

/// The form of one reply.
#[derive(Debug)]
pub(super) struct Completion {
    include_usage: bool,
    /// A chunk up to its choices, from `data: ` on.
    head: Vec<u8>,
    role_sent: bool,
}

impl Completion {
    /// `include_usage`: whether a stream has a chunk with its usage, and `"usage": null` in the others.
    pub(super) fn new(include_usage: bool) -> Self {
        Self {
            include_usage,
            head: Vec::new(),
            role_sent: false,
        }
    }

    /// A chunk with what is new; the first one has the role too.
    fn news(&mut self, delta: ChunkDelta, logprobs: Option<&Value>, out: &mut BytesMut) {
        let role = (!std::mem::replace(&mut self.role_sent, true)).then_some("assistant");
        let choice = ChunkChoice {
            index: 0,
            delta: ChunkDelta { role, ..delta },
            logprobs,
            finish_reason: None,
        };
        self.chunk(&[choice], None, out);
    }

    fn chunk(&self, choices: &[ChunkChoice], usage: Option<Usage>, out: &mut BytesMut) {
        out.extend_from_slice(&self.head);
        write(&choices, out);
        if self.include_usage {
            out.extend_from_slice(b",\"usage\":");
            write(&usage.map(CompletionUsage::from), out);
        }
        out.extend_from_slice(b"}\n\n");
    }
}

impl Form for Completion {
    fn begin(&mut self, model: &Model, _: &mut BytesMut) {
        let mut head = BytesMut::from(&b"data: "[..]);
        write(&ChatCompletionChunk::head(model), &mut head);
        // Each chunk goes on with choices of its own.
        head.truncate(head.len() - NO_CHOICES.len());
        self.head = head.into();
    }

    fn delta(&mut self, delta: &Delta, out: &mut BytesMut) -> Result<(), Error> {
        let mut new = ChunkDelta::default();
        let mut its_logprobs = None;
        match delta {
            Delta::Text { text, logprobs } => {
                new.content = Some(text);
                its_logprobs = logprobs.as_ref();
            }
            Delta::Reasoning(text) => new.reasoning_content = Some(text),
            Delta::Refusal(text) => new.refusal = Some(text),
            Delta::Finish(_) | Delta::Usage(_) => return Ok(()),
        }
        self.news(new, its_logprobs, out);
        Ok(())
    }

    fn finish(&mut self, ended: Ended, out: &mut BytesMut) -> Option<EndTask> {
        if !self.role_sent {
            let empty = ChunkDelta {
                content: Some(""),
                ..ChunkDelta::default()
            };
            self.news(empty, None, out);
        }
        let last = ChunkChoice {
            index: 0,
            delta: ChunkDelta::default(),
            logprobs: None,
            finish_reason: Some(ended.finish),
        };
        self.chunk(&[last], None, out);
        None
    }

    fn end(&mut self, ended: Ended, out: &mut BytesMut) {
        if self.include_usage && ended.usage.is_some() {
            self.chunk(&[], ended.usage, out);
        }
        out.extend_from_slice(DONE);
    }

    fn error(&mut self, error: &Error, out: &mut BytesMut) {
        out.extend_from_slice(b"data: ");
        write(&error.body(), out);
        out.extend_from_slice(b"\n\n");
    }

    fn complete(&mut self, _: &Model, _: &Whole) -> Option<EndTask> {
        None
    }

    /// `usage` is left out where the provider gave none.
    fn whole(self, model: &Model, whole: Whole) -> Bytes {
        let completion = ChatCompletion {
            id: fresh_id(),
            object: "chat.completion",
            created: now(),
            model: model.name.clone(),
            choices: [Choice {
                index: 0,
                message: AnswerMessage {
                    role: "assistant",
                    content: whole.text,
                    refusal: whole.refusal,
                    reasoning_content: whole.reasoning,
                },
                logprobs: whole.logprobs,
                finish_reason: whole.ended.finish,
            }],
            usage: whole.ended.usage.map(Into::into),
        };
        let mut body = BytesMut::new();
        write(&completion, &mut body);
        body.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{answer::Progress, chat::delta::FinishReason, provider};
    use serde_json::json;

    /// The bytes of a stream, without what is another in each reply.
    fn streamed(include_usage: bool, deltas: Vec<Delta>) -> String {
        let (mut form, mut out, mut progress) = (Completion::new(include_usage), BytesMut::new(), Progress::default());
        form.begin(&provider::choose("gpt-4o", None, None).unwrap(), &mut out);
        for delta in deltas {
            form.delta(&delta, &mut out).unwrap();
            progress.note(&delta);
        }
        let ended = progress.ended().unwrap();
        form.finish(ended, &mut out);
        form.end(ended, &mut out);
        let head = String::from_utf8(form.head).unwrap();
        let shared: Value = serde_json::from_str(&format!("{}[]}}", &head["data: ".len()..])).unwrap();
        let names: Vec<_> = shared.as_object().unwrap().keys().collect();
        assert_eq!(names, ["id", "object", "created", "model", "choices"]);
        assert_eq!(shared["object"], "chat.completion.chunk");
        String::from_utf8(out.to_vec()).unwrap().replace(&head, "HEAD ")
    }

    fn text(text: &str, logprobs: Option<Value>) -> Delta {
        let text = text.into();
        Delta::Text { text, logprobs }
    }

    #[test]
    fn chunks_are_these_bytes() {
        let logprobs = json!({"content": [{"token": "b"}]});
        let written = streamed(
            false,
            vec![
                Delta::Reasoning("Hm".into()),
                text("a \"quote\"\n\u{0}\u{2028}ü👋\\", None),
                text("b", Some(logprobs)),
                Delta::Refusal("No.".into()),
                Delta::Finish(FinishReason::Length),
            ],
        );
        let expected = [
            r#"HEAD [{"index":0,"delta":{"role":"assistant","reasoning_content":"Hm"},"logprobs":null,"finish_reason":null}]}"#,
            concat!(
                r#"HEAD [{"index":0,"delta":{"content":"a \"quote\"\n\u0000"#,
                "\u{2028}",
                r#"ü👋\\"},"logprobs":null,"finish_reason":null}]}"#
            ),
            r#"HEAD [{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b"}]},"finish_reason":null}]}"#,
            r#"HEAD [{"index":0,"delta":{"refusal":"No."},"logprobs":null,"finish_reason":null}]}"#,
            r#"HEAD [{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}]}"#,
            "data: [DONE]\n\n",
        ];
        assert_eq!(written, expected.join("\n\n"));
    }

    #[test]
    fn usage_is_asked_for() {
        let usage = Usage {
            prompt: 9,
            completion: 12,
            cached: Some(4),
            written_to_cache: None,
            reasoning: None,
        };
        let expected = [
            r#"HEAD [{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#"HEAD [{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}"#,
            r#"HEAD [],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}"#,
            "data: [DONE]\n\n",
        ];
        let finish = Delta::Finish(FinishReason::Stop);
        let written = streamed(true, vec![Delta::Usage(usage), finish.clone()]);
        assert_eq!(written, expected.join("\n\n"));
        // A provider may give none.
        let expected = [expected[0], expected[1], expected[3]];
        assert_eq!(streamed(true, vec![finish]), expected.join("\n\n"));
    }
}
