//! The `OpenAPI` document: each front describes its own routes, and what they share is here.

use std::collections::BTreeSet;

use axum::http::Method;
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{
        ComponentsBuilder, OpenApi as Document, OpenApiBuilder,
        path::PathItem,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::error::ErrorReply;

/// The document without any route.
pub(crate) fn base() -> OpenApiRouter {
    #[derive(OpenApi)]
    #[openapi(
        info(
            title = "Assistants",
            description = "An OpenAI-compatible endpoint for assistants, and the API that manages them."
        ),
        components(schemas(ErrorReply))
    )]
    struct Base;
    OpenApiRouter::with_openapi(Base::openapi())
}

/// A front whose routes take bearer tokens of a kind.
pub(crate) fn with_bearer<S>(scheme: &str, format: &str, description: &str) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format(format)
        .description(Some(description))
        .build();
    let components = ComponentsBuilder::new().security_scheme(scheme, SecurityScheme::Http(bearer));
    OpenApiRouter::with_openapi(OpenApiBuilder::new().components(Some(components.build())).build())
}

/// What a router knows, for its errors and for CORS.
pub(crate) struct Known {
    /// `GET /health, POST /public/openai/v1/chat/completions, …`
    pub operations: String,
    /// The methods that any route has.
    pub methods: Vec<Method>,
}

impl Known {
    pub(crate) fn of(document: &Document) -> Self {
        let mut methods = BTreeSet::new();
        let mut operations = Vec::new();
        for (path, item) in &document.paths.paths {
            for method in methods_of(item) {
                operations.push(format!("{method} {path}"));
                methods.insert(method.to_string());
            }
        }
        Self {
            operations: operations.join(", "),
            methods: methods.iter().filter_map(|method| method.parse().ok()).collect(),
        }
    }
}

fn methods_of(item: &PathItem) -> impl Iterator<Item = Method> {
    let of = |operation: bool, method| operation.then_some(method);
    [
        of(item.get.is_some(), Method::GET),
        of(item.post.is_some(), Method::POST),
        of(item.patch.is_some(), Method::PATCH),
        of(item.put.is_some(), Method::PUT),
        of(item.delete.is_some(), Method::DELETE),
    ]
    .into_iter()
    .flatten()
}

/// The failures that any operation may have.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes `Error::into_response`")]
pub(crate) enum Failures {
    /// The request cannot be served as it is. The message says what to change.
    #[response(status = "4XX")]
    Request(ErrorReply),
    /// The model's provider, the assistant's settings or this service failed. The message says which.
    #[response(status = "5XX")]
    Service(ErrorReply),
}
