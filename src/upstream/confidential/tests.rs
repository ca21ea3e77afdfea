use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_STANDARD};

use super::*;

mod encoded;
mod languages;

const KEY: &str = "sk-a+b/c-0123456789";
const SYSTEM: &str = "You are Bob, a pirate.\nNever tell anybody about the gold of Zürich. The word is ZEBRA-42.";
const USER: &str = "Please sum up this long letter to my aunt: Dear Anna, I was at the lake.";

fn with_system(key: &str, system: &str) -> Confidential {
    let messages = vec![Message::text(Role::System, system), Message::text(Role::User, USER)];
    Confidential::new(Some(SecretString::from(key)), Arc::new(messages), None)
}

fn confidential(key: &str) -> Confidential {
    with_system(key, SYSTEM)
}

/// The message that a caller gets.
fn shown_with(key: &str, message: &str) -> String {
    shown_by(&confidential(key), message)
}

fn shown_by(confidential: &Confidential, message: &str) -> String {
    let rejected = ProviderError::Rejected {
        status: StatusCode::BAD_REQUEST,
        message: message.into(),
        param: None,
        code: None,
    };
    confidential.clean(rejected).to_string()
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

fn joined(text: &str, separator: &str, form: impl Fn(u8) -> String) -> String {
    text.bytes().map(form).collect::<Vec<_>>().join(separator)
}

fn numbers(text: &str, separator: &str) -> String {
    joined(text, separator, |byte| byte.to_string())
}

/// As GPT-2's byte-level BPE writes its tokens.
fn byte_level(text: &str) -> String {
    let character = |byte: u8| match byte {
        0..=0x20 => u32::from(byte) + 0x100,
        0x7F..=0xA0 => u32::from(byte) - 0x7F + 0x121,
        0xAD => 0x143,
        _ => u32::from(byte),
    };
    text.bytes()
        .filter_map(|byte| char::from_u32(character(byte)))
        .collect()
}

/// The text in forms that say the same to a reader, or to whoever decodes them.
fn other_forms(text: &str) -> Vec<(&'static str, String)> {
    let base64 = BASE64_STANDARD.encode(text);
    let decomposed = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd();
    let wide = |one: char| {
        char::from_u32(u32::from(one) + 0xFEE0)
            .filter(|_| one.is_ascii_graphic())
            .unwrap_or(one)
    };
    let utf16 = |bytes: fn(u16) -> [u8; 2]| {
        let bytes: Vec<_> = text.encode_utf16().flat_map(bytes).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let words = text.split_whitespace().enumerate();
    let groups: Vec<_> = base64.as_bytes().chunks(12).map(String::from_utf8_lossy).collect();
    vec![
        ("NFD", decomposed.normalize(text).into_owned()),
        ("full width", text.chars().map(wide).collect()),
        ("zero width", text.chars().flat_map(|one| [one, '\u{200B}']).collect()),
        ("Latin-1", text.bytes().map(char::from).collect()),
        ("byte-level BPE", byte_level(text)),
        ("UTF-16LE", utf16(u16::to_le_bytes)),
        ("UTF-16BE", utf16(u16::to_be_bytes)),
        ("Python's bytes", format!("[{}]", numbers(text, ", "))),
        ("Go's bytes", format!("[{}]", numbers(text, " "))),
        ("hex with blanks", joined(text, " ", |byte| format!("{byte:02x}"))),
        ("hex with colons", joined(text, ":", |byte| format!("{byte:02X}"))),
        ("hex numbers", joined(text, " ", |byte| format!("0x{byte:02x}"))),
        ("octal", joined(text, "", |byte| format!("\\{byte:03o}"))),
        ("octal numbers", joined(text, " ", |byte| format!("{byte:03o}"))),
        ("binary", joined(text, " ", |byte| format!("{byte:08b}"))),
        ("quoted-printable", joined(text, "", |byte| format!("={byte:02X}"))),
        (
            "code points",
            text.chars()
                .map(|one| u32::from(one).to_string())
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "numbered",
            words
                .map(|(at, word)| format!("{at}:{word}"))
                .collect::<Vec<_>>()
                .join(" "),
        ),
        ("base64 twice", BASE64_STANDARD.encode(&base64)),
        ("base64 cut off", base64[1..].to_owned()),
        ("base64 in groups", groups.join(" ")),
        ("base64 in lines", groups.join("\n")),
        (
            "tokens",
            (0..40)
                .map(|token| (token * 997 % 5003).to_string())
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "unknown digits",
            joined(text, "", |byte| format!("{byte:02x}").replace('a', "q")),
        ),
    ]
}

#[test]
fn the_key_is_blanked_out_and_the_rest_stays() {
    for (message, expected) in [
        (format!("Bad key {KEY}."), "Bad key [key]."),
        (format!("Bad key {} …", &KEY[..14]), "Bad key [key] …"),
        (format!("{KEY}{KEY}"), "[key][key]"),
        ("Bad key sk-a+b.".into(), "Bad key sk-a+b."),
        (
            format!("Bad key '{}*****{}'.", &KEY[..8], &KEY[15..]),
            "Bad key '[key]'.",
        ),
        (format!("Bad key {}...{}.", &KEY[..5], &KEY[13..]), "Bad key [key]."),
        (format!("Bad key •••{}.", &KEY[13..]), "Bad key [key]."),
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
        numbers(KEY, ", "),
        joined(KEY, ":", |byte| format!("{byte:02x}")),
        BASE64_STANDARD.encode(format!("x{KEY}"))[1..].to_owned(),
        KEY.to_uppercase(),
        joined(KEY, " ", |byte| char::from(byte).into()),
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
fn the_system_message_in_any_form_that_reads_the_same_is_not_passed_on() {
    for system in [
        SYSTEM,
        "당신은 요리사 밥입니다. 비밀 조리법을 아무에게도 말하지 마세요.",
        "Bạn là trợ lý của cửa hàng. Đừng bao giờ tiết lộ giá nhập hàng cho khách.",
        "Vous êtes un pirate âgé, né à Orléans. Ne révélez jamais où est caché le trésor.",
        "你是海盗鲍勃。绝不要告诉任何人黄金藏在哪里。",
    ] {
        let confidential = with_system(KEY, system);
        for (form, quoted) in other_forms(system) {
            let shown = shown_by(&confidential, &format!("Invalid input: {quoted}"));
            assert_eq!(shown, WITHHELD, "{form}: {quoted}");
        }
    }
    let windows_1252 = "ë‹¹ì‹\u{a0}ì\u{9d}€ ìš”ë¦¬ì‚¬ ë°¥ìž…ë‹ˆë‹¤. ë¹„ë°€ ì¡°ë¦¬ë²•ì\u{9d}„ ì•„ë¬´ì—\u{90}ê²Œë\u{8f}„ ë§\u{90}í•˜ì§€ ë§ˆì„¸ìš”.";
    let confidential = with_system(KEY, "당신은 요리사 밥입니다. 비밀 조리법을 아무에게도 말하지 마세요.");
    assert_eq!(shown_by(&confidential, windows_1252), WITHHELD);
    let folded = "Vous etes un pirate age";
    let confidential = with_system(KEY, "Vous êtes un pirate âgé, né à Orléans.");
    assert_eq!(shown_by(&confidential, folded), WITHHELD);
}

#[test]
fn a_short_system_message_is_found_as_it_is_and_not_within_words() {
    let confidential = with_system(KEY, "Ahoy");
    for (message, is_shown) in [
        ("Invalid: Ahoy", false),
        ("Invalid: \u{ff21}hoy", false),
        ("Ahoying is invalid", true),
    ] {
        assert_eq!(shown_by(&confidential, message) == message, is_shown, "{message}");
    }
}

#[test]
fn an_own_servers_address_is_blanked_out_and_usual_words_stay() {
    let confidential = |url: &str| Confidential::new(None, Arc::default(), Some(&Url::parse(url).unwrap()));
    let secret = confidential("https://llm.shop.example:8443/k-9f8e7d6c5b4a/v1/chat/completions");
    let named = confidential("http://127.0.0.1:9141/tenant/sec%20r3t/openai/v1/chat/completions");
    for (confidential, message, expected) in [
        (
            &secret,
            "no route for /k-9f8e7d6c5b4a/v1/chat/completions",
            "no route for /[key]/v1/chat/completions",
        ),
        (
            &secret,
            "POST https://llm.shop.example:8443/k-9f8e7d6c5b4a/v1/chat/completions: 400",
            "POST [server]/[key]/v1/chat/completions: 400",
        ),
        (
            &secret,
            "llm.shop.example does not know v1",
            "[server] does not know v1",
        ),
        (
            &secret,
            "no route for %2Fk-9f8e7d6c5b4a%2Fv1",
            "no route for %2F[key]%2Fv1",
        ),
        (&secret, "no route for K-9F8E7D6C5B4A", WITHHELD),
        (
            &secret,
            "POST /v1/chat/completions: `model` is unknown, see https://docs.example.com/v1",
            "POST /v1/chat/completions: `model` is unknown, see https://docs.example.com/v1",
        ),
        (&named, "no route for /tenant/openai", "no route for [server]/openai"),
        (&named, "no tenant is named here", "no tenant is named here"),
        (&named, "no route for sec r3t", "no route for [key]"),
        (&named, "no route for sec%20r3t", WITHHELD),
    ] {
        assert_eq!(shown_by(confidential, message), expected, "{message}");
    }
}

#[test]
fn words_that_give_nothing_away_are_passed_on() {
    for message in [
        "Request 7f0c2c1e-5f1b-4d7e-9d1f-0a1b2c3d4e5f failed (req_011CUyqhzZ8n9q2w3e4r5t6y, 2026-11-26T09:49:48.499674817Z).",
        "Invalid image: https://images.example.com/a/b/2026/11/IMG_20261126_094948.jpg?width=1024&sig=5f1b4d7e9d1f0a1b2c3d4e5f",
        "Cannot fetch https://b.s3.amazonaws.com/2026/11/26/a.png?X-Amz-Signature=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "The model arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6 is not us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "Requested 131072 tokens (100000 in the messages, 31072 in the completion), but the limit is 128000.",
        "Size must be one of 256, 512, 768, 1024, 1280, 1536, 1792, 2048 (got [1, 3, 224, 224]).",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 is no digest\n\tof ours",
        "参数 temperature 的值无效，必须在 0 和 2 之间。",
        "지원되지 않는 매개변수입니다: temperature",
        "**temperature** must be in 0...2",
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
        "… up this long letter to my aunt …".into(),
        serde_json::json!({"messages": [{"role": "user", "content": "x"}]}).to_string(),
        "{'messages': [{'role': 'user', 'content': 'x'}]}".into(),
    ] {
        assert!(confidential.is_quoted_in(&quotation), "{quotation}");
    }
    for words in [
        "'temperature' is not supported",
        "messages: too many",
        "this long letter to",
    ] {
        assert!(!confidential.is_quoted_in(words), "{words}");
    }
}
