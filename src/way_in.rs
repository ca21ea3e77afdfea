//! How a request came in: through the operator's CloudFront or straight to the function, and from which address.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The header by which the operator's CloudFront proves that a request came through it.
pub(crate) static ORIGIN_SECRET: HeaderName = HeaderName::from_static("x-origin-secret");
/// The address that CloudFront has seen, with a port: `198.51.100.10:46532`.
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/adding-cloudfront-headers.html>, read 2026-11.
static VIEWER_ADDRESS: HeaderName = HeaderName::from_static("cloudfront-viewer-address");

/// The peer of the request's connection; an extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub IpAddr);

/// Who sends a request, as far as an address tells; an extension of the request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    address: Option<IpAddr>,
    through_cloudfront: bool,
}

/// Which ways in are open.
#[derive(Debug, Clone, Default)]
pub struct WayIn {
    secrets: Vec<SecretString>,
    closed_to_direct_access: bool,
}

impl WayIn {
    /// `secrets` are those that CloudFront may send. Where direct access is closed, a request needs one of them.
    pub(crate) fn new(secrets: Vec<SecretString>, closed_to_direct_access: bool) -> Self {
        Self {
            secrets,
            closed_to_direct_access,
        }
    }

    /// The caller, `None` where the request came in by a way that is closed.
    ///
    /// Anybody can send any header straight to the function, so an address from a header counts only beside a valid
    /// secret. Beside one, the connection's peer is CloudFront and tells nothing.
    pub(crate) fn caller(&self, headers: &HeaderMap, peer: Option<PeerAddress>) -> Option<Caller> {
        if self.is_proved_by(headers) {
            let address = headers.get(&VIEWER_ADDRESS).and_then(|value| value.to_str().ok());
            return Some(Caller {
                address: address.and_then(address_before_port),
                through_cloudfront: true,
            });
        }
        (!self.closed_to_direct_access).then_some(Caller {
            address: peer.map(|PeerAddress(address)| address),
            through_cloudfront: false,
        })
    }

    /// All secrets are compared, each in a time that does not depend on where it differs.
    fn is_proved_by(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(&ORIGIN_SECRET).map_or(&b""[..], |value| value.as_bytes());
        let matches = self
            .secrets
            .iter()
            .map(|secret| secret.expose_secret().as_bytes().ct_eq(sent));
        matches.fold(subtle::Choice::from(0), |any, this| any | this).into()
    }
}

impl Caller {
    /// Whether the request has proved that it came through the operator's CloudFront.
    pub(crate) fn is_through_cloudfront(&self) -> bool {
        self.through_cloudfront
    }

    /// What callers are told apart by: an IPv4 address, or the /64 network of an IPv6 address, since one subscriber has
    /// all addresses of it. Callers without an address are one.
    pub(crate) fn network(&self) -> String {
        match self.address.map(|address| address.to_canonical()) {
            None => "unknown".into(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }
    }
}

/// An address with a port behind its last colon. An IPv6 address may stand without brackets.
fn address_before_port(text: &str) -> Option<IpAddr> {
    let (address, _port) = text.rsplit_once(':')?;
    address.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn network(way_in: &WayIn, headers: &[(&'static str, &str)]) -> Option<String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let peer = PeerAddress("192.0.2.1".parse().unwrap());
        let caller = way_in.caller(&headers.collect(), Some(peer))?;
        Some(caller.network())
    }

    #[test]
    fn a_header_tells_the_address_only_beside_a_secret() {
        let way_in = WayIn::new(vec![SECRET.into(), "the-one-before-it".into()], false);
        let viewer = ("cloudfront-viewer-address", "198.51.100.10:46532");
        let direct = Some("192.0.2.1".to_owned());
        assert_eq!(network(&way_in, &[]), direct);
        assert_eq!(network(&way_in, &[viewer]), direct);
        assert_eq!(
            network(&way_in, &[viewer, ("x-forwarded-for", "198.51.100.10")]),
            direct
        );
        for forged in ["", "0123456789abcdeX", "0123456789abcde", "0123456789abcdef0"] {
            assert_eq!(
                network(&way_in, &[viewer, ("x-origin-secret", forged)]),
                direct,
                "{forged}"
            );
        }
        for secret in [SECRET, "the-one-before-it"] {
            let proved = network(&way_in, &[viewer, ("x-origin-secret", secret)]);
            assert_eq!(proved.as_deref(), Some("198.51.100.10"));
        }
        // CloudFront's own address would be everybody's.
        let without = network(
            &way_in,
            &[("x-origin-secret", SECRET), ("x-forwarded-for", "198.51.100.10")],
        );
        assert_eq!(without.as_deref(), Some("unknown"));
        // Without any secret an empty header proves nothing.
        assert_eq!(network(&WayIn::default(), &[viewer, ("x-origin-secret", "")]), direct);
    }

    #[test]
    fn closed_to_direct_access_it_needs_a_secret() {
        let way_in = WayIn::new(vec![SECRET.into()], true);
        assert_eq!(network(&way_in, &[]), None);
        assert_eq!(network(&way_in, &[("x-origin-secret", "0123456789abcdeX")]), None);
        assert!(network(&way_in, &[("x-origin-secret", SECRET)]).is_some());
    }

    #[test]
    fn callers_are_told_apart_by_their_network() {
        for (address, network) in [
            ("198.51.100.10:46532", "198.51.100.10"),
            ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2::/64"),
            ("2001:0db8:0001:0002:ffff:ffff:ffff:ffff:443", "2001:db8:1:2::/64"),
            ("2001:db8::1:443", "2001:db8:0:0::/64"),
            ("::ffff:198.51.100.10:443", "198.51.100.10"),
            ("nonsense", "unknown"),
            ("nonsense:1", "unknown"),
            ("", "unknown"),
        ] {
            let caller = Caller {
                address: address_before_port(address),
                through_cloudfront: true,
            };
            assert_eq!(caller.network(), network, "{address}");
        }
    }
}
