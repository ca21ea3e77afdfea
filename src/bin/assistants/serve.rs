//! `assistants serve`.

use std::path::PathBuf;

use assistant_endpoint::local::{
    embedded_store::Error,
    http_server::Limits,
    serve::{Options, start},
};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{demo::Demo, token};

#[derive(Args)]
pub struct Serve {
    /// Port of the endpoint
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Port of the embedded store, for `assistants create --local`; 0 picks a free one
    #[arg(long, default_value_t = 8788)]
    store_port: u16,
    /// File of the embedded store
    #[arg(long, default_value = ".local/assistants.db")]
    data: PathBuf,
    #[command(flatten)]
    demo: Demo,
}

impl Serve {
    pub async fn run(self) -> Result<(), Error> {
        // Listened to before anything runs that has to be ended.
        let mut terminated = signal(SignalKind::terminate())?;
        let jwt_secret = token::local_secret(&token::secret_file(&self.data))?;
        let mut server = start(Options {
            port: self.port,
            store_port: self.store_port,
            file: Some(self.data),
            jwt_secret,
            demo: self.demo.assistant()?,
            limits: Limits::default(),
        })
        .await?;
        let base_url = format!("http://{}/public/openai/v1", server.address);
        say!("Base URL  {base_url}");
        let (page, jwt) = if server.signs_itself {
            (" (sign in with one click)", " (make token signs a JWT)")
        } else {
            ("", " (JWTs are the issuer's of JWKS_URL)")
        };
        say!("Page      http://{}/{page}", server.address);
        say!("Manage    http://{}/assistants{jwt}", server.address);
        say!(
            "Store     {} (assistants create --local {})",
            server.store_address,
            server.store_address
        );
        if let Some(model) = &self.demo.model {
            let token = &self.demo.token;
            say!("Token     {token}");
            say!("Model     {model}");
            say!("Try it:");
            say!(
                "  curl -N {base_url}/chat/completions -H 'Authorization: Bearer {token}' \
                 -H 'Content-Type: application/json' \
                 -d '{{\"messages\": [{{\"role\": \"user\", \"content\": \"Tell me a story\"}}], \"stream\": true}}'"
            );
        }
        say!("Ctrl-C stops it.");
        tokio::select! {
            ended = &mut server.running => return Ok(ended?),
            interrupted = tokio::signal::ctrl_c() => interrupted?,
            _ = terminated.recv() => {}
        }
        server.stop().await;
        Ok(())
    }
}
