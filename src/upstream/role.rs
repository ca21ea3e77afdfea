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
use url::Url;

use crate::{
    error::{Error, ProviderError},
    secrets::Reread,
    token::sha256,
};

/// The name that Bedrock's requests are signed for.
const SERVICE: &str = "bedrock";
/// How long before their end credentials are read anew: a call may last.
const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// The shortest time between two readings of the credentials after the first.
const REREAD_AFTER: Duration = Duration::from_secs(10);

/// The role's credentials, kept until shortly before they expire.
#[derive(Debug)]
pub struct ServiceRole {
    region: Option<String>,
    /// `None` where no provider of credentials is configured.
    credentials: Option<Reread<Credentials>>,
}

impl ServiceRole {
    /// Reads nothing yet.
    pub fn new(aws: &SdkConfig) -> Self {
        Self {
            region: aws.region().map(ToString::to_string),
            credentials: aws.credentials_provider().map(reread),
        }
    }

    /// The function's own region.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Which credentials the next signature is made with.
    pub(super) async fn identity(&self) -> Option<Identity> {
        Some(Identity::of(&self.credentials().await.ok()?))
    }

    /// Reads the credentials anew for the next signature, unless that has happened since `refused` was used. Returns which there
    /// are now, `None` where they are still the refused ones. Those that are kept stay where the reading fails.
    pub(super) async fn renew(&self, refused: &Identity) -> Option<Identity> {
        let other = |identity: Option<Identity>| identity.filter(|identity| identity != refused);
        if let Some(newer) = other(self.identity().await) {
            return Some(newer);
        }
        if let Some(credentials) = &self.credentials {
            // The next signature says what is wrong.
            let _ = credentials.get(|_| false).await;
        }
        other(self.identity().await)
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
        let missing = || {
            Error::NotSetUp(
                "its provider is called with the function's role, which has no credentials here. The operator has to \
                 give it some, or to set `AWS_BEARER_TOKEN_BEDROCK`."
                    .into(),
            )
        };
        let credentials = self.credentials.as_ref().ok_or_else(missing)?;
        let known = credentials.get(|credentials| !ends_within(credentials, RENEW_BEFORE));
        let known = known.await.map_err(|_| missing())?;
        if known.stale && ends_within(&known.value, Duration::ZERO) {
            return Err(missing());
        }
        Ok(Credentials::clone(&known.value))
    }
}

/// Names credentials without their secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    access_key_id: String,
    /// Its digest: temporary credentials may keep the id.
    session_token: Option<String>,
}

impl Identity {
    fn of(credentials: &Credentials) -> Self {
        Self {
            access_key_id: credentials.access_key_id().to_owned(),
            session_token: credentials.session_token().map(sha256),
        }
    }
}

fn reread(provider: SharedCredentialsProvider) -> Reread<Credentials> {
    Reread::new("the role's credentials", REREAD_AFTER, move || {
        let provider = provider.clone();
        async move {
            let credentials = provider.provide_credentials().await;
            // The error may quote what was read.
            credentials.map_err(|_| "there are none".into())
        }
    })
}

fn ends_within(credentials: &Credentials, time: Duration) -> bool {
    credentials.expiry().is_some_and(|end| end < SystemTime::now() + time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::future;
    use futures_util::FutureExt;
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

    fn role(provider: impl ProvideCredentials + 'static) -> ServiceRole {
        let provider = SharedCredentialsProvider::new(provider);
        ServiceRole::new(&SdkConfig::builder().credentials_provider(provider).build())
    }

    async fn sign(role: &ServiceRole) -> Result<HeaderMap, Error> {
        let url = Url::parse("https://bedrock-runtime.us-east-1.amazonaws.com/model/a/converse-stream").unwrap();
        role.sign(&url, "us-east-1", "{}").await
    }

    async fn asked(lasting: u64, renew: bool) -> usize {
        let asked = Arc::new(AtomicUsize::new(0));
        let role = role(Lasting(Duration::from_secs(lasting), Arc::clone(&asked)));
        for _ in 0..2 {
            let headers = sign(&role).await.unwrap();
            assert!(headers["authorization"].is_sensitive());
            if renew {
                let refused = role.identity().await.unwrap();
                assert_eq!(role.renew(&refused).await, None);
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

    /// Credentials that last for a time when they are asked for once; then it hangs.
    #[derive(Debug)]
    struct Once(Duration, AtomicUsize);

    impl ProvideCredentials for Once {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            if self.1.fetch_add(1, Ordering::Relaxed) > 0 {
                return future::ProvideCredentials::new(std::future::pending());
            }
            let end = SystemTime::now() + self.0;
            future::ProvideCredentials::ready(Ok(Credentials::new("id", "secret", None, Some(end), "tests")))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_signature_does_not_wait_for_a_renewal_that_hangs() {
        let role = role(Once(Duration::from_secs(3600), AtomicUsize::new(0)));
        sign(&role).await.unwrap();
        let refused = role.identity().await.unwrap();
        let renewal = role.renew(&refused);
        tokio::pin!(renewal);
        assert!(futures_util::poll!(&mut renewal).is_pending());
        assert!(sign(&role).now_or_never().unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_that_cannot_be_renewed_are_used_to_their_end() {
        let valid = role(Once(Duration::from_secs(200), AtomicUsize::new(0)));
        let expired = role(Once(Duration::ZERO, AtomicUsize::new(0)));
        for role in [&valid, &expired] {
            sign(role).await.unwrap();
        }
        sign(&valid).await.unwrap();
        assert!(matches!(sign(&expired).await, Err(Error::NotSetUp(_))));
    }
}
