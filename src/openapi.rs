//! The `OpenAPI` document of both functions, generated from the handlers; served as
//! `GET /openapi.json` by each.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Assistants", description = "An OpenAI-compatible endpoint for assistants, and their management."),
    paths(
        crate::public::chat_completions::chat_completions,
        crate::public::models::list_models,
        crate::public::models::show_model,
        crate::http::health,
        crate::manage::create,
        crate::manage::list,
        crate::manage::show,
        crate::manage::update,
        crate::manage::delete,
    ),
    components(schemas(crate::http::ErrorReply, crate::public::chat_completions::shapes::ChatCompletionChunk)),
    modifiers(&Bearers)
)]
struct Document;

/// Of the public function and of the management API, whichever serves it.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// Both functions take bearer tokens, each of its own kind.
struct Bearers;

impl Modify for Bearers {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, format, description) in [
            ("public_token", "public token", "An assistant's own public token."),
            ("jwt", "JWT", "The owner's JWT; its `sub` is the owner."),
        ] {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format(format)
                .description(Some(description))
                .build();
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}
