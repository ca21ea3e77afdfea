//! The values that a setting may have, in words: for whoever reads the program's help, the documents or an error.

use serde_json::Value;

/// What a JSON Schema of a setting allows, in words: "a number from 0 to 2".
pub fn in_words(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(code).collect();
        return values.join(", ");
    }
    if let Some(kinds) = schema["oneOf"].as_array() {
        let kinds: Vec<_> = kinds.iter().map(in_words).collect();
        return kinds.join(" or ");
    }
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => "`true` or `false`".into(),
        "string" if schema["format"] == "uri" => "a URL".into(),
        "string" => "text".into(),
        "array" => {
            let most = schema["maxItems"].as_u64().map(|most| format!("at most {most} "));
            let item = in_words(&schema["items"]);
            format!(
                "a list of {}{}s",
                most.unwrap_or_default(),
                item.trim_start_matches("a ")
            )
        }
        "object" => "a JSON object".into(),
        kind => format!(
            "{}{}",
            if kind == "integer" {
                "a whole number"
            } else {
                "a number"
            },
            range(schema)
        ),
    }
}

fn range(schema: &Value) -> String {
    let limit = |name: &str| schema[name].as_f64();
    match (limit("minimum"), limit("maximum")) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" from {min} on"),
        (None, Some(max)) => format!(" up to {max}"),
        (None, None) => String::new(),
    }
}

/// A value as code in a text: `` `agent` ``.
pub fn code(value: &Value) -> String {
    format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
