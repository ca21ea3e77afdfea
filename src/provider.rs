//! The providers: who serves a model, where, and under which key.
//!
//! A [`Provider`] is chosen from an assistant's settings by [`choose`]. What differs between the providers that
//! speak OpenAI's API is data: one row of facts each.

use url::Url;

pub(crate) mod capabilities;
mod display_names;
mod families;

use capabilities::Overrides;

/// Longest part of a model's name in an error, in characters.
const MAX_SHOWN: usize = 100;

/// Who serves a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Provider {
    OpenAi,
    Azure,
    Anthropic,
    Bedrock,
    Gemini,
    Mistral,
    Groq,
    OpenRouter,
    Together,
    Fireworks,
    DeepSeek,
    Xai,
    Ollama,
}

/// What sets one provider apart from another.
struct Facts {
    /// In settings, and as the prefix of a model's name.
    name: &'static str,
    /// Environment variable and entry of the keys secret.
    key: Option<&'static str>,
    /// Environment variable for another endpoint.
    base_url: &'static str,
    /// Without a trailing slash; `None` where every account has its own.
    default_base_url: Option<&'static str>,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::OpenAi,
        Self::Azure,
        Self::Anthropic,
        Self::Bedrock,
        Self::Gemini,
        Self::Mistral,
        Self::Groq,
        Self::OpenRouter,
        Self::Together,
        Self::Fireworks,
        Self::DeepSeek,
        Self::Xai,
        Self::Ollama,
    ];

    #[rustfmt::skip]
    const fn facts(self) -> Facts {
        const fn row(
            name: &'static str,
            key: &'static str,
            base_url: &'static str,
            default_base_url: &'static str,
        ) -> Facts {
            Facts { name, key: Some(key), base_url, default_base_url: Some(default_base_url) }
        }
        match self {
            Self::OpenAi => row("openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com/v1"),
            Self::Azure => Facts {
                default_base_url: None,
                ..row("azure", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "")
            },
            Self::Anthropic => row("anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
            Self::Bedrock => Facts {
                default_base_url: None,
                ..row("bedrock", "AWS_BEARER_TOKEN_BEDROCK", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "")
            },
            Self::Gemini => row("gemini", "GEMINI_API_KEY", "GEMINI_BASE_URL", "https://generativelanguage.googleapis.com"),
            Self::Mistral => row("mistral", "MISTRAL_API_KEY", "MISTRAL_BASE_URL", "https://api.mistral.ai/v1"),
            Self::Groq => row("groq", "GROQ_API_KEY", "GROQ_BASE_URL", "https://api.groq.com/openai/v1"),
            Self::OpenRouter => row("openrouter", "OPENROUTER_API_KEY", "OPENROUTER_BASE_URL", "https://openrouter.ai/api/v1"),
            Self::Together => row("together", "TOGETHER_API_KEY", "TOGETHER_BASE_URL", "https://api.together.xyz/v1"),
            Self::Fireworks => row("fireworks", "FIREWORKS_API_KEY", "FIREWORKS_BASE_URL", "https://api.fireworks.ai/inference/v1"),
            Self::DeepSeek => row("deepseek", "DEEPSEEK_API_KEY", "DEEPSEEK_BASE_URL", "https://api.deepseek.com/v1"),
            Self::Xai => row("xai", "XAI_API_KEY", "XAI_BASE_URL", "https://api.x.ai/v1"),
            Self::Ollama => Facts { name: "ollama", key: None, base_url: "OLLAMA_BASE_URL", default_base_url: None },
        }
    }

    /// The name used in settings.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The variable that holds the platform's key, `None` where the provider takes none.
    pub const fn key_variable(self) -> Option<&'static str> {
        self.facts().key
    }

    /// The variable that replaces the provider's endpoint.
    pub const fn base_url_variable(self) -> &'static str {
        self.facts().base_url
    }

    /// Where the provider is reached unless the operator says otherwise.
    pub const fn default_base_url(self) -> Option<&'static str> {
        self.facts().default_base_url
    }

    /// The provider of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| provider.name().eq_ignore_ascii_case(name))
    }
}

/// The name of owners' own servers.
pub(crate) const OWN: &str = "own";

/// The server that an assistant's model runs on.
#[derive(Debug, Clone, PartialEq)]
pub enum Server {
    /// A provider that the operator has an account with.
    Platform(Provider),
    /// A server of the owner's own, speaking OpenAI's API. No platform key is ever sent to it.
    Own(Url),
}

/// A model and the server it runs on.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// As sent to the server.
    pub name: String,
    /// Where it runs.
    pub server: Server,
    /// Whether it can be asked for a stream; the setting `streaming: false` says that its provider won't.
    pub streams: bool,
    /// What the assistant's settings know better than our tables.
    pub overrides: Overrides,
}

impl Model {
    /// What serves the model, for logs and `owned_by`.
    pub fn provider_name(&self) -> &'static str {
        match &self.server {
            Server::Platform(provider) => provider.name(),
            Server::Own(_) => OWN,
        }
    }
}

/// Finds the server for a configured model name.
///
/// `provider` wins; else a `provider/` prefix of the name, which is then not sent; else the name itself tells.
/// A `base_url` wins over any of these.
///
/// # Errors
/// What is wrong with the name, to stand behind the setting that holds it.
pub fn choose(configured: &str, provider: Option<Provider>, base_url: Option<Url>) -> Result<Model, String> {
    let (provider, name) = match provider {
        Some(provider) => {
            // An old display name is nobody's model name, and one of this provider's tells which it is.
            let displayed =
                display_names::resolve(configured).filter(|(known, _)| *known == provider && base_url.is_none());
            (
                Some(provider),
                displayed.map_or_else(|| configured.to_owned(), |(_, name)| name),
            )
        }
        // An own server's model names are its own: only a prefix says something about them.
        None if base_url.is_some() => {
            without_prefix(configured).map_or((None, configured.to_owned()), |(provider, name)| (Some(provider), name))
        }
        None => by_model_name(configured),
    };
    let server = match (base_url, provider) {
        (Some(base_url), _) => Server::Own(base_url),
        (None, Some(provider)) => Server::Platform(provider),
        (None, None) => {
            let shown: String = configured.chars().take(MAX_SHOWN).collect();
            return Err(format!(
                "names the model `{shown}`, of which no provider is known. Set `provider`, or write the model as \
                 `provider/model`"
            ));
        }
    };
    Ok(Model {
        name,
        server,
        streams: true,
        overrides: Overrides::default(),
    })
}

fn by_model_name(configured: &str) -> (Option<Provider>, String) {
    if let Some((provider, model)) = display_names::resolve(configured) {
        return (Some(provider), model);
    }
    match without_prefix(configured) {
        Some((provider, model)) => (Some(provider), model),
        None => (families::known_family(configured), configured.to_owned()),
    }
}

fn without_prefix(configured: &str) -> Option<(Provider, String)> {
    let (prefix, rest) = configured.split_once('/')?;
    let provider = Provider::from_name(prefix)?;
    (!rest.is_empty()).then(|| (provider, rest.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(configured: &str, provider: Option<&str>) -> Option<(Provider, String)> {
        let provider = provider.map(|name| Provider::from_name(name).unwrap());
        let model = choose(configured, provider, None).ok()?;
        match model.server {
            Server::Platform(provider) => Some((provider, model.name)),
            Server::Own(_) => None,
        }
    }

    #[test]
    fn the_provider_is_told_by_setting_prefix_or_name() {
        use Provider::*;
        let cases = [
            ("gpt-4o", None, OpenAi, "gpt-4o"),
            ("o3-mini", None, OpenAi, "o3-mini"),
            ("claude-sonnet-4-5", None, Anthropic, "claude-sonnet-4-5"),
            ("gemini-2.5-flash", None, Gemini, "gemini-2.5-flash"),
            (
                "bedrock/us.amazon.nova-lite-v1:0",
                None,
                Bedrock,
                "us.amazon.nova-lite-v1:0",
            ),
            (
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                None,
                Bedrock,
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ),
            ("mistral/mistral-large-latest", None, Mistral, "mistral-large-latest"),
            ("openrouter/openai/gpt-4o", None, OpenRouter, "openai/gpt-4o"),
            // Only while `provider` is unset is a known prefix taken off.
            ("openai/gpt-4o", Some("openrouter"), OpenRouter, "openai/gpt-4o"),
            ("GPT 4o", Some("openai"), OpenAi, "gpt-4o"),
            ("GPT 4o", Some("groq"), Groq, "GPT 4o"),
            ("llama3-70b-8192", None, Groq, "llama3-70b-8192"),
            ("my-deployment", Some("Azure"), Azure, "my-deployment"),
            ("grok-4", None, Xai, "grok-4"),
        ];
        for (configured, provider, expected, name) in cases {
            assert_eq!(
                platform(configured, provider),
                Some((expected, name.to_owned())),
                "{configured}"
            );
        }
    }

    #[test]
    fn an_own_server_takes_any_model() {
        let url = Url::parse("https://llm.example.com/v1").unwrap();
        let model = choose("smollm2", None, Some(url.clone())).unwrap();
        assert_eq!(model.name, "smollm2");
        assert_eq!(model.server, Server::Own(url));
    }

    #[test]
    fn a_model_that_cannot_be_placed_says_what_to_do() {
        let no_family = choose(&"my-model".repeat(1000), None, None).unwrap_err();
        assert!(no_family.contains("`provider`") && no_family.len() < 300, "{no_family}");
        assert_eq!(Provider::from_name("openia"), None);
    }
}
