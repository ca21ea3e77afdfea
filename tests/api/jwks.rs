//! JWTs signed with an issuer's private keys, checked with the public ones that it publishes.

use std::{
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::{Json, Router, routing::get};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    manage::Management,
    support::{Reply, TestApp, provider::FakeProvider},
};

struct Key {
    kid: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
}

impl Key {
    fn rsa(kid: &'static str) -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        // PKCS #8 wraps the RSAPrivateKey that is wanted here, behind a head of 26 bytes (RFC 5208, for 2048 bits).
        let private = EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..]);
        Self {
            kid,
            algorithm: Algorithm::RS256,
            private,
        }
    }

    fn ec(kid: &'static str) -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let private = EncodingKey::from_ec_der(pkcs8.as_ref());
        Self {
            kid,
            algorithm: Algorithm::ES256,
            private,
        }
    }

    fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.algorithm).unwrap();
        jwk.common.key_id = Some(self.kid.into());
        serde_json::to_value(jwk).unwrap()
    }

    fn sign(&self) -> String {
        let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
        let claims = json!({"sub": "owner-1", "exp": expires, "iss": "https://issuer.example", "aud": "assistants"});
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.into());
        jsonwebtoken::encode(&header, &claims, &self.private).unwrap()
    }
}

/// Publishes a set of keys; returns it, how often it was read, and a management function that trusts it.
async fn start(keys: Value) -> (Arc<Mutex<(Value, usize)>>, Management) {
    let published = Arc::new(Mutex::new((keys, 0)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let served = Arc::clone(&published);
    let routes = Router::new().route(
        "/jwks.json",
        get(move || async move {
            let mut served = served.lock().unwrap();
            served.1 += 1;
            Json(json!({"keys": served.0}))
        }),
    );
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let app = TestApp::start(FakeProvider::refusing().await).await;
    let settings = [
        ("JWKS_URL", url.as_str()),
        ("JWT_ISSUER", "https://issuer.example"),
        ("JWT_AUDIENCE", "assistants"),
    ];
    (published, Management::beside(&app, &settings).await)
}

async fn status(management: &Management, jwt: &str) -> u16 {
    Reply::of(management.request(Method::GET, "/assistants", jwt))
        .await
        .status
        .as_u16()
}

#[tokio::test]
async fn rs256_and_es256_count_by_key_id() {
    let (rsa, ec, stranger) = (Key::rsa("rsa-1"), Key::ec("ec-1"), Key::ec("ec-1"));
    let mut for_encryption = Key::ec("enc-1").public();
    for_encryption["use"] = json!("enc");
    let unknown_kind = json!({"kty": "AKP", "kid": "x", "alg": "ML-DSA-65", "pub": "AA"});
    let keys = json!([unknown_kind, for_encryption, rsa.public(), ec.public()]);
    let (published, management) = start(keys).await;
    assert_eq!(status(&management, &rsa.sign()).await, 200);
    assert_eq!(status(&management, &ec.sign()).await, 200);
    assert_eq!(status(&management, &stranger.sign()).await, 401);
    assert_eq!(published.lock().unwrap().1, 1);
}

#[tokio::test]
async fn a_public_key_is_never_taken_for_a_shared_secret() {
    let rsa = Key::rsa("rsa-1");
    let (_published, management) = start(json!([rsa.public()])).await;
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("rsa-1".into());
    let public = rsa.public()["n"].as_str().unwrap().to_owned();
    let claims =
        json!({"sub": "owner-1", "exp": 9_999_999_999_u64, "iss": "https://issuer.example", "aud": "assistants"});
    let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(public.as_bytes())).unwrap();
    assert_eq!(status(&management, &forged).await, 401);
}

#[tokio::test]
async fn an_unknown_key_id_is_looked_up_anew_once() {
    let (old, new, never) = (Key::ec("old"), Key::ec("new"), Key::ec("never"));
    let (published, management) = start(json!([old.public()])).await;
    assert_eq!(status(&management, &old.sign()).await, 200);
    published.lock().unwrap().0 = json!([new.public()]);
    assert_eq!(status(&management, &new.sign()).await, 200);
    assert_eq!(published.lock().unwrap().1, 2);
    // A flood of made-up key ids is no flood of readings.
    for _ in 0..5 {
        assert_eq!(status(&management, &never.sign()).await, 401);
    }
    assert_eq!(published.lock().unwrap().1, 2);
}
