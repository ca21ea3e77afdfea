//! The buffered reply: the deltas folded into one JSON body.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;

use super::form::Form;
use crate::{
    answer::{Awaited, Folded, Omitted, Whole},
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
        Ok((model, _, whole)) => {
            record.finished(whole.ended.finish);
            record.also_at_end(form.complete(model, whole));
        }
        Err(error) => record.failed(error),
    }
    record.end().await;
    let (model, omitted, whole) = whole?;
    let headers = [(header::CONTENT_TYPE, "application/json")];
    let mut response = (headers, form.whole(&model, whole)).into_response();
    omitted.write(response.headers_mut());
    Ok(response)
}

async fn whole(awaited: Awaited, record: &mut ReplyRecord) -> Result<(Model, Omitted, Whole), Error> {
    let mut answer = record.begun(awaited.await)?;
    let mut folded = Folded::default();
    while let Some(delta) = answer.deltas.next().await {
        let delta = delta?;
        record.delta(&delta);
        folded.add(&delta)?;
    }
    Ok((answer.model, answer.omitted, folded.complete()?))
}
