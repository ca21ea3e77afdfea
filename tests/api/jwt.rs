//! Which JWTs the management API accepts.

use assistant_endpoint::{config::ManageConfig, local::embedded_store, manage::Manage};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, http_client,
    management::{Management, SECRET, jwt, now, sign, start},
    readings,
    secret::Secret,
    soon,
};

#[tokio::test]
async fn only_a_valid_jwt_counts() {
    let (_app, management) = start().await;
    let missing = Reply::of(http_client().get(format!("{}/assistants", management.url))).await;
    missing.error(401, "missing_authentication_token");
    let claims = json!({"sub": "owner-1", "exp": now() + 600});
    let encode = |header: &Value, claims: &Value| {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
        format!(
            "{}.{}.",
            BASE64.encode(header.to_string()),
            BASE64.encode(claims.to_string())
        )
    };
    let other_secret = EncodingKey::from_secret(b"another secret of thirty-two byte");
    let hs384 = jsonwebtoken::encode(
        &Header::new(Algorithm::HS384),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    );
    for (bad, why) in [
        ("nonsense".to_owned(), "read"),
        (encode(&json!({"alg": "none"}), &claims), ""),
        (encode(&json!({"alg": "HS256"}), &claims), ""),
        (
            jsonwebtoken::encode(&Header::default(), &claims, &other_secret).unwrap(),
            "signature",
        ),
        (hs384.unwrap(), "algorithm"),
        (sign(&json!({"sub": "owner-1", "exp": now() - 120})), "expired"),
        (
            sign(&json!({"sub": "owner-1", "exp": now() + 600, "nbf": now() + 300})),
            "not valid yet",
        ),
        (sign(&json!({"sub": "owner-1"})), "claim"),
        (sign(&json!({"exp": now() + 600})), "claim"),
        (sign(&json!({"sub": "", "exp": now() + 600})), "`sub`"),
    ] {
        let reply = Reply::of(management.request(Method::GET, "/assistants", &bad)).await;
        let message = reply.error(401, "invalid_jwt");
        assert!(
            message.starts_with("Invalid token") && message.contains(why),
            "{message}"
        );
    }
    // A NumericDate may have a fraction (RFC 7519, section 2).
    #[expect(clippy::cast_precision_loss, reason = "seconds are few")]
    let fraction = sign(&json!({"sub": "owner-1", "exp": now() as f64 + 600.5}));
    let reply = Reply::of(management.request(Method::GET, "/assistants", &fraction)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    // Clocks differ a little.
    let just_over = sign(&json!({"sub": "owner-1", "exp": now() - 20}));
    assert_eq!(
        Reply::of(management.request(Method::GET, "/assistants", &just_over))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_secret_may_be_in_secrets_manager() {
    let (app, _) = start().await;
    let secret = Secret::default();
    let aws = secret.beside(app.store_address).await;
    let tables = embedded_store::tables();
    let config = ManageConfig::read(|name| match name {
        "ASSISTANTS_TABLE" => Some(tables.assistants.clone()),
        "TOKEN_CLAIMS_TABLE" => Some(tables.token_claims.clone()),
        "JWT_SECRET_ID" => Some("jwt".into()),
        _ => None,
    })
    .unwrap();
    let unreadable = Manage::new(&config, &aws).await.unwrap_err().to_string();
    assert!(
        unreadable.starts_with("JWT_SECRET_ID: its secret cannot be read"),
        "{unreadable}"
    );
    secret.set_text("too short");
    let short = Manage::new(&config, &aws).await.unwrap_err().to_string();
    assert_eq!(short, "JWT_SECRET_ID: its secret must have at least 32 bytes");
    secret.set_text(SECRET);
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", jwt("owner-1")).parse().unwrap());
    let manage = Manage::new(&config, &aws).await.unwrap();
    assert_eq!(manage.verifier.owner(&headers).await.unwrap(), "owner-1");
}

#[tokio::test]
async fn issuer_and_audience_are_checked_where_they_are_set() {
    let (app, _) = start().await;
    let settings = [
        ("JWT_SECRET", SECRET),
        ("JWT_ISSUER", "https://issuer.example"),
        ("JWT_AUDIENCE", "assistants"),
    ];
    let management = Management::beside(&app, &settings).await;
    for (issuer, audience, status) in [
        (json!("https://issuer.example"), json!("assistants"), 200),
        (json!("https://issuer.example"), json!(["other", "assistants"]), 200),
        (json!("https://issuer.example"), json!("other"), 401),
        (json!("https://evil.example"), json!("assistants"), 401),
        (json!(null), json!("assistants"), 401),
        (json!("https://issuer.example"), json!(null), 401),
    ] {
        let mut claims = json!({"sub": "owner-1", "exp": now() + 600, "iss": issuer, "aud": audience});
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let reply = Reply::of(management.request(Method::GET, "/assistants", &sign(&claims))).await;
        assert_eq!(reply.status, status, "{claims}");
    }
}

#[tokio::test]
async fn extensions_that_a_jwt_demands_are_refused() {
    let (_app, management) = start().await;
    let mut header = Header::new(Algorithm::HS256);
    for crit in [vec!["exp".to_owned()], vec![]] {
        header.crit = Some(crit);
        let claims = json!({"sub": "owner-1", "exp": now() + 600});
        let jwt = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
        let reply = Reply::of(management.request(Method::GET, "/assistants", &jwt)).await;
        let message = reply.error(401, "invalid_jwt");
        assert!(message.contains("`crit`"), "{message}");
    }
}

const ROTATED: &str = "fedcba9876543210fedcba9876543210";

fn signed_with(secret: &str) -> String {
    let claims = json!({"sub": "owner-1", "exp": now() + 600});
    jsonwebtoken::encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(secret.as_bytes()),
    )
    .unwrap()
}

/// A management function whose secret is in Secrets Manager, and has been read once.
async fn start_with_secret() -> (Secret, Management) {
    let (app, _) = start().await;
    let secret = Secret::default();
    secret.set_text(SECRET);
    let management = Management::with_secret(&app, &secret, &[("JWT_SECRET_ID", "jwt")]).await;
    assert_eq!(secret.readings(), 1);
    (secret, management)
}

async fn status(management: &Management, jwt: &str) -> u16 {
    let request = management.request(Method::GET, "/assistants", jwt);
    Reply::of(request).await.status.as_u16()
}

#[tokio::test]
async fn a_rotated_secret_is_taken_up_within_the_request() {
    let (secret, management) = start_with_secret().await;
    secret.set_text(ROTATED);
    assert_eq!(status(&management, &signed_with(SECRET)).await, 200);
    assert_eq!(secret.readings(), 1);
    assert_eq!(status(&management, &signed_with(ROTATED)).await, 200);
    assert_eq!(status(&management, &signed_with(SECRET)).await, 401);
    // A flood of bad tokens is no flood of readings.
    for _ in 0..5 {
        assert_eq!(status(&management, &signed_with("of nobody")).await, 401);
    }
    assert_eq!(secret.readings(), 2);
}

#[tokio::test]
async fn a_secret_that_became_useless_leaves_the_one_that_was_read() {
    let (secret, management) = start_with_secret().await;
    secret.set_text("too short");
    assert_eq!(status(&management, &signed_with("too short")).await, 401);
    assert_eq!(secret.readings(), 2);
    assert_eq!(status(&management, &signed_with(SECRET)).await, 200);
}

#[tokio::test]
async fn a_good_jwt_does_not_wait_for_a_bad_one() {
    let (secret, management) = start_with_secret().await;
    secret.hang();
    let bad = management.request(Method::GET, "/assistants", &signed_with(ROTATED));
    let bad = tokio::spawn(bad.send());
    readings(|| secret.readings(), 2).await;
    assert_eq!(soon(status(&management, &signed_with(SECRET))).await, 200);
    bad.abort();
}

#[tokio::test]
async fn a_secret_in_the_environment_stays() {
    let (app, _) = start().await;
    let secret = Secret::default();
    secret.set_text(ROTATED);
    let settings = [("JWT_SECRET", SECRET), ("JWT_SECRET_ID", "jwt")];
    let management = Management::with_secret(&app, &secret, &settings).await;
    assert_eq!(status(&management, &signed_with(ROTATED)).await, 401);
    assert_eq!(status(&management, &signed_with(SECRET)).await, 200);
    assert_eq!(secret.readings(), 0);
}
