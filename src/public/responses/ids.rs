//! Ids of responses and of their items.
//!
//! A response's id has 128 random bits and, behind them, a tag of its assistant: by it another assistant's id is told without
//! looking whether that response is there. The ids of a response's items begin with the same digits.

use crate::{error::Error, token::sha256};

/// How many hexadecimal digits are random.
const RANDOM: usize = 32;
/// How many are the tag.
const TAG: usize = 8;
const DIGITS: usize = RANDOM + TAG;

/// The digits of a new response's ids.
///
/// # Errors
/// Where the system has no randomness to give.
pub(super) fn fresh(assistant_id: &str) -> Result<String, Error> {
    let mut random = [0; RANDOM / 2];
    getrandom::fill(&mut random).map_err(|error| Error::Unavailable {
        cause: format!("randomness: {error}"),
    })?;
    let random = format!("{:032x}", u128::from_be_bytes(random));
    Ok(format!("{random}{}", tag(&random, assistant_id)))
}

fn tag(random: &str, assistant_id: &str) -> String {
    let mut digest = sha256(&format!("{random} {assistant_id}"));
    digest.truncate(TAG);
    digest
}

/// Whether an id has the form of a response's. No other is looked up.
pub(super) fn is_response_id(id: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let digits = id.strip_prefix("resp_");
    digits.is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(is_digit))
}

/// Whether a response's id is one of this assistant's.
pub(super) fn is_of(assistant_id: &str, response_id: &str) -> bool {
    let digits = response_id
        .strip_prefix("resp_")
        .and_then(|digits| digits.split_at_checked(RANDOM));
    digits.is_some_and(|(random, own)| own == tag(random, assistant_id))
}

/// The response that an item belongs to, where the item's id has the form of one.
pub(super) fn response_of(item_id: &str) -> Option<String> {
    let digits = item_id.strip_prefix("msg_")?.get(..DIGITS)?;
    let id = format!("resp_{digits}");
    is_response_id(&id).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_assistant_and_nothing_else() {
        let digits = fresh("one").unwrap();
        let id = format!("resp_{digits}");
        assert!(is_response_id(&id) && is_of("one", &id) && !is_of("another", &id));
        assert_eq!(response_of(&format!("msg_{digits}00")), Some(id));
        assert_ne!(fresh("one").unwrap()[RANDOM..], digits[RANDOM..]);
        for id in [
            "",
            "resp_",
            "resp_1",
            &format!("resp_{}", "0".repeat(32)),
            &format!("resp_{}", "X".repeat(DIGITS)),
            "ä",
        ] {
            assert!(!is_response_id(id) && !is_of("one", id), "{id}");
            assert_eq!(response_of(id), None);
        }
    }
}
