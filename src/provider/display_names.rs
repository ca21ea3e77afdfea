//! The models' old display names, from before assistants stored a provider's own model names.

use super::Provider;

/// Display name in lower case → provider and the model it stands for today. Where the model of that time is no
/// longer served, its maker's successor stands in.
const NAMES: [(&str, Provider, &str); 18] = [
    ("gpt 3.5 turbo", Provider::OpenAi, "gpt-3.5-turbo"),
    ("gpt 4", Provider::OpenAi, "gpt-4"),
    ("gpt 4 turbo", Provider::OpenAi, "gpt-4-turbo"),
    ("gpt 4o", Provider::OpenAi, "gpt-4o"),
    ("gpt 4o mini", Provider::OpenAi, "gpt-4o-mini"),
    ("gpt 4 (azure openai)", Provider::Azure, "gpt-4"),
    ("claude 2", Provider::Anthropic, "claude-sonnet-5-5"),
    (
        "claude 2 (amazon bedrock)",
        Provider::Bedrock,
        "global.anthropic.claude-sonnet-4-6",
    ),
    ("claude 3 (haiku)", Provider::Anthropic, "claude-haiku-5-5"),
    ("claude 3 (opus)", Provider::Anthropic, "claude-opus-5-5"),
    ("claude 3 (sonnet)", Provider::Anthropic, "claude-sonnet-5-5"),
    ("claude 3.5 (haiku)", Provider::Anthropic, "claude-haiku-5-5"),
    ("claude 3.5 (sonnet)", Provider::Anthropic, "claude-sonnet-5-5"),
    ("claude 3.7 (sonnet)", Provider::Anthropic, "claude-sonnet-5-5"),
    (
        "mixtral",
        Provider::Fireworks,
        "accounts/fireworks/models/mixtral-8x7b-instruct",
    ),
    ("gemini", Provider::Gemini, "gemini-flash-latest"),
    ("ollama", Provider::Ollama, "llama2"),
    ("groq", Provider::Groq, "llama-3.3-70b-versatile"),
];

/// Provider and model for an old display name, read without case, with `-` for a blank where there was one.
pub(super) fn resolve(configured: &str) -> Option<(Provider, String)> {
    let name = configured.trim().to_lowercase();
    // `GROQ (llama3-70b-8192)`: the provider's own model name stands in the brackets.
    let in_brackets = name.strip_prefix("groq (").and_then(|rest| rest.strip_suffix(')'));
    if let Some(model) = in_brackets.map(str::trim).filter(|model| !model.is_empty()) {
        return Some((Provider::Groq, model.to_owned()));
    }
    let spaced = name.replace('-', " ");
    NAMES
        .iter()
        .find(|(display, ..)| *display == name || *display == spaced)
        .map(|(_, provider, model)| (*provider, (*model).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_are_read_without_case() {
        for (configured, provider, model) in [
            ("GPT 4o", Provider::OpenAi, "gpt-4o"),
            ("GPT-4O", Provider::OpenAi, "gpt-4o"),
            ("gpt-4o", Provider::OpenAi, "gpt-4o"),
            ("GPT 4o Mini", Provider::OpenAi, "gpt-4o-mini"),
            ("GPT 3.5 Turbo", Provider::OpenAi, "gpt-3.5-turbo"),
            ("GPT 4 (Azure OpenAI)", Provider::Azure, "gpt-4"),
            ("Claude 3.5 (Sonnet)", Provider::Anthropic, "claude-sonnet-5-5"),
            ("GROQ (llama3-70b-8192)", Provider::Groq, "llama3-70b-8192"),
            ("GEMINI", Provider::Gemini, "gemini-flash-latest"),
            ("Ollama", Provider::Ollama, "llama2"),
        ] {
            assert_eq!(resolve(configured), Some((provider, model.to_owned())), "{configured}");
        }
        for own_name in [
            "gpt-4o-2024-08-06",
            "claude-3-5-sonnet-20241022",
            "gemini-2.5-flash",
            "groq/llama3",
            "groq ( )",
        ] {
            assert_eq!(resolve(own_name), None, "{own_name}");
        }
    }
}
