//! The kinds of values that parameters have, each read as leniently as the rest and kept within its range.

use serde_json::{Map, Value, json};

use crate::{chat::lenient, error::Error};

/// What a parameter's value may be. The ranges are those of OpenAI's schema `CreateChatCompletionRequest`.
pub(super) enum Kind {
    Decimal {
        min: f64,
        max: f64,
    },
    Integer {
        min: i64,
        max: i64,
    },
    Boolean,
    Text,
    /// One of these.
    Word(&'static [&'static str]),
    /// A number for each token.
    Biases,
    /// A string, or up to four in a list.
    Stop,
    /// `{"type": "text" | "json_object" | "json_schema", …}`.
    ResponseFormat,
}

impl Kind {
    /// Whether a value stands for "not set". A blank `stop` is set: a line break is the most usual place to stop at. An empty one
    /// is not.
    pub(super) fn is_unset(&self, value: &Value) -> bool {
        match self {
            Self::Stop => {
                let spelled = spelled_stops(value).map(Value::Array);
                let value = spelled.as_ref().unwrap_or(value);
                lenient::is_empty_item(value) || lenient::is_empty_list(value)
            }
            _ => lenient::is_unset(value),
        }
    }

    pub(super) fn read(&self, name: &str, value: &Value) -> Result<Value, Error> {
        match self {
            Self::Decimal { min, max } => decimal(name, value, *min, *max),
            Self::Integer { min, max } => {
                let integer = lenient::integer(value, name)?;
                match integer {
                    low if low < *min => Err(out_of_range(
                        name,
                        "integer_below_min_value",
                        "integer",
                        ">=",
                        min,
                        &low,
                    )),
                    high if high > *max => Err(out_of_range(
                        name,
                        "integer_above_max_value",
                        "integer",
                        "<=",
                        max,
                        &high,
                    )),
                    integer => Ok(json!(integer)),
                }
            }
            Self::Boolean => lenient::boolean(value, name).map(Value::from),
            Self::Text => lenient::string(value, name).map(Value::from),
            Self::Word(words) => word(name, value, words),
            Self::Biases => biases(name, value),
            Self::Stop => stop(name, value),
            Self::ResponseFormat => response_format(name, value),
        }
    }

    /// A JSON Schema of the values in their plain form.
    pub(super) fn schema(&self) -> Value {
        match self {
            Self::Decimal { min, max } => json!({"type": "number", "minimum": min, "maximum": max}),
            Self::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Text => json!({"type": "string"}),
            Self::Word(words) => json!({"type": "string", "enum": words}),
            Self::Biases => json!({"type": "object", "additionalProperties": {"type": "number"}}),
            Self::Stop => json!({"oneOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "maxItems": MAX_STOPS},
            ]}),
            Self::ResponseFormat => json!({
                "type": "object",
                "properties": {"type": {"type": "string", "enum": FORMATS}, "json_schema": {"type": "object"}},
                "required": ["type"],
            }),
        }
    }
}

/// Most stop sequences (OpenAI's schema).
const MAX_STOPS: usize = 4;
/// Most and least that a token's likelihood is changed by (OpenAI's description of `logit_bias`).
const MAX_BIAS: f64 = 100.0;
/// The forms of an answer.
const FORMATS: [&str; 3] = ["text", "json_object", "json_schema"];

fn decimal(name: &str, value: &Value, min: f64, max: f64) -> Result<Value, Error> {
    let number = lenient::number(value, name)?;
    match number.as_f64().unwrap_or(f64::MAX) {
        low if low < min => Err(out_of_range(
            name,
            "decimal_below_min_value",
            "decimal",
            ">=",
            &min,
            &low,
        )),
        high if high > max => Err(out_of_range(
            name,
            "decimal_above_max_value",
            "decimal",
            "<=",
            &max,
            &high,
        )),
        _ => Ok(Value::Number(number)),
    }
}

fn out_of_range(
    name: &str,
    code: &'static str,
    kind: &str,
    relation: &str,
    limit: &dyn std::fmt::Display,
    got: &dyn std::fmt::Display,
) -> Error {
    let side = if relation == ">=" {
        "below minimum"
    } else {
        "above maximum"
    };
    Error::invalid_with_code(
        name,
        code,
        format!("Invalid '{name}': {kind} {side} value. Expected a value {relation} {limit}, but got {got} instead."),
    )
}

/// In any case, as no-code tools' menus have it.
fn word(name: &str, value: &Value, words: &[&str]) -> Result<Value, Error> {
    let given = lenient::string(value, name)?;
    let known = words.iter().find(|word| word.eq_ignore_ascii_case(given.trim()));
    known.map(|word| json!(word)).ok_or_else(|| {
        let listed: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
        invalid_value(name, &format!("use one of {}", listed.join(", ")))
    })
}

fn invalid_value(name: &str, advice: &str) -> Error {
    Error::invalid_with_code(name, "invalid_value", format!("Invalid value for '{name}': {advice}."))
}

fn stop(name: &str, value: &Value) -> Result<Value, Error> {
    let mut sequences = match (value, spelled_stops(value)) {
        (Value::Array(sequences), _) => sequences.clone(),
        (_, Some(sequences)) => sequences,
        (Value::String(_), None) => return Ok(value.clone()),
        (other, None) => return Err(lenient::wrong_type(name, "a string or an array of strings", other)),
    };
    sequences.retain(|sequence| !lenient::is_empty_item(sequence));
    if sequences.len() > MAX_STOPS {
        return Err(Error::invalid_with_code(
            name,
            "array_above_max_length",
            format!(
                "Invalid '{name}': at most {MAX_STOPS} stop sequences are allowed, but got {}.",
                sequences.len()
            ),
        ));
    }
    if let Some(other) = sequences.iter().find(|sequence| !sequence.is_string()) {
        return Err(lenient::wrong_type(name, "an array of strings", other));
    }
    Ok(Value::Array(sequences))
}

/// The list of strings that a string holds. Any other text is a place to stop at, even if it looks like a list.
fn spelled_stops(value: &Value) -> Option<Vec<Value>> {
    value.as_str().filter(|text| text.starts_with('['))?;
    let list = lenient::array(value, "stop").ok()?;
    (!list.is_empty() && list.iter().all(Value::is_string)).then_some(list)
}

fn biases(name: &str, value: &Value) -> Result<Value, Error> {
    let biases = lenient::object(value, name)?.into_iter();
    let biases = biases.map(|(token, bias)| {
        let bias = decimal(&format!("{name}.{token}"), &bias, -MAX_BIAS, MAX_BIAS)?;
        Ok((token, bias))
    });
    biases.collect()
}

fn response_format(name: &str, value: &Value) -> Result<Value, Error> {
    let mut format = lenient::object(value, name)?;
    let kind = format.get("type").and_then(Value::as_str);
    let Some(kind) = kind.filter(|kind| FORMATS.contains(kind)) else {
        return Err(invalid_value(
            &format!("{name}.type"),
            "use 'text', 'json_object' or 'json_schema'",
        ));
    };
    if kind == "json_schema" {
        let name = format!("{name}.json_schema");
        let schema = lenient::field(&format, "json_schema").ok_or_else(|| Error::missing(name.clone()))?;
        let schema = named_schema(&name, lenient::object(schema, &name)?)?;
        format.insert("json_schema".into(), Value::Object(schema));
    }
    Ok(Value::Object(format))
}

/// A schema with its name. What else stands in it is left as it is.
fn named_schema(path: &str, mut schema: Map<String, Value>) -> Result<Map<String, Value>, Error> {
    // Nothing but `name` and `schema` has to be there, and not all servers ask for these.
    schema.retain(|_, value| !value.is_null());
    let path_of = |field: &str| format!("{path}.{field}");
    for field in ["name", "description"] {
        if let Some(text) = schema.get(field) {
            lenient::string(text, &path_of(field))?;
        }
    }
    if let Some(within) = schema.get("schema") {
        let within = lenient::object(within, &path_of("schema"))?;
        schema.insert("schema".into(), Value::Object(within));
    }
    if let Some(strict) = schema.get("strict") {
        let strict = lenient::boolean(strict, &path_of("strict"))?;
        schema.insert("strict".into(), Value::Bool(strict));
    }
    Ok(schema)
}
