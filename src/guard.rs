//! Keeps assistants' own servers public: their `base_url` is written by an owner, and the function stands inside the
//! operator's network.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
};
use url::{Host, Url};

/// A host that resolved to nothing but addresses that are not public.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
pub(crate) struct NotPublic;

/// A client that connects to public addresses only, and by itself: a proxy from the environment would resolve the name
/// anew, from within the operator's network.
pub(crate) fn public_only(client: ClientBuilder) -> ClientBuilder {
    client.dns_resolver(Arc::new(PublicOnly)).no_proxy()
}

/// Resolves names to public addresses only, so that the check is made on the address connected to.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(io::Error::other(NotPublic).into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether a URL may be called at all: https, and no literal address that is not public (those are never resolved).
pub(crate) fn allows(url: &Url) -> bool {
    let public = match url.host() {
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        // The rest is seen when it is resolved.
        Some(Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
        None => false,
    };
    public && url.scheme() == "https"
}

/// Whether a failure to connect is [`NotPublic`].
pub(crate) fn is_not_public(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<NotPublic>() {
            return true;
        }
        // An io::Error names what it wraps not as its source, but as its inner error.
        if let Some(wrapped) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && wrapped.is::<NotPublic>()
        {
            return true;
        }
        source = error.source();
    }
    false
}

/// The IANA special-purpose registries' "globally reachable", with multicast out.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224 // multicast, reserved, broadcast
        || (a == 100 && (64..128).contains(&b)) // shared address space, RFC 6598
        || (a, b, c) == (192, 0, 0) // IETF protocol assignments
        || (a, b, c) == (192, 88, 99) // 6to4 relays
        || (a == 198 && (18..20).contains(&b)); // benchmarking
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [a, b, ..] = address.segments();
    let global_unicast = a & 0xe000 == 0x2000;
    // IETF protocol assignments with Teredo among them, and documentation.
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8))
        || a == 0x2002 // 6to4 carries any IPv4 address
        || (a == 0x3fff && b < 0x1000); // documentation
    global_unicast && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_to_public_addresses_is_allowed() {
        for url in [
            "https://llm.example.com/v1",
            "https://8.8.8.8/v1",
            "https://[2606:4700::1111]:8443/v1",
        ] {
            assert!(allows(&Url::parse(url).unwrap()), "{url}");
        }
        for url in [
            "http://llm.example.com/v1",
            "https://localhost/v1",
            "https://127.0.0.1/v1",
            "https://2130706433/v1",
            "https://0x7f.1/v1",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1",
            "https://172.31.0.1",
            "https://192.168.1.1",
            "https://100.64.0.1",
            "https://0.0.0.0",
            "https://224.0.0.1",
            "https://[::1]",
            "https://[::ffff:10.0.0.1]",
            "https://[fd00:ec2::254]",
            "https://[fe80::1]",
            "https://[2002:7f00:1::]",
            "https://[64:ff9b::7f00:1]",
        ] {
            assert!(!allows(&Url::parse(url).unwrap()), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_for_a_private_address_is_refused_when_it_connects() {
        let client = public_only(reqwest::Client::builder()).build().unwrap();
        let error = client.get("https://localhost:9/").send().await.unwrap_err();
        assert!(is_not_public(&error), "{error:?}");
    }
}
