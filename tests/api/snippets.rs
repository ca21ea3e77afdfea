//! `docs/connect.md` holds the snippets of the settings page, which `tests/browser/snippets.test.js` runs.

use std::fmt::Write;

use serde_json::Value;

use crate::support::document;

const BASE_URL: &str = "https://api.example.com/public/openai/v1";

fn document() -> String {
    let snippets = include_str!("../../src/manage/page/snippets.json");
    let snippets: Value = serde_json::from_str(snippets).unwrap();
    let mut document = format!(
        "# Connect a client\n\n\
         Written by the test suite (`UPDATE_DOCS=1 cargo test --features cli --test api -- snippets`) from the snippets of the settings \
         page, which shows them with the assistant's own base URL. `{BASE_URL}` stands for yours, and `$TOKEN` for the assistant's \
         public token.\n"
    );
    for snippet in snippets.as_array().unwrap() {
        let text = |name: &str| snippet[name].as_str().unwrap();
        let language = Some(text("language"))
            .filter(|language| *language != "steps")
            .unwrap_or("text");
        let body = text("text").replace("{{BASE_URL}}", BASE_URL);
        write!(
            document,
            "\n## {}\n\n{}\n\n```{language}\n{}\n```\n",
            text("name"),
            text("about"),
            body.trim_end()
        )
        .unwrap();
    }
    document
}

#[test]
fn the_document_holds_the_pages_snippets() {
    document::check("docs/connect.md", &document());
}
