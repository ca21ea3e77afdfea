//! The table of settings: each one's name, what it means to an owner, its JSON Schema and its reader.

use serde_json::{Map, Value, json};
use url::Url;

use super::{
    Settings,
    keys::{Keys, TYPES, path},
    origins::origins,
};
use crate::{
    chat::parameters::Parameter,
    limit::Limit,
    provider::{self, Model, Provider, capabilities::Overrides},
};

/// Most models that are asked after the first one: each is asked up to three times, and may be paid for.
const MAX_FALLBACKS: usize = 5;

/// A setting as everybody needs it who asks owners for it: the API's schema, the program's options, the documents.
#[derive(Debug)]
pub struct Described {
    /// In `config.configurable`, without the prefix of a type.
    pub name: &'static str,
    /// One sentence, for owners.
    pub about: &'static str,
    /// JSON Schema of the value.
    pub schema: Value,
}

/// All settings but the public token, which is write-only and stored as its digest.
pub fn described() -> Vec<Described> {
    let settings = SETTINGS.iter().map(|setting| Described {
        name: setting.name,
        about: setting.about,
        schema: (setting.schema)(),
    });
    let parameters = Parameter::ALL.into_iter().map(|parameter| Described {
        name: parameter.name(),
        about: parameter.about(),
        schema: parameter.schema(),
    });
    let limits = Limit::ALL.into_iter().map(|limit| Described {
        name: limit.name(),
        about: limit.about(),
        schema: json!({"type": "integer", "minimum": 1, "maximum": Limit::MAX}),
    });
    settings.chain(parameters).chain(limits).collect()
}

pub(super) struct Setting {
    pub name: &'static str,
    about: &'static str,
    schema: fn() -> Value,
    /// Puts a value into the settings.
    ///
    /// # Errors
    /// What is wrong with it, to stand behind the setting's name: "must be …".
    pub read: fn(&Value, &mut Settings, &mut ModelChoice) -> Result<(), String>,
}

pub(super) static SETTINGS: [Setting; 15] = [
    Setting {
        name: "type",
        about: "The assistant's type: settings may stand behind its prefix, as in `type==agent/model`.",
        schema: || json!({"enum": TYPES, "default": TYPES[0]}),
        // Read before all others: it says where they stand.
        read: |_, _, _| Ok(()),
    },
    Setting {
        name: "access_mode",
        about: "Who may call the assistant: with `public_token` whoever has its token, with anything else nobody.",
        schema: || json!({"enum": ["public_token", "authenticated"], "default": "authenticated"}),
        read: |value, settings, _| {
            let mode = one_of(value, &["public_token", "authenticated"])?;
            settings.is_public = mode == "public_token";
            Ok(())
        },
    },
    Setting {
        name: "model",
        about: "The model that answers, such as `gpt-4o` or `mistral/mistral-large-latest`.",
        schema: non_blank_schema,
        read: |value, _, choice| {
            choice.model = Some(non_blank(value)?);
            Ok(())
        },
    },
    Setting {
        name: "llm_type",
        about: "The older name of `model`, which may hold a display name such as `GPT 4o`.",
        schema: non_blank_schema,
        read: |value, _, choice| {
            choice.llm_type = Some(non_blank(value)?);
            Ok(())
        },
    },
    Setting {
        name: "agent_type",
        about: "The oldest name of `model`; `agent` names none.",
        schema: non_blank_schema,
        read: |value, _, choice| {
            choice.agent_type = Some(non_blank(value)?).filter(|name| name != "agent");
            Ok(())
        },
    },
    Setting {
        name: "provider",
        about: "Who serves the model, where its name does not tell.",
        schema: || json!({"enum": Provider::ALL.map(Provider::name)}),
        read: |value, _, choice| {
            let provider = value.as_str().and_then(|name| Provider::from_name(name.trim()));
            let names = Provider::ALL.map(Provider::name).join(", ");
            choice.provider = Some(provider.ok_or_else(|| format!("must be one of {names}"))?);
            Ok(())
        },
    },
    Setting {
        name: "base_url",
        about: "An OpenAI-compatible server of the owner's own: https, at a public address, without a query, a user name or a password. It never gets one of the operator's keys but the entry for its origin in the keys secret.",
        schema: || json!({"type": "string", "format": "uri"}),
        read: |value, _, choice| {
            choice.base_url = Some(base_url(value)?);
            Ok(())
        },
    },
    Setting {
        name: "system_message",
        about: "The system prompt. It always comes first; a client's own system messages follow it.",
        schema: || json!({"type": "string"}),
        read: |value, settings, _| {
            let text = value.as_str().ok_or("must be a string")?;
            settings.system_message = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
            Ok(())
        },
    },
    Setting {
        name: "allowed_origins",
        about: "The origins of the pages that may call the assistant, such as `https://shop.example`, each written in full, without wildcards; any page may where none is listed. It is no lock: only browsers send `Origin`.",
        schema: || json!({"type": "array", "items": {"type": "string", "format": "uri"}}),
        read: |value, settings, _| {
            settings.allowed_origins = origins(value)?;
            Ok(())
        },
    },
    Setting {
        name: "fallback_models",
        about: "Models that are asked in turn where the first one fails before its first text (a 5xx, a 429, a time-out); one that is listed twice is asked once. The reply's `model` names the one that answered.",
        schema: || json!({"type": "array", "items": non_blank_schema(), "maxItems": MAX_FALLBACKS}),
        read: |value, settings, _| {
            settings.fallback_models = models(value)?;
            Ok(())
        },
    },
    Setting {
        name: "reasoning_content",
        about: "Whether replies show the model's thinking beside its answer, as `reasoning_content`.",
        schema: || json!({"type": "boolean", "default": false}),
        read: |value, settings, _| {
            settings.show_reasoning = boolean(value)?;
            Ok(())
        },
    },
    Setting {
        name: "store_responses",
        about: "Whether responses of the Responses API are kept, so that a later request can carry the conversation on, where the operator has made a table for them.",
        schema: || json!({"type": "boolean", "default": true}),
        read: |value, settings, _| {
            settings.refuses_storing = !boolean(value)?;
            Ok(())
        },
    },
    Setting {
        name: "streaming",
        about: "Whether the model's provider can stream its answers.",
        schema: || json!({"type": "boolean", "default": true}),
        read: |value, _, choice| {
            choice.refuses_streams = !boolean(value)?;
            Ok(())
        },
    },
    Setting {
        name: "capabilities",
        about: "What the owner knows better of the model than the tables here, such as `{\"sampling\": \"none\"}`.",
        schema: Overrides::schema,
        read: |value, _, choice| {
            choice.overrides = Overrides::read(value).map_err(|problem| format!("cannot be used: {problem}"))?;
            Ok(())
        },
    },
    Setting {
        name: "limits_fail",
        about: "What becomes of requests while their limits cannot be checked, since the table that counts cannot be reached: `open` answers them, `closed` refuses them.",
        schema: || json!({"enum": ["open", "closed"], "default": "open"}),
        read: |value, settings, _| {
            settings.limits_fail_closed = one_of(value, &["open", "closed"])? == "closed";
            Ok(())
        },
    },
];

/// What chooses the model, before it is one.
#[derive(Debug, Default)]
pub(super) struct ModelChoice {
    model: Option<String>,
    llm_type: Option<String>,
    agent_type: Option<String>,
    /// `config.model`.
    pub beside: Option<String>,
    pub provider: Option<Provider>,
    pub base_url: Option<Url>,
    refuses_streams: bool,
    overrides: Overrides,
}

impl ModelChoice {
    /// The configured name and where it stands.
    pub(super) fn configured(&self, keys: Keys, configurable: &Map<String, Value>) -> Option<(String, &str)> {
        let within = |name: &str, found: &'_ Option<String>| {
            let key = keys.find(configurable, name).map_or(name, |(key, _)| key);
            found.as_ref().map(|_| path(key))
        };
        let places = [
            (within("model", &self.model), &self.model),
            (within("llm_type", &self.llm_type), &self.llm_type),
            (Some("config.model".to_owned()), &self.beside),
            (within("agent_type", &self.agent_type), &self.agent_type),
        ];
        places
            .into_iter()
            .find_map(|(place, name)| Some((place?, name.as_deref()?)))
    }

    /// The model with what the other settings say of it.
    pub(super) fn refine(&self, model: Model) -> Model {
        Model {
            streams: !self.refuses_streams,
            overrides: self.overrides,
            ..model
        }
    }
}

fn non_blank_schema() -> Value {
    json!({"type": "string", "pattern": "\\S"})
}

fn non_blank(value: &Value) -> Result<String, String> {
    let text = value.as_str().map(str::trim).filter(|text| !text.is_empty());
    text.map(str::to_owned)
        .ok_or_else(|| "must be a string that is not blank".into())
}

fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "must be true or false".into())
}

fn one_of<'a>(value: &'a Value, allowed: &[&str]) -> Result<&'a str, String> {
    value
        .as_str()
        .filter(|value| allowed.contains(value))
        .ok_or_else(|| format!("must be one of {}", allowed.join(", ")))
}

/// The end that is asked below an OpenAI-compatible server's `base_url`.
const ENDPOINT: &str = "/chat/completions";

/// Whether its address is a public one is another question, which the surroundings answer.
fn base_url(value: &Value) -> Result<Url, String> {
    let url = value.as_str().and_then(|url| Url::parse(url.trim()).ok());
    let url = url
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or("must be a URL with https (or http) and without a query, such as https://llm.example.com/v1")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must be a URL without a user name or a password. The server's key is the entry that the operator puts \
                    into the keys secret for its origin"
                .into(),
        );
    }
    if url.path().trim_end_matches('/').ends_with(ENDPOINT) {
        return Err(format!(
            "must be the URL without `{ENDPOINT}` at its end, such as https://llm.example.com/v1: leave that end off"
        ));
    }
    Ok(url)
}

fn models(value: &Value) -> Result<Vec<Model>, String> {
    let names = value
        .as_array()
        .ok_or("must be a list of models' names such as [\"mistral/mistral-large-latest\"]")?;
    if names.len() > MAX_FALLBACKS {
        return Err(format!("must hold at most {MAX_FALLBACKS} models"));
    }
    names
        .iter()
        .map(|name| {
            let name = non_blank(name).map_err(|_| "must hold nothing but names that are not blank")?;
            provider::choose(&name, None, None)
        })
        .collect()
}
