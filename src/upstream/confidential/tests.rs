use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_STANDARD};

use super::*;

const KEY: &str = "sk-a+b/c-0123456789";
const SYSTEM: &str = "You are Bob, a pirate.\nNever tell anybody about the gold of Zürich. The word is ZEBRA-42.";
const USER: &str = "Please sum up this long letter to my aunt: Dear Anna, I was at the lake.";

fn confidential(key: &str) -> Confidential {
    let messages = vec![Message::text(Role::System, SYSTEM), Message::text(Role::User, USER)];
    Confidential::new(Some(SecretString::from(key)), Arc::new(messages))
}

/// The message that a caller gets.
fn shown_with(key: &str, message: &str) -> String {
    let rejected = ProviderError::Rejected {
        status: StatusCode::BAD_REQUEST,
        message: message.into(),
        param: None,
        code: None,
    };
    confidential(key).clean(rejected).to_string()
}

fn shown(message: &str) -> String {
    shown_with(KEY, message)
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect::<Vec<_>>()
        .concat()
}

fn escaped(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect::<Vec<_>>()
        .concat()
}

fn hex(text: &str) -> String {
    text.bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn the_key_is_blanked_out_and_the_rest_stays() {
    for (message, expected) in [
        (format!("Bad key {KEY}."), "Bad key [key]."),
        (format!("Bad key {} …", &KEY[..14]), "Bad key [key] …"),
        (format!("{KEY}{KEY}"), "[key][key]"),
        ("Bad key sk-a+b.".into(), "Bad key sk-a+b."),
    ] {
        assert_eq!(shown(&message), expected);
    }
}

#[test]
fn a_short_key_is_blanked_out_as_a_whole_word() {
    for (key, message, expected) in [
        ("k", "max_tokens: k is no key", "max_tokens: [key] is no key"),
        (
            "token",
            "max_token: (token) token, tokens",
            "max_token: ([key]) [key], tokens",
        ),
        ("none", "none", "[key]"),
    ] {
        assert_eq!(shown_with(key, message), expected);
    }
}

#[test]
fn a_key_in_any_encoding_is_not_passed_on() {
    for encoded in [
        KEY.replace('+', "\\u002B").replace('/', "\\/"),
        KEY.replace('+', "\\\\u002B"),
        KEY.replace('+', "&#43;").replace('/', "&#x2F;"),
        percent_encoded(KEY),
        escaped(KEY),
        BASE64_STANDARD.encode(format!("user:{KEY}")),
        hex(KEY),
    ] {
        assert_eq!(shown(&format!("Bad key {encoded}, sorry.")), WITHHELD, "{encoded}");
    }
}

#[test]
fn the_system_message_in_any_encoding_is_not_passed_on() {
    let json = serde_json::to_string(SYSTEM).unwrap();
    let quotation = "about the gold of Zürich";
    for encoded in [
        SYSTEM.to_owned(),
        SYSTEM.to_uppercase(),
        SYSTEM.replace([' ', '\n'], "  "),
        json.clone(),
        serde_json::to_string(&json).unwrap(),
        escaped(SYSTEM),
        percent_encoded(SYSTEM),
        SYSTEM.replace(' ', "+"),
        BASE64_STANDARD.encode(SYSTEM),
        hex(SYSTEM),
        quotation.to_owned(),
        quotation.replace('ü', "\\u00fc"),
        quotation.replace('ü', "\\xc3\\xbc"),
        quotation.replace('ü', "&#252;"),
        "ZEBRA-42".to_owned(),
    ] {
        assert_eq!(shown(&format!("Invalid input: {encoded}")), WITHHELD, "{encoded}");
    }
}

#[test]
fn words_that_give_nothing_away_are_passed_on() {
    for message in [
        "'temperature' is not supported with this model. You are not allowed to set it.",
        "Invalid image in: Please sum up this long letter to my aunt",
        "This model's maximum context length is 8192 tokens.",
        "Unsupported value: 100% of \\n &amp; such",
    ] {
        assert_eq!(shown(message), message);
    }
}

#[test]
fn an_overflow_whose_words_are_withheld_still_says_so() {
    let rejected = ProviderError::Rejected {
        status: StatusCode::BAD_REQUEST,
        message: format!("prompt is too long: {SYSTEM}"),
        param: Some(SYSTEM.into()),
        code: Some("context_length_exceeded".into()),
    };
    let ProviderError::Rejected {
        message, param, code, ..
    } = confidential(KEY).clean(rejected)
    else {
        panic!("another error");
    };
    assert_eq!(message, WITHHELD_OVERFLOW);
    assert_eq!((param, code.as_deref()), (None, Some("context_length_exceeded")));
}

#[test]
fn texts_of_a_providers_are_cut() {
    let rejected = ProviderError::Rejected {
        status: StatusCode::BAD_REQUEST,
        message: "é".repeat(5000),
        param: Some("p".repeat(300)),
        code: Some("c".repeat(300)),
    };
    let ProviderError::Rejected {
        message, param, code, ..
    } = confidential(KEY).clean(rejected)
    else {
        panic!("another error");
    };
    assert_eq!(message.chars().count(), MAX_MESSAGE);
    for text in [param, code] {
        assert_eq!(text.unwrap().chars().count(), MAX_CODE);
    }
}

#[test]
fn a_quotation_of_the_conversation_is_told_from_words_about_it() {
    let confidential = confidential(KEY);
    for quotation in [
        format!("Value error: {USER}"),
        "… up this long letter to …".into(),
        serde_json::json!({"messages": [{"role": "user", "content": "x"}]}).to_string(),
        "{'messages': [{'role': 'user', 'content': 'x'}]}".into(),
    ] {
        assert!(confidential.is_quoted_in(&quotation), "{quotation}");
    }
    for words in ["'temperature' is not supported", "messages: too many", "a letter to my"] {
        assert!(!confidential.is_quoted_in(words), "{words}");
    }
}
