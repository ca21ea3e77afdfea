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
/// Say nothing about the answer, or nothing more than that objects are closed.
const DROPPED: [&str; 7] = [
    "$schema",
    "$id",
    "$comment",
    "strict",
    "additionalProperties",
    "additionalItems",
    "unevaluatedProperties",
];
/// Say what an answer is made of, in words that it does not have.
const STRUCTURE: [&str; 12] = [
    "prefixItems",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "$dynamicRef",
];
/// May stand beside a reference, or beside what `allOf` holds alone, and change nothing about it.
const ANNOTATIONS: [&str; 4] = ["description", "title", "default", "examples"];
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
/// A 400 for what cannot be said, and for an object whose keys are the model's to choose: closed it would be empty.
pub(crate) fn conforming(schema: &Value) -> Result<Value, Error> {
    let Some(fields) = schema.as_object() else {
        return Ok(schema.clone());
    };
    if let Some(fields) = unwrapped(fields) {
        return conforming(&Value::Object(fields));
    }
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
            "items" if value.is_array() => return Err(unsupported("items")),
            "oneOf" if fields.contains_key("anyOf") => return Err(unsupported("oneOf")),
            // Closed, one would forbid the other's keys; and it takes no references there.
            "allOf" if value.as_array().is_some_and(|all| all.iter().any(has_keys)) => {
                return Err(unsupported("allOf"));
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
            name if STRUCTURE.contains(&name) => return Err(unsupported(name)),
            name if DROPPED.contains(&name) => {}
            name => told.push(format!("{name}: {value}")),
        }
    }
    if kept.contains_key("$ref") {
        return reference(kept);
    }
    if is_object(fields) {
        close(&mut kept, fields)?;
    }
    tell(&mut kept, &told);
    Ok(Value::Object(kept))
}

/// Pydantic's way to write a description beside a reference: `allOf` with nothing else in it, and nothing but
/// annotations beside it.
fn unwrapped(fields: &Map<String, Value>) -> Option<Map<String, Value>> {
    let [only] = fields.get("allOf")?.as_array()?.as_slice() else {
        return None;
    };
    let mut merged = only.as_object()?.clone();
    for (name, value) in fields.iter().filter(|(name, _)| *name != "allOf") {
        let is_beside = ANNOTATIONS.contains(&name.as_str()) || DROPPED.contains(&name.as_str());
        if !is_beside && !matches!(name.as_str(), "$defs" | "definitions") {
            return None;
        }
        merged.insert(name.clone(), value.clone());
    }
    Some(merged)
}

/// Nothing may stand beside a reference but what it refers to.
fn reference(mut fields: Map<String, Value>) -> Result<Value, Error> {
    fields.retain(|name, _| !ANNOTATIONS.contains(&name.as_str()));
    let stays = |name: &String| matches!(name.as_str(), "$ref" | "$defs" | "definitions");
    if !fields.keys().all(stays) {
        return Err(unsupported("$ref' beside other keywords than '$defs"));
    }
    Ok(Value::Object(fields))
}

/// Says that an object is closed, where it has keys of its own. Where it has them in alternatives only, each says so.
fn close(kept: &mut Map<String, Value>, fields: &Map<String, Value>) -> Result<(), Error> {
    let keys = fields.get("properties").and_then(Value::as_object);
    let is_empty = keys.is_none_or(Map::is_empty);
    if is_empty && kept.contains_key("anyOf") {
        kept.shift_remove("type");
        return Ok(());
    }
    if is_empty && fields.get("additionalProperties").is_none_or(|open| open != false) {
        return Err(open_object());
    }
    kept.insert("additionalProperties".into(), json!(false));
    Ok(())
}

/// Puts limits into the description.
fn tell(schema: &mut Map<String, Value>, limits: &[String]) {
    if limits.is_empty() {
        return;
    }
    let told = format!("{{{}}}", limits.join(", "));
    let description = match schema.get("description").and_then(Value::as_str) {
        Some(description) => format!("{description}\n\n{told}"),
        None => told,
    };
    schema.insert("description".into(), json!(description));
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

fn has_keys(schema: &Value) -> bool {
    let fields = schema.as_object();
    fields.is_some_and(|fields| is_object(fields) || fields.contains_key("$ref"))
}

fn is_object(fields: &Map<String, Value>) -> bool {
    match fields.get("type") {
        Some(Value::Array(types)) => types.iter().any(|kind| kind == "object"),
        Some(kind) => kind == "object",
        None => fields.contains_key("properties"),
    }
}

fn unsupported(keyword: &str) -> Error {
    Error::invalid_with_code(
        "response_format.json_schema.schema",
        "unsupported_value",
        format!("This assistant's model has no '{keyword}' in a schema. Write it without."),
    )
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
                "tags": {"type": "array", "items": {"oneOf": [{"const": "a"}, {"properties": {"a": {}}}]}, "minItems": 1, "maxItems": 3},
                "kind": {"allOf": [{"$ref": "#/$defs/kind"}], "description": "Which", "default": "x"},
                "minimum": {"type": "number"},
                "none": {"type": "object", "additionalProperties": false},
                "age2": {"allOf": [{"type": "integer", "minimum": 1}], "description": "Age"},
                "either": {"type": "object", "anyOf": [{"properties": {"a": {}}}, {"type": "null"}]},
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
                "tags": {"type": "array", "items": {"anyOf": [{"const": "a"}, {"properties": {"a": {}}, "additionalProperties": false}]},
                    "minItems": 1, "description": "{maxItems: 3}"},
                "kind": {"$ref": "#/$defs/kind"},
                "minimum": {"type": "number"},
                "none": {"type": "object", "additionalProperties": false},
                "age2": {"type": "integer", "description": "Age\n\n{minimum: 1}"},
                "either": {"anyOf": [{"properties": {"a": {}}, "additionalProperties": false}, {"type": "null"}]},
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
    fn what_cannot_be_said_is_a_400() {
        for part in [
            json!({"type": "object"}),
            json!({"type": "object", "properties": {}, "additionalProperties": true}),
            json!({"type": "object", "additionalProperties": {"type": "number"}}),
            json!({"type": "array", "prefixItems": [{"type": "number"}]}),
            json!({"type": "array", "items": [{"type": "number"}]}),
            json!({"not": {"type": "number"}}),
            json!({"oneOf": [{"type": "number"}], "anyOf": [{"type": "string"}]}),
            json!({"allOf": [{"$ref": "#/$defs/a"}], "properties": {"b": {}}}),
            json!({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}),
            json!({"$ref": "#/$defs/a", "properties": {"b": {}}}),
        ] {
            let schema = json!({"type": "object", "properties": {"part": part}});
            assert_eq!(conforming(&schema).unwrap_err().status(), 400, "{part}");
        }
    }
}
