//! What a model's 400s say about it: read from their words, and remembered for the life of the environment.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

mod stated_limit;

use crate::{
    chat::parameters::Parameter,
    error::ProviderError,
    protocol::learned::{Learned, Lesson},
};
use stated_limit::stated_limit;

/// The names that providers have for a parameter that may be left out after a 400, in requests and in their errors. It is
/// none where leaving it out would change what the client gets.
const fn names_of(parameter: Parameter) -> &'static [&'static str] {
    match parameter {
        Parameter::Temperature => &["temperature"],
        Parameter::TopP => &["top_p", "topP"],
        Parameter::PresencePenalty => &["presence_penalty", "presencePenalty"],
        Parameter::FrequencyPenalty => &["frequency_penalty", "frequencyPenalty"],
        Parameter::Seed => &["seed", "random_seed"],
        Parameter::User => &["user", "metadata", "user_id"],
        Parameter::LogitBias => &["logit_bias"],
        Parameter::ReasoningEffort => &[
            "reasoning_effort",
            "reasoningEffort",
            "thinking",
            "thinking.type.enabled",
            "thinking.type.disabled",
            "thinking.type.adaptive",
            "thinking.type.between_tools",
            "effort",
            "output_config",
            "thinkingConfig",
            "thinking_config",
            "thinkingBudget",
            "thinking_budget",
            "thinkingLevel",
            "thinking_level",
            "includeThoughts",
            "include_thoughts",
            "reasoningConfig",
        ],
        Parameter::Verbosity => &["verbosity"],
        Parameter::SafetyIdentifier => &["safety_identifier"],
        Parameter::PromptCacheKey => &["prompt_cache_key"],
        Parameter::MaxTokens
        | Parameter::Stop
        | Parameter::ResponseFormat
        | Parameter::Logprobs
        | Parameter::TopLogprobs => &[],
    }
}
/// A field that no caller sets and that some servers do not know.
const STREAM_OPTIONS: &[&str] = &["stream_options"];

/// Phrases, in lower case, in a 400 that mean a parameter without its name, or with two names, each in two parts: Anthropic's
/// first, then Google's ("Thinking level MINIMAL is not supported for this model.", "The thinking budget (52428) is invalid.",
/// <https://github.com/RooCodeInc/Roo-Code/issues/4399>, "The model does not support setting thinking_budget to 0",
/// <https://github.com/earendil-works/pi/issues/3460>) and Ollama's ("\"llama3.1:8b\" does not support thinking",
/// <https://github.com/Gitlawb/openclaude/issues/1371>, "think value \"medium\" is not supported for this model",
/// <https://github.com/ollama/ollama/issues/12561>); read 2026-11.
const PHRASES: [([&str; 2], Parameter); 10] = [
    (["cannot both be specified", ""], Parameter::TopP),
    (["penalty is not enabled", ""], Parameter::PresencePenalty),
    (["penalty is not enabled", ""], Parameter::FrequencyPenalty),
    (["thinking level", "not supported"], Parameter::ReasoningEffort),
    (["thinking budget", "not supported"], Parameter::ReasoningEffort),
    (["thinking budget", "invalid"], Parameter::ReasoningEffort),
    (["setting thinking_budget", ""], Parameter::ReasoningEffort),
    (["only works in thinking mode", ""], Parameter::ReasoningEffort),
    (["does not support thinking", ""], Parameter::ReasoningEffort),
    (["think value", "not supported"], Parameter::ReasoningEffort),
];

/// Words, in lower case, by which a message says of all the parameters that it names that the model does not take them.
const NOT_TAKEN: [&str; 7] = [
    "not support",
    "n't support",
    "unsupported",
    "not permitted",
    "incompatible",
    "unrecognized",
    "unknown name",
];

/// Words with which a message goes on to what is no fault: the condition, or what to do instead.
const CONDITIONS: [&str; 5] = [" when ", " if ", " unless ", " Use ", " use "];

/// Phrases, in lower case, in a 400 that mean that the messages go in another order or another form, and what is done about it.
///
/// - Google's Gemma: "Developer instruction is not enabled for models/gemma-3-27b-it"
///   (<https://github.com/google-gemini/deprecated-generative-ai-python/issues/698>, read 2026-11).
/// - Chat templates of Gemma, Mistral and others, on vLLM and llama.cpp: "System role not supported", "Conversation roles must
///   alternate user/assistant/user/assistant/..." (<https://github.com/vllm-project/vllm/issues/6862>, read 2026-11).
/// - DeepSeek: "deepseek-reasoner does not support successive user or assistant messages". Perplexity: "Last message must have
///   role `user`". Mistral: "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant".
///   Qwen: "System message must be at the beginning." Read 2026-11.
/// - OpenAI's o1-mini: "Unsupported value: `messages[0].role` does not support 'system' with this model."
///   (<https://github.com/microsoft/agent-framework/issues/1077>). Claude from 4.6 on: "This model does not support assistant
///   message prefill. The conversation must end with a user message."
///   (<https://github.com/router-for-me/CLIProxyAPI/issues/5319>), also where a gateway leads to it. Read 2026-11.
const OF_MESSAGES: [(&str, Lesson); 18] = [
    ("developer instruction is not enabled", Lesson::NoSystem),
    ("system role not supported", Lesson::NoSystem),
    ("system role is not supported", Lesson::NoSystem),
    ("system messages are not supported", Lesson::NoSystem),
    ("does not support system", Lesson::NoSystem),
    ("doesn't support system", Lesson::NoSystem),
    ("does not support 'system'", Lesson::NoSystem),
    ("roles are supported, got system", Lesson::NoSystem),
    ("must alternate", Lesson::Alternate),
    ("should alternate", Lesson::Alternate),
    ("successive user or assistant", Lesson::Alternate),
    ("expected last role", Lesson::Alternate),
    ("last message must", Lesson::Alternate),
    ("final message must", Lesson::Alternate),
    ("first message must", Lesson::Alternate),
    ("must start with a user", Lesson::Alternate),
    ("must end with a user", Lesson::Alternate),
    ("message must be at the beginning", Lesson::Alternate),
];

/// Phrases in a 400 that mean that a value is wrong: first OpenAI's, Pydantic's (vLLM, SGLang, Mistral) and Serde's
/// (DeepSeek).
const WRONG_VALUE: [&str; 16] = [
    "Supported values are",
    "Input should be",
    "unknown variant",
    "expected one of",
    "literal_error",
    "greater than",
    "less than",
    "must be between",
    "must be one of",
    // Google's, Anthropic's and Bedrock's
    "must be in the range",
    "range: ",
    "is not less",
    "is not greater",
    "udget (",
    "setting thinking_budget to",
    // Ollama's
    "think value",
];

/// What is known of each model, by its endpoint and name.
#[derive(Debug, Default)]
pub(super) struct Lessons(Mutex<HashMap<String, Learned>>);

impl Lessons {
    /// What a model's errors have said so far.
    pub(super) fn of(&self, model_key: &str) -> Learned {
        let lessons = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lessons.get(model_key).copied().unwrap_or_default()
    }

    /// Remembers what a model's errors said.
    pub(super) fn remember(&self, model_key: &str, lessons: &[Lesson]) {
        if lessons.is_empty() {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let learned = all.entry(model_key.to_owned()).or_default();
        for lesson in lessons {
            learned.add(*lesson);
        }
    }
}

/// What a rejection says about the model: which of the fields that were sent it does not take, its limit of tokens, or the order
/// that the messages have to be in. Empty where it says nothing of the kind.
///
/// The fields are named by the rejection's `param`, or where there is none by its message. A message of which
/// `quotes_request` holds, beside the phrases that are looked for, is not read: its words are the request's.
pub(super) fn lessons_of(
    rejection: &ProviderError,
    quotes_request: impl Fn(&str) -> bool,
    sent: &Value,
) -> Vec<Lesson> {
    let ProviderError::Rejected { message, param, .. } = rejection else {
        return Vec::new();
    };
    let message = if quotes_request(&without_phrases(message)) {
        ""
    } else {
        message
    };
    let param = param.as_deref().map(|path| path.rsplit('.').next().unwrap_or(path));
    // A URL is the caller's, who may write anything into it.
    let message: Vec<_> = message.split(' ').filter(|word| !word.contains("://")).collect();
    let message = message.join(" ");
    if let Some(limit) = stated_limit(&message, param, sent) {
        return vec![Lesson::MaxOutput(limit)];
    }
    // Azure's deployments have names of their own, which do not say whether the model wants the newer name.
    let asks_for_newer = message.contains("'max_completion_tokens'") && param.is_none_or(|param| param == "max_tokens");
    if asks_for_newer && sent.get("max_tokens").is_some() {
        return vec![Lesson::NewerTokenLimit];
    }
    let lower_case = message.to_lowercase();
    if let Some((_, lesson)) = OF_MESSAGES.iter().find(|(phrase, _)| lower_case.contains(phrase)) {
        return vec![*lesson];
    }
    fields_named(&message, param, sent)
}

/// A message without the phrases that are looked for: whoever asks about a rejection uses them too, and so they are no
/// quotation by themselves.
fn without_phrases(message: &str) -> String {
    let phrases = OF_MESSAGES.iter().map(|(phrase, _)| *phrase).chain(NOT_TAKEN);
    phrases.fold(message.to_lowercase(), |message, phrase| message.replace(phrase, " "))
}

/// The fields that a rejection names: the one meant by a phrase, else those of a list, else all of those that it says are not
/// taken, else the first one.
fn fields_named(message: &str, param: Option<&str>, sent: &Value) -> Vec<Lesson> {
    let sent_parameters = || Parameter::ALL.into_iter().filter(|one| is_sent(sent, names_of(*one)));
    let lower_case = message.to_lowercase();
    let by_phrase = |parameter: &Parameter| {
        let says = |phrase: &[&str; 2]| phrase.iter().all(|part| lower_case.contains(part));
        PHRASES.iter().any(|(phrase, meant)| meant == parameter && says(phrase))
    };
    let by_name = |name: &&str| param.map_or_else(|| mentions(message, name), |param| param == *name);
    let is_listed = |parameter: &Parameter| {
        let list = listed(message);
        param.is_none() && list.len() > 1 && names_of(*parameter).iter().any(|name| list.contains(name))
    };
    let not_taken = if param.is_none() {
        not_taken(message)
    } else {
        Vec::new()
    };
    let is_not_taken = |parameter: &Parameter| names_of(*parameter).iter().any(|name| not_taken.contains(name));
    let first = |parameter: &Parameter| names_of(*parameter).iter().any(by_name);
    let mut named: Vec<_> = sent_parameters().find(by_phrase).into_iter().collect();
    if named.is_empty() {
        named = sent_parameters().filter(is_listed).collect();
    }
    if named.is_empty() {
        named = sent_parameters().filter(is_not_taken).collect();
    }
    if named.is_empty() {
        named = sent_parameters().find(first).into_iter().collect();
    }
    let mut lessons: Vec<_> = named.into_iter().map(Lesson::Omit).collect();
    if lessons.is_empty() && is_sent(sent, STREAM_OPTIONS) && STREAM_OPTIONS.iter().any(by_name) {
        lessons.push(Lesson::OmitStreamOptions);
    }
    lessons
}

/// The names of a list at a message's end: OpenAI's "Model incompatible request argument supplied: temperature, top_p".
/// <https://community.openai.com/t/1044243>, read 2026-11.
fn listed(message: &str) -> Vec<&str> {
    let list = message.rsplit_once(": ").map_or("", |(_, list)| list);
    let items = list.split(',').flat_map(|items| items.split(" and "));
    let names: Vec<_> = items
        .map(|name| name.trim_matches([' ', '\'', '"', '`', '.']))
        .collect();
    let are_names = names.iter().all(|name| !name.contains(' '));
    if are_names { names } else { Vec::new() }
}

/// The names in a message that says that something is not taken, such as "Parameters temperature, top_p are not supported".
/// Names that are everyday words in such a message (`user`, `thinking`) are left out.
fn not_taken(message: &str) -> Vec<&str> {
    let lower_case = message.to_lowercase();
    if !NOT_TAKEN.iter().any(|words| lower_case.contains(words)) {
        return Vec::new();
    }
    let end = CONDITIONS.iter().filter_map(|words| message.find(words)).min();
    let words = message[..end.unwrap_or(message.len())].split(|one: char| !one.is_ascii_alphanumeric() && one != '_');
    let is_name = |word: &&str| {
        ["temperature", "seed"].contains(word) || word.contains('_') || word.chars().skip(1).any(char::is_uppercase)
    };
    words.filter(is_name).collect()
}

/// Whether a lesson holds for other requests too: not so where only the value that this caller chose is wrong.
pub(super) fn holds_for_others(lesson: Lesson, rejection: &ProviderError) -> bool {
    match lesson {
        Lesson::MaxOutput(_) | Lesson::NoSystem | Lesson::Alternate => true,
        Lesson::Omit(_) | Lesson::NewerTokenLimit | Lesson::OmitStreamOptions => is_about_the_parameter(rejection),
    }
}

/// Whether a rejection is about a parameter as such, not about its value.
fn is_about_the_parameter(rejection: &ProviderError) -> bool {
    let ProviderError::Rejected { message, code, .. } = rejection else {
        return false;
    };
    let code = code.as_deref().unwrap_or_default();
    let by_code =
        matches!(code, "invalid_value" | "invalid_type") || code.contains("_above_") || code.contains("_below_");
    !by_code
        && !WRONG_VALUE.iter().any(|words| message.contains(words))
        && !["Invalid value", "Invalid type", "Invalid '"]
            .iter()
            .any(|words| message.starts_with(words))
}

/// Whether a message names a field: in quotes, before a colon, or as Bedrock does ("This model doesn't support the topP
/// field.") and xAI ("Argument not supported on this model: presencePenalty").
fn mentions(message: &str, name: &str) -> bool {
    ['\'', '"', '`']
        .iter()
        .any(|quote| message.contains(&format!("{quote}{name}{quote}")))
        || message.contains(&format!("{name}:"))
        || ["field", "parameter"]
            .iter()
            .any(|noun| message.contains(&format!("the {name} {noun}")))
        || message.contains(&format!("[{name}]"))
        || message.contains(&format!(".{name}'"))
        || message.contains(&format!("{name} is not supported"))
        || message.contains(&format!("arameter: {name} "))
        || message.contains(&format!("parameter {name}"))
        || message.starts_with(&format!("{name} is not"))
        || message.ends_with(&format!(": {name}"))
}

/// Whether a request has one of these fields, at its top or within an object there (Google's `generationConfig`,
/// Bedrock's `inferenceConfig`).
fn is_sent(sent: &Value, names: &[&str]) -> bool {
    let has = |object: &Value| names.iter().any(|name| object.get(name).is_some());
    let objects = sent.as_object().into_iter().flat_map(serde_json::Map::values);
    has(sent) || objects.filter(|value| value.is_object()).any(has)
}

#[cfg(test)]
mod tests;
