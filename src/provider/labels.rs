//! Models' names as a closed set, for metrics: owners choose what a model is called, and each value of a metric's dimension
//! costs money.

/// What a model is called that is not in the table.
const OTHER: &str = "other";

/// Models by their makers' names, without what says a version or a variant.
#[rustfmt::skip]
const MODELS: &[&str] = &[
    "gpt-3.5-turbo", "gpt-4", "gpt-4-turbo", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4.5",
    "gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5-pro", "gpt-5.1", "gpt-5.1-codex", "gpt-5.2", "chatgpt-4o", "gpt-oss-20b", "gpt-oss-120b",
    "o1", "o1-preview", "o1-mini", "o1-pro", "o3", "o3-mini", "o3-pro", "o4-mini",
    "claude-3-haiku", "claude-3-sonnet", "claude-3-opus", "claude-3-5-haiku", "claude-3-5-sonnet", "claude-3-7-sonnet",
    "claude-sonnet-4", "claude-sonnet-4-5", "claude-sonnet-4-6", "claude-sonnet-5", "claude-sonnet-5-5",
    "claude-opus-4", "claude-opus-4-1", "claude-opus-4-5", "claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8",
    "claude-opus-5", "claude-opus-5-5", "claude-haiku-4-5", "claude-haiku-5", "claude-haiku-5-5",
    "gemini-flash", "gemini-flash-lite", "gemini-pro", "gemini-1.5-flash", "gemini-1.5-pro", "gemini-2.0-flash",
    "gemini-2.0-flash-lite", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro", "gemini-3-flash", "gemini-3-pro",
    "gemini-3.1-pro", "gemini-3.5-flash", "gemini-3.5-flash-lite", "gemini-3.6-flash", "gemma-2", "gemma-3",
    "nova-micro", "nova-lite", "nova-pro", "nova-premier", "nova-2-lite",
    "mistral-large", "mistral-medium", "mistral-small", "ministral-3b", "ministral-8b", "magistral-medium", "magistral-small",
    "codestral", "devstral", "pixtral-large", "mixtral-8x7b", "open-mixtral-8x7b",
    "llama2", "llama3", "llama3-70b", "llama3.1", "llama3.2", "llama3-3-70b", "llama-3.1-8b", "llama-3.1-70b", "llama-3.3-70b", "llama-v3p3-70b",
    "deepseek-chat", "deepseek-reasoner", "deepseek-r1", "deepseek-v3", "grok-3", "grok-3-mini", "grok-4", "qwen2.5", "qwen3",
];
/// What may follow a model's name, with a `-` or a `:` before it: such words, and versions.
const VARIANTS: [&str; 10] = [
    "chat",
    "exp",
    "free",
    "instruct",
    "instant",
    "it",
    "latest",
    "preview",
    "turbo",
    "versatile",
];

/// The name in the table that a model's name is: behind a maker's or a region, and in any version.
pub(crate) fn label(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    // Routers write `claude-sonnet-4.5`.
    let dashed = name.rsplit('/').next().unwrap_or(&name).replace('.', "-");
    let is = |model: &&str| {
        let rest = dashed.strip_prefix(model).filter(|_| model.starts_with("claude-"));
        rest.is_some_and(is_version) || stands_in(&name, model)
    };
    let named = MODELS.iter().copied().filter(is);
    named.max_by_key(|model| model.len()).unwrap_or(OTHER)
}

fn stands_in(name: &str, model: &str) -> bool {
    name.match_indices(model).any(|(at, _)| {
        name[..at]
            .chars()
            .next_back()
            .is_none_or(|before| matches!(before, '/' | '.'))
            && is_version(&name[at + model.len()..])
    })
}

/// `-2024-08-06`, `-20250929-v1:0`, `-latest`, but not `-5`, which makes another model of it.
fn is_version(rest: &str) -> bool {
    let Some(separator) = rest.chars().next() else {
        return true;
    };
    let mut parts = rest[separator.len_utf8()..].split([':', '-', '@']);
    let is_number = |part: &str| part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_part = |part: &str| is_number(part) || VARIANTS.contains(&part) || is_size_or_version(part);
    matches!(separator, ':' | '-' | '@') && parts.all(is_part)
}

/// Bedrock's `v1:0`, and Ollama's `8b`.
fn is_size_or_version(part: &str) -> bool {
    let size = part.strip_suffix('b').unwrap_or_default();
    matches!(part, "v1" | "v2" | "0") || (!size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_is_one_of_the_tables_or_other() {
        for (name, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("gpt-4o-mini", "gpt-4o-mini"),
            ("GPT-5-chat-latest", "gpt-5"),
            ("openai/gpt-4o:free", "gpt-4o"),
            ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"),
            ("claude-sonnet-4-20250514", "claude-sonnet-4"),
            ("us.amazon.nova-lite-v1:0", "nova-lite"),
            ("models/gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
            ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama-3.3-70b"),
            ("accounts/fireworks/models/llama-v3p3-70b-instruct", "llama-v3p3-70b"),
            ("anthropic/claude-sonnet-4.5", "claude-sonnet-4-5"),
            ("anthropic/claude-3.5-sonnet", "claude-3-5-sonnet"),
            ("llama3-70b-8192", "llama3-70b"),
            ("llama3.1:8b", "llama3.1"),
            ("us.meta.llama3-3-70b-instruct-v1:0", "llama3-3-70b"),
            ("o1-preview-2024-09-12", "o1-preview"),
            // Others, that no table knows.
            ("claude-sonnet-4-9", OTHER),
            ("gpt-5.9", OTHER),
            ("gpt-4o-audio", OTHER),
            ("my-gpt-4o", OTHER),
            ("ft:gpt-4o:acme::7p4lURel", OTHER),
            ("our-deployment", OTHER),
            ("é", OTHER),
            ("gpt-4oé", OTHER),
            ("", OTHER),
        ] {
            assert_eq!(label(name), expected, "{name}");
        }
    }
}
