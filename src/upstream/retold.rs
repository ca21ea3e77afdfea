//! A call's failure as callers are told of it: with the field at fault, and to an assistant's owner with the provider's words.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

mod address;
mod keys;

use crate::{
    chat::prompt::Prompt,
    error::ProviderError,
    protocol::{Protocol, failure},
    provider::{Model, capabilities::Capabilities},
};

/// Longest text of a provider's that an owner sees, in characters.
const MAX_SHOWN: usize = 2000;

/// What a failure is told with.
pub(super) struct Retold {
    prompt: Prompt,
    protocol: Protocol,
    capabilities: Capabilities,
    /// What an owner does not see: the key, and what stands in the own server's address like one.
    keys: Vec<SecretString>,
    /// How the own server's address may be written, the longest form first.
    addresses: Vec<String>,
}

impl Retold {
    /// `key` is the one that the call was made with; `own_server` is the URL that was called, if it is the owner's.
    pub(super) fn new(key: Option<&SecretString>, own_server: Option<&Url>, model: &Model, prompt: &Prompt) -> Self {
        let of_address = own_server.into_iter().flat_map(address::keys);
        Self {
            prompt: prompt.clone(),
            protocol: Protocol::of(model),
            capabilities: Capabilities::of(model),
            keys: key.into_iter().cloned().chain(of_address).collect(),
            addresses: own_server.map(address::forms).unwrap_or_default(),
        }
    }

    /// The failure as it is told.
    pub(super) fn tell(&self, mut error: ProviderError) -> ProviderError {
        failure::locate(&mut error, &self.prompt, self.protocol, &self.capabilities);
        if self.prompt.for_owner {
            error.words.show(|words| self.blanked(words));
        }
        error
    }

    /// A provider's words without keys and addresses.
    fn blanked(&self, words: &str) -> String {
        let keys = self.keys.iter().map(SecretString::expose_secret);
        let words = keys.fold(words.to_owned(), |words, key| keys::blank_out(&words, key));
        let words = address::blank_out(words, &self.addresses);
        let shown = words.chars().filter(|one| !one.is_control() || *one == '\n');
        shown.take(MAX_SHOWN).collect()
    }
}

#[cfg(test)]
mod tests;
