//! `GET` and `DELETE …/responses/{id}`, and `GET …/responses/{id}/input_items`: what is kept.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    bodies::{DeletedResponse, ItemList, ResponseObject},
    ids::{is_of, is_response_id},
};
use crate::{
    chat::lenient,
    error::Error,
    http::{document::Failures, query::Query},
    kept_responses::ResponsesTable,
    limit::Limit,
    public::{App, body, function_deadline},
    usage::limiter::Asking,
};

/// Most items on a page.
const MAX_PAGE: i32 = 100;

/// An id in the path. It is decoded, and has to be UTF-8 then.
type Id = Result<Path<String>, PathRejection>;

/// A response that is kept, as it was sent.
#[utoipa::path(
    get,
    path = "/public/openai/v1/responses/{id}",
    tag = "public",
    security(("public_token" = [])),
    params(
        ("id" = String, Path, description = "The response's id"),
        ("stream" = Option<bool>, Query, description = "Not offered: `true` is a 400, since no events are kept")
    ),
    responses(
        (status = 200, description = "The response", body = ResponseObject),
        Failures,
    )
)]
pub(crate) async fn show_response(State(app): State<Arc<App>>, id: Id, request: Request) -> Result<Response, Error> {
    let (parts, _) = request.into_parts();
    let (table, assistant_id, id) = app.kept(&parts, &id, &OF_READING).await?;
    refuse_stream(&Query::of(&parts.uri))?;
    let body = table.response(&assistant_id, &id).await?;
    let headers = [(header::CONTENT_TYPE, "application/json")];
    Ok((headers, body.ok_or(Error::NoSuchResponse)?).into_response())
}

/// The limits that a reading counts against: it is a request of the minute.
const OF_READING: [Limit; 2] = [Limit::RequestsPerMinute, Limit::RequestsPerMinutePerCaller];
/// The limit that an erasure counts against: a caller's own, so that others cannot prevent it.
const OF_ERASING: [Limit; 1] = [Limit::RequestsPerMinutePerCaller];

/// A client that asks for events would take the response for a stream of none.
fn refuse_stream(query: &Query) -> Result<(), Error> {
    let stream = query.get("stream").map(Value::from);
    if stream.map_or(Ok(false), |stream| lenient::boolean(&stream, "stream"))? {
        return Err(body::unsupported(
            "stream",
            "no events are kept, so that a response cannot be streamed again. Send false or leave it out",
        ));
    }
    Ok(())
}

/// Deletes a response. Its conversation cannot be carried on any more, nor can those that it is part of.
#[utoipa::path(
    delete,
    path = "/public/openai/v1/responses/{id}",
    tag = "public",
    security(("public_token" = [])),
    params(("id" = String, Path, description = "The response's id")),
    responses(
        (status = 200, description = "The response is deleted", body = DeletedResponse),
        Failures,
    )
)]
pub(crate) async fn delete_response(
    State(app): State<Arc<App>>,
    id: Id,
    request: Request,
) -> Result<Json<DeletedResponse>, Error> {
    let (table, assistant_id, id) = app.kept(&request.into_parts().0, &id, &OF_ERASING).await?;
    if !table.delete(&assistant_id, &id).await? {
        return Err(Error::NoSuchResponse);
    }
    Ok(Json(DeletedResponse {
        id,
        object: "response",
        deleted: true,
    }))
}

/// What the request for a response said, without the turns before it.
#[utoipa::path(
    get,
    path = "/public/openai/v1/responses/{id}/input_items",
    tag = "public",
    security(("public_token" = [])),
    params(
        ("id" = String, Path, description = "The response's id"),
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "How many items a page has at most; 20 unless given"),
        ("order" = inline(Option<Order>), Query, description = "`asc` for the oldest first; `desc` unless given"),
        ("after" = Option<String>, Query, description = "The `last_id` of the page before")
    ),
    responses(
        (status = 200, description = "A page of items", body = ItemList),
        Failures,
    )
)]
pub(crate) async fn list_input_items(
    State(app): State<Arc<App>>,
    id: Id,
    request: Request,
) -> Result<Json<ItemList>, Error> {
    let (parts, _) = request.into_parts();
    let (table, assistant_id, id) = app.kept(&parts, &id, &OF_READING).await?;
    let page = Page::read(&Query::of(&parts.uri))?;
    let said = table.said(&assistant_id, &id).await?;
    page.of(said.ok_or(Error::NoSuchResponse)?.input).map(Json)
}

impl App {
    /// The table and the key of what the request's caller may see, once the request is counted against these limits.
    async fn kept(&self, parts: &Parts, id: &Id, limits: &[Limit]) -> Result<(&ResponsesTable, String, String), Error> {
        let assistant = self.assistant_of(parts).await?;
        let asking = Asking {
            assistant_id: assistant.id(),
            limits: &assistant.limits(&self.ceilings)?.only(limits),
            fail_closed: assistant.limits_fail_closed(),
            caller: parts.extensions.get().copied().unwrap_or_default(),
        };
        self.admit(&asking, function_deadline(parts)).await?;
        let Ok(Path(id)) = id else {
            return Err(Error::NoSuchResponse);
        };
        let table = self.responses.as_ref();
        let table = table.filter(|_| is_response_id(id) && is_of(assistant.id(), id));
        let table = table.ok_or(Error::NoSuchResponse)?;
        Ok((table, assistant.id().to_owned(), id.clone()))
    }
}

/// The order of a list.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes what `Page::read` reads")]
enum Order {
    Asc,
    Desc,
}

/// A page that a query asks for.
struct Page {
    limit: usize,
    newest_first: bool,
    after: Option<String>,
}

impl Page {
    fn read(query: &Query) -> Result<Self, Error> {
        let limit = query.limit(MAX_PAGE)?;
        let newest_first = match query.get("order") {
            None | Some("desc") => true,
            Some("asc") => false,
            Some(_) => return Err(Error::invalid("order", "'order' must be 'asc' or 'desc'.")),
        };
        Ok(Self {
            limit: limit.unsigned_abs() as usize,
            newest_first,
            after: query.get("after").map(str::to_owned),
        })
    }

    fn of(self, mut items: Vec<Value>) -> Result<ItemList, Error> {
        if self.newest_first {
            items.reverse();
        }
        let first = match &self.after {
            None => 0,
            Some(after) => {
                let at = items.iter().position(|item| item["id"] == after.as_str());
                at.ok_or_else(|| Error::invalid("after", "'after' must be the `last_id` of the page before."))? + 1
            }
        };
        let has_more = items.len() > first + self.limit;
        let data: Vec<_> = items.into_iter().skip(first).take(self.limit).collect();
        let id = |item: Option<&Value>| item.and_then(|item| item["id"].as_str()).map(str::to_owned);
        Ok(ItemList {
            object: "list",
            first_id: id(data.first()),
            last_id: id(data.last()),
            has_more,
            data,
        })
    }
}
