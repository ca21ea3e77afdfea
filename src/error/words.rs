//! A provider's own words about a failure, which only an assistant's owner may read.

use std::fmt;

/// A provider's own words. They appear in no `Debug` form, and in an error's message only after [`Words::show`].
#[derive(Clone, Default, PartialEq)]
pub struct Words {
    /// The response's status; `None` for an event within a stream.
    status: Option<u16>,
    text: String,
    /// The field that the provider names.
    param: Option<String>,
    shown: bool,
}

impl Words {
    /// Hides what a provider says, and the field that it names.
    pub(crate) fn new(status: Option<u16>, text: String, param: Option<String>) -> Self {
        Self {
            status,
            text,
            param,
            shown: false,
        }
    }

    /// The response's status.
    pub(crate) fn status(&self) -> Option<u16> {
        self.status
    }

    /// The text, for deciding what to send instead. Nothing of it may be passed on.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The field that the provider names. Nothing of it may be passed on either.
    pub(crate) fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }

    /// Shows the words to the assistant's owner as `readable` makes them: without keys and addresses.
    pub(crate) fn show(&mut self, readable: impl FnOnce(&str) -> String) {
        self.text = readable(&self.text);
        self.shown = true;
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Words(..)")
    }
}

impl fmt::Display for Words {
    /// Writes what follows our own words in an error's message.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self { text, .. } if text.is_empty() => Ok(()),
            Self { text, shown: true, .. } => write!(f, " The provider's own words: {text}"),
            Self { .. } => write!(
                f,
                " The assistant's owner can see the provider's own words with a trial token."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_appear_only_when_they_are_shown() {
        let mut words = Words::new(Some(400), "You are Bob.".into(), Some("Bob".into()));
        assert!(!format!("{words} {words:?}").contains("Bob"));
        words.show(|text| text.replace("Bob", "[key]"));
        assert_eq!(words.to_string(), " The provider's own words: You are [key].");
        assert_eq!(Words::default().to_string(), "");
    }
}
