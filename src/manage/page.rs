//! The settings page: a page for owners, whose files are in the binary.
//!
//! The files stand in one folder that is named by a hash of all of them, so that browsers may keep them for ever. The page
//! itself is asked for each time; it names the folder, and holds what the scripts need to know.

use std::sync::Arc;

use axum::{
    extract::{Extension, Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use url::Url;

mod issuer;

use super::Manage;
use crate::{config::PageConfig, error::Error, way_in::Caller};
use issuer::{Endpoints, Issuer};

/// A file of the page.
struct File {
    name: &'static str,
    plain: &'static [u8],
    gzipped: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/page.rs"));

const INDEX: &str = include_str!("page/index.html");
/// A year, the longest that caches take seriously.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_SNIFFING: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");

/// What the page has to know.
#[derive(Debug)]
pub struct Page {
    public_url: Option<String>,
    issuer: Option<Issuer>,
    /// Whether one may sign in without a password: on the owner's own machine.
    local_session: bool,
}

/// The settings that the page's scripts read.
#[derive(Serialize)]
struct Settings<'a> {
    /// `null` where the public endpoint has the page's own origin.
    public_url: Option<&'a str>,
    local_session: bool,
    oidc: Option<SignIn<'a>>,
}

/// How to sign in at the issuer.
#[derive(Serialize)]
#[serde(untagged)]
enum SignIn<'a> {
    Possible {
        issuer: &'a str,
        client_id: &'a str,
        scopes: &'a str,
        #[serde(flatten)]
        endpoints: &'a Endpoints,
    },
    Broken {
        problem: &'static str,
    },
}

impl Page {
    /// Nothing is asked of the issuer yet.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(super) fn new(config: &PageConfig) -> Result<Self, reqwest::Error> {
        Ok(Self {
            public_url: config.public_url.clone(),
            issuer: config.sign_in.clone().map(Issuer::new).transpose()?,
            local_session: false,
        })
    }

    /// Offers to sign in without a password, unless there is an issuer to sign in at.
    #[cfg(feature = "cli")]
    pub(crate) fn offer_local_session(&mut self) {
        self.local_session = self.issuer.is_none();
    }

    /// The page, and what it may connect to beside its own origin.
    async fn render(&self, has_own_origin: bool) -> (String, Vec<String>) {
        let public_url = self.public_url.as_deref().filter(|_| !has_own_origin);
        let mut origins: Vec<_> = public_url.and_then(origin).into_iter().collect();
        let endpoints = match &self.issuer {
            Some(issuer) => Some((issuer, issuer.endpoints().await)),
            None => None,
        };
        let oidc = endpoints.as_ref().map(|(issuer, endpoints)| match endpoints {
            Ok(endpoints) => {
                origins.extend(origin(&issuer.config.issuer));
                origins.extend(origin(&endpoints.token_endpoint));
                SignIn::Possible {
                    issuer: &issuer.config.issuer,
                    client_id: &issuer.config.client_id,
                    scopes: &issuer.config.scopes,
                    endpoints,
                }
            }
            Err(()) => SignIn::Broken {
                problem: "The identity provider does not answer. Try again in a minute; if it stays so, tell the operator.",
            },
        });
        let settings = Settings {
            public_url,
            local_session: self.local_session,
            oidc,
        };
        // A `<` could end the element that holds it.
        let settings = serde_json::to_string(&settings)
            .unwrap_or_default()
            .replace('<', "\\u003c");
        let page = INDEX.replace("{{assets}}", &format!("/ui/{HASH}"));
        origins.dedup();
        (page.replace("{{settings}}", &settings), origins)
    }
}

/// `GET /`: the page.
pub(super) async fn index(State(manage): State<Arc<Manage>>, Extension(caller): Extension<Caller>) -> Response {
    // CloudFront has both functions under one host.
    let (page, origins) = manage.page.render(caller.is_through_cloudfront()).await;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy(&origins)),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (headers, [NO_SNIFFING], page).into_response()
}

/// `GET /ui/{folder}/{file}`: one of the page's files, gzipped for those who take it.
pub(super) async fn file(Path((folder, name)): Path<(String, String)>, headers: HeaderMap) -> Result<Response, Error> {
    let file = FILES.iter().find(|file| folder == HASH && file.name == name);
    let file = file.ok_or(Error::NoSuchFile)?;
    let mut response = if takes_gzip(&headers) {
        ([(header::CONTENT_ENCODING, "gzip")], file.gzipped).into_response()
    } else {
        file.plain.into_response()
    };
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(file.name)));
    own.insert(header::CACHE_CONTROL, FOR_EVER);
    own.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    own.insert(NO_SNIFFING.0, HeaderValue::from_static(NO_SNIFFING.1));
    Ok(response)
}

/// RFC 9110, section 12.5.3: a coding with the weight 0 is not taken.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let codings = codings
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','));
    let takes = |coding: &str| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = matches!(weight.trim().trim_start_matches("q=").parse(), Ok(0.0));
        matches!(name.trim(), "gzip" | "*") && !is_refused
    };
    codings.into_iter().any(takes)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

/// What the page may do: nothing but run its own scripts and call these origins.
fn policy(origins: &[String]) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {}; frame-ancestors 'none'; \
         base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'",
        std::iter::once("'self'")
            .chain(origins.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ")
    )
}

fn origin(url: &str) -> Option<String> {
    let origin = Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_goes_to_those_who_take_it() {
        let takes = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            takes_gzip(&headers)
        };
        for value in ["gzip", "deflate, gzip, br", "br;q=1, gzip;q=0.5", "*"] {
            assert!(takes(value), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "identity", "gzip; q=0.0"] {
            assert!(!takes(value), "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    /// What the page is made of in its first load: without the views that are loaded when they are opened.
    #[test]
    fn the_first_load_is_small() {
        const LATER: [&str; 7] = [
            "try.js",
            "connect.js",
            "usage.js",
            "stream.js",
            "markdown.js",
            "snippets.json",
            "conflict.js",
        ];
        let first = FILES.iter().filter(|file| !LATER.contains(&file.name));
        let bytes: usize = first.map(|file| file.gzipped.len()).sum();
        assert!(bytes + INDEX.len() < 60_000, "{bytes}");
    }

    #[test]
    fn the_policy_names_origins_alone() {
        let origins: Vec<_> = ["https://api.example.com/v1?a=b", "data:x", "nonsense"]
            .iter()
            .filter_map(|url| origin(url))
            .collect();
        assert_eq!(origins, ["https://api.example.com"]);
        assert!(policy(&origins).contains("connect-src 'self' https://api.example.com;"));
    }
}
