//! A function's real Lambda binary, run under the local Runtime API.

use std::{
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::mpsc::UnboundedReceiver,
};

use super::{
    embedded_store::{self, Error},
    runtime_api::{Piece, RuntimeApi},
};

/// A running function, past its cold start. Dropped, it is killed.
#[derive(Debug)]
pub struct Function {
    /// The process.
    pub process: Child,
    api: RuntimeApi,
}

/// This machine's own, which Bedrock needs, else dummies: the embedded store takes any.
fn credentials() -> Vec<(&'static str, &'static str)> {
    let own = |name: &str| std::env::var_os(name).is_some();
    let mut settings = Vec::new();
    if !own("AWS_ACCESS_KEY_ID") {
        settings.extend([("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local")]);
    }
    if !own("AWS_REGION") {
        settings.push(("AWS_REGION", embedded_store::REGION));
    }
    settings
}

impl Function {
    /// Starts the binary with the environment that Lambda gives and `settings` on top; its log goes to `log`.
    ///
    /// # Errors
    /// Where it cannot be started or ends before it asks for an event.
    pub async fn start(binary: &Path, store: SocketAddr, settings: &[(&str, &str)], log: Stdio) -> Result<Self, Error> {
        let api = RuntimeApi::start().await?;
        let tables = embedded_store::tables();
        let mut process = Command::new(binary)
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "endpoint")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .envs(credentials())
            .env("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{store}"))
            .env("ASSISTANTS_TABLE", tables.assistants)
            .env("TOKEN_CLAIMS_TABLE", tables.token_claims)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", binary.display()))?;
        tokio::select! {
            ended = process.wait() => Err(format!("the function ended at its start: {}", ended?).into()),
            _ = api.first_poll() => Ok(Self { process, api }),
        }
    }

    /// Hands an event to the function; `timeout` is the function's.
    pub fn invoke(&self, event: Value, timeout: Duration) -> UnboundedReceiver<Piece> {
        self.api.invoke(event, SystemTime::now() + timeout)
    }

    /// Hands an event to the function with a deadline of its own.
    pub fn invoke_until(&self, event: Value, deadline: SystemTime) -> UnboundedReceiver<Piece> {
        self.api.invoke(event, deadline)
    }
}
