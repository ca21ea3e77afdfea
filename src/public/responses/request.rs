//! The body of `POST …/responses`, read and checked.

use serde_json::{Map, Value, json};

use super::{
    bodies::{Echo, ReasoningEcho, TextEcho},
    input::{self, Entry},
};
use crate::{
    chat::{
        lenient,
        parameters::{Parameter, Parameters},
    },
    error::Error,
    public::body,
};

/// What `include` has to hold for log probabilities to be sent.
const LOGPROBS: &str = "message.output_text.logprobs";

/// The field that names the response whose conversation is carried on.
pub(super) const PREVIOUS: &str = "previous_response_id";

/// Parameters at the top of the body, by the names that they have here. OpenAI's own API has no name for the last ones, which
/// clients that know chat completions send all the same: to pass over them would change the answer without a word.
const NAMES: [(&str, Parameter); 11] = [
    ("temperature", Parameter::Temperature),
    ("top_p", Parameter::TopP),
    ("max_output_tokens", Parameter::MaxTokens),
    ("user", Parameter::User),
    ("safety_identifier", Parameter::SafetyIdentifier),
    ("prompt_cache_key", Parameter::PromptCacheKey),
    ("stop", Parameter::Stop),
    ("seed", Parameter::Seed),
    ("presence_penalty", Parameter::PresencePenalty),
    ("frequency_penalty", Parameter::FrequencyPenalty),
    ("logit_bias", Parameter::LogitBias),
];

/// Fields that chat completions has by other names, and their names here.
pub(super) const RENAMED: [(&str, &str); 8] = [
    ("response_format.json_schema", "text.format"),
    ("response_format", "text.format"),
    ("max_tokens", "max_output_tokens"),
    ("max_completion_tokens", "max_output_tokens"),
    ("reasoning_effort", "reasoning.effort"),
    ("verbosity", "text.verbosity"),
    ("logprobs", "include"),
    ("messages", "input"),
];

/// Those of them that are refused, for the same reason.
const MOVED: [&str; 6] = [
    "logprobs",
    "response_format",
    "max_tokens",
    "max_completion_tokens",
    "reasoning_effort",
    "verbosity",
];

/// OpenAI's limits of `metadata`: how many pairs, and how many characters a key and a value may have
/// (<https://platform.openai.com/docs/api-reference/responses/create>, read 2026-11).
const MAX_PAIRS: usize = 16;
const MAX_KEY: usize = 64;
const MAX_VALUE: usize = 512;

/// A request for a response. `model` is not part of it: the assistant's own is used.
#[derive(Debug, Clone)]
pub(super) struct ResponseRequest {
    /// At least one.
    pub input: Vec<Entry>,
    /// Whether the response may be kept.
    pub store: bool,
    /// Whether the reply is a stream of events.
    pub stream: bool,
    /// What is passed on to the model.
    pub parameters: Parameters,
    /// What the response says of the request.
    pub echo: Echo,
}

impl ResponseRequest {
    /// Reads a request's body, as JSON whatever its content type says.
    ///
    /// # Errors
    /// A 400 naming the field at fault.
    pub(super) fn read(body: &[u8]) -> Result<Self, Error> {
        let body = body::read(body, "input")?;
        refuse_chat_body(&body)?;
        refuse_unsupported(&body)?;
        let instructions = match lenient::field(&body, "instructions") {
            Some(instructions) => Some(lenient::string(instructions, "instructions")?),
            None => None,
        };
        let parameters = read_parameters(&body)?;
        Ok(Self {
            input: input::read(&body)?,
            store: lenient::field(&body, "store").map_or(Ok(true), |store| lenient::boolean(store, "store"))?,
            stream: body::flag(&body, "stream")?,
            echo: Echo {
                metadata: read_metadata(&body)?,
                ..echo(&body, instructions, &parameters)?
            },
            parameters,
        })
    }
}

/// What a client sends that means the other API.
fn refuse_chat_body(body: &Map<String, Value>) -> Result<(), Error> {
    if lenient::field(body, "input").is_some() || lenient::field(body, "messages").is_none() {
        return Ok(());
    }
    Err(Error::invalid(
        "messages",
        "This is a body of the Chat Completions API ('messages'). This endpoint speaks the Responses API: send 'input', \
         switch the client to the Responses API, or send the body to /public/openai/v1/chat/completions.",
    ))
}

/// What would change the answer's form or content and cannot be honoured.
fn refuse_unsupported(body: &Map<String, Value>) -> Result<(), Error> {
    body::refuse_tools(body, &["tools", "functions"], &["tool_choice", "function_call"])?;
    body::refuse_other_answers(body)?;
    if body::flag(body, "background")? {
        return Err(body::unsupported(
            "background",
            "responses are not made in the background here. Send false or leave it out",
        ));
    }
    for (name, instead) in [
        ("conversation", "Send the whole conversation in 'input'"),
        ("prompt", "Send its text in 'instructions'"),
        ("audio", "Remove it"),
    ] {
        if lenient::field(body, name).is_some() {
            let why = format!("it is not offered by this endpoint. {instead}");
            return Err(body::unsupported(name, &why));
        }
    }
    if let Some(truncation) = lenient::field(body, "truncation")
        && truncation != "disabled"
    {
        return Err(body::unsupported(
            "truncation",
            "only 'disabled' is possible. Send a shorter 'input' where it is too long",
        ));
    }
    for (name, newer) in RENAMED {
        if MOVED.contains(&name) && lenient::field(body, name).is_some_and(|value| value != false && value != "false") {
            let why = format!("in the Responses API it is '{newer}'");
            return Err(body::unsupported(name, &why));
        }
    }
    Ok(())
}

fn read_parameters(body: &Map<String, Value>) -> Result<Parameters, Error> {
    let mut parameters = Parameters::default();
    let mut set = |parameter, name: &str, value: Option<&Value>| match value {
        Some(value) => parameters.set(parameter, name, value),
        None => Ok(()),
    };
    for (name, parameter) in NAMES {
        set(
            parameter,
            name,
            body.get(name).filter(|value| !lenient::is_empty_list(value)),
        )?;
    }
    let reasoning = object(body, "reasoning")?;
    let effort = lenient::field(&reasoning, "effort");
    set(Parameter::ReasoningEffort, "reasoning.effort", effort)?;
    let text = object(body, "text")?;
    set(
        Parameter::Verbosity,
        "text.verbosity",
        lenient::field(&text, "verbosity"),
    )?;
    let format = read_format(&text)?;
    // Read as chat completions', and told as this API's.
    set(Parameter::ResponseFormat, "response_format", format.as_ref()).map_err(|error| error.renamed(&RENAMED))?;
    if includes_logprobs(body)? {
        set(Parameter::Logprobs, "include", Some(&Value::Bool(true)))?;
        let count = lenient::field(body, "top_logprobs");
        set(Parameter::TopLogprobs, "top_logprobs", count)?;
    }
    Ok(parameters)
}

/// An object that is empty where it is not set.
fn object(body: &Map<String, Value>, name: &str) -> Result<Map<String, Value>, Error> {
    lenient::field(body, name).map_or_else(|| Ok(Map::new()), |value| lenient::object(value, name))
}

/// `text.format` as chat completions' `response_format`, which has a schema's fields in an object of their own.
fn read_format(text: &Map<String, Value>) -> Result<Option<Value>, Error> {
    let Some(format) = lenient::field(text, "format") else {
        return Ok(None);
    };
    let mut format = lenient::object(format, "text.format")?;
    if format.get("type").is_none_or(|kind| kind != "json_schema") {
        return Ok(Some(Value::Object(format)));
    }
    format.retain(|name, value| name != "type" && !value.is_null());
    for name in ["name", "schema"] {
        if lenient::field(&format, name).is_none() {
            return Err(Error::missing(format!("text.format.{name}")));
        }
    }
    Ok(Some(json!({"type": "json_schema", "json_schema": format})))
}

fn includes_logprobs(body: &Map<String, Value>) -> Result<bool, Error> {
    let Some(include) = lenient::field(body, "include") else {
        return Ok(false);
    };
    Ok(lenient::array(include, "include")?.iter().any(|name| name == LOGPROBS))
}

/// Texts by name. A number or a boolean is the text that spells it, since no-code tools send either.
fn read_metadata(body: &Map<String, Value>) -> Result<Map<String, Value>, Error> {
    let mut metadata = object(body, "metadata")?;
    metadata.retain(|_, value| !value.is_null());
    let too_large = |param: &str, what: &str| {
        Error::invalid_with_code(
            param,
            "invalid_value",
            format!(
                "Invalid '{param}': {what}. Send at most {MAX_PAIRS} pairs, whose keys have at most {MAX_KEY} characters and \
                 whose values at most {MAX_VALUE}."
            ),
        )
    };
    if metadata.len() > MAX_PAIRS {
        return Err(too_large("metadata", &format!("it has {} pairs", metadata.len())));
    }
    for (name, value) in &mut metadata {
        if name.chars().count() > MAX_KEY {
            return Err(too_large("metadata", "a key is too long"));
        }
        let param = format!("metadata.{name}");
        if value.is_number() || value.is_boolean() {
            *value = Value::String(value.to_string());
        }
        if lenient::string(value, &param)?.chars().count() > MAX_VALUE {
            return Err(too_large(&param, "it is too long"));
        }
    }
    Ok(metadata)
}

/// What the response says of the request, without its metadata.
fn echo(body: &Map<String, Value>, instructions: Option<String>, parameters: &Parameters) -> Result<Echo, Error> {
    let given = |parameter| parameters.get(parameter).cloned();
    let text = |parameter| parameters.get(parameter).and_then(Value::as_str).map(str::to_owned);
    let format = given(Parameter::ResponseFormat);
    Ok(Echo {
        instructions,
        max_output_tokens: given(Parameter::MaxTokens),
        metadata: Map::new(),
        prompt_cache_key: text(Parameter::PromptCacheKey),
        previous_response_id: lenient::field(body, PREVIOUS)
            .map(|id| lenient::string(id, PREVIOUS))
            .transpose()?,
        reasoning: ReasoningEcho {
            effort: text(Parameter::ReasoningEffort),
            summary: lenient::field(&object(body, "reasoning")?, "summary").and_then(known_summary),
        },
        safety_identifier: text(Parameter::SafetyIdentifier),
        temperature: given(Parameter::Temperature),
        text: TextEcho {
            format: format.map_or_else(|| json!({"type": "text"}), format_of),
            verbosity: text(Parameter::Verbosity),
        },
        top_logprobs: given(Parameter::TopLogprobs),
        top_p: given(Parameter::TopP),
        user: text(Parameter::User),
    })
}

/// One of the summaries that OpenAI's schema has.
fn known_summary(summary: &Value) -> Option<String> {
    let summary = summary.as_str()?;
    ["auto", "concise", "detailed"]
        .contains(&summary)
        .then(|| summary.to_owned())
}

/// `response_format` as `text.format`: the reverse of [`read_format`].
fn format_of(mut format: Value) -> Value {
    let Value::Object(schema) = format["json_schema"].take() else {
        return json!({"type": format["type"]});
    };
    let mut flat = Map::from_iter([("type".to_owned(), format["type"].take())]);
    flat.extend(schema);
    Value::Object(flat)
}

#[cfg(test)]
mod tests;
