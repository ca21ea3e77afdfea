//! One call to a provider: where to, with which key, and what its status means.

use std::{collections::HashMap, pin::Pin, time::Duration};

use axum::http::{HeaderValue, header};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    client::{self, Client, Connections},
    encoding,
    frames::{self, MAX_FRAME},
    hints::{Memory, Rejection, Terms},
    keys::{self, KeyId, ProviderKeys},
    retold::Retold,
    role::{Identity, ServiceRole},
    steps,
};
use crate::{
    chat::{delta::Delta, prompt::Prompt},
    config::{Config, Timeouts},
    deadline::Deadline,
    error::{Error, Failure, ProviderError, root_cause},
    guard::{self, PublicOnly},
    protocol::{Protocol, bedrock, failure, learned::Learned},
    provider::{Model, Provider, Server},
};

/// After so many calls to a model for one answer, a rejection is told instead of sent again with something left out.
const MAX_CALLS: u32 = 5;

/// Where a model is called.
#[derive(Debug)]
pub(super) struct Endpoint {
    url: Url,
    protocol: Protocol,
    key: Option<KeyId>,
    key_header: &'static str,
    own: bool,
    /// For the signature, where there is no key.
    region: Option<String>,
    model: String,
}

impl Endpoint {
    /// Names a model at its server, for what is remembered about it.
    fn model_key(&self) -> String {
        format!("{} {}", self.url, self.model)
    }
}

/// What a call is authenticated with.
enum Credential {
    Key(SecretString),
    /// The role's signature, and with which of its credentials it is made.
    Role(Option<Identity>),
    /// A server without a key.
    None,
}

impl Credential {
    fn key(&self) -> Option<&SecretString> {
        match self {
            Self::Key(key) => Some(key),
            Self::Role(_) | Self::None => None,
        }
    }
}

/// The steps of an answer, as its provider gives them.
pub(super) type Deltas = Pin<Box<dyn Stream<Item = Result<Delta, ProviderError>> + Send>>;

/// Calls providers, each with its own key.
#[derive(Debug)]
pub(super) struct Caller {
    /// For the operator's endpoints.
    platform: Connections,
    /// For assistants' own servers: they lead to public addresses only.
    guarded: Connections,
    public_only: PublicOnly,
    role: ServiceRole,
    timeouts: Timeouts,
    keys: ProviderKeys,
    base_urls: HashMap<Provider, String>,
    allow_private: bool,
    memory: Memory,
}

impl Caller {
    /// Builds the client for the operator's endpoints.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub(super) fn new(config: &Config, role: ServiceRole, keys: ProviderKeys) -> Result<Self, reqwest::Error> {
        let platform = Connections::default();
        platform.client(|| client::builder(&config.timeouts))?;
        Ok(Self {
            platform,
            guarded: Connections::default(),
            public_only: PublicOnly::default(),
            role,
            timeouts: config.timeouts.clone(),
            keys,
            base_urls: config.provider_base_urls.clone(),
            allow_private: config.rules.allow_private_providers,
            memory: Memory::default(),
        })
    }

    /// Whether the call could be made: to a server, with its credential, and of a prompt that the model can be sent.
    ///
    /// # Errors
    /// Why not.
    pub(super) async fn check(&self, model: &Model, prompt: Option<&Prompt>) -> Result<(), Error> {
        let endpoint = self.endpoint(model)?;
        self.credential(&endpoint).await?;
        if let Some(prompt) = prompt {
            let Terms { learned, .. } = self.memory.terms(endpoint.model_key());
            endpoint.protocol.encode(prompt, model, learned)?;
        }
        Ok(())
    }

    /// Sends the prompt, again without hints that the model rejects, and once more with fresh credentials after a 401. Adds each
    /// request that it sends to `calls`, and what it leaves out to `terms`.
    pub(super) async fn open(
        &self,
        model: &Model,
        prompt: &Prompt,
        deadline: Deadline,
        terms: &mut Terms,
        calls: &mut u32,
    ) -> Result<Deltas, Error> {
        let mut endpoint = self.endpoint(&terms.learned.of_model(model))?;
        let mut credential = self.credential(&endpoint).await?;
        loop {
            let model = &*terms.learned.of_model(model);
            let body = endpoint.protocol.encode(prompt, model, terms.learned)?;
            *calls += 1;
            let client = self
                .client(&endpoint)
                .map_err(|error| ProviderError::failed(root_cause(&error)))?;
            let sent = self.send(&client, &endpoint, &credential, body.to_string(), deadline);
            let response = sent.await?;
            let own_server = endpoint.own.then_some(&endpoint.url);
            let retold = Retold::new(credential.key(), own_server, model, prompt);
            if response.status().is_success() {
                // A hint counts as not taken only once the model has taken the rest.
                self.memory.add(terms);
                let frames = frames::read(response, self.timeouts.provider_idle, deadline);
                let deltas = steps::read(frames, endpoint.protocol.reader(), self.timeouts.after_finish);
                return Ok(Box::pin(deltas.map(move |delta| {
                    delta.map_err(|error| {
                        abandon_after_silence(&client, &error);
                        retold.tell(error)
                    })
                })));
            }
            let rejection = read_failure(response, self.timeouts.error_body).await;
            if rejection.failure == Failure::Authentication
                && !std::mem::replace(&mut terms.is_renewed, true)
                && let Some(newer) = self.newer_credential(&endpoint, &credential).await
            {
                credential = newer;
                continue;
            }
            let changed = *calls < MAX_CALLS
                && terms.change(&Rejection {
                    error: &rejection,
                    prompt,
                    sent: &body,
                    encode: |learned: Learned| {
                        let model = &*learned.of_model(model);
                        endpoint.protocol.encode(prompt, model, learned).ok()
                    },
                });
            if !changed {
                return Err(retold.tell(rejection).into());
            }
            // Some protocols have another path for an answer in one piece.
            endpoint = self.endpoint(&terms.learned.of_model(model))?;
        }
    }

    /// The terms of a model's first call for an answer: everything that its errors have taught so far.
    pub(super) fn terms(&self, model: &Model) -> Result<Terms, Error> {
        Ok(self.memory.terms(self.endpoint(model)?.model_key()))
    }

    fn endpoint(&self, model: &Model) -> Result<Endpoint, Error> {
        let protocol = Protocol::of(model);
        let region = (protocol == Protocol::Bedrock)
            .then(|| {
                bedrock::region_of(&model.name)
                    .or(self.role.region())
                    .map(str::to_owned)
            })
            .flatten();
        let (base_url, key, own) = match &model.server {
            Server::Own(url) => {
                if !self.allow_private && !guard::allows(url) {
                    return Err(base_url_not_public());
                }
                (url.to_string(), Some(KeyId::origin_of(url)), true)
            }
            Server::Platform(provider) => {
                let key = provider.key_variable().map(KeyId::Platform);
                (self.platform_base_url(*provider, region.as_deref())?, key, false)
            }
        };
        let url = format!("{}{}", base_url.trim_end_matches('/'), protocol.path(model));
        let url = Url::parse(&url).map_err(|_| Error::Misconfigured("`base_url` is not a URL.".into()))?;
        Ok(Endpoint {
            url,
            protocol,
            key,
            key_header: protocol.key_header(model),
            own,
            region,
            model: model.name.clone(),
        })
    }

    fn platform_base_url(&self, provider: Provider, region: Option<&str>) -> Result<String, Error> {
        let name = provider.name();
        if let Some(url) = self.base_urls.get(&provider) {
            return Ok(match provider {
                // Azure's v1 API lies below the resource's endpoint, and its own documents name both forms.
                Provider::Azure if !url.ends_with("/openai/v1") => format!("{url}/openai/v1"),
                // Their SDKs want it without the version, other tools with it.
                Provider::Anthropic | Provider::Gemini => {
                    url.trim_end_matches("/v1").trim_end_matches("/v1beta").to_owned()
                }
                _ => url.clone(),
            });
        }
        match (provider, region, provider.default_base_url()) {
            (_, _, Some(url)) => Ok(url.to_owned()),
            (Provider::Bedrock, Some(region), _) => Ok(format!("https://bedrock-runtime.{region}.amazonaws.com")),
            // Ollama's own default, which only makes sense on the machine it runs on.
            (Provider::Ollama, ..) if self.allow_private => Ok("http://127.0.0.1:11434/v1".into()),
            _ => Err(Error::NotSetUp(format!(
                "the endpoint of the `provider` `{name}` is missing. The operator has to set `{}`.",
                provider.base_url_variable()
            ))),
        }
    }

    async fn credential(&self, endpoint: &Endpoint) -> Result<Credential, Error> {
        let by_role = endpoint.region.is_some();
        if let Some(id) = &endpoint.key {
            let required = match id {
                KeyId::Platform(name) if !by_role => Some(name),
                _ => None,
            };
            match (self.keys.find(id, required.is_some()).await?, required) {
                (Some(key), _) => return Ok(Credential::Key(key)),
                (None, Some(name)) => return Err(keys::missing(name)),
                (None, None) => {}
            }
        }
        Ok(if by_role {
            Credential::Role(self.role.identity().await)
        } else {
            Credential::None
        })
    }

    /// Another credential than the refused one, where there is one now.
    async fn newer_credential(&self, endpoint: &Endpoint, refused: &Credential) -> Option<Credential> {
        match refused {
            Credential::Key(key) => {
                let newer = self.keys.find_newer(endpoint.key.as_ref()?, key).await;
                newer.map(Credential::Key)
            }
            Credential::Role(identity) => {
                let newer = self.role.renew(identity.as_ref()?).await;
                newer.map(|newer| Credential::Role(Some(newer)))
            }
            Credential::None => None,
        }
    }

    fn client(&self, endpoint: &Endpoint) -> Result<Client, reqwest::Error> {
        let builder = || client::builder(&self.timeouts);
        if !endpoint.own || self.allow_private {
            return self.platform.client(builder);
        }
        self.guarded.client(|| self.public_only.client(builder()))
    }

    async fn send(
        &self,
        client: &Client,
        endpoint: &Endpoint,
        credential: &Credential,
        body: String,
        deadline: Deadline,
    ) -> Result<reqwest::Response, Error> {
        let mut request = client
            .http
            .post(endpoint.url.clone())
            .header(header::CONTENT_TYPE, "application/json");
        for (name, value) in endpoint.protocol.headers() {
            request = request.header(*name, *value);
        }
        request = match (credential, &endpoint.region) {
            (Credential::Key(key), _) => request.header(endpoint.key_header, key_value(endpoint, key)?),
            (Credential::Role(_), Some(region)) => request.headers(self.role.sign(&endpoint.url, region, &body).await?),
            (Credential::Role(_), None) | (Credential::None, _) => request,
        };
        let request = request.body(body);
        let sent = deadline.within(self.timeouts.provider_idle, request.send()).await;
        let sent = sent.inspect_err(|error| abandon_after_silence(client, error))?;
        sent.map_err(|error| match error {
            error if guard::is_not_public(&error) => base_url_not_public(),
            error if error.is_connect() && error.is_timeout() => {
                ProviderError::failed("connecting took too long").into()
            }
            error => ProviderError::failed(format!("not reached: {}", root_cause(&error))).into(),
        })
    }
}

/// Where a call had to wait for too long, its connection may be dead: no later call uses it.
fn abandon_after_silence(client: &Client, error: &ProviderError) {
    if error.failure == Failure::TimedOut {
        client.abandon();
    }
}

fn base_url_not_public() -> Error {
    Error::Misconfigured("its `base_url` must be an https URL at a public address.".into())
}

fn key_value(endpoint: &Endpoint, key: &SecretString) -> Result<HeaderValue, Error> {
    let key = key.expose_secret();
    let value = match endpoint.key_header {
        "authorization" => format!("Bearer {key}"),
        _ => key.to_owned(),
    };
    let mut value = HeaderValue::try_from(value)
        .map_err(|_| Error::Misconfigured("its provider's API key has characters that no key has.".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a response without success means, in words that may still hold the key and the request. What has come of its body
/// within `limit` is enough: the status tells most.
async fn read_failure(response: reqwest::Response, limit: Duration) -> ProviderError {
    let status = response.status();
    let headers = response.headers().clone();
    // What cannot be decoded says nothing.
    let Ok(mut decoder) = encoding::Decoder::of(&headers) else {
        return failure::from_response(status, &headers, &[]);
    };
    let mut pieces = response.bytes_stream();
    let mut body = Vec::new();
    let reading = async {
        // It may quote the whole request.
        while body.len() < MAX_FRAME
            && let Some(Ok(piece)) = pieces.next().await
            && let Ok(piece) = decoder.decode(piece, MAX_FRAME)
        {
            body.extend_from_slice(&piece as &Bytes);
        }
    };
    // Whether it came to its end or to the limit is all the same.
    _ = tokio::time::timeout(limit, reading).await;
    failure::from_response(status, &headers, &body)
}

#[cfg(test)]
mod tests;
