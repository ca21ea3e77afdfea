//! A caller's JSON schema as Claude takes one ("Structured outputs", "JSON Schema limitations"), by Anthropic's own API
//! and by Bedrock.

use serde_json::{Map, Value, json};

use crate::error::Error;

/// Keywords that it takes as they are.
const KEPT: [&str; 8] = [
    "type",
    "enum",
    "const",
    "$ref",
    "required",
    "description",
    "title",
    "default",
];
/// Say nothing about the answer.
const DROPPED: [&str; 4] = ["$schema", "$id", "$comment", "strict"];
const FORMATS: [&str; 10] = [
    "date-time",
    "time",
    "date",
    "duration",
    "email",
    "hostname",
    "uri",
    "ipv4",
    "ipv6",
    "uuid",
];

/// Objects are closed, which each of them has to say, and limits that cannot be enforced are told in the description, as
/// Anthropic's SDKs do. What follows this schema follows the caller's, limits aside.
///
/// # Errors
/// A 400 for an object whose keys are the model's to choose: closed it would be empty.
pub fn conforming(schema: &Value) -> Result<Value, Error> {
    let Some(fields) = schema.as_object() else {
        return Ok(schema.clone());
    };
    let mut kept = Map::new();
    let mut told = Vec::new();
    for (name, value) in fields {
        match name.as_str() {
            name if KEPT.contains(&name) => {
                kept.insert(name.to_owned(), value.clone());
            }
            "properties" | "$defs" | "definitions" => {
                kept.insert(name.clone(), each(value)?);
            }
            "items" | "anyOf" | "allOf" => {
                kept.insert(name.clone(), within(value)?);
            }
            "oneOf" => {
                kept.insert("anyOf".into(), within(value)?);
            }
            "format" if FORMATS.iter().any(|format| value == format) => {
                kept.insert(name.clone(), value.clone());
            }
            "minItems" if *value == json!(0) || *value == json!(1) => {
                kept.insert(name.clone(), value.clone());
            }
            "additionalProperties" => {}
            name if DROPPED.contains(&name) => {}
            name => told.push(format!("{name}: {value}")),
        }
    }
    if is_object(fields) {
        let has_keys = fields
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|keys| !keys.is_empty());
        if !has_keys && fields.get("additionalProperties").is_some_and(|open| open != false) {
            return Err(open_object());
        }
        kept.insert("additionalProperties".into(), json!(false));
    }
    if !told.is_empty() {
        let told = format!("{{{}}}", told.join(", "));
        let description = match kept.get("description").and_then(Value::as_str) {
            Some(description) => format!("{description}\n\n{told}"),
            None => told,
        };
        kept.insert("description".into(), json!(description));
    }
    Ok(Value::Object(kept))
}

/// A schema, or a list of some.
fn within(value: &Value) -> Result<Value, Error> {
    match value.as_array() {
        Some(schemas) => schemas.iter().map(conforming).collect(),
        None => conforming(value),
    }
}

/// Schemas by name.
fn each(value: &Value) -> Result<Value, Error> {
    let Some(schemas) = value.as_object() else {
        return Ok(value.clone());
    };
    let schemas: Result<Map<_, _>, Error> = schemas
        .iter()
        .map(|(name, schema)| Ok((name.clone(), conforming(schema)?)))
        .collect();
    schemas.map(Value::Object)
}

fn is_object(fields: &Map<String, Value>) -> bool {
    match fields.get("type") {
        Some(Value::Array(types)) => types.iter().any(|kind| kind == "object"),
        Some(kind) => kind == "object",
        None => fields.contains_key("properties"),
    }
}

fn open_object() -> Error {
    Error::invalid_with_code(
        "response_format.json_schema.schema",
        "unsupported_value",
        "This assistant's model cannot choose an object's keys: 'additionalProperties' may only be false where there are \
         no 'properties'. Name the keys, or ask for an array of objects with a key and a value.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_closed_and_limits_are_told() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "age": {"type": "integer", "description": "In years", "minimum": 0, "maximum": 150},
                "mail": {"type": ["string", "null"], "format": "email", "pattern": "@"},
                "colour": {"type": "string", "format": "colour"},
                "tags": {"type": "array", "items": {"oneOf": [{"const": "a"}, {"type": "object"}]}, "minItems": 1, "maxItems": 3},
                "kind": {"$ref": "#/$defs/kind"},
            },
            "additionalProperties": true,
            "required": ["age"],
            "$defs": {"kind": {"properties": {"name": {"enum": ["x", null]}}}},
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "age": {"type": "integer", "description": "In years\n\n{minimum: 0, maximum: 150}"},
                "mail": {"type": ["string", "null"], "format": "email", "description": "{pattern: \"@\"}"},
                "colour": {"type": "string", "description": "{format: \"colour\"}"},
                "tags": {"type": "array", "items": {"anyOf": [{"const": "a"}, {"type": "object", "additionalProperties": false}]},
                    "minItems": 1, "description": "{maxItems: 3}"},
                "kind": {"$ref": "#/$defs/kind"},
            },
            "required": ["age"],
            "$defs": {"kind": {"properties": {"name": {"enum": ["x", null]}}, "additionalProperties": false}},
            "additionalProperties": false,
        });
        assert_eq!(conforming(&schema).unwrap(), expected);
        // It is so already.
        assert_eq!(conforming(&expected).unwrap(), expected);
    }

    #[test]
    fn an_open_object_is_a_400() {
        for open in [json!(true), json!({"type": "number"})] {
            let map = json!({"type": "object", "additionalProperties": open});
            let schema = json!({"type": "object", "properties": {"prices": map}});
            assert_eq!(conforming(&schema).unwrap_err().status(), 400);
        }
    }
}
