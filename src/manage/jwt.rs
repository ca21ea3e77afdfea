//! Who calls the management API: the `sub` of a JWT (RFC 7519), checked with a shared secret or the issuer's keys.
//!
//! The key decides which algorithm is right, never the token's header: `alg: none` and a public key taken for a shared
//! secret cannot come up.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::SdkConfig;
use axum::http::HeaderMap;
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, errors::ErrorKind, jwk::Jwk};
use reqwest::redirect::{Attempt, Policy};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::issuer_document;
use crate::{
    config::{ConfigError, JwtConfig, read_jwt_secret},
    error::Error,
    secrets::{Reread, secrets_client},
    token::bearer,
};

/// Clock difference that is tolerated.
const LEEWAY_SECONDS: u64 = 60;
/// The shortest time between two readings of the JWT secret after the first.
const SECRET_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// The shortest time between two readings of the issuer's keys after the first.
const KEYS_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// How often the issuer may send a reading of its keys elsewhere.
const MAX_REDIRECTS: usize = 2;

/// Longest `sub`, in bytes.
pub const MAX_OWNER: usize = 1024;

/// Whether a `sub` is taken for an owner.
pub fn is_owner(sub: &str) -> bool {
    !sub.trim().is_empty() && sub.len() <= MAX_OWNER
}

/// What is written into a token.
#[derive(Serialize)]
struct Claims {
    sub: String,
    /// Seconds since the epoch.
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
}

/// Signs a token of an owner's by HS256, for so long, with the issuer and the first audience that are expected. Returns when it
/// expires too.
///
/// # Errors
/// Where the clock or the secret cannot be used.
pub fn sign(
    owner: String,
    valid_for: Duration,
    config: &JwtConfig,
    secret: &SecretString,
) -> Result<(String, SystemTime), Box<dyn std::error::Error + Send + Sync>> {
    let expires = SystemTime::now() + valid_for;
    let claims = Claims {
        sub: owner,
        exp: expires.duration_since(UNIX_EPOCH)?.as_secs(),
        iss: config.issuer.clone(),
        aud: config.audiences.first().cloned(),
    };
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    Ok((jsonwebtoken::encode(&Header::default(), &claims, &key)?, expires))
}

/// What is read of a token once the rest is found to be right.
#[derive(Deserialize)]
struct Subject {
    sub: String,
    #[serde(default)]
    aud: Value,
    #[serde(default)]
    azp: Value,
    /// Read too, so that claims which are no valid JSON are refused (RFC 7519, section 7.2).
    #[serde(flatten)]
    _others: Map<String, Value>,
}

/// Checks tokens.
#[derive(Debug)]
pub struct Verifier {
    keys: Keys,
    issuer: Option<String>,
    audiences: Vec<String>,
    client_id: Option<String>,
}

enum Keys {
    /// `JWT_SECRET`, which stays as it is.
    Fixed(DecodingKey),
    /// The secret of `JWT_SECRET_ID`, read again when a signature is wrong.
    Secret(Reread<DecodingKey>),
    /// The keys at `JWKS_URL`, read again when a token names another one.
    Issuer(Reread<KeySet>),
}

/// An issuer's keys by key id.
type KeySet = HashMap<String, (Algorithm, DecodingKey)>;

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Fixed(_) | Self::Secret(_) => "Secret([redacted])",
            Self::Issuer(_) => "Issuer",
        })
    }
}

impl Verifier {
    /// Reads the secret of `JWT_SECRET_ID`. The keys at `JWKS_URL` are read when the first token comes.
    ///
    /// # Errors
    /// One line that names the setting, or where TLS cannot be set up.
    pub async fn new(config: &JwtConfig, aws: &SdkConfig) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let keys = match (&config.jwks_url, &config.secret, &config.secret_id) {
            (Some(url), ..) => Keys::Issuer(issuer_keys(url)?),
            (None, None, Some(id)) => Keys::Secret(rotated_secret(id, aws).await?),
            (None, secret, _) => Keys::Fixed(hs256(secret.as_ref().ok_or("JWT_SECRET: is required but not set")?)),
        };
        Ok(Self {
            keys,
            issuer: config.issuer.clone(),
            audiences: config.audiences.clone(),
            client_id: config.client_id.clone(),
        })
    }

    /// The owner that a request's token names.
    ///
    /// # Errors
    /// [`Error::MissingJwt`], [`Error::InvalidJwt`], or [`Error::IssuerUnavailable`] where the issuer's keys could not be read.
    pub async fn owner(&self, headers: &HeaderMap) -> Result<String, Error> {
        let token = bearer(headers).ok_or(Error::MissingJwt)?;
        let header = jsonwebtoken::decode_header(&*token)
            .map_err(|_| invalid("its header is not that of a JWT that can be read"))?;
        // RFC 7515, section 4.1.11: extensions that are not understood must be refused, and none is.
        if header.crit.is_some() {
            return Err(invalid("its header demands extensions (`crit`), and none is supported"));
        }
        let subject = match &self.keys {
            Keys::Fixed(key) => self.check(&token, Algorithm::HS256, key),
            Keys::Secret(secret) => self.check_rotated(&token, secret).await?,
            Keys::Issuer(keys) => self.check_issued(&token, header, keys).await?,
        };
        let subject = subject.map_err(reason)?;
        if !self.is_authorized_party(&subject) {
            return Err(invalid(
                "it has several audiences (`aud`), and its `azp` is not the expected client",
            ));
        }
        let owner = subject.sub;
        if !is_owner(&owner) {
            return Err(invalid("its `sub` is empty or too long"));
        }
        Ok(owner)
    }

    /// OpenID Connect Core 1.0, section 3.1.3.7: a token for several audiences says in `azp` whose it is.
    fn is_authorized_party(&self, subject: &Subject) -> bool {
        let has_several = subject.aud.as_array().is_some_and(|audiences| audiences.len() > 1);
        let client_id = self.client_id.as_deref().filter(|_| has_several);
        client_id.is_none_or(|client_id| subject.azp == client_id)
    }

    /// A wrong signature may be one of a newer secret.
    async fn check_rotated(&self, token: &str, secret: &Reread<DecodingKey>) -> Result<Checked, Error> {
        let known = secret.get(|_| true).await?.value;
        let checked = self.check(token, Algorithm::HS256, &known);
        match &checked {
            Err(error) if *error.kind() == ErrorKind::InvalidSignature => {
                let newer = secret.get(|key| !std::ptr::eq(key, Arc::as_ptr(&known))).await?;
                Ok(self.check(token, Algorithm::HS256, &newer.value))
            }
            _ => Ok(checked),
        }
    }

    async fn check_issued(&self, token: &str, header: Header, keys: &Reread<KeySet>) -> Result<Checked, Error> {
        let kid = header.kid.ok_or_else(|| invalid("its header names no key (`kid`)"))?;
        let unavailable = |error: Error| Error::IssuerUnavailable {
            cause: error.cause().unwrap_or_default().to_owned(),
        };
        let known = keys.get(|keys| keys.contains_key(&kid)).await.map_err(unavailable)?;
        match known.value.get(&kid) {
            Some((algorithm, key)) => Ok(self.check(token, *algorithm, key)),
            None if known.stale => Err(Error::IssuerUnavailable {
                cause: "the issuer's keys cannot be read again".into(),
            }),
            None => Err(invalid("its key (`kid`) is not one of the issuer's")),
        }
    }

    fn check(&self, token: &str, algorithm: Algorithm, key: &DecodingKey) -> Checked {
        let token = jsonwebtoken::decode(token, key, &self.validation(algorithm))?;
        Ok(token.claims)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if self.audiences.is_empty() {
            validation.validate_aud = false;
        } else {
            validation.set_audience(&self.audiences);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

/// What a key makes of a token.
type Checked = Result<Subject, jsonwebtoken::errors::Error>;

fn hs256(secret: &SecretString) -> DecodingKey {
    DecodingKey::from_secret(secret.expose_secret().as_bytes())
}

async fn rotated_secret(id: &str, aws: &SdkConfig) -> Result<Reread<DecodingKey>, ConfigError> {
    let (client, id) = (secrets_client(aws), id.to_owned());
    let secret = read_jwt_secret(client.clone(), id.clone()).await?;
    let reread = Reread::new("the JWT secret", SECRET_AGAIN_AFTER, move || {
        let secret = read_jwt_secret(client.clone(), id.clone());
        secret.map(|read| read.map(|secret| hs256(&secret)).map_err(|error| error.to_string()))
    });
    Ok(reread.knowing(hs256(&secret)))
}

fn issuer_keys(url: &str) -> Result<Reread<KeySet>, reqwest::Error> {
    let client = reqwest::Client::builder().redirect(Policy::custom(redirect)).build()?;
    let url = url.to_owned();
    Ok(Reread::new("the issuer's keys", KEYS_AGAIN_AFTER, move || {
        read_key_set(client.clone(), url.clone())
    }))
}

fn invalid(why: &'static str) -> Error {
    Error::InvalidJwt(why)
}

fn reason(error: jsonwebtoken::errors::Error) -> Error {
    invalid(match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidIssuer => "its issuer (`iss`) is not the expected one",
        ErrorKind::InvalidAudience => "its audience (`aud`) is not the expected one",
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            "its algorithm (`alg`) is not the expected one"
        }
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::Json(_) => {
            "a claim is missing or malformed: `sub` and `exp` are needed, `iss` and `aud` where they are configured"
        }
        _ => "it is not a JWT that can be read",
    })
}

/// A redirect has to lead to https or to stay at the origin of `JWKS_URL`: no redirect makes the way to the keys less safe
/// than the operator's URL.
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let safe = |first: &Url| attempt.url().scheme() == "https" || attempt.url().origin() == first.origin();
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("it leads on too often")
    } else if attempt.previous().first().is_some_and(safe) {
        attempt.follow()
    } else {
        attempt.error("it leads on to a URL that is not https")
    }
}

/// The usable keys of the set at `url`. Others are left out, so that they do not spoil the set.
async fn read_key_set(client: reqwest::Client, url: String) -> Result<KeySet, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let body = issuer_document::read(client, url).await?;
    let set: Set = serde_json::from_slice(&body).map_err(|_| "it is not a JWK set")?;
    Ok(set.keys.into_iter().filter_map(usable).collect())
}

/// An RSA key for RS256 or a P-256 key for ES256, not one for encryption.
fn usable(key: Value) -> Option<(String, (Algorithm, DecodingKey))> {
    // RFC 7517, sections 4.2 and 4.3.
    let operations = key["key_ops"].as_array();
    if key["use"].as_str().is_some_and(|purpose| purpose != "sig")
        || operations.is_some_and(|operations| !operations.iter().any(|operation| operation == "verify"))
    {
        return None;
    }
    let algorithm = match (key["kty"].as_str()?, key["crv"].as_str()) {
        ("RSA", _) => Algorithm::RS256,
        ("EC", Some("P-256")) => Algorithm::ES256,
        _ => return None,
    };
    let other = key["alg"]
        .as_str()
        .is_some_and(|named| named != format!("{algorithm:?}"));
    let jwk: Jwk = serde_json::from_value(key).ok().filter(|_| !other)?;
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, (algorithm, decoding)))
}
