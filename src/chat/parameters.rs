//! The parameters that are passed on to a model, for requests and for an assistant's defaults alike.

use std::collections::BTreeMap;

use serde_json::Value;

mod kind;
mod parameter;
mod set;

use super::lenient;
use crate::error::Error;
pub use parameter::Parameter;
pub use set::ParameterSet;

/// The parameters that are set, each of its type and within OpenAI's range.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(BTreeMap<Parameter, Given>);

/// A value, and who gave it.
#[derive(Debug, Clone, PartialEq)]
struct Given {
    value: Value,
    /// Whether it is the request's own rather than the assistant's default.
    own: bool,
    /// By which of the parameter's names.
    name: &'static str,
}

impl Parameters {
    /// Reads all parameters that `source` has, by their names; what else it holds is not asked for.
    ///
    /// # Errors
    /// A 400 naming the first parameter that is of the wrong type or out of range.
    pub fn read<'a>(source: impl Fn(&str) -> Option<&'a Value>) -> Result<Self, Error> {
        let mut parameters = Self::default();
        for parameter in Parameter::ALL {
            // The newer name is read last, so that it wins.
            for name in std::iter::once(parameter.name()).chain(parameter.newer_name()) {
                if let Some(value) = source(name).filter(|value| !lenient::is_empty_list(value)) {
                    parameters.set(parameter, name, value)?;
                }
            }
        }
        Ok(parameters)
    }

    /// Sets one parameter, which goes by `name` where it comes from. A value that stands for "not set" (null, a blank
    /// string) changes nothing.
    ///
    /// # Errors
    /// A 400 naming the parameter where the value is of the wrong type or out of range.
    pub fn set(&mut self, parameter: Parameter, name: &str, value: &Value) -> Result<(), Error> {
        let kind = parameter.kind();
        if !kind.is_unset(value) {
            let value = kind.read(name, value)?;
            let newer = parameter.newer_name().filter(|newer| *newer == name);
            let name = newer.unwrap_or(parameter.name());
            let own = true;
            self.0.insert(parameter, Given { value, own, name });
        }
        Ok(())
    }

    /// A parameter's value.
    pub fn get(&self, parameter: Parameter) -> Option<&Value> {
        self.0.get(&parameter).map(|given| &given.value)
    }

    /// A parameter that the request itself sets: its name there and its value.
    pub(crate) fn own(&self, parameter: Parameter) -> Option<(&'static str, &Value)> {
        let given = self.0.get(&parameter).filter(|given| given.own)?;
        Some((given.name, &given.value))
    }

    /// The parameter that a field such as `response_format.type` belongs to, where it is an assistant's default and not a
    /// request's own.
    pub(crate) fn default_of(&self, field: &str) -> Option<Parameter> {
        let name = field.split(['.', '[']).next()?;
        let defaults = self
            .0
            .iter()
            .filter(|(_, given)| !given.own)
            .map(|(parameter, _)| *parameter);
        let mut named = defaults.filter(|one| one.name() == name || one.newer_name() == Some(name));
        named.next()
    }

    /// These as a request's own, and the defaults where it sets nothing.
    ///
    /// # Errors
    /// A 400 where `top_logprobs` lacks `logprobs`, in OpenAI's words. It is checked here since servers such as vLLM quote
    /// the whole request, system message included, where they reject it for this.
    pub fn or(mut self, defaults: Self) -> Result<Self, Error> {
        let asks_for_more = self.get(Parameter::TopLogprobs).is_some_and(|count| count != 0);
        for (parameter, given) in defaults.0 {
            self.0.entry(parameter).or_insert(Given { own: false, ..given });
        }
        if self.get(Parameter::Logprobs) != Some(&Value::Bool(true)) {
            if asks_for_more {
                return Err(Error::invalid(
                    Parameter::TopLogprobs.name(),
                    "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled. Send logprobs: true with it.",
                ));
            }
            self.0.remove(&Parameter::TopLogprobs);
        }
        Ok(self)
    }

    /// Lowers the limit of the answer's length to `most` tokens, and sets it where there is none.
    pub(crate) fn lower_max_tokens(&mut self, most: u64) {
        let own = self.0.get(&Parameter::MaxTokens);
        if own.and_then(|given| given.value.as_u64()).is_none_or(|own| own > most) {
            let name = own.map_or(Parameter::MaxTokens.name(), |given| given.name);
            let own = own.is_some_and(|given| given.own);
            let value = Value::from(most.min(parameter::MAX_TOKENS.unsigned_abs()));
            self.0.insert(Parameter::MaxTokens, Given { value, own, name });
        }
    }

    /// Which of `temperature` and `top_p` is left out where both are set and the model takes one: the assistant's default
    /// beside a request's own value, else `top_p`.
    pub fn lesser_sampling(&self) -> Option<Parameter> {
        let temperature = self.0.get(&Parameter::Temperature)?;
        let top_p = self.0.get(&Parameter::TopP)?;
        Some(if top_p.own && !temperature.own {
            Parameter::Temperature
        } else {
            Parameter::TopP
        })
    }

    /// These but for some.
    pub fn without(&self, omitted: ParameterSet) -> Self {
        let mut parameters = self.clone();
        parameters.0.retain(|parameter, _| !omitted.contains(*parameter));
        parameters
    }

    /// The schema that `response_format` asks the answer to follow, and the object around it with its name.
    ///
    /// # Errors
    /// A 400 where there is no schema in it.
    pub fn json_schema(&self) -> Result<Option<(&Value, &Value)>, Error> {
        let Some(format) = self
            .get(Parameter::ResponseFormat)
            .filter(|format| format["type"] == "json_schema")
        else {
            return Ok(None);
        };
        let schema = &format["json_schema"]["schema"];
        if !schema.is_object() {
            return Err(Error::missing("response_format.json_schema.schema"));
        }
        Ok(Some((schema, &format["json_schema"])))
    }

    /// In the order of [`Parameter`].
    pub fn iter(&self) -> impl Iterator<Item = (Parameter, &Value)> {
        self.0.iter().map(|(parameter, given)| (*parameter, &given.value))
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
        let names: Vec<_> = parameters.iter().map(|(parameter, _)| parameter.name()).collect();
        assert_eq!(names, ["temperature", "max_tokens", "seed", "stop"]);
        assert_eq!(parameters.get(Parameter::MaxTokens), Some(&json!(60)));
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
            (json!({"reasoning_effort": "banana"}), "invalid_value"),
            (json!({"verbosity": "loud"}), "invalid_value"),
            (json!({"logit_bias": {"5": 500}}), "decimal_above_max_value"),
            (json!({"logit_bias": {"5": "-100.5"}}), "decimal_below_min_value"),
            (
                json!({"response_format": {"type": "json_schema", "json_schema": {"name": 5}}}),
                "invalid_type",
            ),
            (
                json!({"response_format": {"type": "json_schema", "json_schema": {"description": {}}}}),
                "invalid_type",
            ),
            (
                json!({"response_format": {"type": "json_schema", "json_schema": {"strict": "often"}}}),
                "invalid_type",
            ),
            (
                json!({"response_format": {"type": "json_schema", "json_schema": {"schema": []}}}),
                "invalid_type",
            ),
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
    fn words_and_schemas_are_read_as_they_are_spelled() {
        let schema = json!({"type": "json_schema",
            "json_schema": "{\"name\": \"n\", \"schema\": {}, \"strict\": \"true\", \"description\": null}"});
        let parameters =
            read(&json!({"reasoning_effort": "High", "verbosity": " low ", "response_format": schema})).unwrap();
        assert_eq!(parameters.get(Parameter::ReasoningEffort), Some(&json!("high")));
        assert_eq!(parameters.get(Parameter::Verbosity), Some(&json!("low")));
        let schema = &parameters.get(Parameter::ResponseFormat).unwrap()["json_schema"];
        assert_eq!(*schema, json!({"name": "n", "schema": {}, "strict": true}));
    }

    #[test]
    fn blanks_are_a_place_to_stop_at_and_elsewhere_nothing() {
        for stop in ["\n", " ", "\n\n"] {
            let parameters = read(&json!({"stop": stop, "user": stop, "temperature": stop})).unwrap();
            let set: Vec<_> = parameters.iter().collect();
            assert_eq!(set, [(Parameter::Stop, &json!(stop))]);
        }
        for stop in [json!(""), json!(null), json!([null, ""]), json!("[\"\"]")] {
            assert_eq!(read(&json!({"stop": stop})).unwrap(), Parameters::default());
        }
    }

    #[test]
    fn lists_and_biases_may_be_spelled() {
        let parameters = read(&json!({"stop": "[\"a\", \"b\"]", "logit_bias": "{\"5\": \"-100\"}"})).unwrap();
        assert_eq!(parameters.get(Parameter::Stop), Some(&json!(["a", "b"])));
        assert_eq!(parameters.get(Parameter::LogitBias), Some(&json!({"5": -100})));
        let padded = read(&json!({"stop": ["a", "b", "", "c", null, "d"]})).unwrap();
        assert_eq!(padded.get(Parameter::Stop), Some(&json!(["a", "b", "c", "d"])));
        for literal in ["[END]", "[1]", "[]"] {
            let parameters = read(&json!({"stop": literal})).unwrap();
            assert_eq!(parameters.get(Parameter::Stop), Some(&json!(literal)));
        }
        assert!(read(&json!({"logit_bias": {"5": "much"}})).is_err());
    }

    #[test]
    fn a_requests_own_values_win() {
        let request = read(&json!({"temperature": 0})).unwrap();
        let defaults = read(&json!({"temperature": 1, "top_p": 0.5})).unwrap();
        let merged = request.or(defaults).unwrap();
        assert_eq!(merged.get(Parameter::Temperature), Some(&json!(0)));
        assert_eq!(merged.get(Parameter::TopP), Some(&json!(0.5)));
    }

    #[test]
    fn one_is_set_by_itself() {
        let mut parameters = Parameters::default();
        parameters
            .set(Parameter::MaxTokens, "max_tokens", &json!("50"))
            .unwrap();
        parameters
            .set(Parameter::MaxTokens, "max_tokens", &json!(null))
            .unwrap();
        parameters.set(Parameter::TopP, "top_p", &json!(" ")).unwrap();
        assert_eq!(parameters, read(&json!({"max_tokens": 50})).unwrap());
        let newer = read(&json!({"max_completion_tokens": 50})).unwrap();
        assert_eq!(
            newer.own(Parameter::MaxTokens),
            Some(("max_completion_tokens", &json!(50)))
        );
        let error = parameters.set(Parameter::TopP, "top_p", &json!(2)).unwrap_err();
        assert_eq!(json!(error.body())["error"]["param"], "top_p");
        let newer = read(&json!({"max_tokens": 1, "max_completion_tokens": 0})).unwrap_err();
        assert_eq!(json!(newer.body())["error"]["param"], "max_completion_tokens");
    }

    #[test]
    fn a_default_gives_way_to_a_requests_own_sampling_in_any_order() {
        let (temperature, top_p) = (Parameter::Temperature, Parameter::TopP);
        for (request, defaults, lesser) in [
            (json!({"temperature": 1, "top_p": 1}), json!({}), Some(top_p)),
            (json!({"top_p": 1, "temperature": 1}), json!({}), Some(top_p)),
            (
                json!({"top_p": 1, "temperature": 1}),
                json!({"temperature": 0, "top_p": 0}),
                Some(top_p),
            ),
            (json!({}), json!({"top_p": 1, "temperature": 1}), Some(top_p)),
            (json!({"temperature": 1}), json!({"top_p": 1}), Some(top_p)),
            (json!({"top_p": 1}), json!({"temperature": 1}), Some(temperature)),
            (
                json!({"top_p": 1}),
                json!({"top_p": 0, "temperature": 1}),
                Some(temperature),
            ),
            (json!({"top_p": 1}), json!({}), None),
            (json!({}), json!({"temperature": 1}), None),
        ] {
            let merged = read(&request).unwrap().or(read(&defaults).unwrap()).unwrap();
            assert_eq!(merged.lesser_sampling(), lesser, "{request} {defaults}");
        }
    }

    #[test]
    fn more_logprobs_need_logprobs() {
        let merged = |request: &Value, defaults: &Value| {
            let merged = read(request).unwrap().or(read(defaults).unwrap());
            merged.map(|merged| merged.get(Parameter::TopLogprobs).cloned())
        };
        let (on, off, more) = (
            json!({"logprobs": true}),
            json!({"logprobs": false}),
            json!({"top_logprobs": 2}),
        );
        for request in [&more, &json!({"logprobs": false, "top_logprobs": "2"})] {
            let error = merged(request, &json!({})).unwrap_err();
            assert_eq!(json!(error.body())["error"]["param"], "top_logprobs");
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
