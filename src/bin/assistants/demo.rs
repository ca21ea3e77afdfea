//! An assistant for a first try, with settings from the command line.

use assistant_endpoint::{
    assistant::{Record, store::write::NewAssistant},
    config::Rules,
    local::embedded_store::Error,
};
use clap::Args;

use super::settings::{Settings, apply};

#[derive(Args)]
pub struct Demo {
    /// Model of an assistant to try things with
    #[arg(long = "demo-model")]
    pub model: Option<String>,
    /// Its OpenAI-compatible server, where it has its own
    #[arg(long = "demo-base-url", requires = "model")]
    base_url: Option<String>,
    /// Its public token
    #[arg(long = "demo-token", default_value = "pubkey_demo_local_0001")]
    pub token: String,
}

impl Demo {
    pub fn assistant(&self) -> Result<Option<NewAssistant>, Error> {
        let Some(model) = &self.model else {
            return Ok(None);
        };
        let settings = Settings::default()
            .or("access_mode", "public_token")
            .or("model", model.as_str())
            .or("system_message", "You are a helpful assistant. Answer briefly.");
        let settings = match &self.base_url {
            Some(base_url) => settings.or("base_url", base_url.as_str()),
            None => settings,
        };
        let patch = settings.into_patch(&Record::default(), Some("Demo".into()), Some(self.token.clone()));
        let rules = Rules {
            allow_private_providers: true,
            ..Rules::default()
        };
        let (new, _) = apply(&patch, &Record::default(), &rules)?.into_new("operator".into());
        Ok(Some(new))
    }
}
