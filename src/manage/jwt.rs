//! Who calls the management API: the `sub` of a JWT (RFC 7519), checked with a shared secret or the issuer's keys.
//!
//! The key decides which algorithm is right, never the token's header: `alg: none` and a public key taken for a shared
//! secret cannot come up.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use axum::http::HeaderMap;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::Jwk};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{config::JwtConfig, error::Error, token::bearer};

/// Clock difference that is tolerated.
const LEEWAY_SECONDS: u64 = 60;
/// The shortest time between two readings of the issuer's keys after the first.
const REREAD_AFTER: Duration = Duration::from_secs(30);
/// How long reading the issuer's keys may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// What is written into a token.
#[derive(Debug, Serialize)]
pub struct Claims {
    /// The owner.
    pub sub: String,
    /// Seconds since the epoch.
    pub exp: u64,
    /// Issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<Value>,
    /// Audience, one or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<Value>,
}

/// What is read of a token once the rest is found to be right.
#[derive(Deserialize)]
struct Subject {
    sub: String,
}

/// Checks tokens.
#[derive(Debug)]
pub struct Verifier {
    keys: Keys,
    issuer: Option<String>,
    audience: Option<String>,
}

enum Keys {
    Secret(DecodingKey),
    Issuer(Jwks),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Secret(_) => "Secret([redacted])",
            Self::Issuer(_) => "Issuer",
        })
    }
}

/// The issuer's keys, by key id, read again when a token names another one.
struct Jwks {
    url: String,
    client: reqwest::Client,
    cache: Mutex<Option<Reading>>,
}

struct Reading {
    /// `None` for the first one, which may be followed by another at once.
    repeated_at: Option<Instant>,
    keys: HashMap<String, (Algorithm, DecodingKey)>,
}

impl Verifier {
    /// `secret` is what `JWT_SECRET` or the secret of `JWT_SECRET_ID` holds; it is not needed with `JWKS_URL`.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &JwtConfig, secret: Option<&SecretString>) -> Result<Self, reqwest::Error> {
        let keys = match (&config.jwks_url, secret) {
            (Some(url), _) => Keys::Issuer(Jwks {
                url: url.clone(),
                client: reqwest::Client::builder().timeout(READ_TIMEOUT).build()?,
                cache: Mutex::new(None),
            }),
            (None, secret) => {
                let secret = secret.map(SecretString::expose_secret).unwrap_or_default();
                Keys::Secret(DecodingKey::from_secret(secret.as_bytes()))
            }
        };
        Ok(Self {
            keys,
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
        })
    }

    /// The owner that a request's token names.
    ///
    /// # Errors
    /// [`Error::MissingJwt`], [`Error::InvalidJwt`], or [`Error::Unavailable`] where the issuer's keys could not be read.
    pub async fn owner(&self, headers: &HeaderMap) -> Result<String, Error> {
        let token = bearer(headers).ok_or(Error::MissingJwt)?;
        let (algorithm, key) = match &self.keys {
            Keys::Secret(key) => (Algorithm::HS256, key.clone()),
            Keys::Issuer(jwks) => {
                let header = jsonwebtoken::decode_header(&*token).map_err(|_| invalid("it is not a JWT"))?;
                let kid = header.kid.ok_or_else(|| invalid("its header names no key (`kid`)"))?;
                jwks.find(&kid)
                    .await?
                    .ok_or_else(|| invalid("its key (`kid`) is not one of the issuer's"))?
            }
        };
        let subject = jsonwebtoken::decode::<Subject>(&token, &key, &self.validation(algorithm)).map_err(reason)?;
        let owner = subject.claims.sub;
        if owner.trim().is_empty() || owner.len() > 1024 {
            return Err(invalid("its `sub` is empty or too long"));
        }
        Ok(owner)
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
        match &self.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        validation
    }
}

fn invalid(why: &'static str) -> Error {
    Error::InvalidJwt(why)
}

fn reason(error: jsonwebtoken::errors::Error) -> Error {
    use jsonwebtoken::errors::ErrorKind;
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

impl Jwks {
    async fn find(&self, kid: &str) -> Result<Option<(Algorithm, DecodingKey)>, Error> {
        let mut cache = self.cache.lock().await;
        if let Some(reading) = cache.as_ref() {
            let known = reading.keys.get(kid);
            let too_soon = reading.repeated_at.is_some_and(|at| at.elapsed() < REREAD_AFTER);
            if known.is_some() || too_soon {
                return Ok(known.cloned());
            }
        }
        let repeated_at = cache.is_some().then(Instant::now);
        let keys = self.read().await.map_err(|cause| Error::Unavailable {
            cause: format!("the issuer's keys could not be read: {cause}"),
        })?;
        let reading = cache.insert(Reading { repeated_at, keys });
        Ok(reading.keys.get(kid).cloned())
    }

    /// Keys of a kind that is not used here are left out, so that they do not spoil the set.
    async fn read(&self) -> Result<HashMap<String, (Algorithm, DecodingKey)>, reqwest::Error> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let response = self.client.get(&self.url).send().await?.error_for_status()?;
        let set: Set = response.json().await?;
        Ok(set.keys.into_iter().filter_map(usable).collect())
    }
}

/// An RSA key for RS256 or a P-256 key for ES256, not one for encryption.
fn usable(key: Value) -> Option<(String, (Algorithm, DecodingKey))> {
    if key["use"].as_str().is_some_and(|purpose| purpose != "sig") {
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
