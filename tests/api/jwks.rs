//! JWTs signed with an issuer's private keys, checked with the public ones that it publishes.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::{
    Json, Router,
    extract::{Path, RawQuery},
    response::Redirect,
    routing::get,
};
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Reply, TestApp, management::Management, provider::FakeProvider, readings, soon};

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
        self.sign_with(&Header::new(self.algorithm))
    }

    fn sign_with(&self, header: &Header) -> String {
        self.sign_claims(header, json!({}))
    }

    fn sign_claims(&self, header: &Header, more: Value) -> String {
        let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
        let mut claims =
            json!({"sub": "owner-1", "exp": expires, "iss": "https://issuer.example", "aud": "assistants"});
        claims
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let mut header = header.clone();
        header.kid = Some(self.kid.into());
        jsonwebtoken::encode(&header, &claims, &self.private).unwrap()
    }
}

/// What an issuer publishes at `/jwks.json`, how it answers, and how often it was asked.
#[derive(Clone)]
struct Issuer {
    keys: Arc<Mutex<Value>>,
    answers: Arc<Mutex<Answers>>,
    readings: Arc<AtomicUsize>,
    origin: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Answers {
    Keys,
    /// The keys, and 10 MB of something else.
    TooMuch,
    /// Accepts and never answers.
    Never,
}

impl Issuer {
    async fn start(keys: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Self {
            keys: Arc::new(Mutex::new(keys)),
            answers: Arc::new(Mutex::new(Answers::Keys)),
            readings: Arc::default(),
            origin: format!("http://{}", listener.local_addr().unwrap()),
        };
        let served = issuer.clone();
        // `/3` leads to the keys by three redirects, and `/to?url=` to anywhere.
        let routes = Router::new()
            .route("/jwks.json", get(move || async move { served.answer().await }))
            .route("/1", get(async || Redirect::to("/jwks.json")))
            .route(
                "/{hops}",
                get(async |Path(hops): Path<u32>| Redirect::to(&format!("/{}", hops - 1))),
            )
            .route("/to", get(async |RawQuery(url): RawQuery| Redirect::to(&url.unwrap())));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    async fn answer(&self) -> Json<Value> {
        self.readings.fetch_add(1, Ordering::Relaxed);
        let (answers, keys) = (*self.answers.lock().unwrap(), self.keys.lock().unwrap().clone());
        match answers {
            Answers::Keys => Json(json!({"keys": keys})),
            Answers::TooMuch => Json(json!({"keys": keys, "more": "x".repeat(10_000_000)})),
            Answers::Never => std::future::pending().await,
        }
    }

    fn answers(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }

    fn readings(&self) -> usize {
        self.readings.load(Ordering::Relaxed)
    }

    /// A management function that trusts the keys at a path of this issuer's.
    async fn management(&self, path: &str) -> Management {
        self.management_for("assistants", &[], path).await
    }

    /// The same for other audiences, with more settings.
    async fn management_for(&self, audiences: &str, more: &[(&str, &str)], path: &str) -> Management {
        let app = TestApp::start(FakeProvider::refusing()).await;
        let url = format!("{}{path}", self.origin);
        let settings = [
            ("JWKS_URL", url.as_str()),
            ("JWT_ISSUER", "https://issuer.example"),
            ("JWT_AUDIENCE", audiences),
        ];
        Management::beside(&app, &[&settings, more].concat()).await
    }
}

/// An issuer of these keys, and a management function that trusts it.
async fn start(keys: Value) -> (Issuer, Management) {
    let issuer = Issuer::start(keys).await;
    let management = issuer.management("/jwks.json").await;
    (issuer, management)
}

async fn status(management: &Management, jwt: &str) -> u16 {
    Reply::of(management.request(Method::GET, "/assistants", jwt))
        .await
        .status
        .as_u16()
}

/// OpenID Connect Core 1.0, section 3.1.3.7, points 3 to 5.
#[tokio::test]
async fn one_of_several_audiences_has_to_be_ours_and_azp_the_client() {
    let key = Key::ec("ec-1");
    let issuer = Issuer::start(json!([key.public()])).await;
    let client = [("OIDC_CLIENT_ID", "the-page")];
    let page = issuer
        .management_for("assistants, the-page", &client, "/jwks.json")
        .await;
    let api = issuer.management_for("assistants,the-page", &[], "/jwks.json").await;
    let header = Header::new(Algorithm::ES256);
    for (claims, by_page, by_api) in [
        (json!({"aud": "the-page"}), 200, 200),
        (json!({"aud": ["assistants"]}), 200, 200),
        (json!({"aud": "another"}), 401, 401),
        (json!({"aud": ["another", "one-more"]}), 401, 401),
        (json!({"aud": ["the-page", "another"], "azp": "the-page"}), 200, 200),
        (json!({"aud": ["the-page", "another"], "azp": "another"}), 401, 200),
        (json!({"aud": ["the-page", "another"]}), 401, 200),
        (json!({"aud": "the-page", "azp": "another"}), 200, 200),
    ] {
        let jwt = key.sign_claims(&header, claims.clone());
        assert_eq!(
            (status(&page, &jwt).await, status(&api, &jwt).await),
            (by_page, by_api),
            "{claims}"
        );
    }
}

#[tokio::test]
async fn rs256_and_es256_count_by_key_id() {
    let (rsa, ec, stranger) = (Key::rsa("rsa-1"), Key::ec("ec-1"), Key::ec("ec-1"));
    // RFC 7517, sections 4.2 and 4.3: keys for something else.
    let others = [("use", json!("enc")), ("key_ops", json!(["encrypt"]))].map(|(member, value)| {
        let key = Key::ec(member);
        let mut public = key.public();
        public[member] = value;
        (key, public)
    });
    let mut verifying = rsa.public();
    verifying["key_ops"] = json!(["verify"]);
    let unknown_kind = json!({"kty": "AKP", "kid": "x", "alg": "ML-DSA-65", "pub": "AA"});
    let keys = json!([unknown_kind, others[0].1, others[1].1, verifying, ec.public()]);
    let (issuer, management) = start(keys).await;
    assert_eq!(status(&management, &rsa.sign()).await, 200);
    assert_eq!(status(&management, &ec.sign()).await, 200);
    assert_eq!(status(&management, &stranger.sign()).await, 401);
    assert_eq!(issuer.readings(), 1);
    for (key, _) in &others {
        assert_eq!(status(&management, &key.sign()).await, 401);
    }
}

#[tokio::test]
async fn a_public_key_is_never_taken_for_a_shared_secret() {
    let rsa = Key::rsa("rsa-1");
    let (_issuer, management) = start(json!([rsa.public()])).await;
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
    let (issuer, management) = start(json!([old.public()])).await;
    assert_eq!(status(&management, &old.sign()).await, 200);
    *issuer.keys.lock().unwrap() = json!([new.public()]);
    assert_eq!(status(&management, &new.sign()).await, 200);
    assert_eq!(issuer.readings(), 2);
    // A flood of made-up key ids is no flood of readings.
    for _ in 0..5 {
        assert_eq!(status(&management, &never.sign()).await, 401);
    }
    assert_eq!(issuer.readings(), 2);
}

#[tokio::test]
async fn an_issuer_that_hangs_delays_nobody_whose_key_is_known() {
    let known = Key::ec("known");
    let (issuer, management) = start(json!([known.public()])).await;
    assert_eq!(status(&management, &known.sign()).await, 200);
    issuer.answers(Answers::Never);
    let kids = ["1", "2", "3", "4", "5", "6", "7", "8"];
    let unknown = kids.map(|kid| management.request(Method::GET, "/assistants", &Key::ec(kid).sign()));
    let unknown = unknown.map(|request| tokio::spawn(request.send()));
    readings(|| issuer.readings(), 2).await;
    assert_eq!(soon(status(&management, &known.sign())).await, 200);
    assert_eq!(issuer.readings(), 2);
    for request in unknown {
        request.abort();
    }
}

#[tokio::test]
async fn callers_share_a_reading() {
    let known = Key::ec("known");
    let (issuer, management) = start(json!([known.public()])).await;
    let jwt = known.sign();
    let all = join_all((0..8).map(|_| status(&management, &jwt))).await;
    assert_eq!(all, [200; 8]);
    assert_eq!(issuer.readings(), 1);
}

#[tokio::test]
async fn a_key_set_that_is_too_large_is_not_taken() {
    let key = Key::ec("known");
    let (issuer, management) = start(json!([key.public()])).await;
    issuer.answers(Answers::TooMuch);
    for _ in 0..3 {
        assert_eq!(status(&management, &key.sign()).await, 503);
    }
    // The reading is not repeated for each of them.
    assert_eq!(issuer.readings(), 1);
}

#[tokio::test]
async fn keys_that_were_read_hold_while_they_cannot_be_read_again() {
    let (old, new) = (Key::ec("old"), Key::ec("new"));
    let (issuer, management) = start(json!([old.public()])).await;
    assert_eq!(status(&management, &old.sign()).await, 200);
    issuer.answers(Answers::TooMuch);
    for _ in 0..2 {
        assert_eq!(status(&management, &new.sign()).await, 503);
        assert_eq!(status(&management, &old.sign()).await, 200);
    }
    assert_eq!(issuer.readings(), 2);
}

#[tokio::test]
async fn the_issuer_may_redirect_twice_and_not_to_other_http() {
    let key = Key::ec("known");
    let issuer = Issuer::start(json!([key.public()])).await;
    let elsewhere = Issuer::start(json!([key.public()])).await;
    let elsewhere_path = format!("/to?{}/jwks.json", elsewhere.origin);
    for (path, expected) in [("/2", 200), ("/3", 503), ("/1000", 503), (&elsewhere_path, 503)] {
        let management = issuer.management(path).await;
        assert_eq!(status(&management, &key.sign()).await, expected, "{path}");
    }
    assert_eq!((issuer.readings(), elsewhere.readings()), (1, 0));
}

#[tokio::test]
async fn extensions_are_refused_before_the_key_is_looked_up() {
    let key = Key::ec("known");
    let (issuer, management) = start(json!([key.public()])).await;
    let mut header = Header::new(Algorithm::ES256);
    header.crit = Some(vec!["exp".into()]);
    let request = management.request(Method::GET, "/assistants", &key.sign_with(&header));
    let message = Reply::of(request).await.error(401, "invalid_jwt");
    assert!(message.contains("`crit`"), "{message}");
    assert_eq!(issuer.readings(), 0);
}
