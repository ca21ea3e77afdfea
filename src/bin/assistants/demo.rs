//! An assistant for a first try, with settings from the command line.

use assistant_endpoint::{
    assistant::{Record, store::write::NewAssistant},
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
        if self.model.is_none() {
            return Ok(None);
        }
        let settings = Settings {
            access_mode: Some("public_token".into()),
            model: self.model.clone(),
            base_url: self.base_url.clone(),
            system_message: Some("You are a helpful assistant. Answer briefly.".into()),
            ..Settings::default()
        };
        let patch = settings.into_patch(Some("Demo".into()), Some(self.token.clone()));
        let (new, _) = apply(&patch, &Record::default(), true)?.into_new("operator".into());
        Ok(Some(new))
    }
}
