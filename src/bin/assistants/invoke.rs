//! `assistants invoke`: one event through the real Lambda binary.

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use assistant_endpoint::{
    assistant::store::Store,
    local::{
        embedded_store::{self, Error},
        function::Function,
        runtime_api::Piece,
        serve::put_demo,
    },
};
use clap::Args;
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc::UnboundedReceiver};

use super::demo::Demo;

#[derive(Args)]
pub struct Invoke {
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
    pub async fn run(self) -> Result<(), Error> {
        let event = std::fs::read(&self.event).map_err(|error| format!("{}: {error}", self.event.display()))?;
        let event: Value =
            serde_json::from_slice(&event).map_err(|error| format!("{} is not JSON: {error}", self.event.display()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let store_address = listener.local_addr()?;
        let aws = embedded_store::start(listener, None).await?;
        let tables = embedded_store::tables();
        if let Some(demo) = self.demo.assistant()? {
            put_demo(&Store::new(&aws, tables.clone()), demo).await?;
        }
        let started = Instant::now();
        let mut function = Function::start(&self.binary, store_address, &[], Stdio::inherit()).await?;
        say!("{:>9}  ready for events", elapsed(started, Instant::now()));
        let sent = Instant::now();
        let pieces = function.invoke(event, Duration::from_secs(self.timeout));
        tokio::select! {
            ended = function.process.wait() => Err(format!("the function ended within the reply: {}", ended?).into()),
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
                say!("{:>9}  {}", elapsed(sent, at), text.trim_end());
            }
            Piece::End(at) => {
                say!("{:>9}  end", elapsed(sent, at));
                return Ok(());
            }
            Piece::Broken => return Err("the reply broke off".into()),
            Piece::Error(error) => return Err(format!("the function reported an error: {error}").into()),
        }
    }
    Err("the reply never ended".into())
}

fn elapsed(since: Instant, at: Instant) -> String {
    format!("{:.1} ms", (at - since).as_secs_f64() * 1000.0)
}
