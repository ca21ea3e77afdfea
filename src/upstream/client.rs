//! HTTP clients for providers and images.

use std::{sync::OnceLock, time::Duration};

/// A client's settings, which go for every server.
pub(super) fn builder(connect_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        // A redirect could lead a key to another host or past the address check.
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .user_agent(concat!("assistant-endpoint/", env!("CARGO_PKG_VERSION")))
}

/// A client that is made at its first use: most functions need none of it, and each client reads the root certificates
/// when it is made.
#[derive(Debug, Default)]
pub(super) struct LazyClient(OnceLock<reqwest::Client>);

impl LazyClient {
    /// The client, made of `builder` at the first call.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(super) fn get_or_build(
        &self,
        builder: impl FnOnce() -> reqwest::ClientBuilder,
    ) -> Result<&reqwest::Client, reqwest::Error> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let built = builder().build()?;
        Ok(self.0.get_or_init(|| built))
    }
}
