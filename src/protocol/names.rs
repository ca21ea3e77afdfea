//! The names that parameters have elsewhere, and how an error's text is searched for them.

use super::learned::HINTS;
use crate::chat::parameters::Parameter;

/// The parameters' names in providers' requests and errors, in lower case without `_`. Each name stands for one parameter.
const NAMES: [(Parameter, &[&str]); 16] = [
    (Parameter::Temperature, &["temperature"]),
    (Parameter::TopP, &["topp"]),
    (
        Parameter::MaxTokens,
        &[
            "maxtokens",
            "maxcompletiontokens",
            "maxoutputtokens",
            "maxnewtokens",
            "maximumtokens",
        ],
    ),
    (Parameter::PresencePenalty, &["presencepenalty"]),
    (Parameter::FrequencyPenalty, &["frequencypenalty"]),
    (Parameter::Seed, &["seed", "randomseed"]),
    (Parameter::Stop, &["stop", "stopsequences"]),
    (
        Parameter::ResponseFormat,
        &[
            "responseformat",
            "responseschema",
            "responsejsonschema",
            "responsemimetype",
            "jsonschema",
            "outputformat",
            "format",
        ],
    ),
    (
        Parameter::ReasoningEffort,
        &[
            "reasoningeffort",
            "reasoning",
            "effort",
            "thinking",
            "thinkingbudget",
            "thinkingconfig",
            "thinkinglevel",
            "budgettokens",
            "includethoughts",
            "reasoningconfig",
        ],
    ),
    (Parameter::Verbosity, &["verbosity"]),
    (Parameter::User, &["user", "userid", "metadata"]),
    (Parameter::SafetyIdentifier, &["safetyidentifier"]),
    (Parameter::PromptCacheKey, &["promptcachekey"]),
    (Parameter::LogitBias, &["logitbias"]),
    (Parameter::Logprobs, &["logprobs"]),
    (Parameter::TopLogprobs, &["toplogprobs"]),
];

/// Names that are everyday words in an error: they name a field only in quotes.
const EVERYDAY: [&str; 6] = ["format", "metadata", "seed", "stop", "stream", "user"];
const QUOTES: [char; 5] = ['\'', '"', '`', '‘', '“'];

/// A field of a provider's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// One of our own parameters, by any of its names.
    Parameter(Parameter),
    /// Whether the answer is streamed.
    Stream,
    /// The options of a stream, such as its usage.
    StreamOptions,
    /// The conversation.
    Messages,
}

impl Named {
    /// The field that a segment of a path names.
    pub(crate) fn of(segment: &str) -> Option<Self> {
        Self::by_key(&key(segment))
    }

    /// Whether a request may go without it and gets an answer of the same form.
    pub(crate) fn is_hint(self) -> bool {
        match self {
            Self::Parameter(parameter) => HINTS.contains(parameter),
            Self::Stream | Self::StreamOptions => true,
            Self::Messages => false,
        }
    }

    fn by_key(key: &str) -> Option<Self> {
        match key {
            "stream" => Some(Self::Stream),
            "streamoptions" => Some(Self::StreamOptions),
            "messages" | "contents" | "input" => Some(Self::Messages),
            key => NAMES
                .iter()
                .find(|(_, names)| names.contains(&key))
                .map(|(parameter, _)| Self::Parameter(*parameter)),
        }
    }

    /// The fields that a text names: `top_p`, `topP`, `Top P`, and everyday words in quotes. Addresses are passed over: a caller
    /// may have written anything into them.
    pub(crate) fn all_in(text: &str) -> Vec<Self> {
        let mut named = Vec::new();
        let mut previous = String::new();
        for word in text.split_whitespace().filter(|word| !word.contains("://")) {
            let is_quoted = word.trim_start_matches(['(', '[', '{']).starts_with(QUOTES);
            let is_path = word.contains(['[', '.']);
            let parts = word.split(|one: char| !one.is_alphanumeric() && one != '_');
            for part in parts.filter(|part| !part.is_empty()) {
                let key = key(part);
                let found = Self::by_key(&format!("{previous}{key}")).or_else(|| Self::by_key(&key));
                let counts = match found {
                    Some(Self::Messages) => is_quoted || is_path,
                    _ => is_quoted || !EVERYDAY.contains(&key.as_str()),
                };
                named.extend(found.filter(|_| counts));
                previous = key;
            }
        }
        named
    }
}

/// Whether a text has one of a field's names, within other words too.
pub(crate) fn mentions(text: &str, field: Named) -> bool {
    let text = key(text);
    let of_parameter = NAMES
        .iter()
        .find(|(parameter, _)| Named::Parameter(*parameter) == field);
    let names: &[&str] = match (field, of_parameter) {
        (_, Some((_, names))) => names,
        (Named::StreamOptions, _) => &["streamoptions"],
        _ => &["stream"],
    };
    names.iter().any(|name| text.contains(name))
}

/// A name in the table's spelling.
fn key(name: &str) -> String {
    name.chars()
        .filter(|one| *one != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether a text states that something is not supported, as against a value that is wrong.
pub(crate) fn says_unsupported(text: &str) -> bool {
    const WORDS: [&str; 9] = [
        "unsupported",
        "not support",
        "n't support",
        "unknown",
        "unrecognized",
        "unexpected",
        "deprecated",
        "not permitted",
        "extra",
    ];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word)) && !text.contains("value")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Parameter::{MaxTokens, PresencePenalty, ReasoningEffort, Seed, Temperature, TopP, User};

    #[test]
    fn a_text_names_fields_by_any_of_their_names() {
        for (text, expected) in [
            ("Unsupported parameter: 'top_p'", vec![Named::Parameter(TopP)]),
            (
                "This model doesn't support the topP field. Remove topP.",
                vec![Named::Parameter(TopP), Named::Parameter(TopP)],
            ),
            (
                "Presence penalty is not enabled for this model",
                vec![Named::Parameter(PresencePenalty)],
            ),
            (
                "`temperature` and `top_p` cannot both be specified",
                vec![Named::Parameter(Temperature), Named::Parameter(TopP)],
            ),
            (
                "Thinking level MINIMAL is not supported",
                vec![Named::Parameter(ReasoningEffort), Named::Parameter(ReasoningEffort)],
            ),
            (
                "The maximum tokens you requested exceeds the model limit",
                vec![Named::Parameter(MaxTokens)],
            ),
            (
                "Unknown name \"seed\" at 'generation_config'",
                vec![Named::Parameter(Seed)],
            ),
            ("Unknown name at 'generation_config.seed'", vec![Named::Parameter(Seed)]),
            ("The user must seed the stream first", vec![]),
            ("'stream' does not support true", vec![Named::Stream]),
            ("Unknown field `user`", vec![Named::Parameter(User)]),
            ("messages.0.content: no", vec![Named::Messages]),
            ("Your messages are blue", vec![]),
            ("see https://example.com/temperature", vec![]),
            ("gibberish", vec![]),
        ] {
            assert_eq!(Named::all_in(text), expected, "{text}");
        }
    }

    #[test]
    fn every_parameter_has_its_own_name() {
        for parameter in Parameter::ALL {
            for name in [Some(parameter.name()), parameter.newer_name()].into_iter().flatten() {
                assert_eq!(Named::of(name), Some(Named::Parameter(parameter)), "{name}");
            }
        }
    }
}
