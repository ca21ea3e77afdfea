//! Images within messages: `data:` URLs (RFC 2397) taken apart.

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
    /// Reads a URL in its normal form; `None` for anything but base64.
    pub fn read(url: &'a str) -> Option<Self> {
        let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
        let mut parameters = head.strip_suffix(";base64")?.split(';');
        let media_type = parameters
            .next()
            .filter(|media_type| media_type.starts_with("image/"))?;
        Some(Self { media_type, data })
    }
}

/// Lower-case scheme and media type, with `image/jpeg` by its registered name: providers turn `image/jpg` down.
pub fn normal_url(url: &str) -> String {
    let end = match url.split_once(':') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("data") => url.find(',').unwrap_or(url.len()),
        Some((scheme, _)) => scheme.len(),
        None => 0,
    };
    let (head, rest) = url.split_at(end);
    let head = head.to_ascii_lowercase();
    match head.strip_prefix("data:image/jpg") {
        Some(parameters) => format!("data:image/jpeg{parameters}{rest}"),
        None => format!("{head}{rest}"),
    }
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
