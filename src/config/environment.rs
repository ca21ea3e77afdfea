//! Reading variables: blank ones count as unset, and what is malformed is named and never quoted.

use std::{cell::RefCell, env::VarError, time::Duration};

use axum::http::HeaderValue;
use secrecy::SecretString;

use super::{ConfigError, JwtConfig, Rules, SignInConfig, Tables, audiences};
use crate::{log, metrics, way_in::WayIn};

/// Shortest origin secret, in characters: it must not be guessed.
const MIN_ORIGIN_SECRET: usize = 16;

/// Reads the process's environment. A variable that is not UTF-8 is no setting, and must not count as unset.
///
/// # Errors
/// The first problem that `read` has, or a variable that it asked for and that is not UTF-8.
pub fn of_process<T>(
    read: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let unreadable = RefCell::new(None);
    let read = read(&|name| match std::env::var(name) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => {
            unreadable.replace(Some(problem(name, "must be UTF-8")));
            None
        }
    });
    unreadable.into_inner().map_or(read, Err)
}

pub(super) struct Environment<'a>(pub &'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    pub(super) fn require(&self, name: &str) -> Result<String, ConfigError> {
        self.get(name).ok_or_else(|| problem(name, "is required but not set"))
    }

    pub(super) fn tables(&self) -> Result<Tables, ConfigError> {
        Ok(Tables {
            assistants: self.table("ASSISTANTS_TABLE")?,
            token_claims: self.table("TOKEN_CLAIMS_TABLE")?,
            usage: self.optional_table("USAGE_TABLE")?,
            responses: self.optional_table("RESPONSES_TABLE")?,
        })
    }

    fn optional_table(&self, name: &str) -> Result<Option<String>, ConfigError> {
        self.get(name).map(|_| self.table(name)).transpose()
    }

    /// The operator's rules for the function that counts requests.
    pub(super) fn counting_rules(&self) -> Result<Rules, ConfigError> {
        let rules = Rules::read(self)?;
        let counted = rules.ceilings.counted().next();
        if let Some(ceiling) = counted
            && self.get("USAGE_TABLE").is_none()
        {
            return Err(problem(ceiling.source, "needs USAGE_TABLE, which is not set"));
        }
        Ok(rules)
    }

    /// `ORIGIN_SECRETS`: one secret, or two with a comma between them while they are rotated. CloudFront sends one of them as
    /// `x-origin-secret`. `CLOSED_TO_DIRECT_ACCESS`: whether requests without one are refused.
    pub(super) fn way_in(&self) -> Result<WayIn, ConfigError> {
        const SECRETS: &str = "ORIGIN_SECRETS";
        const CLOSED: &str = "CLOSED_TO_DIRECT_ACCESS";
        let list = self.get(SECRETS).unwrap_or_default();
        let secrets: Vec<_> = list
            .split(',')
            .map(str::trim)
            .filter(|secret| !secret.is_empty())
            .collect();
        let is_long =
            |secret: &&str| secret.len() >= MIN_ORIGIN_SECRET && secret.bytes().all(|byte| byte.is_ascii_graphic());
        let names_none = secrets.is_empty() && !list.is_empty();
        if names_none || secrets.len() > 2 || !secrets.iter().all(is_long) {
            return Err(problem(
                SECRETS,
                "must be one secret, or two with a comma between them, each of at least 16 visible ASCII characters",
            ));
        }
        let closed = self.flag(CLOSED)?;
        if closed && secrets.is_empty() {
            return Err(problem(CLOSED, "needs ORIGIN_SECRETS, which is not set"));
        }
        Ok(WayIn::new(
            secrets.into_iter().map(SecretString::from).collect(),
            closed,
        ))
    }

    /// How owners sign in at the settings page, which goes with the issuer's keys alone: nobody else could make the tokens.
    pub(super) fn sign_in(&self, jwt: &JwtConfig) -> Result<Option<SignInConfig>, ConfigError> {
        const CLIENT: &str = "OIDC_CLIENT_ID";
        const SCOPES: &str = "OIDC_SCOPES";
        let Some(client_id) = jwt.client_id.clone() else {
            return Ok(None);
        };
        if jwt.secret.is_some() || jwt.secret_id.is_some() {
            return Err(problem(CLIENT, "cannot stand beside JWT_SECRET or JWT_SECRET_ID"));
        }
        let Some(issuer) = jwt.issuer.clone().filter(|_| jwt.jwks_url.is_some()) else {
            return Err(problem(CLIENT, "needs JWKS_URL, which is not set"));
        };
        if !jwt.audiences.contains(&client_id) {
            return Err(problem(
                CLIENT,
                "must be one of JWT_AUDIENCE, since the ID token's audience is the client",
            ));
        }
        let scopes = self.get(SCOPES).unwrap_or_else(|| "openid".into());
        if !scopes.split_ascii_whitespace().any(|scope| scope == "openid") {
            return Err(problem(SCOPES, "must hold `openid`, or there is no ID token"));
        }
        self.base_url("JWT_ISSUER")?;
        Ok(Some(SignInConfig {
            issuer,
            client_id,
            scopes,
        }))
    }

    /// What a token's audience may be. A list of none would let in tokens that were made for anybody.
    pub(super) fn audiences(&self, name: &str) -> Result<Vec<String>, ConfigError> {
        let Some(list) = self.get(name) else {
            return Ok(Vec::new());
        };
        match audiences(&list) {
            audiences if audiences.is_empty() => Err(problem(name, "must name at least one audience")),
            audiences => Ok(audiences),
        }
    }

    /// A name or an ARN.
    pub(super) fn table(&self, name: &str) -> Result<String, ConfigError> {
        let table = self.require(name)?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/');
        if !table.bytes().all(is_name) {
            return Err(problem(name, "must be the name or the ARN of a table"));
        }
        Ok(table)
    }

    /// What others read: AWS's SDKs their endpoints, the settings page its URL, the log the metrics' namespace.
    pub(super) fn check_surroundings(&self) -> Result<(), ConfigError> {
        for name in [
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_DYNAMODB",
            "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            "PUBLIC_URL",
        ] {
            self.url(name)?;
        }
        if self
            .get(log::NAMESPACE)
            .is_some_and(|name| !metrics::is_namespace(&name))
        {
            return Err(problem(
                log::NAMESPACE,
                "must be at most 255 ASCII characters and not begin with `:` or `AWS/`, such as AssistantEndpoint/production",
            ));
        }
        Ok(())
    }

    pub(super) fn key(&self, name: &str) -> Result<Option<SecretString>, ConfigError> {
        let Some(key) = self.get(name) else {
            return Ok(None);
        };
        if HeaderValue::from_str(&key).is_err() {
            return Err(problem(name, "must be a key, without line ends"));
        }
        Ok(Some(SecretString::from(key)))
    }

    /// A URL that paths can be put behind.
    pub(super) fn base_url(&self, name: &str) -> Result<Option<String>, ConfigError> {
        let url = self.url(name)?;
        if url.as_ref().is_some_and(|url| url.contains(['?', '#'])) {
            return Err(problem(name, "must be a URL without a query or a fragment"));
        }
        Ok(url)
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, ConfigError> {
        match self.get(name).map(|value| value.to_lowercase()).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(problem(name, "must be `true` or `false`")),
        }
    }

    /// A whole number above 0.
    pub(super) fn count(&self, name: &str) -> Result<Option<u64>, ConfigError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.parse() {
            Ok(count) if count > 0 => Ok(Some(count)),
            _ => Err(problem(name, "must be a whole number above 0")),
        }
    }

    pub(super) fn seconds(&self, name: &str, default: Duration) -> Result<Duration, ConfigError> {
        Ok(self.optional_seconds(name)?.unwrap_or(default))
    }

    pub(super) fn optional_seconds(&self, name: &str) -> Result<Option<Duration>, ConfigError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let seconds = value.parse().ok().filter(|seconds| *seconds > 0.0);
        let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match duration {
            Some(duration) => Ok(Some(duration)),
            None => Err(problem(name, "must be a number of seconds above 0")),
        }
    }

    pub(super) fn url(&self, name: &str) -> Result<Option<String>, ConfigError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match url::Url::parse(&value) {
            // It would reach whoever is shown the URL, and be sent beside the key.
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                Err(problem(name, "must be a URL without a user name or a password"))
            }
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(value.trim_end_matches('/').to_owned())),
            _ => Err(problem(name, "must be an http or https URL")),
        }
    }
}

pub(super) fn problem(variable: &str, problem: &str) -> ConfigError {
    ConfigError {
        variable: variable.to_owned(),
        problem: problem.to_owned(),
    }
}
