//! The operator's program: creates and shows assistants, and runs everything on one machine.

use std::{net::SocketAddr, process::ExitCode};

use assistant_endpoint::{
    assistant::store::{Store, create::NewAssistant},
    config::Tables,
    local::embedded_store::{self, Error},
    startup,
    token::Token,
};
use aws_config::BehaviorVersion;
use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};

mod invoke;
mod serve;

/// Keeps AI assistants and serves them to any tool that speaks OpenAI's API.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create an assistant and print its public token, once
    Create(Create),
    /// Show an assistant
    Show(Show),
    /// Serve the endpoint on 127.0.0.1 over an embedded store
    Serve(serve::Serve),
    /// Send one Function URL event through the Lambda binary and print what comes back
    Invoke(invoke::Invoke),
}

#[derive(Args)]
struct Create {
    /// Name, for its owner
    #[arg(long)]
    name: String,
    #[command(flatten)]
    settings: Settings,
    /// Public token of 16 to 512 visible ASCII characters; generated unless given
    #[arg(long)]
    token: Option<String>,
    /// Who may manage it: the `sub` of the owner's JWT
    #[arg(long, default_value = "operator")]
    owner: String,
    #[command(flatten)]
    output: Output,
}

/// What an assistant's config is made of.
#[derive(Args)]
struct Settings {
    /// Model, e.g. gpt-4o-mini or mistral/mistral-large-latest
    #[arg(long)]
    model: String,
    /// Provider, where the model's name does not tell
    #[arg(long)]
    provider: Option<String>,
    /// OpenAI-compatible server of one's own
    #[arg(long)]
    base_url: Option<String>,
    /// System prompt
    #[arg(long)]
    system_message: Option<String>,
    /// Browser origin that may call it, e.g. <https://shop.example>; repeat for more; any may unless given
    #[arg(long = "allowed-origin")]
    allowed_origins: Vec<String>,
}

#[derive(Args)]
struct Show {
    /// The assistant's id
    id: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
struct Output {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Use the store of a running `assistants serve` in place of AWS
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8788")]
    local: Option<SocketAddr>,
}

#[tokio::main]
async fn main() -> ExitCode {
    startup::log_human();
    let done = match Cli::parse().command {
        Command::Create(create) => create.run().await,
        Command::Show(show) => show.run().await,
        Command::Serve(serve) => serve.run().await,
        Command::Invoke(invoke) => invoke.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("assistants: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Create {
    async fn run(self) -> Result<(), Error> {
        let token = match &self.token {
            Some(token) => Token::chosen(token)?,
            None => Token::generate()?,
        };
        let revealed = token.reveal().to_owned();
        let new = NewAssistant {
            owner_id: self.owner,
            name: self.name,
            config: self.settings.into_config(),
            token: Some(token),
        };
        let record = self.output.store().await?.create(new).await?;
        if self.output.json {
            let mut shown = serde_json::to_value(&record)?;
            shown["public_token"] = json!(revealed);
            println!("{shown:#}");
        } else {
            println!("Assistant  {}", record.assistant_id);
            println!("Token      {revealed}");
            println!("The token is not stored: keep it now.");
        }
        Ok(())
    }
}

impl Settings {
    /// As the API's `config`, open to calls with the token.
    fn into_config(self) -> Value {
        let mut configurable = json!({"type==agent/access_mode": "public_token"});
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                configurable[format!("type==agent/{name}")] = value;
            }
        };
        let origins = self.allowed_origins;
        set("model", Some(json!(self.model)));
        set("provider", self.provider.map(Value::from));
        set("base_url", self.base_url.map(Value::from));
        set("system_message", self.system_message.map(Value::from));
        set("allowed_origins", (!origins.is_empty()).then(|| json!(origins)));
        json!({"configurable": configurable})
    }
}

impl Show {
    async fn run(self) -> Result<(), Error> {
        let record = self.output.store().await?.get(&self.id).await?;
        let record = record.ok_or_else(|| format!("there is no assistant {}", self.id))?;
        if self.output.json {
            println!("{:#}", serde_json::to_value(&record)?);
            return Ok(());
        }
        println!("Assistant  {}", record.assistant_id);
        println!("Name       {}", record.name);
        println!("Owner      {}", record.owner_id);
        let token = record.token_hint.map_or("none".into(), |hint| format!("…{hint}"));
        println!("Token      {token}");
        println!("Version    {}, of {}", record.version, record.updated_at);
        println!("Config     {:#}", record.config);
        Ok(())
    }
}

impl Output {
    async fn store(&self) -> Result<Store, Error> {
        if let Some(address) = self.local {
            let aws = embedded_store::client_config(address).await;
            return Ok(Store::new(&aws, embedded_store::tables()));
        }
        let table = |name: &str| {
            std::env::var(name).map_err(|_| {
                format!(
                    "{name} is not set. Set it to the stack's table, or add --local for a running `assistants serve`."
                )
            })
        };
        let tables = Tables {
            assistants: table("ASSISTANTS_TABLE")?,
            token_claims: table("TOKEN_CLAIMS_TABLE")?,
        };
        Ok(Store::new(
            &aws_config::load_defaults(BehaviorVersion::latest()).await,
            tables,
        ))
    }
}

/// An assistant for a first try, with settings from the command line.
#[derive(Args)]
struct Demo {
    /// Model of an assistant to try things with
    #[arg(long = "demo-model")]
    model: Option<String>,
    /// Its OpenAI-compatible server, where it has its own
    #[arg(long = "demo-base-url", requires = "model")]
    base_url: Option<String>,
    /// Its public token
    #[arg(long = "demo-token", default_value = "pubkey_demo_local_0001")]
    token: String,
}

impl Demo {
    fn assistant(&self) -> Result<Option<NewAssistant>, Error> {
        let Some(model) = self.model.clone() else {
            return Ok(None);
        };
        let settings = Settings {
            model,
            provider: None,
            base_url: self.base_url.clone(),
            system_message: Some("You are a helpful assistant. Answer briefly.".into()),
            allowed_origins: Vec::new(),
        };
        Ok(Some(NewAssistant {
            owner_id: "operator".into(),
            name: "Demo".into(),
            config: settings.into_config(),
            token: Some(Token::chosen(&self.token)?),
        }))
    }
}
