//! Requests signed with the function's own role: AWS's Signature Version 4.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider},
};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Mutex;
use url::Url;

use crate::error::{Error, ProviderError};

/// The name that Bedrock's requests are signed for.
const SERVICE: &str = "bedrock";
/// How long before their end credentials are read anew: a call may last.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// The role's credentials, kept until shortly before they expire.
#[derive(Debug)]
pub struct Role {
    region: Option<String>,
    provider: Option<SharedCredentialsProvider>,
    kept: Mutex<Option<Credentials>>,
}

impl Role {
    /// Reads nothing yet.
    pub fn new(aws: &SdkConfig) -> Self {
        Self {
            region: aws.region().map(ToString::to_string),
            provider: aws.credentials_provider(),
            kept: Mutex::new(None),
        }
    }

    /// The function's own region.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Makes the next signature read the credentials anew.
    pub async fn renew(&self) {
        self.kept.lock().await.take();
    }

    /// The headers that sign a POST of this body, for the region it goes to.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] where there are no credentials.
    pub async fn sign(&self, url: &Url, region: &str, body: &str) -> Result<HeaderMap, Error> {
        let identity = self.credentials().await?.into();
        let failed = |error: &dyn std::fmt::Display| ProviderError::failed(format!("signing: {error}"));
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| failed(&error))?
            .into();
        let request = SignableRequest::new(
            "POST",
            url.as_str(),
            std::iter::empty(),
            SignableBody::Bytes(body.as_bytes()),
        );
        let (instructions, _) = request
            .and_then(|request| sign(request, &parameters))
            .map_err(|error| failed(&error))?
            .into_parts();
        instructions
            .headers()
            .map(|(name, value)| {
                let mut value = HeaderValue::try_from(value).map_err(|error| failed(&error))?;
                value.set_sensitive(true);
                let name = HeaderName::try_from(name).map_err(|error| failed(&error))?;
                Ok((name, value))
            })
            .collect()
    }

    async fn credentials(&self) -> Result<Credentials, Error> {
        let mut kept = self.kept.lock().await;
        let expires_soon = |credentials: &Credentials| {
            let end = credentials.expiry();
            end.is_some_and(|end| end < SystemTime::now() + RENEW_BEFORE)
        };
        if let Some(credentials) = kept.as_ref().filter(|credentials| !expires_soon(credentials)) {
            return Ok(credentials.clone());
        }
        let missing = || {
            Error::Misconfigured(
                "its provider is called with the function's role, which has no credentials here. The operator has to \
                 give it some, or to set `AWS_BEARER_TOKEN_BEDROCK`."
                    .into(),
            )
        };
        let provider = self.provider.as_ref().ok_or_else(missing)?;
        // The error may quote what was read.
        let credentials = provider.provide_credentials().await.map_err(|_| missing())?;
        Ok(kept.insert(credentials).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::future;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    /// Credentials that last for a time, and how often they were asked for.
    #[derive(Debug)]
    struct Lasting(Duration, Arc<AtomicUsize>);

    impl ProvideCredentials for Lasting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.1.fetch_add(1, Ordering::Relaxed);
            let end = SystemTime::now() + self.0;
            future::ProvideCredentials::ready(Ok(Credentials::new("id", "secret", None, Some(end), "tests")))
        }
    }

    async fn asked(lasting: u64, renew: bool) -> usize {
        let asked = Arc::new(AtomicUsize::new(0));
        let provider = Lasting(Duration::from_secs(lasting), Arc::clone(&asked));
        let aws = SdkConfig::builder()
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .build();
        let role = Role::new(&aws);
        let url = Url::parse("https://bedrock-runtime.us-east-1.amazonaws.com/model/a/converse-stream").unwrap();
        for _ in 0..2 {
            let headers = role.sign(&url, "us-east-1", "{}").await.unwrap();
            assert!(headers["authorization"].is_sensitive());
            if renew {
                role.renew().await;
            }
        }
        asked.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn credentials_are_kept_until_they_are_about_to_expire() {
        assert_eq!(asked(3600, false).await, 1);
        assert_eq!(asked(200, false).await, 2);
        assert_eq!(asked(3600, true).await, 2);
    }
}
