//! The address of an owner's own server in a provider's words: callers learn neither where it is nor a secret in its path.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

/// Segments that every such server may have.
const USUAL: [&str; 8] = [
    "api",
    "chat",
    "completions",
    "deployments",
    "inference",
    "models",
    "openai",
    "openapi",
];

/// Shortest segment that is taken for a key, in bytes.
const MIN_KEY: usize = 6;

/// What stands in the path like a key.
pub(super) fn keys(url: &Url) -> impl Iterator<Item = SecretString> {
    let keys = segments(url).filter(|segment| looks_like_a_key(segment));
    keys.map(|segment| SecretString::from(percent_decode_str(segment).decode_utf8_lossy().into_owned()))
}

/// Whether a segment is no word of a language: it has a digit and a letter.
fn looks_like_a_key(segment: &str) -> bool {
    segment.len() >= MIN_KEY
        && segment.contains(|one: char| one.is_ascii_digit())
        && segment.contains(char::is_alphabetic)
}

/// How the address and its parts may be written, the longest first.
pub(super) fn forms(url: &Url) -> Vec<String> {
    let host = url.host_str().unwrap_or_default();
    let authority = url.port_or_known_default().map(|port| format!("{host}:{port}"));
    // A name without a dot may be any word.
    let alone = host.contains(['.', ':']).then(|| host.to_owned());
    let path = segments(url).map(|segment| format!("/{segment}"));
    let forms = [Some(url.origin().ascii_serialization()), authority, alone];
    let mut forms: Vec<_> = forms.into_iter().flatten().chain(path).collect();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
}

/// The words with `[server]` in place of the forms.
pub(super) fn blank_out(mut words: String, forms: &[String]) -> String {
    for form in forms {
        let mut blanked = String::new();
        let mut pieces = words.split(form.as_str()).peekable();
        while let Some(piece) = pieces.next() {
            blanked.push_str(piece);
            if let Some(next) = pieces.peek() {
                let is_whole = !next.starts_with(|next: char| next.is_alphanumeric());
                blanked.push_str(if is_whole { "[server]" } else { form });
            }
        }
        words = blanked;
    }
    words
}

/// The segments of the path that say something about this server: not `v1` and the like.
fn segments(url: &Url) -> impl Iterator<Item = &str> {
    let is_version = |segment: &str| {
        segment
            .strip_prefix('v')
            .is_some_and(|rest| rest.len() <= 6 && rest.starts_with(|digit: char| digit.is_ascii_digit()))
    };
    let segments = url.path_segments().into_iter().flatten();
    segments.filter(move |segment| !segment.is_empty() && !USUAL.contains(segment) && !is_version(segment))
}
