//! An assistant for a first try, with settings from the command line.

use assistant_endpoint::{assistant::store::write::NewAssistant, local::embedded_store::Error, token::Token};
use clap::Args;
use serde_json::{Value, json};

use super::settings::Settings;

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
        let mut config: Value = json!({});
        settings.apply(&mut config)?;
        Ok(Some(NewAssistant {
            owner_id: "operator".into(),
            name: "Demo".into(),
            config,
            token: Some(Token::chosen(&self.token)?),
        }))
    }
}
