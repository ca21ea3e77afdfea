//! The functions on one local port, over an embedded store.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use aws_config::{
    BehaviorVersion, Region, environment::EnvironmentVariableRegionProvider, meta::region::RegionProviderChain,
    profile::ProfileFileRegionProvider,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    embedded_store::{self, Error},
    http_server::{self, Limits},
    session,
};
use crate::{
    assistant::store::{
        Lookup, Store,
        transaction::WriteError,
        write::{Change, NewAssistant},
    },
    config::{Config, ManageConfig, of_process},
    http,
    manage::{self, Manage},
    public::{self, App},
    stop::Stopper,
    token::Token,
    upstream::role::ServiceRole,
};

/// What is served.
#[derive(Debug)]
pub struct Options {
    /// Of the functions; 0 picks a free one.
    pub port: u16,
    /// Of the store, for the `assistants` program; 0 picks a free one.
    pub store_port: u16,
    /// The store's file; in memory without one.
    pub file: Option<PathBuf>,
    /// What signs the management API's JWTs, unless the environment has `JWT_SECRET` or `JWKS_URL`.
    pub jwt_secret: SecretString,
    /// An assistant to have there, replaced where its token is known.
    pub demo: Option<NewAssistant>,
    /// How long connections may take; `MAX_STREAM_SECONDS` shortens those of a stream.
    pub limits: Limits,
}

/// What a connection has after a stream's own limit, for its last event.
const LAST_EVENT: Duration = Duration::from_secs(1);

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// Of the functions.
    pub address: SocketAddr,
    /// Of the store.
    pub store_address: SocketAddr,
    /// Whether this machine's own secret signs the management API's JWTs, rather than an issuer.
    pub signs_itself: bool,
    /// Ends with the server.
    pub running: JoinHandle<()>,
    stopper: Stopper,
}

impl Server {
    /// Accepts no more connections, ends the replies under way with an error, and returns when all connections are closed:
    /// within [`Limits::stop`].
    pub async fn stop(self) {
        self.stopper.stop();
        // Only a panic ends it otherwise, and there is nothing left to stop then.
        let _ = self.running.await;
    }
}

/// Starts the store and the functions; settings but for the tables come from the environment.
///
/// # Errors
/// A taken port, a bad setting, a file that cannot be used.
pub async fn start(options: Options) -> Result<Server, Error> {
    let listener = bind(options.port, "--port").await?;
    let store_listener = bind(options.store_port, "--store-port").await?;
    let (address, store_address) = (listener.local_addr()?, store_listener.local_addr()?);
    let secret = &options.jwt_secret;
    let config = of_process(|own| Config::read(|name| setting(name, own(name), secret)))?;
    let manage_config = of_process(|own| ManageConfig::read(|name| setting(name, own(name), secret)))?;
    let aws = embedded_store::start(store_listener, options.file.as_deref()).await?;
    let app = App::new(&config, &aws, own_role().await)?;
    let mut manage = Manage::new(&manage_config, &aws).await?;
    let session = session::route(address, &manage_config.jwt);
    if session.is_some() {
        manage.page.offer_local_session();
    }
    if let Some(demo) = options.demo {
        put_demo(&app.store, demo).await?;
    }
    let routes = public::routes(Arc::new(app)).merge(manage::routes(Arc::new(manage)));
    let mut router = http::finish(routes, config.way_in);
    if let Some(session) = session {
        // Outside of what surrounds the rest: it has no CORS headers.
        router = session.fallback_service(router);
    }
    let limits = of_streams(options.limits, config.timeouts.max_stream);
    let (stopper, stop) = Stopper::new();
    let running = tokio::spawn(http_server::serve(listener, router, limits, stop));
    Ok(Server {
        address,
        store_address,
        signs_itself: signs_itself(),
        running,
        stopper,
    })
}

/// The limits where a stream has one of its own.
fn of_streams(limits: Limits, max_stream: Option<Duration>) -> Limits {
    let max_stream = max_stream.map_or(Duration::MAX, |limit| limit.saturating_add(LAST_EVENT));
    Limits {
        write: limits.write.min(max_stream),
        stream: limits.stream.min(max_stream),
        ..limits
    }
}

/// The credentials that this machine has for AWS, for Bedrock alone: the store's are dummies. Nothing is asked before
/// the first call.
async fn own_role() -> ServiceRole {
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new())
        .or_else(Region::from_static(embedded_store::REGION));
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .load()
        .await;
    ServiceRole::new(&aws)
}

/// Whether this machine's own secret signs the management API's JWTs, rather than an issuer.
fn signs_itself() -> bool {
    std::env::var("JWKS_URL").map_or(true, |url| url.trim().is_empty())
}

/// The environment's settings, with the local tables and no secret; `jwt_secret` unless there is another way to check.
fn setting(name: &str, own: Option<String>, jwt_secret: &SecretString) -> Option<String> {
    let tables = embedded_store::tables();
    match name {
        "ASSISTANTS_TABLE" => Some(tables.assistants),
        "TOKEN_CLAIMS_TABLE" => Some(tables.token_claims),
        "USAGE_TABLE" => tables.usage,
        "RESPONSES_TABLE" => tables.responses,
        "PROVIDER_KEYS_SECRET" | "JWT_SECRET_ID" => None,
        "JWT_SECRET" => own.or_else(|| signs_itself().then(|| jwt_secret.expose_secret().to_owned())),
        _ => own,
    }
}

async fn bind(port: u16, option: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!("port {port} on 127.0.0.1 cannot be used ({error}). Choose another with {option}.").into()
    })
}

/// Gives the assistant that carries the demo token the new config. Where none does, since its owner deleted it or gave it
/// another token, the demo assistant is created.
pub async fn put_demo(store: &Store, demo: NewAssistant) -> Result<(), Error> {
    let digest = demo
        .token
        .as_ref()
        .map(Token::digest)
        .ok_or("the demo assistant needs a token")?;
    let written = match store.find(&digest).await? {
        Lookup::Found(assistant) if assistant.record().token_digest.as_deref() == Some(digest.as_str()) => {
            let change = Change {
                config: Some(demo.config),
                ..Change::default()
            };
            store.update(assistant.record(), change).await
        }
        // Also where the token is in a grace period, which would end while the demo is served.
        Lookup::Found(_) | Lookup::Trial(_) | Lookup::Deleted | Lookup::Unknown => store.create(demo).await,
    };
    match written {
        Ok(_) => Ok(()),
        Err(WriteError::TokenTaken) => Err(
            "the demo assistant's token is another owner's, or went with an assistant that an \
             earlier version deleted. Start with another --demo-token, or with a store of its own \
             (`rm .local/assistants.db` where `make run` made it)."
                .into(),
        ),
        Err(error) => Err(error.into()),
    }
}
