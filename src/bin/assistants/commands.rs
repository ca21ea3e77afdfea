//! Creating, listing, showing, changing and deleting assistants.

use std::net::SocketAddr;

use assistant_endpoint::{
    assistant::{
        Assistant, Record,
        store::{
            Store,
            claims::Grace,
            write::{Change, TokenChange},
        },
    },
    audit::{self, Action, By},
    config::{Rules, Tables},
    kept_responses::ResponsesTable,
    local::embedded_store::{self, Error},
    manage::jwt::{MAX_OWNER, is_owner},
    token::Token,
};
use aws_config::BehaviorVersion;
use clap::Args;
use serde_json::json;

use super::{
    settings::{Settings, apply},
    show,
};

#[derive(Args)]
pub struct Create {
    /// Name, for its owner
    #[arg(long, allow_hyphen_values = true)]
    name: String,
    #[command(flatten)]
    settings: Settings,
    /// Public token of 16 to 512 visible ASCII characters; generated unless given
    #[arg(long, allow_hyphen_values = true)]
    token: Option<String>,
    /// Who may manage it: the `sub` of the owner's JWT
    #[arg(long, default_value = "operator", allow_hyphen_values = true, value_parser = owner)]
    owner: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub struct List {
    /// Only those of this owner
    #[arg(long, allow_hyphen_values = true)]
    owner: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub struct Show {
    /// The assistant's id
    id: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub struct Update {
    /// The assistant's id
    id: String,
    /// Name, for its owner
    #[arg(long, allow_hyphen_values = true)]
    name: Option<String>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub struct RotateToken {
    /// The assistant's id
    id: String,
    /// Public token of 16 to 512 visible ASCII characters; generated unless given
    #[arg(long, allow_hyphen_values = true)]
    token: Option<String>,
    /// How long the old token keeps working, from 1s to 30d, e.g. 15m, 12h or 7d
    #[arg(long, value_name = "DURATION", value_parser = grace)]
    grace: Option<Grace>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub struct Delete {
    /// The assistant's id
    id: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub struct Common {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Use the store of a running `assistants serve` in place of AWS
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8788",
        value_parser = address)]
    local: Option<SocketAddr>,
}

impl Create {
    pub async fn run(self) -> Result<(), Error> {
        let rules = self.common.rules()?;
        let settings = self.settings.or("access_mode", "public_token");
        let record = Record::default();
        let patch = settings.into_patch(&record, Some(self.name), self.token.clone());
        let patched = apply(&patch, &record, &rules)?;
        let (new, generated) = patched.into_new(self.owner);
        let record = Record {
            config: new.config.clone(),
            ..Record::default()
        };
        Assistant::new(record).model()?;
        let token = generated.as_ref().map(Token::reveal).or(self.token.as_deref());
        let record = self
            .common
            .store()
            .await?
            .create_within(new, rules.max_assistants_per_owner)
            .await?;
        audit(Action::Create, &record);
        show::print(&record, token, None, self.common.json)
    }
}

impl List {
    pub async fn run(self) -> Result<(), Error> {
        let records = self.common.store().await?.list(self.owner.as_deref()).await?;
        show::print_all(&records, self.common.json)
    }
}

impl Show {
    pub async fn run(self) -> Result<(), Error> {
        let (_, record) = self.common.read(&self.id).await?;
        show::print(&record, None, None, self.common.json)
    }
}

impl Update {
    pub async fn run(self) -> Result<(), Error> {
        let (store, record) = self.common.read(&self.id).await?;
        let patch = self.settings.into_patch(&record, self.name, None);
        let patched = apply(&patch, &record, &self.common.rules()?)?;
        let generated = patched.generated.clone();
        let changed = store.update(&record, patched.into()).await?;
        audit(Action::Update(&record), &changed);
        show::print(&changed, generated.as_ref().map(Token::reveal), None, self.common.json)
    }
}

impl RotateToken {
    pub async fn run(self) -> Result<(), Error> {
        let token = match &self.token {
            Some(token) => Token::chosen(token).map_err(|why| format!("--token {why}"))?,
            None => Token::generate()?,
        };
        let (store, record) = self.common.read(&self.id).await?;
        let change = Change {
            token: Some(TokenChange::Set(token.clone())),
            grace: self.grace,
            ..Change::default()
        };
        let changed = store.update(&record, change).await?;
        audit(Action::Update(&record), &changed);
        show::print(&changed, Some(token.reveal()), self.grace, self.common.json)
    }
}

impl Delete {
    pub async fn run(self) -> Result<(), Error> {
        let store = self.common.store().await?;
        let record = store.get(&self.id).await?;
        if let Some(record) = &record {
            store.delete(record).await?;
            audit(Action::Delete, record);
        }
        // What an earlier deletion could not erase is erased too.
        let erased = match ResponsesTable::of(&store, 0) {
            Some(responses) => responses.erase(&self.id, true).await?,
            None => false,
        };
        if record.is_none() && !erased {
            return Err(no_assistant(&self.id));
        }
        let done = match &record {
            Some(record) => format!("Deleted {} ({}).", record.assistant_id, show::visible(&record.name)),
            None => format!("Erased what was left of {}.", self.id),
        };
        if erased {
            let known = record.unwrap_or_default();
            let assistant_id = self.id.clone();
            audit(Action::EraseResponses, &Record { assistant_id, ..known });
        }
        if self.common.json {
            say!("{:#}", json!({"assistant_id": self.id, "deleted": true}));
        } else {
            say!("{done}");
        }
        Ok(())
    }
}

/// Says who wrote what, on stderr.
fn audit(action: Action<'_>, record: &Record) {
    let own = |name: &str| std::env::var(name).ok().filter(|name| !name.is_empty());
    let user = own("USER")
        .or_else(|| own("LOGNAME"))
        .unwrap_or_else(|| "unknown".into());
    audit::written(By::Program(&user), action, record);
}

fn grace(text: &str) -> Result<Grace, String> {
    let whole_seconds = humantime::parse_duration(text)
        .ok()
        .filter(|duration| duration.subsec_nanos() == 0);
    whole_seconds
        .and_then(|duration| Grace::from_now(duration.as_secs()))
        .ok_or_else(|| "give whole seconds, from 1s to 30d, such as 90s, 15m, 12h or 7d".into())
}

/// A `sub` that the management API takes.
pub fn owner(text: &str) -> Result<String, String> {
    let owner = is_owner(text).then(|| text.to_owned());
    owner.ok_or_else(|| format!("an owner's name must not be blank, and has at most {MAX_OWNER} bytes"))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let error = "this is no address such as 127.0.0.1:8788. An assistant's id stands before --local";
    text.parse().map_err(|_| error.to_owned())
}

impl Common {
    /// What an operator allows, by the variables that the functions have too. On this machine `base_url` may be a private
    /// address.
    fn rules(&self) -> Result<Rules, Error> {
        let mut rules = Rules::from_env()?;
        rules.allow_private_providers |= self.local.is_some();
        Ok(rules)
    }

    async fn store(&self) -> Result<Store, Error> {
        if let Some(address) = self.local {
            let aws = embedded_store::client_config(address).await;
            return Ok(Store::new(&aws, embedded_store::tables()));
        }
        let tables = Tables {
            assistants: table("ASSISTANTS_TABLE")?,
            token_claims: table("TOKEN_CLAIMS_TABLE")?,
            usage: table("USAGE_TABLE").ok(),
            responses: table("RESPONSES_TABLE").ok(),
        };
        Ok(Store::new(
            &aws_config::load_defaults(BehaviorVersion::latest()).await,
            tables,
        ))
    }

    pub async fn read(&self, id: &str) -> Result<(Store, Record), Error> {
        let store = self.store().await?;
        let record = store.get(id).await?;
        Ok((store, record.ok_or_else(|| no_assistant(id))?))
    }
}

fn no_assistant(id: &str) -> Error {
    format!("there is no assistant {id}. `assistants list` shows all.").into()
}

/// The name of a table, by its variable.
fn table(name: &str) -> Result<String, Error> {
    let found = std::env::var(name).ok().filter(|table| !table.is_empty());
    found.ok_or_else(|| {
        format!("{name} is not set. Set it to the stack's table, or add --local for a running `assistants serve`.")
            .into()
    })
}
