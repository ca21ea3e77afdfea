//! HTTP clients for providers and images.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::Timeouts;

/// A client's settings, which go for every server.
pub(super) fn builder(timeouts: &Timeouts) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(timeouts.provider_connect)
        // All calls to a host share one HTTP/2 connection. Without pings, one that has gone silent fails every call to its
        // host for as long as there is traffic. On Lambda it may have died while the environment was frozen.
        .http2_keep_alive_interval(timeouts.http2_ping)
        .http2_keep_alive_timeout(timeouts.http2_ping)
        .http2_keep_alive_while_idle(true)
        // A redirect could lead a key to another host or past the address check.
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        // Pieces of a compressed stream would wait within the compressor.
        .default_headers(HeaderMap::from_iter([(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        )]))
        .user_agent(concat!("assistant-endpoint/", env!("CARGO_PKG_VERSION")))
}

/// A client and its connections, made at the first use: many functions need none of it, and each client reads the root
/// certificates when it is made.
#[derive(Debug, Clone, Default)]
pub(super) struct Connections(Arc<Mutex<Current>>);

#[derive(Debug, Default)]
struct Current {
    client: Option<reqwest::Client>,
    /// How many clients were abandoned before this one.
    generation: u64,
}

/// A client for one call.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Makes the call.
    pub http: reqwest::Client,
    connections: Connections,
    generation: u64,
}

impl Connections {
    /// The client, made of `builder` where there is none.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(super) fn client(&self, builder: impl FnOnce() -> reqwest::ClientBuilder) -> Result<Client, reqwest::Error> {
        let mut current = self.lock();
        let http = match &current.client {
            Some(client) => client.clone(),
            None => current.client.insert(builder().build()?).clone(),
        };
        Ok(Client {
            http,
            connections: self.clone(),
            generation: current.generation,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Sees to it that no later call uses this client's connections: one of them has let a call wait for too long. Calls that
    /// are under way keep theirs.
    pub(super) fn abandon(&self) {
        let mut current = self.connections.lock();
        if current.generation == self.generation {
            current.client = None;
            current.generation += 1;
        }
    }
}

#[cfg(test)]
mod tests;
