//! The parameters that are passed on to a model: one table of their names and limits, for requests and for an
//! assistant's defaults alike.

use std::collections::HashSet;

use serde_json::{Map, Value};

mod kind;

use crate::error::Error;
use kind::Kind;

/// Largest limit that any provider's integer fields take.
const MAX_TOKENS: i64 = i32::MAX as i64;

/// Left out on purpose: `service_tier` (a public caller must not choose what the owner pays) and `store`/`metadata`
/// (nor what is kept in the operator's account).
const KNOWN: [(&str, Kind); 17] = [
    ("temperature", Kind::Decimal { min: 0.0, max: 2.0 }),
    ("top_p", Kind::Decimal { min: 0.0, max: 1.0 }),
    (
        "max_tokens",
        Kind::Integer {
            min: 1,
            max: MAX_TOKENS,
        },
    ),
    (
        "max_completion_tokens",
        Kind::Integer {
            min: 1,
            max: MAX_TOKENS,
        },
    ),
    ("presence_penalty", Kind::Decimal { min: -2.0, max: 2.0 }),
    ("frequency_penalty", Kind::Decimal { min: -2.0, max: 2.0 }),
    (
        "seed",
        Kind::Integer {
            min: i64::MIN,
            max: i64::MAX,
        },
    ),
    ("stop", Kind::Stop),
    ("response_format", Kind::ResponseFormat),
    ("reasoning_effort", Kind::Text),
    ("verbosity", Kind::Text),
    ("user", Kind::Text),
    ("safety_identifier", Kind::Text),
    ("prompt_cache_key", Kind::Text),
    ("logit_bias", Kind::Biases),
    ("logprobs", Kind::Boolean),
    ("top_logprobs", Kind::Integer { min: 0, max: 20 }),
];

/// Parameters by OpenAI's names, each of its type and within OpenAI's range. The token limit stands under
/// `max_tokens`, whichever of its two names it came by. A request's own stand before the defaults.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(Map<String, Value>);

impl Parameters {
    /// Reads all known parameters that `source` has; what it does not know is not asked for.
    ///
    /// # Errors
    /// A 400 naming the first parameter that is of the wrong type or out of range.
    pub fn read<'a>(source: impl Fn(&str) -> Option<&'a Value>) -> Result<Self, Error> {
        let mut parameters = Map::new();
        for (name, kind) in &KNOWN {
            if let Some(value) = source(name).filter(|value| !kind.is_unset(value)) {
                parameters.insert((*name).to_owned(), kind.read(name, value)?);
            }
        }
        // The older name is deprecated: the newer one wins (OpenAI's API reference).
        if let Some(limit) = parameters.shift_remove("max_completion_tokens") {
            parameters.insert("max_tokens".into(), limit);
        }
        Ok(Self(parameters))
    }

    /// The names that are read.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(name, _)| *name)
    }

    /// These and others, which are of other names.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// These, and the defaults where these are silent.
    ///
    /// # Errors
    /// A 400 where `top_logprobs` lacks `logprobs`, in OpenAI's words. It is checked here since servers such as vLLM quote
    /// the whole request, system message included, where they reject it for this.
    pub fn or(mut self, defaults: Self) -> Result<Self, Error> {
        let asks_for_more = self.get("top_logprobs").is_some_and(|count| count != 0);
        for (name, value) in defaults.0 {
            self.0.entry(name).or_insert(value);
        }
        if self.get("logprobs") != Some(&Value::Bool(true)) {
            if asks_for_more {
                return Err(Error::invalid(
                    "top_logprobs",
                    "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled. Send logprobs: true with it.",
                ));
            }
            self.0.shift_remove("top_logprobs");
        }
        Ok(self)
    }

    /// Which of `temperature` and `top_p` gives way where a model takes one: what is a default, else `top_p`.
    pub fn lesser_sampling(&self) -> Option<&str> {
        let mut both = self
            .0
            .keys()
            .filter(|name| matches!(name.as_str(), "temperature" | "top_p"));
        both.nth(1).map(String::as_str)
    }

    /// These less some.
    pub fn without(&self, omitted: &HashSet<String>) -> Self {
        let mut parameters = self.clone();
        parameters.0.retain(|name, _| !omitted.contains(name));
        parameters
    }

    /// The schema that `response_format` asks the answer to follow, and the object around it with its name.
    ///
    /// # Errors
    /// A 400 where there is no schema in it.
    pub fn json_schema(&self) -> Result<Option<(&Value, &Value)>, Error> {
        let Some(format) = self
            .get("response_format")
            .filter(|format| format["type"] == "json_schema")
        else {
            return Ok(None);
        };
        let schema = &format["json_schema"]["schema"];
        if !schema.is_object() {
            return Err(Error::invalid_with_code(
                "response_format.json_schema.schema",
                "missing_required_parameter",
                "Missing required parameter: 'response_format.json_schema.schema'.",
            ));
        }
        Ok(Some((schema, &format["json_schema"])))
    }

    /// In the table's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        KNOWN.iter().filter_map(|(name, _)| Some((*name, self.0.get(*name)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &Value) -> Result<Parameters, Error> {
        Parameters::read(|name| body.get(name))
    }

    #[test]
    fn known_parameters_are_read_and_others_ignored() {
        let body = json!({"temperature": "0.7", "max_tokens": "50", "max_completion_tokens": 60, "seed": 7,
            "stop": ["\n"], "user": "", "top_p": null, "frobnicate": 1});
        let parameters = read(&body).unwrap();
        let names: Vec<_> = parameters.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["temperature", "max_tokens", "seed", "stop"]);
        assert_eq!(parameters.get("max_tokens"), Some(&json!(60)));
    }

    #[test]
    fn a_value_out_of_range_is_named_in_openais_words() {
        for (body, code) in [
            (json!({"temperature": 2.1}), "decimal_above_max_value"),
            (json!({"temperature": "-0.1"}), "decimal_below_min_value"),
            (json!({"top_p": 1.01}), "decimal_above_max_value"),
            (json!({"max_tokens": 0}), "integer_below_min_value"),
            (json!({"max_tokens": 9_999_999_999_i64}), "integer_above_max_value"),
            (json!({"presence_penalty": 3}), "decimal_above_max_value"),
            (json!({"stop": ["a", "b", "c", "d", "e"]}), "array_above_max_length"),
            (json!({"stop": [1]}), "invalid_type"),
            (json!({"response_format": {"type": "xml"}}), "invalid_value"),
        ] {
            let error = read(&body).unwrap_err();
            assert_eq!(error.code().as_deref(), Some(code), "{body}");
        }
        let message = read(&json!({"temperature": 3})).unwrap_err().to_string();
        assert_eq!(
            message,
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead."
        );
    }

    #[test]
    fn blanks_are_a_place_to_stop_at_and_elsewhere_nothing() {
        for stop in ["\n", " ", "\n\n"] {
            let parameters = read(&json!({"stop": stop, "user": stop, "temperature": stop})).unwrap();
            assert_eq!(
                parameters,
                Parameters(Map::from_iter([("stop".to_owned(), json!(stop))]))
            );
        }
        for stop in [json!(""), json!(null)] {
            assert_eq!(read(&json!({"stop": stop})).unwrap(), Parameters::default());
        }
    }

    #[test]
    fn lists_and_biases_may_be_spelled() {
        let parameters = read(&json!({"stop": "[\"a\", \"b\"]", "logit_bias": "{\"5\": \"-100\"}"})).unwrap();
        assert_eq!(parameters.get("stop"), Some(&json!(["a", "b"])));
        assert_eq!(parameters.get("logit_bias"), Some(&json!({"5": -100})));
        for literal in ["[END]", "[1]", "[]"] {
            let parameters = read(&json!({"stop": literal})).unwrap();
            assert_eq!(parameters.get("stop"), Some(&json!(literal)));
        }
        assert!(read(&json!({"logit_bias": {"5": "much"}})).is_err());
    }

    #[test]
    fn a_requests_own_values_win() {
        let request = read(&json!({"temperature": 0})).unwrap();
        let defaults = read(&json!({"temperature": 1, "top_p": 0.5})).unwrap();
        let merged = request.or(defaults).unwrap();
        assert_eq!(merged.get("temperature"), Some(&json!(0)));
        assert_eq!(merged.get("top_p"), Some(&json!(0.5)));
    }

    #[test]
    fn more_logprobs_need_logprobs() {
        let merged = |request: &Value, defaults: &Value| {
            let merged = read(request).unwrap().or(read(defaults).unwrap());
            merged.map(|merged| merged.get("top_logprobs").cloned())
        };
        let (on, off, more) = (
            json!({"logprobs": true}),
            json!({"logprobs": false}),
            json!({"top_logprobs": 2}),
        );
        for request in [&more, &json!({"logprobs": false, "top_logprobs": "2"})] {
            let error = merged(request, &json!({})).unwrap_err();
            assert_eq!(error.body()["error"]["param"], "top_logprobs");
        }
        assert_eq!(merged(&more, &on).unwrap(), Some(json!(2)));
        assert_eq!(merged(&on, &more).unwrap(), Some(json!(2)));
        assert_eq!(merged(&json!({}), &more).unwrap(), None);
        assert_eq!(
            merged(&off, &json!({"logprobs": true, "top_logprobs": 2})).unwrap(),
            None
        );
        assert_eq!(merged(&json!({"top_logprobs": 0}), &json!({})).unwrap(), None);
    }
}
