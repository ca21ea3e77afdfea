//! The buffered reply: the deltas folded into one `chat.completion`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Awaited, Deltas},
    chat::delta::{Delta, FinishReason, Usage},
    error::{Error, ProviderError},
    public::chat_completions::completion::{Content, Head},
    record::Record,
};

#[derive(Default)]
struct Folded {
    text: String,
    reasoning: String,
    refusal: String,
    logprobs: Option<Value>,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

/// Waits for the whole answer.
///
/// # Errors
/// Whatever cut the answer off: no part of it is shown then.
pub async fn reply(awaited: Awaited, mut record: Record) -> Result<Response, Error> {
    let whole = async {
        let Answer { model, deltas } = awaited.await?;
        record.answering(&model);
        let (folded, finish) = fold(deltas, &mut record).await?;
        Ok((Head::new(&model), folded, finish))
    };
    match whole.await {
        Ok((head, folded, finish)) => {
            record.finished(finish);
            let usage = folded.usage;
            Ok(Json(head.completion(folded.into(), finish, usage)).into_response())
        }
        Err(error) => {
            record.failed(&error);
            Err(error)
        }
    }
}

async fn fold(mut deltas: Deltas, record: &mut Record) -> Result<(Folded, FinishReason), Error> {
    let mut folded = Folded::default();
    while let Some(delta) = deltas.next().await {
        match delta? {
            Delta::Text { text, logprobs } => {
                record.text();
                folded.text.push_str(&text);
                if let Some(more) = logprobs {
                    join_logprobs(folded.logprobs.get_or_insert_with(|| json!({})), more);
                }
            }
            Delta::Reasoning(reasoning) => folded.reasoning.push_str(&reasoning),
            Delta::Refusal(refusal) => folded.refusal.push_str(&refusal),
            Delta::Finish(reason) => folded.finish = Some(reason),
            Delta::Usage(usage) => {
                record.usage(usage);
                folded.usage = Some(usage);
            }
        }
    }
    let finish = folded
        .finish
        .ok_or_else(|| ProviderError::failed("the answer has no finish reason"))?;
    Ok((folded, finish))
}

/// `{"content": […], "refusal": […]}`: each chunk's lists go after the ones before.
fn join_logprobs(all: &mut Value, more: Value) {
    for name in ["content", "refusal"] {
        match (&mut all[name], &more[name]) {
            (Value::Array(all), Value::Array(more)) => all.extend(more.iter().cloned()),
            (all, more) if all.is_null() => *all = more.clone(),
            _ => {}
        }
    }
}

impl From<Folded> for Content {
    fn from(folded: Folded) -> Self {
        let refusal = (!folded.refusal.is_empty()).then_some(folded.refusal);
        let refused_without_text = refusal.is_some() && folded.text.is_empty();
        Self {
            reasoning: (!folded.reasoning.is_empty()).then_some(folded.reasoning),
            text: (!refused_without_text).then_some(folded.text),
            refusal,
            logprobs: folded.logprobs,
        }
    }
}
