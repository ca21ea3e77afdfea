//! Images within messages: `data:` URLs (RFC 2397) taken apart.

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::error::Error;

/// An image that a message carries itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InlineImage<'a> {
    /// Such as `image/png`.
    pub media_type: &'a str,
    /// Base64.
    pub data: &'a str,
}

impl<'a> InlineImage<'a> {
    /// Reads a URL in its normal form; `None` for anything but base64. The first bytes tell the type better than the URL:
    /// many callers write the same one always, and Anthropic and Amazon turn down what it does not fit.
    pub fn read(url: &'a str) -> Option<Self> {
        let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
        let declared = head.strip_suffix(";base64")?.split(';').next()?;
        let first: String = data.chars().take(16).collect();
        let told = BASE64_STANDARD.decode(first).ok().and_then(|first| type_of(&first));
        let media_type = told.or(Some(declared).filter(|declared| declared.starts_with("image/")))?;
        Some(Self { media_type, data })
    }
}

/// The media type that an image's first twelve bytes tell.
pub fn type_of(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// Lower-case scheme and media type, with `image/jpeg` by its registered name, since providers turn `image/jpg` down, and
/// base64 without the line ends that it is often wrapped with.
pub fn normal_url(url: &str) -> String {
    let (scheme, rest) = url.split_at(url.find(':').unwrap_or(0));
    if !scheme.eq_ignore_ascii_case("data") {
        return format!("{}{rest}", scheme.to_ascii_lowercase());
    }
    let (head, data) = url.split_at(url.find(',').unwrap_or(url.len()));
    let mut head = head.to_ascii_lowercase();
    if let Some(parameters) = head.strip_prefix("data:image/jpg") {
        head = format!("data:image/jpeg{parameters}");
    }
    if head.ends_with(";base64") {
        head.extend(data.split_ascii_whitespace());
    } else {
        head.push_str(data);
    }
    head
}

/// A 400 for an image of a type that a model does not take.
pub fn unsupported(media_type: &str, supported: &str) -> Error {
    Error::invalid_with_code(
        "messages",
        "invalid_image_format",
        format!("An image of the type '{media_type}' cannot be passed on to this assistant's model. Send {supported}."),
    )
}

/// A 400 for an image that can be neither passed on nor fetched.
pub fn not_inline() -> Error {
    Error::invalid_with_code(
        "messages",
        "invalid_image_url",
        "An image cannot be passed on to this assistant's model: send it by an https URL, or as a data URL in base64 \
         such as 'data:image/png;base64,…'.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_taken_apart_in_their_normal_form() {
        for (url, media_type, data) in [
            ("data:image/png;base64,AAbb==", "image/png", "AAbb=="),
            ("Data:image/JPG;Base64,AAbb", "image/jpeg", "AAbb"),
            ("data:image/webp;charset=utf-8;base64,AA", "image/webp", "AA"),
            ("data:image/png;base64,iVBO\r\nRw0K Gg==\n", "image/png", "iVBORw0KGg=="),
            // What the bytes say, whatever stands before them.
            (
                "data:image/jpeg;base64,iVBORw0KGgoAAAANSUhEUg",
                "image/png",
                "iVBORw0KGgoAAAANSUhEUg",
            ),
            ("data:;base64,R0lGODlhAQAB", "image/gif", "R0lGODlhAQAB"),
            (
                "data:image/png;base64,UklGRiQAAABXRUJQVlA4",
                "image/webp",
                "UklGRiQAAABXRUJQVlA4",
            ),
            (
                "data:image/png;base64,/9j/4AAQSkZJRgAB",
                "image/jpeg",
                "/9j/4AAQSkZJRgAB",
            ),
        ] {
            let normal = normal_url(url);
            assert_eq!(
                InlineImage::read(&normal),
                Some(InlineImage { media_type, data }),
                "{url}"
            );
        }
        for url in [
            "data:image/svg+xml,%3Csvg%3E",
            "data:text/plain;base64,AA",
            "data:image/png;base64",
            "https://example.com/a,b",
        ] {
            assert_eq!(InlineImage::read(&normal_url(url)), None, "{url}");
        }
        assert_eq!(normal_url("HTTPS://Example.com/A.png"), "https://Example.com/A.png");
    }
}
