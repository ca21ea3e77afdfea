//! `allowed_origins`: each entry as browsers and web views write it in `Origin`.

use serde_json::Value;
use url::Url;

const LIST: &str = "must be a list of origins such as https://shop.example";

/// The origins of a list.
///
/// # Errors
/// What is wrong with the first entry that is none, to stand behind the setting's name.
pub(super) fn origins(value: &Value) -> Result<Vec<String>, String> {
    let entries = value.as_array().ok_or(LIST)?;
    let entries = entries.iter().enumerate();
    entries
        .map(|(at, entry)| origin(entry).map_err(|problem| format!("{LIST}: entry {} {problem}", at + 1)))
        .collect()
}

/// In lower case, without the scheme's own port, an international name in Punycode. Apps send schemes of their own, such as
/// `capacitor://localhost` and `chrome-extension://…`.
fn origin(entry: &Value) -> Result<String, &'static str> {
    let text = entry.as_str().ok_or("is no text")?.trim();
    if text.contains('*') {
        return Err("has a wildcard, which matches nothing. List each origin by itself");
    }
    let url = Url::parse(text).map_err(|_| "is no URL. Write its scheme too")?;
    let host = url.host_str().filter(|host| !host.is_empty());
    let host = host.ok_or("has no host. Write a scheme and a host")?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("has more than a scheme, a host and a port. Leave out the rest");
    }
    if !url.path().trim_end_matches('/').is_empty() {
        return Err("has a path, which no browser sends. Leave it out");
    }
    match url.scheme() {
        "http" | "https" => Ok(url.origin().ascii_serialization()),
        scheme if !url.is_special() => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Ok(format!("{scheme}://{}{port}", host.to_lowercase()))
        }
        _ => Err("has a scheme that no page is loaded by. Write https, http or an app's own scheme"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_origin_is_taken_as_browsers_send_it() {
        for (entry, expected) in [
            ("https://shop.example", "https://shop.example"),
            ("https://shop.example/", "https://shop.example"),
            (" https://A.example:443 ", "https://a.example"),
            ("HTTP://a.example:80", "http://a.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("https://a.example:8443", "https://a.example:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("ionic://localhost/", "ionic://localhost"),
            ("app://obsidian.md", "app://obsidian.md"),
            ("tauri://localhost:1420", "tauri://localhost:1420"),
            (
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
                "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
            ),
        ] {
            assert_eq!(origins(&json!([entry])), Ok(vec![expected.to_owned()]), "{entry}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused_with_the_reason() {
        for (entry, reason) in [
            (json!("https://*.example"), "entry 2 has a wildcard"),
            (json!("*"), "entry 2 has a wildcard"),
            (json!("shop.example"), "entry 2 is no URL"),
            (json!("null"), "entry 2 is no URL"),
            (json!(5), "entry 2 is no text"),
            (json!("https://shop.example/page"), "entry 2 has a path"),
            (json!("https://shop.example?"), "entry 2 has more"),
            (json!("https://user@shop.example"), "entry 2 has more"),
            (json!("javascript:x"), "entry 2 has no host"),
            (json!("localhost:3000"), "entry 2 has no host"),
            (json!("file:///page.html"), "entry 2 has no host"),
            (json!("ftp://shop.example"), "entry 2 has a scheme"),
        ] {
            let refused = origins(&json!(["https://a.example", entry])).unwrap_err();
            assert!(refused.contains(reason), "{entry}: {refused}");
        }
        assert_eq!(origins(&json!("https://a.example")), Err(LIST.to_owned()));
    }
}
