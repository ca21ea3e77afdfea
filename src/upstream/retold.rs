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

/// A call, as far as telling its failure needs it.
pub(super) struct Retold {
    prompt: Prompt,
    protocol: Protocol,
    capabilities: Capabilities,
    /// The key that the call was made with.
    key: Option<SecretString>,
    /// The URL that was called, if it is the owner's.
    own_server: Option<Url>,
}

impl Retold {
    /// Notes a call. Nothing is computed yet: most calls do not fail.
    pub(super) fn new(key: Option<&SecretString>, own_server: Option<&Url>, model: &Model, prompt: &Prompt) -> Self {
        Self {
            prompt: prompt.clone(),
            protocol: Protocol::of(model),
            capabilities: Capabilities::of(model),
            key: key.cloned(),
            own_server: own_server.cloned(),
        }
    }

    /// Adds the field at fault, and for the owner the provider's words.
    pub(super) fn tell(&self, mut error: ProviderError) -> ProviderError {
        failure::locate(&mut error, &self.prompt, self.protocol, &self.capabilities);
        if self.prompt.for_owner {
            error.words.show(|words| self.blanked(words));
        }
        error
    }

    /// A provider's words without keys and addresses.
    fn blanked(&self, words: &str) -> String {
        let own_server = self.own_server.iter();
        let keys = self
            .key
            .iter()
            .cloned()
            .chain(own_server.clone().flat_map(address::keys));
        let words = keys.fold(words.to_owned(), |words, key| {
            keys::blank_out(&words, key.expose_secret())
        });
        let words = own_server.fold(words, |words, url| address::blank_out(words, &address::forms(url)));
        let shown = words.chars().filter(|one| !one.is_control() || *one == '\n');
        shown.take(MAX_SHOWN).collect()
    }
}

#[cfg(test)]
mod tests;
