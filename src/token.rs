//! The public token: from the `Authorization` header to the digest that names an assistant.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::Error;

/// An assistant's public token as a caller sent it. Its `Debug` form is redacted.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// Takes the token from `Authorization: Bearer <token>`.
    ///
    /// # Errors
    /// [`Error::MissingToken`] without the header, with another scheme, or with an empty token.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Error> {
        bearer(headers)
            .map(|token| Self::new(&token))
            .ok_or(Error::MissingToken)
    }

    /// Wraps a token that came from elsewhere than a header.
    pub fn new(token: &str) -> Self {
        Self(SecretString::from(token))
    }

    /// A new token: `pubkey_` and 32 random bytes in base64url.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        Self::random("pubkey_")
    }

    /// A new token to try an assistant with, as random as the others.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub(crate) fn generate_trial() -> Result<Self, getrandom::Error> {
        Self::random("pubkey_trial_")
    }

    fn random(prefix: &str) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self::new(&format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Takes a token of an owner's own choice.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn chosen(token: &str) -> Result<Self, &'static str> {
        if !(16..=512).contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("must have 16 to 512 visible ASCII characters and no blanks");
        }
        Ok(Self::new(token))
    }

    /// The token itself, to be shown to its owner once.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is stored in place of the token.
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(sha256(self.0.expose_secret()))
    }

    /// The last four characters, for an owner to recognise the token by.
    pub fn hint(&self) -> String {
        let token = self.0.expose_secret();
        let start = token.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        token[start..].to_owned()
    }
}

/// Lower-case hex SHA-256: 64 characters.
pub fn sha256(text: &str) -> String {
    format!("{:x}", Bytes::copy_from_slice(&Sha256::digest(text.as_bytes())))
}

/// The credentials of `Authorization: Bearer <credentials>`, the scheme in any case (RFC 9110 §11.1); never blank.
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    // What is no text is no token that anybody has, but it is one that was sent.
    let value = String::from_utf8_lossy(headers.get(AUTHORIZATION)?.as_bytes());
    let (scheme, credentials) = value.trim().split_once(' ')?;
    let credentials = credentials.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !credentials.is_empty()).then(|| credentials.to_owned())
}

/// Lower-case hex SHA-256 of a [`Token`]: 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenDigest(String);

impl TokenDigest {
    /// The digest as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not depend on where the two differ.
    pub fn matches(&self, stored: &str) -> bool {
        self.0.as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn digest_of(header: &'static str) -> Result<String, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(header));
        Token::from_headers(&headers).map(|token| token.digest().as_str().to_owned())
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        let expected = Token::new("pubkey_a").digest().as_str().to_owned();
        for header in ["Bearer pubkey_a", "bearer pubkey_a", "BEARER  pubkey_a "] {
            assert_eq!(digest_of(header).unwrap(), expected, "{header}");
        }
    }

    #[test]
    fn without_a_bearer_token_it_is_missing() {
        let odd = HeaderMap::from_iter([(
            AUTHORIZATION,
            HeaderValue::from_bytes("Bearer pubkey_ümlaut".as_bytes()).unwrap(),
        )]);
        Token::from_headers(&odd).unwrap();
        for header in ["", "Bearer", "Bearer ", "Basic cHViOmtleQ==", "pubkey_a"] {
            assert!(matches!(digest_of(header), Err(Error::MissingToken)), "{header:?}");
        }
        assert!(matches!(
            Token::from_headers(&HeaderMap::new()),
            Err(Error::MissingToken)
        ));
    }

    #[test]
    fn the_digest_is_lower_case_hex_sha256() {
        // FIPS 180-2, appendix B.1.
        let digest = Token::new("abc").digest();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.as_str(), expected);
        assert!(digest.matches(expected) && !digest.matches(&expected.to_uppercase()));
    }

    #[test]
    fn tokens_are_generated_or_chosen() {
        let token = Token::generate().unwrap();
        assert_eq!(token.reveal().len(), "pubkey_".len() + 43);
        Token::chosen(token.reveal()).unwrap();
        assert_ne!(token.digest(), Token::generate().unwrap().digest());
        for bad in ["short", "pubkey_with a blank", "pubkey_with_umlaut_ä", &"x".repeat(513)] {
            assert!(Token::chosen(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn neither_debug_form_nor_hint_shows_the_token() {
        let token = Token::new("pubkey_mybot_abc123");
        assert!(!format!("{token:?}").contains("mybot"));
        assert_eq!(token.hint(), "c123");
        assert_eq!(Token::new("äö").hint(), "äö");
    }
}
