//! An assistant's settings as options.

use assistant_endpoint::{
    assistant::{Record, settings},
    local::embedded_store::Error,
    manage::change::{Patch, Patched},
};
use clap::Args;
use serde_json::{Value, json};

#[derive(Args, Default)]
pub struct Settings {
    /// Model, e.g. gpt-4o-mini or mistral/mistral-large-latest
    #[arg(long)]
    pub model: Option<String>,
    /// Provider, where the model's name does not tell
    #[arg(long)]
    pub provider: Option<String>,
    /// OpenAI-compatible server of one's own
    #[arg(long)]
    pub base_url: Option<String>,
    /// System prompt
    #[arg(long)]
    pub system_message: Option<String>,
    /// Who may call it: public_token or authenticated
    #[arg(long, value_parser = ["public_token", "authenticated"])]
    pub access_mode: Option<String>,
    #[arg(
        long = "allowed-origin",
        value_name = "ORIGIN",
        help = "Browser origin that may call it, e.g. https://shop.example; repeat for more"
    )]
    pub allowed_origins: Vec<String>,
    /// Any setting, its value as JSON or else as text, e.g. --set temperature=0.2
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub set: Vec<(String, Value)>,
    /// Remove a setting
    #[arg(long = "unset", value_name = "NAME")]
    pub unset: Vec<String>,
}

fn name_and_value(argument: &str) -> Result<(String, Value), String> {
    // A prefix has an equals sign of its own: `type==agent/temperature=0.2`.
    let prefix = if argument.starts_with("type==") {
        argument.find('/')
    } else {
        None
    };
    let at = prefix.unwrap_or(0);
    let (name, value) = argument[at..].split_once('=').ok_or("write it as NAME=VALUE")?;
    let name = settings::bare(&argument[..at + name.len()]);
    if name == "public_token" {
        return Err("a public token is set with `create --token` or `rotate-token --token`".into());
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    Ok((name.to_owned(), value))
}

/// The key that a setting is written under; `type` alone stands bare.
fn key(name: &str) -> String {
    match settings::bare(name) {
        "type" => "type".into(),
        name => format!("type==agent/{name}"),
    }
}

impl Settings {
    /// The same JSON Merge Patch that the management API takes.
    pub fn into_patch(self, name: Option<String>, token: Option<String>) -> Value {
        let origins = (!self.allowed_origins.is_empty()).then(|| json!(self.allowed_origins));
        let given = [
            ("access_mode", self.access_mode.map(Value::from)),
            ("model", self.model.map(Value::from)),
            ("provider", self.provider.map(Value::from)),
            ("base_url", self.base_url.map(Value::from)),
            ("system_message", self.system_message.map(Value::from)),
            ("allowed_origins", origins),
            ("public_token", token.map(Value::from)),
        ];
        let mut configurable = json!({});
        for (name, value) in given {
            if let Some(value) = value {
                configurable[format!("type==agent/{name}")] = value;
            }
        }
        for (name, value) in self.set {
            configurable[key(&name)] = value;
        }
        for name in self.unset {
            configurable[key(&name)] = Value::Null;
        }
        let mut patch = json!({"config": {"configurable": configurable}});
        if let Some(name) = name {
            patch["name"] = json!(name);
        }
        patch
    }
}

/// Reads a patch as the management API does, and applies it.
pub fn apply(patch: &Value, record: &Record, allow_private_providers: bool) -> Result<Patched, Error> {
    Ok(Patch::read(patch.to_string().as_bytes(), allow_private_providers)?.apply(record)?)
}
