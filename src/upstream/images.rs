//! Fetches images for models that take them as data only. Their URLs come from anybody on the web, and the function
//! stands inside the operator's network.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::http::header::CONTENT_TYPE;
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::try_join_all;
use reqwest::redirect::{Action, Attempt, Policy};
use url::Url;

use super::client::{self, Client, Connections};
use crate::{
    chat::{
        image::{normal_url, type_of},
        message::Part,
        prompt::Prompt,
    },
    config::{Config, Timeouts},
    error::{Error, root_cause},
    guard::{self, PublicOnly},
};

/// Largest image, in bytes.
const MAX_IMAGE: usize = 5 * 1024 * 1024;
/// How many a request may have fetched, and how large they may be together, in bytes: they stand in memory several times.
const MAX_IMAGES: usize = 10;
const MAX_TOGETHER: usize = 8 * 1024 * 1024;
const MAX_REDIRECTS: usize = 3;
/// Longest part of a URL in an error, in characters.
const MAX_SHOWN: usize = 200;
/// What most providers take.
const TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
/// What says nothing: stores of files have the latter two where nobody set another. The first bytes tell then.
const UNSAID: [&str; 3] = ["", "application/octet-stream", "binary/octet-stream"];

/// Fetches images, from public addresses only unless the operator allows others.
#[derive(Debug)]
pub(super) struct ImageFetcher {
    connections: Connections,
    timeouts: Timeouts,
    allow_private: bool,
    public_only: PublicOnly,
}

/// Whether a prompt has images that only a URL tells where they are.
pub(super) fn are_remote(prompt: &Prompt) -> bool {
    let mut parts = prompt.messages.iter().flat_map(|message| &message.parts);
    parts.any(|part| matches!(part, Part::Image { url, .. } if is_remote(url)))
}

fn is_remote(url: &str) -> bool {
    !url.starts_with("data:")
}

impl ImageFetcher {
    /// Builds nothing yet.
    pub(super) fn new(config: &Config) -> Self {
        Self {
            connections: Connections::default(),
            timeouts: config.timeouts.clone(),
            allow_private: config.rules.allow_private_providers,
            public_only: PublicOnly::default(),
        }
    }

    /// Puts the images themselves in the places of their URLs.
    ///
    /// # Errors
    /// A 400 saying which image cannot be had, and why.
    pub(super) async fn put_in_place(&self, prompt: &mut Prompt) -> Result<(), Error> {
        let remote: Vec<_> = Arc::make_mut(&mut prompt.messages)
            .iter_mut()
            .flat_map(|message| &mut message.parts)
            .filter_map(|part| match part {
                Part::Image { url, .. } if is_remote(url) => Some(url),
                _ => None,
            })
            .collect();
        if remote.len() > MAX_IMAGES {
            return Err(invalid(format!(
                "This assistant's model takes images as data only, and at most {MAX_IMAGES} are fetched for a request. \
                 Send fewer, or send them as data URLs."
            )));
        }
        let together = AtomicUsize::new(0);
        try_join_all(remote.into_iter().map(|url| async {
            *url = self.fetch(url, &together).await?;
            Ok::<_, Error>(())
        }))
        .await?;
        Ok(())
    }

    async fn fetch(&self, url: &str, together: &AtomicUsize) -> Result<String, Error> {
        let fetched = tokio::time::timeout(self.timeouts.image, self.download(url, together)).await;
        fetched.unwrap_or(Err("it took too long".into())).map_err(|why| {
            let shown: String = url.chars().take(MAX_SHOWN).collect();
            invalid(format!(
                "The image at '{shown}' could not be fetched: {why}. Check its URL, or send it as a data URL."
            ))
        })
    }

    /// A data URL, or why there is none.
    async fn download(&self, url: &str, together: &AtomicUsize) -> Result<String, String> {
        let not_public = || "an image's URL, and where it leads to, must be https at a public address".to_owned();
        let parsed = Url::parse(url).map_err(|_| "this is not a URL".to_owned())?;
        if !self.allow_private && !guard::allows(&parsed) {
            return Err(not_public());
        }
        let client = self.client().map_err(|error| root_cause(&error))?;
        let mut response = client.http.get(parsed).send().await.map_err(|error| match error {
            error if error.is_redirect() && guard::is_not_public(&error) => not_public(),
            error if error.is_redirect() => format!("it leads on more than {MAX_REDIRECTS} times"),
            // What the network says would tell the public what there is inside: a private name is as good as an unknown one.
            _ => "its server could not be reached at a public address".to_owned(),
        })?;
        if !response.status().is_success() {
            return Err(format!(
                "its server answered with status {}",
                response.status().as_u16()
            ));
        }
        let declared = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let declared = declared
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        let declared = normal_url(&format!("data:{declared}"));
        let declared = declared.trim_start_matches("data:");
        let no_image = || "its type is not PNG, JPEG, GIF or WebP".to_owned();
        if !TYPES.contains(&declared) && !UNSAID.contains(&declared) {
            return Err(no_image());
        }
        let declared = declared.to_owned();
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|_| "its server broke off".to_owned())? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MAX_IMAGE {
                return Err(format!("it is larger than {} MB", MAX_IMAGE / 1024 / 1024));
            }
            if together.fetch_add(piece.len(), Ordering::Relaxed) + piece.len() > MAX_TOGETHER {
                return Err(format!(
                    "with the others it is larger than {} MB",
                    MAX_TOGETHER / 1024 / 1024
                ));
            }
        }
        // A page that says what went wrong, whatever it calls itself.
        if bytes.trim_ascii_start().first().is_none_or(|first| *first == b'<') {
            return Err(no_image());
        }
        let known = TYPES.contains(&declared.as_str()).then_some(declared.as_str());
        let media_type = type_of(&bytes).or(known).ok_or_else(no_image)?;
        Ok(format!("data:{media_type};base64,{}", BASE64_STANDARD.encode(bytes)))
    }

    fn client(&self) -> Result<Client, reqwest::Error> {
        self.connections.client(|| self.builder())
    }

    /// Redirects are followed, each checked like the URL itself. No connection is kept: its server may have closed it by the
    /// time of the next image.
    fn builder(&self) -> reqwest::ClientBuilder {
        let allow_private = self.allow_private;
        let builder = client::builder(&self.timeouts)
            .redirect(Policy::custom(move |attempt| follow(attempt, allow_private)))
            .pool_max_idle_per_host(0);
        if allow_private {
            builder
        } else {
            self.public_only.client(builder)
        }
    }
}

fn follow(attempt: Attempt, allow_private: bool) -> Action {
    if !allow_private && !guard::allows(attempt.url()) {
        attempt.error(guard::NotPublic)
    } else if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("too many redirects")
    } else {
        attempt.follow()
    }
}

fn invalid(message: String) -> Error {
    Error::invalid_with_code("messages", "invalid_image_url", message)
}

#[cfg(test)]
mod tests;
