//! The environment, read once at the cold start. Every variable is documented where it is read.

use std::{collections::HashMap, time::Duration};

use aws_config::SdkConfig;
use secrecy::{ExposeSecret, SecretString};

mod environment;

use crate::{
    limit::{Limit, Limits},
    provider::Provider,
    secrets::{read_secret, secrets_client},
    way_in::WayIn,
};
pub use environment::of_process;
use environment::{Environment, problem};

/// A missing or malformed variable: one line that names it.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    variable: String,
    problem: String,
}

/// What the public function needs to know about its surroundings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The two tables.
    pub tables: Tables,
    /// `PROVIDER_KEYS_SECRET`: name or ARN of a Secrets Manager secret that holds a JSON object of the providers'
    /// key variables and of keys by origin.
    pub provider_keys_secret: Option<String>,
    /// `<PROVIDER>_API_KEY` as set in the environment; each wins over the secret's entry of the same name.
    pub provider_keys: HashMap<&'static str, SecretString>,
    /// `<PROVIDER>_BASE_URL` (Azure: `AZURE_OPENAI_ENDPOINT`): the operator's own endpoints; they get the platform's key.
    pub provider_base_urls: HashMap<Provider, String>,
    /// What the operator allows assistants.
    pub rules: Rules,
    /// `RESPONSES_TTL_DAYS` (30): how long a response of the Responses API is kept, where a table for them is set.
    pub responses_ttl_days: u64,
    /// Which ways in are open.
    pub way_in: WayIn,
    /// Time limits.
    pub timeouts: Timeouts,
}

/// Days that a response is kept.
const RESPONSES_TTL_DAYS: u64 = 30;

/// What an operator allows assistants, whatever their owners say.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// `ALLOW_PRIVATE_PROVIDERS`: whether an assistant's `base_url` may be plain http or a private address. Local use only.
    pub allow_private_providers: bool,
    /// `MAX_REQUESTS_PER_MINUTE`, `MAX_TOKENS_PER_DAY` and `MAX_OUTPUT_TOKENS`: the highest limits of any assistant, and the
    /// limits of those that have none.
    pub ceilings: Limits,
    /// `MAX_ASSISTANTS_PER_OWNER`: how many assistants an owner may have.
    pub max_assistants_per_owner: Option<u64>,
}

impl Rules {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// The first variable that is malformed.
    pub fn from_env() -> Result<Self, ConfigError> {
        of_process(|source| Self::read(&Environment(source)))
    }

    fn read(env: &Environment) -> Result<Self, ConfigError> {
        let mut ceilings = Limits::default();
        for limit in Limit::ALL {
            if let Some(variable) = limit.ceiling_variable()
                && let Some(ceiling) = env.count(variable)?
            {
                ceilings.set(limit, ceiling, variable);
            }
        }
        Ok(Self {
            allow_private_providers: env.flag("ALLOW_PRIVATE_PROVIDERS")?,
            ceilings,
            max_assistants_per_owner: env.count("MAX_ASSISTANTS_PER_OWNER")?,
        })
    }
}

/// `ASSISTANTS_TABLE` and `TOKEN_CLAIMS_TABLE`, both required, `USAGE_TABLE` and `RESPONSES_TABLE`.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Holds the assistants, with the index `by_token_digest`.
    pub assistants: String,
    /// Holds which assistant a token digest belongs or belonged to.
    pub token_claims: String,
    /// Holds what assistants use, by the day. Without it nothing is counted.
    pub usage: Option<String>,
    /// Holds responses of the Responses API, so that a later request can carry a conversation on. Without it none is kept.
    pub responses: Option<String>,
}

/// Time limits; each variable is a number of seconds, fractions allowed.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// `COMMIT_AFTER_SECONDS` (10): how long a streamed reply waits for its first text before it commits to 200.
    pub commit_after: Duration,
    /// `KEEP_ALIVE_SECONDS` (10): how often a committed reply without text sends a comment.
    pub keep_alive: Duration,
    /// `PROVIDER_CONNECT_TIMEOUT_SECONDS` (5).
    pub provider_connect: Duration,
    /// `PROVIDER_IDLE_TIMEOUT_SECONDS` (60): the longest silence of a provider, before its first event and between events.
    pub provider_idle: Duration,
    /// `BUFFERED_TIMEOUT_SECONDS` (unset: the function's own deadline): limit for a buffered reply.
    pub buffered: Option<Duration>,
    /// `MAX_STREAM_SECONDS` (unset: the function's own deadline): limit for a streamed reply.
    pub max_stream: Option<Duration>,
    /// The pause before a call is made a second time; doubled before each further one, and varied by half. No variable sets
    /// it, nor those below.
    pub before_retry: Duration,
    /// How long to wait for usage or an end marker once the finish reason is there.
    pub after_finish: Duration,
    /// The longest time for fetching one image, redirects included.
    pub image: Duration,
    /// The longest time for the body of a response without success.
    pub error_body: Duration,
    /// After how long a silence an HTTP/2 connection is pinged, and how long the answer may take.
    pub http2_ping: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            commit_after: Duration::from_secs(10),
            keep_alive: Duration::from_secs(10),
            provider_connect: Duration::from_secs(5),
            provider_idle: Duration::from_secs(60),
            buffered: None,
            max_stream: None,
            before_retry: Duration::from_millis(200),
            after_finish: Duration::from_secs(3),
            image: Duration::from_secs(5),
            error_body: Duration::from_secs(2),
            http2_ping: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        of_process(|source| Self::read(source))
    }

    /// Reads settings from any source. A variable that is set to blanks counts as unset.
    ///
    /// # Errors
    /// The first variable that is missing or malformed.
    pub fn read(source: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = Environment(&source);
        env.check_surroundings()?;
        let usual = Timeouts::default();
        let mut provider_keys = HashMap::new();
        let mut provider_base_urls = HashMap::new();
        for provider in Provider::ALL {
            if let Some(name) = provider.key_variable()
                && let Some(key) = env.key(name)?
            {
                provider_keys.insert(name, key);
            }
            let name = provider.base_url_variable();
            if let Some(base_url) = env.base_url(name)? {
                provider_base_urls.insert(provider, base_url);
            }
        }
        Ok(Self {
            tables: env.tables()?,
            provider_keys_secret: env.get("PROVIDER_KEYS_SECRET"),
            provider_keys,
            provider_base_urls,
            rules: env.counting_rules()?,
            responses_ttl_days: env.count("RESPONSES_TTL_DAYS")?.unwrap_or(RESPONSES_TTL_DAYS),
            way_in: env.way_in()?,
            timeouts: Timeouts {
                commit_after: env.seconds("COMMIT_AFTER_SECONDS", usual.commit_after)?,
                keep_alive: env.seconds("KEEP_ALIVE_SECONDS", usual.keep_alive)?,
                provider_connect: env.seconds("PROVIDER_CONNECT_TIMEOUT_SECONDS", usual.provider_connect)?,
                provider_idle: env.seconds("PROVIDER_IDLE_TIMEOUT_SECONDS", usual.provider_idle)?,
                buffered: env.optional_seconds("BUFFERED_TIMEOUT_SECONDS")?,
                max_stream: env.optional_seconds("MAX_STREAM_SECONDS")?,
                ..usual
            },
        })
    }
}

/// What the management function needs to know about its surroundings.
#[derive(Debug, Clone)]
pub struct ManageConfig {
    /// The two tables.
    pub tables: Tables,
    /// How callers' JWTs are checked.
    pub jwt: JwtConfig,
    /// What the operator allows assistants.
    pub rules: Rules,
    /// Which ways in are open.
    pub way_in: WayIn,
    /// What the settings page has to know.
    pub page: PageConfig,
}

/// What the settings page has to know.
#[derive(Debug, Clone)]
pub struct PageConfig {
    /// `PUBLIC_URL`: where the public function is reached; the page's own origin unless set.
    pub public_url: Option<String>,
    /// How owners sign in; they paste a JWT without it.
    pub sign_in: Option<SignInConfig>,
}

/// `OIDC_CLIENT_ID`: owners sign in at `JWT_ISSUER` by the authorization code flow with PKCE.
#[derive(Debug, Clone)]
pub struct SignInConfig {
    /// `JWT_ISSUER`.
    pub issuer: String,
    /// The page's id at the issuer; one of `JWT_AUDIENCE`.
    pub client_id: String,
    /// `OIDC_SCOPES` (`openid`), with blanks between them.
    pub scopes: String,
}

/// One of `JWT_SECRET`, `JWT_SECRET_ID` and `JWKS_URL` is required.
#[derive(Debug, Clone)]
pub struct JwtConfig {
    /// `JWT_SECRET`: for HS256, at least 32 bytes.
    pub secret: Option<SecretString>,
    /// `JWT_SECRET_ID`: name or ARN of a Secrets Manager secret that holds it.
    pub secret_id: Option<String>,
    /// `JWKS_URL`: where the issuer's public keys are, for RS256 and ES256; wins over the secrets.
    pub jwks_url: Option<String>,
    /// `JWT_ISSUER`: the expected `iss`; required with `JWKS_URL`.
    pub issuer: Option<String>,
    /// `JWT_AUDIENCE`: what `aud` has to be or hold one of, a list with commas; required with `JWKS_URL`.
    pub audiences: Vec<String>,
    /// `OIDC_CLIENT_ID`: who a token with several audiences has to be made for.
    pub client_id: Option<String>,
}

/// The audiences of a list.
pub fn audiences(list: &str) -> Vec<String> {
    let audiences = list.split(',').map(str::trim).filter(|audience| !audience.is_empty());
    audiences.map(str::to_owned).collect()
}

/// Shortest HS256 secret, in bytes (RFC 7518, section 3.2).
pub const MIN_JWT_SECRET: usize = 32;

impl ManageConfig {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        of_process(|source| Self::read(source))
    }

    /// Reads settings from any source. A variable that is set to blanks counts as unset.
    ///
    /// # Errors
    /// The first variable that is missing or malformed.
    pub fn read(source: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let env = Environment(&source);
        env.check_surroundings()?;
        let jwt = JwtConfig {
            secret: env.get("JWT_SECRET").map(SecretString::from),
            secret_id: env.get("JWT_SECRET_ID"),
            jwks_url: env.url("JWKS_URL")?,
            issuer: env.get("JWT_ISSUER"),
            audiences: env.audiences("JWT_AUDIENCE")?,
            client_id: env.get("OIDC_CLIENT_ID"),
        };
        if let Some(secret) = &jwt.secret {
            check_jwt_secret("JWT_SECRET", secret)?;
        }
        if jwt.jwks_url.is_some() {
            env.require("JWT_ISSUER")?;
            env.require("JWT_AUDIENCE")?;
        } else if jwt.secret.is_none() && jwt.secret_id.is_none() {
            return Err(problem(
                "JWT_SECRET",
                "is required but not set, nor is JWT_SECRET_ID or JWKS_URL",
            ));
        }
        Ok(Self {
            tables: env.tables()?,
            page: PageConfig {
                public_url: env.base_url("PUBLIC_URL")?,
                sign_in: env.sign_in(&jwt)?,
            },
            jwt,
            rules: Rules::read(&env)?,
            way_in: env.way_in()?,
        })
    }
}

impl JwtConfig {
    /// The HS256 secret, `None` with `JWKS_URL`.
    ///
    /// # Errors
    /// `JWT_SECRET_ID`, where its secret cannot be read or is too short.
    pub async fn secret(&self, aws: &SdkConfig) -> Result<Option<SecretString>, ConfigError> {
        let secret_id = match (&self.jwks_url, &self.secret, &self.secret_id) {
            (None, None, Some(secret_id)) => secret_id,
            (None, secret, _) => return Ok(secret.clone()),
            (Some(_), ..) => return Ok(None),
        };
        let secret = read_jwt_secret(secrets_client(aws), secret_id.clone()).await?;
        Ok(Some(secret))
    }
}

/// The HS256 secret that Secrets Manager holds under this name or ARN.
///
/// # Errors
/// `JWT_SECRET_ID`, where it cannot be read or is too short.
pub(crate) async fn read_jwt_secret(
    client: aws_sdk_secretsmanager::Client,
    id: String,
) -> Result<SecretString, ConfigError> {
    let secret = read_secret(client, id).await;
    let secret = secret.map_err(|cause| {
        let unread = format!("its secret cannot be read from Secrets Manager ({cause})");
        problem("JWT_SECRET_ID", &unread)
    })?;
    let secret = SecretString::from(secret.expose_secret().trim());
    check_jwt_secret("JWT_SECRET_ID", &secret)?;
    Ok(secret)
}

/// Whether a secret, which `variable` names, is long enough.
///
/// # Errors
/// Where it is not.
pub fn check_jwt_secret(variable: &str, secret: &SecretString) -> Result<(), ConfigError> {
    if secret.expose_secret().len() < MIN_JWT_SECRET {
        return Err(problem(variable, "its secret must have at least 32 bytes"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
