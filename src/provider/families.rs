//! Who serves a model whose name says no provider.

use super::Provider;

/// Model families by the beginning of their names, as their makers publish them.
const FAMILIES: [(&str, Provider); 23] = [
    ("gpt-oss", Provider::Groq),
    ("gpt-", Provider::OpenAi),
    ("chatgpt-", Provider::OpenAi),
    ("ft:gpt-", Provider::OpenAi),
    ("o1", Provider::OpenAi),
    ("o3", Provider::OpenAi),
    ("o4", Provider::OpenAi),
    ("claude", Provider::Anthropic),
    ("gemini", Provider::Gemini),
    ("gemma", Provider::Gemini),
    ("mistral-", Provider::Mistral),
    ("ministral-", Provider::Mistral),
    ("magistral-", Provider::Mistral),
    ("codestral", Provider::Mistral),
    ("devstral", Provider::Mistral),
    ("pixtral-", Provider::Mistral),
    ("open-mi", Provider::Mistral),
    ("deepseek-", Provider::DeepSeek),
    ("grok", Provider::Xai),
    ("accounts/fireworks/", Provider::Fireworks),
    ("llama-3", Provider::Groq),
    ("llama3-", Provider::Groq),
    ("mixtral-8x7b-32768", Provider::Groq),
];

/// Bedrock's model ids: `[region.]maker.model`, or an ARN.
const BEDROCK_MAKERS: [&str; 16] = [
    "ai21.",
    "amazon.",
    "anthropic.",
    "cohere.",
    "deepseek.",
    "google.",
    "meta.",
    "minimax.",
    "mistral.",
    "moonshot",
    "nvidia.",
    "openai.",
    "qwen.",
    "stability.",
    "writer.",
    "zai.",
];
const BEDROCK_REGIONS: [&str; 8] = ["us.", "us-gov.", "eu.", "apac.", "jp.", "au.", "ca.", "global."];

/// Who serves a model of this name.
pub(super) fn known_family(model: &str) -> Option<Provider> {
    let model = model.to_ascii_lowercase();
    let unprefixed = BEDROCK_REGIONS
        .iter()
        .find_map(|region| model.strip_prefix(region))
        .unwrap_or(&model);
    if model.starts_with("arn:aws") || BEDROCK_MAKERS.iter().any(|maker| unprefixed.starts_with(maker)) {
        return Some(Provider::Bedrock);
    }
    FAMILIES
        .iter()
        .find(|(prefix, _)| model.starts_with(prefix))
        .map(|(_, provider)| *provider)
}
