//! A body's bytes as they were before their `Content-Encoding`. None is asked for: small pieces would wait within the
//! compressor. Some gateways compress all the same.

use std::io::{self, Write};

use axum::http::{HeaderMap, header::CONTENT_ENCODING};
use bytes::Bytes;
use flate2::write::GzDecoder;

use crate::error::{Failure, ProviderError};

/// How many compressed bytes are read at once: they are at most some thousand times as many afterwards.
const STEP: usize = 1024;

/// What each member of gzip begins with.
const FIRST_BYTE: u8 = 0x1f;

/// Encodings that cannot be read here. Other words stand in this header by mistake, such as `utf-8`.
const UNREADABLE: [&str; 5] = ["br", "zstd", "deflate", "compress", "x-compress"];

/// Undoes a body's encoding.
pub(super) enum Decoder {
    /// There is none.
    Identity,
    Gzip(Box<Gzip>),
}

/// Gzip's members, one after the other.
/// <https://www.rfc-editor.org/rfc/rfc1952#section-2.2>
pub(super) struct Gzip {
    member: GzDecoder<Vec<u8>>,
    /// Whether something else follows the last member. As with `gzip -d`, it takes nothing from what was whole.
    has_ended: bool,
    is_broken: bool,
}

impl Gzip {
    fn new() -> Self {
        Self {
            member: GzDecoder::new(Vec::new()),
            has_ended: false,
            is_broken: false,
        }
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() && !self.has_ended {
            let written = self.member.write(bytes)?;
            bytes = &bytes[written..];
            if written == 0 {
                self.member.try_finish()?;
                self.has_ended = bytes[0] != FIRST_BYTE;
                if !self.has_ended {
                    let decoded = std::mem::take(self.member.get_mut());
                    self.member = GzDecoder::new(decoded);
                }
            }
        }
        self.member.flush()
    }
}

impl Decoder {
    /// A decoder for a response's body.
    ///
    /// # Errors
    /// Where the encoding cannot be read: the same call would meet the same answer.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ProviderError> {
        let all = headers.get_all(CONTENT_ENCODING).iter();
        let mut encodings: Vec<_> = all
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|encoding| encoding.trim().to_ascii_lowercase())
            .collect();
        encodings.retain(|encoding| UNREADABLE.contains(&encoding.as_str()) || is_gzip(encoding));
        match encodings.as_slice() {
            [] => Ok(Self::Identity),
            [one] if is_gzip(one) => Ok(Self::Gzip(Box::new(Gzip::new()))),
            several => Err(ProviderError::new(
                Failure::Unexpected,
                format!(
                    "the body has the content encoding {}, which was not asked for",
                    several.join(", ")
                ),
            )),
        }
    }

    /// The next bytes of the body. What was decoded before an error comes first.
    ///
    /// # Errors
    /// What is not in the encoding, and a piece that would have more than `most` bytes.
    pub(super) fn decode(&mut self, piece: Bytes, most: usize) -> Result<Bytes, ProviderError> {
        let Self::Gzip(gzip) = self else {
            return Ok(piece);
        };
        for step in piece.chunks(STEP) {
            gzip.is_broken = gzip.is_broken || gzip.write(step).is_err();
            if gzip.member.get_ref().len() > most {
                return Err(ProviderError::failed("a frame is too large"));
            }
        }
        let decoded = std::mem::take(gzip.member.get_mut());
        if gzip.is_broken && decoded.is_empty() {
            return Err(no_gzip());
        }
        Ok(decoded.into())
    }

    /// The last bytes of the body, which has ended.
    ///
    /// # Errors
    /// Where the encoding has not ended with it.
    pub(super) fn finish(&mut self) -> Result<Bytes, ProviderError> {
        let Self::Gzip(gzip) = self else {
            return Ok(Bytes::new());
        };
        if gzip.is_broken {
            return Err(no_gzip());
        }
        gzip.member
            .try_finish()
            .map_err(|_| ProviderError::failed("the body's gzip is cut off"))?;
        Ok(std::mem::take(gzip.member.get_mut()).into())
    }
}

fn no_gzip() -> ProviderError {
    ProviderError::new(
        Failure::Unexpected,
        "the body is not the gzip that its content encoding says",
    )
}

fn is_gzip(encoding: &str) -> bool {
    matches!(encoding, "gzip" | "x-gzip")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn of(encoding: &'static str) -> Result<Decoder, ProviderError> {
        Decoder::of(&HeaderMap::from_iter([(
            CONTENT_ENCODING,
            HeaderValue::from_static(encoding),
        )]))
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_undone_piece_by_piece() {
        let data = b"data: {}\n\n".repeat(200);
        let (packed, first) = (gzip(&data), data.clone());
        for size in [1, 7, packed.len()] {
            let mut decoder = of("GZip").unwrap();
            let mut unpacked = Vec::new();
            for piece in packed.chunks(size) {
                unpacked.extend(decoder.decode(Bytes::copy_from_slice(piece), 1 << 20).unwrap());
            }
            unpacked.extend(decoder.finish().unwrap());
            assert!(unpacked == data, "{size}");
        }
        for behind in [&[0][..], &[0; 700], b"garbage"] {
            for size in [1, packed.len() + behind.len()] {
                let mut decoder = of("gzip").unwrap();
                let mut unpacked = Vec::new();
                for piece in [&packed, &packed, behind].concat().chunks(size) {
                    unpacked.extend(decoder.decode(Bytes::copy_from_slice(piece), 1 << 20).unwrap());
                }
                unpacked.extend(decoder.finish().unwrap());
                assert!(unpacked == data.repeat(2), "{behind:?} {size}");
            }
        }
        let mut cut = of("gzip").unwrap();
        cut.decode(Bytes::copy_from_slice(&packed[..packed.len() - 9]), 1 << 20)
            .unwrap();
        assert!(cut.finish().is_err());
        assert!(of("gzip").unwrap().decode(data.into(), 1 << 20).is_err());
        // A second member is cut, or broken: the first comes before the error.
        for second in [&packed[..5], b"\x1fgarbage behind"] {
            let mut decoder = of("gzip").unwrap();
            let body = [&packed, second].concat();
            assert!(decoder.decode(body.into(), 1 << 20).unwrap() == first);
            assert!(decoder.finish().is_err());
        }
    }

    #[test]
    fn what_would_grow_too_large_is_refused() {
        let packed = gzip(&vec![0; 8 << 20]);
        assert!(of("gzip").unwrap().decode(packed.into(), 1 << 20).is_err());
    }

    #[test]
    fn other_encodings_are_told_from_words_that_are_none() {
        for none in ["", "identity", "utf-8", "none", "aws-chunked"] {
            assert!(matches!(of(none), Ok(Decoder::Identity)), "{none}");
        }
        for unreadable in ["br", "zstd", "deflate", "gzip, br", "gzip, gzip"] {
            assert!(
                of(unreadable).is_err_and(|error| error.failure == Failure::Unexpected),
                "{unreadable}"
            );
        }
        assert!(matches!(Decoder::of(&HeaderMap::new()), Ok(Decoder::Identity)));
    }
}
