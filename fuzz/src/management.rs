//! What owners send: settings, patches, JWTs.

use std::time::{SystemTime, UNIX_EPOCH};

use assistant_endpoint::{
    assistant::{Assistant, Record, settings::Settings},
    config::{JwtConfig, Rules},
    manage::{change::Patch, jwt::Verifier},
};
use aws_config::SdkConfig;
use axum::http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::sign};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::block_on;

const SECRET: &str = "the secret of the fuzz targets: 32 bytes and more";

/// An assistant's `config`: each setting is read or is a problem, and what management accepts the public function can read.
pub fn settings(data: &[u8]) {
    let Ok(config) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let (settings, problems) = Settings::read(&config);
    let assistant = Assistant::new(record(config.clone()));
    let can_be_used = settings.model.is_some() && problems.is_empty();
    assert_eq!(assistant.model().is_ok(), can_be_used, "{problems:?}");
    assert_eq!(assistant.fallback_models().is_ok(), problems.is_empty());
    for problem in &problems {
        assert!(problem.param.starts_with("config."), "{problem:?}");
        assert!(problem.message.chars().count() <= 1_000, "{problem:?}");
    }
    let body = json!({"config": config}).to_string();
    let created = Patch::read(body.as_bytes()).and_then(|patch| patch.apply(&Record::default(), &Rules::default()));
    if let Ok(created) = created {
        let (_, problems) = Settings::read(&created.config);
        assert_eq!(problems, [], "{}", created.config);
    }
}

/// `[before, patch]`, a config and the body of a change: what the change makes of the config is what RFC 7396 says, less the
/// public token and other spellings of the settings written; and to make it twice is to make it once.
pub fn merge_patch(data: &[u8]) {
    let Ok([before, body]) = serde_json::from_slice::<[Value; 2]>(data) else {
        return;
    };
    let Ok(patch) = Patch::read(body.to_string().as_bytes()) else {
        return;
    };
    let rules = Rules {
        allow_private_providers: true,
        ..Rules::default()
    };
    let Ok(once) = patch.clone().apply(&record(before.clone()), &rules) else {
        return;
    };
    assert!(once.config.is_object());
    let written = match &body["config"] {
        Value::Null => return,
        written => written,
    };
    let twice = patch.apply(&record(once.config.clone()), &rules).unwrap();
    assert_eq!(twice.config, once.config);

    let (mut expected, mut merged) = (merged(before, written), once.config);
    let expected_settings = take_settings(&mut expected);
    let settings = take_settings(&mut merged);
    assert_eq!(merged, expected);
    let written = written["configurable"].as_object();
    for (key, value) in &settings {
        assert_eq!(expected_settings.get(key), Some(value), "{key}");
    }
    for key in expected_settings.keys().filter(|key| !settings.contains_key(*key)) {
        let name = bare(key);
        let replaced = written.is_some_and(|written| written.keys().any(|key| bare(key) == name));
        assert!(replaced || name == "public_token", "{key}");
    }
}

/// The algorithm of RFC 7396, section 2, on a config; one that is no object counts as one without settings.
fn merged(before: Value, patch: &Value) -> Value {
    fn merge(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else {
            return patch.clone();
        };
        let mut target = match target {
            Value::Object(target) => target,
            _ => Map::new(),
        };
        for (name, value) in patch {
            let before = target.remove(name).unwrap_or_default();
            if !value.is_null() {
                target.insert(name.clone(), merge(before, value));
            }
        }
        Value::Object(target)
    }
    merge(before, patch)
}

fn take_settings(config: &mut Value) -> Map<String, Value> {
    match config.as_object_mut().and_then(|config| config.remove("configurable")) {
        Some(Value::Object(settings)) => settings,
        _ => Map::new(),
    }
}

/// A setting's name without the prefix of a type.
fn bare(key: &str) -> &str {
    assistant_endpoint::assistant::settings::keys::bare(key)
}

fn record(config: Value) -> Record {
    Record {
        assistant_id: "an-assistant".into(),
        config,
        ..Record::default()
    }
}

/// A JWT's header and claims, a line each; or what else may stand behind `Bearer`. Nothing is accepted that is not signed
/// with the secret by HS256, and of what is signed only what names an owner and has not expired.
pub fn jwt(data: &[u8]) {
    let config = JwtConfig {
        secret: Some(SecretString::from(SECRET)),
        secret_id: None,
        jwks_url: None,
        issuer: None,
        audiences: Vec::new(),
        client_id: None,
    };
    let verifier = block_on(Verifier::new(&config, &SdkConfig::builder().build())).unwrap();
    let owner_of = |token: &[u8]| {
        let value = HeaderValue::from_bytes(&[b"Bearer ", token].concat()).ok()?;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        block_on(verifier.owner(&headers)).ok()
    };
    assert_eq!(owner_of(data), None, "not signed");
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (Some(header), Some(claims)) = (lines.next(), lines.next()) else {
        return;
    };
    let encode = |part| BASE64_URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(header), encode(claims));
    let signed = |secret: &str, algorithm| {
        let signature = sign(
            message.as_bytes(),
            &EncodingKey::from_secret(secret.as_bytes()),
            algorithm,
        )
        .unwrap();
        format!("{message}.{signature}")
    };
    let right = signed(SECRET, Algorithm::HS256);
    let wrong = [
        message.clone(),
        format!("{message}."),
        right[..right.len() - 1].to_owned(),
        format!("{right}."),
        signed("another secret, of 32 bytes and more as well", Algorithm::HS256),
        signed("", Algorithm::HS256),
        signed(SECRET, Algorithm::HS384),
        signed(SECRET, Algorithm::HS512),
    ];
    for token in wrong {
        assert_eq!(owner_of(token.as_bytes()), None, "{token}");
    }
    if let Some(owner) = owner_of(right.as_bytes()) {
        let header: Value = serde_json::from_slice(header).unwrap();
        let claims: Value = serde_json::from_slice(claims).unwrap();
        assert_eq!(header["alg"], "HS256");
        assert_eq!(header.get("crit"), None);
        assert_eq!(claims["sub"], owner);
        assert!(!owner.trim().is_empty() && owner.len() <= 1024);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        assert!(
            claims["exp"].as_f64().is_some_and(|expiry| expiry > now - 62.0),
            "{claims}"
        );
    }
}
