//! `assistants invoke`: one event through the real Lambda binary.

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use assistant_endpoint::local::{
    embedded_store::{self, Error},
    runtime_api::{Piece, RuntimeApi},
    serve::put_demo,
};
use assistant_endpoint::assistant::store::Store;
use clap::Args;
use serde_json::Value;
use tokio::{net::TcpListener, process::Command, sync::mpsc::UnboundedReceiver};

use super::Demo;

#[derive(Args)]
pub(crate) struct Invoke {
    /// File with a Function URL event (payload format 2.0)
    event: PathBuf,
    /// The Lambda binary
    #[arg(long, default_value = "target/debug/endpoint")]
    binary: PathBuf,
    /// The function's timeout in seconds
    #[arg(long, default_value_t = 60)]
    timeout: u64,
    #[command(flatten)]
    demo: Demo,
}

impl Invoke {
    pub(crate) async fn run(self) -> Result<(), Error> {
        let event = std::fs::read(&self.event)
            .map_err(|error| format!("{}: {error}", self.event.display()))?;
        let event: Value = serde_json::from_slice(&event)
            .map_err(|error| format!("{} is not JSON: {error}", self.event.display()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let store_address = listener.local_addr()?;
        let aws = embedded_store::start(listener, None).await?;
        let tables = embedded_store::tables();
        if let Some(demo) = self.demo.assistant()? {
            put_demo(&Store::new(&aws, tables.clone()), demo).await?;
        }
        let runtime_api = RuntimeApi::start().await?;
        let started = Instant::now();
        let mut function = Command::new(&self.binary)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "endpoint")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{store_address}"))
            .env("ASSISTANTS_TABLE", tables.assistants)
            .env("TOKEN_CLAIMS_TABLE", tables.token_claims)
            .stdout(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", self.binary.display()))?;
        tokio::select! {
            ended = function.wait() => return Err(format!("the function ended at its start: {}", ended?).into()),
            _ = runtime_api.first_poll() => {}
        }
        println!("{:>9}  ready for events", elapsed(started));
        let pieces = runtime_api.invoke(event, Duration::from_secs(self.timeout));
        let sent = Instant::now();
        tokio::select! {
            ended = function.wait() => Err(format!("the function ended within the reply: {}", ended?).into()),
            printed = print(pieces, sent) => printed,
        }
    }
}

/// Each piece with the time since the event was sent.
async fn print(mut pieces: UnboundedReceiver<Piece>, sent: Instant) -> Result<(), Error> {
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Bytes(at, bytes) => {
                let text = String::from_utf8_lossy(&bytes).replace('\0', "");
                println!("{:>9}  {}", elapsed_between(sent, at), text.trim_end());
            }
            Piece::End(at) => {
                println!("{:>9}  end", elapsed_between(sent, at));
                return Ok(());
            }
            Piece::Broken => return Err("the reply broke off".into()),
            Piece::Error(error) => return Err(format!("the function reported an error: {error}").into()),
        }
    }
    Err("the reply never ended".into())
}

fn elapsed(since: Instant) -> String {
    elapsed_between(since, Instant::now())
}

fn elapsed_between(since: Instant, at: Instant) -> String {
    format!("{:.1} ms", (at - since).as_secs_f64() * 1000.0)
}
