//! What is kept of the conversations with an owner's assistant.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};

use super::{Id, Manage};
use crate::{
    assistant::{Record, store::MAX_ID},
    audit::{self, Action, By},
    error::Error,
    http::document::Failures,
};

/// Erases all responses that are kept of one of the caller's assistants. The assistant stays. What is left of one that has
/// been deleted is erased too.
#[utoipa::path(
    delete,
    path = "/assistants/{id}/responses",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id")),
    responses(
        (status = 204, description = "The responses are erased"),
        Failures,
    )
)]
pub(super) async fn erase(State(manage): State<Arc<Manage>>, id: Id, headers: HeaderMap) -> Result<StatusCode, Error> {
    let record = match manage.own(&headers, &id).await {
        Err(Error::NoSuchAssistant) => return manage.erase_remains(&headers, &id).await,
        record => record?,
    };
    let responses = manage.responses.as_ref().ok_or(Error::ResponsesNotKept)?;
    let erased = responses.erase(&record.assistant_id, false).await;
    if erased.is_err() {
        // Some may be.
        audit::perhaps_written(By::Owner(&record.owner_id), Action::EraseResponses, &record);
    }
    erased?;
    audit::written(By::Owner(&record.owner_id), Action::EraseResponses, &record);
    Ok(StatusCode::NO_CONTENT)
}

impl Manage {
    /// Erases what is kept of an assistant that was deleted just now, where anything is.
    ///
    /// # Errors
    /// [`Error::NotAllErased`], which says that the assistant is deleted.
    pub(super) async fn erase_deleted(&self, record: &Record) -> Result<(), Error> {
        if let Some(responses) = &self.responses
            && responses.erase(&record.assistant_id, true).await?
        {
            audit::written(By::Owner(&record.owner_id), Action::EraseResponses, record);
        }
        Ok(())
    }

    /// Erases what is left of an assistant that is not there any more. Whose it was is not known then. Whoever knows the id may
    /// do it: nobody can read what is left, and no other assistant gets the id.
    ///
    /// # Errors
    /// [`Error::NoSuchAssistant`] where the assistant is there, or nothing is left.
    pub(super) async fn erase_remains(&self, headers: &HeaderMap, id: &Id) -> Result<StatusCode, Error> {
        let owner_id = self.verifier.owner(headers).await?;
        let (Some(responses), Ok(Path(id))) = (&self.responses, id) else {
            return Err(Error::NoSuchAssistant);
        };
        if id.len() > MAX_ID || self.store.get(id).await?.is_some() || !responses.erase(id, true).await? {
            return Err(Error::NoSuchAssistant);
        }
        let record = Record {
            assistant_id: id.clone(),
            ..Record::default()
        };
        audit::written(By::Owner(&owner_id), Action::EraseResponses, &record);
        Ok(StatusCode::NO_CONTENT)
    }
}
