use std::sync::Arc;

use super::*;
use crate::{chat::parameters::Parameters, provider::choose};

const KEY: &str = "sk-a+b/c-0123456789";

fn retold(key: &str, own_server: Option<&str>) -> Retold {
    let prompt = Prompt {
        messages: Arc::new(Vec::new()),
        parameters: Parameters::default(),
        own_messages: 0,
        show_reasoning: false,
        for_owner: true,
    };
    let url = own_server.map(|url| Url::parse(url).unwrap());
    let model = choose("gpt-4o", None, None).unwrap();
    Retold::new(Some(&SecretString::from(key)), url.as_ref(), &model, &prompt)
}

#[test]
fn a_key_is_blanked_out_whole_in_pieces_and_masked() {
    let shown = |words: &str| retold(KEY, None).blanked(words);
    assert_eq!(shown(&format!("Bad key {KEY}!")), "Bad key [key]!");
    assert_eq!(shown(&format!("Bad key {}", &KEY[2..])), "Bad key [key]");
    for masked in ["sk-a+b***6789", "sk-a+b...6789", "sk-a+…6789", "***********6789"] {
        assert_eq!(shown(&format!("Bad key {masked}.")), "Bad key [key].", "{masked}");
    }
    assert_eq!(shown("starts sk-a+b/ and ends 6789"), "starts [key] and ends [key]");
    let harmless = "Unsupported parameter: 'sk' (0123)";
    assert_eq!(shown(harmless), harmless);
    // A dummy may be a word or a letter.
    assert_eq!(retold("k", None).blanked("k is no key"), "[key] is no key");
}

#[test]
fn an_own_servers_address_is_blanked_out() {
    let shown = |words: &str| retold(KEY, Some("https://llm.example.com:8443/t0ken-42/v1")).blanked(words);
    assert_eq!(shown("No route to llm.example.com:8443"), "No route to [server]");
    assert_eq!(
        shown("POST https://llm.example.com:8443/t0ken-42/v1"),
        "POST [server]/[key]/v1"
    );
    assert_eq!(shown("the token t0ken-42 is old"), "the token [key] is old");
}

#[test]
fn an_owner_reads_two_thousand_characters_without_controls() {
    assert_eq!(retold(KEY, None).blanked("a\u{1b}[2Jb\nc"), "a[2Jb\nc");
    assert_eq!(retold(KEY, None).blanked(&"é".repeat(3000)).chars().count(), MAX_SHOWN);
}
