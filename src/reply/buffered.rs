//! The buffered reply: the deltas folded into one JSON body.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;

use super::form::Form;
use crate::{
    answer::{Awaited, Folded, Whole},
    error::Error,
    provider::Model,
    record::ReplyRecord,
};

/// Waits for the whole answer.
///
/// # Errors
/// Whatever cut the answer off: no part of it is shown then.
pub(crate) async fn reply(awaited: Awaited, mut form: impl Form, mut record: ReplyRecord) -> Result<Response, Error> {
    let whole = whole(awaited, &mut record).await;
    match &whole {
        Ok((model, whole)) => {
            record.finished(whole.ended.finish);
            record.also_at_end(form.complete(model, whole));
        }
        Err(error) => record.failed(error),
    }
    record.end().await;
    let (model, whole) = whole?;
    let headers = [(header::CONTENT_TYPE, "application/json")];
    Ok((headers, form.whole(&model, whole)).into_response())
}

async fn whole(awaited: Awaited, record: &mut ReplyRecord) -> Result<(Model, Whole), Error> {
    let mut answer = record.begun(awaited.await)?;
    let mut folded = Folded::default();
    while let Some(delta) = answer.deltas.next().await {
        let delta = delta?;
        record.delta(&delta);
        folded.add(&delta)?;
    }
    Ok((answer.model, folded.complete()?))
}
