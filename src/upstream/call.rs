//! One call to a provider: where to, with which key, and what its status means.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Upstream, deadline::Deadline, frames, guard, read_answer};
use crate::{
    chat::{delta::Delta, prompt::Prompt},
    error::{Error, ProviderError},
    provider::{Model, Protocol, Provider, Server, anthropic, failure, keys::KeyId, openai::dialect::Dialect},
};

/// Longest error body that is read, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Left out after a 400 that names one of them; the rest would change what the client gets.
const DROPPABLE: [&str; 14] = [
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "random_seed",
    "user",
    "logit_bias",
    "reasoning_effort",
    "verbosity",
    "safety_identifier",
    "prompt_cache_key",
    "top_logprobs",
    "stream_options",
];

/// Where a model is called.
#[derive(Debug)]
pub struct Endpoint {
    url: Url,
    protocol: Protocol,
    key: Option<KeyId>,
    key_header: &'static str,
    own: bool,
    model: String,
}

impl Endpoint {
    /// Names a model at its server, for what is remembered about it.
    pub fn model_key(&self) -> String {
        format!("{} {}", self.url, self.model)
    }
}

impl Upstream {
    /// Sends the prompt; leaves out what the model turns down, and takes a newer key where the first is refused.
    pub(super) async fn open(
        &self,
        prompt: &Prompt,
        deadline: Deadline,
    ) -> Result<impl Stream<Item = Result<Delta, ProviderError>> + Send + Unpin + use<>, Error> {
        let endpoint = self.endpoint(&prompt.model)?;
        let mut key = match &endpoint.key {
            Some(id) => self.keys.find(id).await?,
            None => None,
        };
        let mut key_renewed = false;
        loop {
            let body = endpoint.protocol.encode(prompt, &self.omitted(&endpoint.model_key()))?;
            let response = self.send(&endpoint, key.as_ref(), body.to_string(), deadline).await?;
            if response.status().is_success() {
                return Ok(Box::pin(read_answer(
                    response,
                    endpoint.protocol.decoder(),
                    self.idle,
                    deadline,
                )));
            }
            let refused = read_failure(response, self.idle, deadline).await?;
            if refused == ProviderError::Authentication
                && !key_renewed
                && let (Some(id), Some(old)) = (&endpoint.key, &key)
                && let Some(newer) = self.keys.find_newer(id, old).await
            {
                key = Some(newer);
                key_renewed = true;
                continue;
            }
            // It was sent, and is not from now on: each round has one parameter less.
            if let Some(name) = parameter_named(&refused, &body) {
                self.remember(endpoint.model_key(), name);
                continue;
            }
            return Err(without_key(refused, key.as_ref()).into());
        }
    }

    fn endpoint(&self, model: &Model) -> Result<Endpoint, Error> {
        let (base_url, protocol, key, own) = match &model.server {
            Server::Own(url) => {
                if !self.allow_private && !guard::allows(url) {
                    return Err(base_url_not_public());
                }
                (url.to_string(), Protocol::OpenAi, Some(KeyId::origin_of(url)), true)
            }
            Server::Platform(provider) => {
                let name = provider.name();
                let protocol = provider.protocol().ok_or_else(|| {
                    Error::Misconfigured(format!("the `provider` `{name}` is not available in this version."))
                })?;
                let key = provider.key_variable().map(KeyId::Platform);
                (self.platform_base_url(*provider)?, protocol, key, false)
            }
        };
        let url = format!("{}{}", base_url.trim_end_matches('/'), protocol.path());
        let url = Url::parse(&url).map_err(|_| Error::Misconfigured("`base_url` is not a URL.".into()))?;
        Ok(Endpoint {
            url,
            protocol,
            key,
            key_header: match protocol {
                Protocol::OpenAi => Dialect::of(model).key_header,
                Protocol::Anthropic => "x-api-key",
            },
            own,
            model: model.name.clone(),
        })
    }

    fn platform_base_url(&self, provider: Provider) -> Result<String, Error> {
        let name = provider.name();
        let configured = self.base_urls.get(&provider).map(String::as_str);
        let base_url = configured.or(provider.default_base_url()).or_else(|| {
            // Ollama's own default, which only makes sense on the machine it runs on.
            (provider == Provider::Ollama && self.allow_private).then_some("http://127.0.0.1:11434/v1")
        });
        match base_url {
            // Azure's v1 API lies below the resource's endpoint, and its own documents name both forms.
            Some(url) if provider == Provider::Azure && !url.ends_with("/openai/v1") => Ok(format!("{url}/openai/v1")),
            // Anthropic's SDKs want it without the version, other tools with it.
            Some(url) if provider == Provider::Anthropic => Ok(url.trim_end_matches("/v1").to_owned()),
            Some(url) => Ok(url.to_owned()),
            None => Err(Error::Misconfigured(format!(
                "the endpoint of the `provider` `{name}` is missing. The operator has to set `{}`.",
                provider.base_url_variable()
            ))),
        }
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        key: Option<&SecretString>,
        body: String,
        deadline: Deadline,
    ) -> Result<reqwest::Response, Error> {
        let client = if endpoint.own {
            let no_client = |error: reqwest::Error| ProviderError::failed(frames::root_cause(&error));
            self.guarded().map_err(no_client)?
        } else {
            &self.platform
        };
        let mut request = client
            .post(endpoint.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .body(body);
        if endpoint.protocol == Protocol::Anthropic {
            request = request.header("anthropic-version", anthropic::VERSION);
        }
        if let Some(key) = key {
            request = request.header(endpoint.key_header, key_value(endpoint, key)?);
        }
        let sent = deadline.within(self.idle, request.send()).await?;
        sent.map_err(|error| match error {
            error if guard::is_not_public(&error) => base_url_not_public(),
            error if error.is_connect() && error.is_timeout() => {
                ProviderError::failed("connecting took too long").into()
            }
            error => ProviderError::failed(format!("not reached: {}", frames::root_cause(&error))).into(),
        })
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

async fn read_failure(
    response: reqwest::Response,
    idle: std::time::Duration,
    deadline: Deadline,
) -> Result<ProviderError, Error> {
    let status = response.status();
    let retry_after = retry_after(response.headers(), status);
    let mut pieces = response.bytes_stream();
    let mut body = Vec::new();
    while body.len() < MAX_ERROR_BODY {
        match deadline.within(idle, pieces.next()).await? {
            Some(Ok(piece)) => body.extend_from_slice(&piece as &Bytes),
            // What has come is enough: the status tells most.
            Some(Err(_)) | None => break,
        }
    }
    Ok(failure::from_response(status, retry_after, &body))
}

/// Whole seconds; the date form of `Retry-After` is not used by any provider.
fn retry_after(headers: &HeaderMap, status: StatusCode) -> Option<u64> {
    let seconds: f64 = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    let retryable = matches!(status.as_u16(), 429 | 503 | 529);
    // Saturates, and what is negative becomes 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturating is what is wanted"
    )]
    retryable.then_some(seconds.ceil() as u64)
}

/// The droppable parameter that a rejection names, in `param` or in quotes in its message, if it was sent.
fn parameter_named(refused: &ProviderError, sent: &serde_json::Value) -> Option<&'static str> {
    let ProviderError::Rejected { message, param, .. } = refused else {
        return None;
    };
    // Not left out but renamed: Azure's deployments do not tell by their names which models want the newer one.
    if message.contains("'max_completion_tokens'") && sent.get("max_tokens").is_some() {
        return Some("max_tokens");
    }
    DROPPABLE.into_iter().find(|name| {
        let quoted = || {
            ['\'', '"', '`']
                .iter()
                .any(|quote| message.contains(&format!("{quote}{name}{quote}")))
        };
        let named = param.as_deref() == Some(name) || quoted() || message.contains(&format!("{name}:"));
        named && sent.get(name).is_some()
    })
}

/// Some servers quote the request in their errors.
fn without_key(error: ProviderError, key: Option<&SecretString>) -> ProviderError {
    let Some(key) = key.map(SecretString::expose_secret) else {
        return error;
    };
    match error {
        ProviderError::Rejected {
            status,
            message,
            param,
            code,
        } => ProviderError::Rejected {
            status,
            message: message.replace(key, "[key]"),
            param,
            code,
        },
        ProviderError::Failed { cause } => ProviderError::failed(cause.replace(key, "[key]")),
        other => other,
    }
}
