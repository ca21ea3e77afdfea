//! JWTs for the management API.

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use assistant_endpoint::{
    config::{JwtConfig, MIN_JWT_SECRET, audiences, check_jwt_secret},
    local::embedded_store::Error,
    manage::jwt,
    token::Token,
};
use aws_config::BehaviorVersion;
use clap::Args;
use secrecy::SecretString;

use super::commands::owner;

#[derive(Args)]
pub struct SignToken {
    /// The owner: the token's `sub`
    #[arg(long, allow_hyphen_values = true, value_parser = owner)]
    owner: String,
    /// Hours until it expires, at most a year's
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=8784))]
    hours: u64,
    /// Secrets Manager secret of a deployed stack (its output JwtSecretArn); the local run's secret unless given
    #[arg(long)]
    secret_id: Option<String>,
    /// The local run's store, beside which its secret is kept
    #[arg(long, default_value = ".local/assistants.db")]
    data: PathBuf,
}

impl SignToken {
    pub async fn run(self) -> Result<(), Error> {
        let own = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let config = JwtConfig {
            secret: own("JWT_SECRET")
                .filter(|_| self.secret_id.is_none())
                .map(SecretString::from),
            secret_id: self.secret_id.clone(),
            jwks_url: None,
            issuer: own("JWT_ISSUER"),
            audiences: audiences(&own("JWT_AUDIENCE").unwrap_or_default()),
            client_id: None,
        };
        let secret = match (&config.secret, &config.secret_id) {
            (None, None) => existing_secret(&secret_file(&self.data))?,
            (Some(secret), None) => {
                check_jwt_secret("JWT_SECRET", secret)?;
                secret.clone()
            }
            (_, Some(_)) => {
                let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
                config.secret(&aws).await?.ok_or("the secret is empty")?
            }
        };
        let valid_for = Duration::from_secs(self.hours * 3600);
        let (token, _) = jwt::sign(self.owner, valid_for, &config, &secret)?;
        say!("{token}");
        Ok(())
    }
}

/// Where the local run's secret is, for the store's file.
pub fn secret_file(data: &Path) -> PathBuf {
    data.with_file_name("jwt-secret")
}

/// The secret in `file`, which the local run has made. No server takes a JWT that is signed with another.
fn existing_secret(file: &Path) -> Result<SecretString, Error> {
    if file.exists() {
        return local_secret(file);
    }
    Err(format!(
        "no local run has its secret at {}. Start `assistants serve` or `make run` in this folder first, name its store with \
         --data, or a deployed stack's secret with --secret-id.",
        file.display()
    )
    .into())
}

/// The secret in `file`, made at the first time, for its owner's eyes only.
pub fn local_secret(file: &Path) -> Result<SecretString, Error> {
    match fs::read_to_string(file) {
        Ok(secret) if secret.trim().len() < MIN_JWT_SECRET => Err(format!(
            "{} holds no secret of at least {MIN_JWT_SECRET} bytes. Delete the file: a new one is made then, and JWTs that \
             were signed before end.",
            file.display()
        )
        .into()),
        Ok(secret) => Ok(SecretString::from(secret.trim())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            // As random as a public token, and as long.
            let secret = Token::generate()?;
            // Whole or not at all: what broke off would be taken for a secret.
            let unfinished = file.with_extension("new");
            let mut created = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished)?;
            created.write_all(secret.reveal().as_bytes())?;
            fs::rename(unfinished, file)?;
            Ok(SecretString::from(secret.reveal()))
        }
        Err(error) => Err(format!("{}: {error}", file.display()).into()),
    }
}
