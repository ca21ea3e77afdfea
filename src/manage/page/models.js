/** Names to begin with; any other name may be typed. A prefix stands where the name alone does not tell the provider. */
const SUGGESTIONS = {
  openai: ["gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-5-mini", "gpt-5"],
  azure: [],
  anthropic: ["claude-sonnet-4-5", "claude-sonnet-4-6", "claude-opus-5"],
  bedrock: ["us.amazon.nova-lite-v1:0", "us.amazon.nova-pro-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "openai.gpt-oss-20b-1:0"],
  gemini: ["gemini-flash-latest", "gemini-2.5-flash", "gemini-2.5-pro"],
  mistral: ["mistral-large-latest", "mistral-small-latest"],
  groq: ["llama-3.3-70b-versatile", "openai/gpt-oss-120b"],
  openrouter: ["openai/gpt-4o", "meta-llama/llama-3.3-70b-instruct"],
  together: ["meta-llama/Llama-3.3-70B-Instruct-Turbo"],
  fireworks: ["accounts/fireworks/models/llama-v3p3-70b-instruct"],
  deepseek: ["deepseek-chat", "deepseek-reasoner"],
  xai: ["grok-4"],
  ollama: ["llama3.2", "qwen3"],
};
const TOLD_BY_NAME = new Set(["openai", "anthropic", "gemini"]);

/** Suggestions for a provider; for none, those of all, so written that the provider is clear. */
export function suggestions(provider) {
  if (provider) return SUGGESTIONS[provider] ?? [];
  return Object.entries(SUGGESTIONS).flatMap(([name, models]) => models.map((model) => (TOLD_BY_NAME.has(name) ? model : `${name}/${model}`)));
}
