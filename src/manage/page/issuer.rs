//! The identity provider that owners sign in at: its endpoints, by OpenID Connect Discovery 1.0, section 4.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use url::Url;

use super::super::issuer_document;
use crate::{config::SignInConfig, secrets::Reread};

/// How long endpoints are believed before they are read again. They hardly ever change.
const BELIEVED: Duration = Duration::from_secs(3600);
/// The shortest time between two readings.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// How long a page waits for the issuer. A reading that takes longer serves the next page.
const WAIT: Duration = Duration::from_secs(2);

/// Where owners sign in.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) config: SignInConfig,
    read: Reread<(Instant, Arc<Endpoints>)>,
}

/// What the page needs of the issuer's discovery document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the document and the page call them so")]
pub(super) struct Endpoints {
    authorization_endpoint: String,
    pub(super) token_endpoint: String,
    #[serde(default)]
    end_session_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    #[serde(flatten)]
    endpoints: Endpoints,
}

impl Issuer {
    pub(super) fn new(config: SignInConfig) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let issuer = config.issuer.clone();
        let read = Reread::new("the issuer's endpoints", AGAIN_AFTER, move || {
            discover(client.clone(), issuer.clone())
        });
        Ok(Self { config, read })
    }

    /// The issuer's endpoints, `Err` where they are not known and cannot be read now.
    pub(super) async fn endpoints(&self) -> Result<Arc<Endpoints>, ()> {
        let is_fresh = |(read_at, _): &(Instant, _)| read_at.elapsed() < BELIEVED;
        match timeout(WAIT, self.read.get(is_fresh)).await {
            Ok(Ok(known)) => Ok(Arc::clone(&known.value.1)),
            Ok(Err(_)) | Err(_) => Err(()),
        }
    }
}

async fn discover(client: reqwest::Client, issuer: String) -> Result<(Instant, Arc<Endpoints>), String> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let body = issuer_document::read(client, url).await?;
    let document: Document = serde_json::from_slice(&body).map_err(|_| "it is no discovery document")?;
    // Section 4.3: the issuer has to be the very one that was asked.
    if document.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
        return Err("it is another issuer's discovery document".into());
    }
    let endpoints = document.endpoints;
    // The page goes to two of them: a `javascript:` would run in it.
    let urls = [&endpoints.authorization_endpoint, &endpoints.token_endpoint];
    if !urls
        .into_iter()
        .chain(&endpoints.end_session_endpoint)
        .all(|url| is_web_url(url))
    {
        return Err("one of its endpoints is no http or https URL".into());
    }
    Ok((Instant::now(), Arc::new(endpoints)))
}

fn is_web_url(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
