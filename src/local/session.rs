//! Signing in without a password, on the owner's own machine: `POST /local-session` of `assistants serve` alone.
//!
//! A web page that the owner looks at elsewhere can send requests here too, also under a name of its own that leads to
//! 127.0.0.1. So the request has to be the settings page's: its `Host` is this server by a loopback name, its `Origin` is the
//! same, and the browser says that both are of one origin. The response has no CORS header, so that no other page could read
//! it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, header},
    response::{IntoResponse, Response},
    routing::any,
};
use secrecy::SecretString;
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{config::JwtConfig, error::Error, manage::jwt};

/// Who is signed in: the owner of the demo assistant, and of what `assistants create` makes.
const OWNER: &str = "operator";
/// How long one is signed in.
const SESSION: Duration = Duration::from_secs(12 * 60 * 60);
static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[derive(Debug)]
struct Sessions {
    port: u16,
    jwt: JwtConfig,
    secret: SecretString,
}

#[derive(Serialize)]
struct Session {
    token: String,
    expires_at: String,
}

/// The route, for a server at this address. Nobody can sign in so where an issuer signs the tokens.
pub(super) fn route(address: SocketAddr, jwt: &JwtConfig) -> Option<Router> {
    let secret = jwt.secret.clone().filter(|_| jwt.jwks_url.is_none())?;
    let sessions = Sessions {
        port: address.port(),
        jwt: jwt.clone(),
        secret,
    };
    Some(
        Router::new()
            .route("/local-session", any(begin))
            .with_state(Arc::new(sessions)),
    )
}

async fn begin(State(sessions): State<Arc<Sessions>>, request: Request) -> Response {
    if request.method() != Method::POST {
        let error = Error::MethodNotAllowed {
            method: request.method().to_string(),
            path: "/local-session".into(),
            allowed: "POST".into(),
        };
        return ([(header::ALLOW, "POST")], error.into_response()).into_response();
    }
    if !is_from_the_page(request.headers(), sessions.port) {
        return Error::NotTheSettingsPage.into_response();
    }
    match sessions.sign() {
        Ok(session) => ([(header::CACHE_CONTROL, "no-store")], Json(session)).into_response(),
        Err(error) => error.into_response(),
    }
}

/// By what no other page can make a browser send.
fn is_from_the_page(headers: &HeaderMap, port: u16) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}"));
    text(&header::HOST).is_some_and(|host| {
        hosts.iter().any(|own| own == host) && text(&header::ORIGIN) == Some(&format!("http://{host}"))
    }) && text(&FETCH_SITE) == Some("same-origin")
}

impl Sessions {
    fn sign(&self) -> Result<Session, Error> {
        let signed = jwt::sign(OWNER.into(), SESSION, &self.jwt, &self.secret);
        let (token, expires) = signed.map_err(|error| Error::Unavailable {
            cause: error.to_string(),
        })?;
        let expires_at = OffsetDateTime::from(expires).format(&Rfc3339).unwrap_or_default();
        Ok(Session { token, expires_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_settings_page_itself_may_sign_in() {
        let page = [
            ("host", "127.0.0.1:8787"),
            ("origin", "http://127.0.0.1:8787"),
            ("sec-fetch-site", "same-origin"),
        ];
        let is_let_in = |headers: &[(&'static str, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            is_from_the_page(&headers.collect(), 8787)
        };
        assert!(is_let_in(&page));
        assert!(is_let_in(&[
            ("host", "localhost:8787"),
            ("origin", "http://localhost:8787"),
            page[2]
        ]));
        assert!(is_let_in(&[
            ("host", "[::1]:8787"),
            ("origin", "http://[::1]:8787"),
            page[2]
        ]));
        for headers in [
            &[][..],
            &page[..2],
            &page[1..],
            &[page[0], page[2]],
            &[page[0], page[1], ("sec-fetch-site", "cross-site")],
            &[page[0], page[1], ("sec-fetch-site", "same-site")],
            &[page[0], page[1], ("sec-fetch-site", "none")],
            &[page[0], ("origin", "https://evil.example"), page[2]],
            &[page[0], ("origin", "null"), page[2]],
            &[page[0], ("origin", "http://localhost:8787"), page[2]],
            &[page[0], ("origin", "https://127.0.0.1:8787"), page[2]],
            // DNS rebinding: the other page's own name leads here.
            &[
                ("host", "evil.example:8787"),
                ("origin", "http://evil.example:8787"),
                page[2],
            ],
            &[
                ("host", "127.0.0.1.evil.example:8787"),
                ("origin", "http://127.0.0.1.evil.example:8787"),
                page[2],
            ],
            &[("host", "127.0.0.1:9999"), ("origin", "http://127.0.0.1:9999"), page[2]],
            &[("host", "127.0.0.1"), ("origin", "http://127.0.0.1"), page[2]],
        ] {
            assert!(!is_let_in(headers), "{headers:?}");
        }
    }
}
