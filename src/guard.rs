//! Keeps assistants' own servers public: their `base_url` is written by an owner, and the function stands inside the
//! operator's network.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use reqwest::{
    ClientBuilder,
    dns::{Addrs, Name, Resolve, Resolving},
};
use url::{Host, Url};

/// A host that resolved to nothing but addresses that are not public.
#[derive(Debug, thiserror::Error)]
#[error("the host has no public address")]
pub(crate) struct NotPublic;

/// Looks a name up. The addresses' port means nothing.
type Lookup = fn(Name) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// Resolves names to public addresses only. The client connects to the very addresses that were checked: a name whose
/// answer changes between a check and a connection (DNS rebinding) gains nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublicOnly {
    lookup: Lookup,
}

impl Default for PublicOnly {
    /// Asks the system.
    fn default() -> Self {
        Self {
            lookup: |name| {
                Box::pin(async move {
                    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
                    Ok(found.collect())
                })
            },
        }
    }
}

impl PublicOnly {
    /// A client that connects to public addresses only, and by itself: a proxy from the environment would resolve the name
    /// anew, from within the operator's network. Literal addresses are never resolved: [`allows`] has to check them before.
    pub(crate) fn client(self, builder: ClientBuilder) -> ClientBuilder {
        builder.dns_resolver(Arc::new(self)).no_proxy()
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = (self.lookup)(name);
        Box::pin(async move {
            let mut addresses = lookup.await?;
            addresses.retain(|address| is_public(address.ip()));
            if addresses.is_empty() {
                return Err(io::Error::other(NotPublic).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether a URL may be called at all: https, and no literal address that is not public (those are never resolved).
pub(crate) fn allows(url: &Url) -> bool {
    let public = match url.host() {
        Some(Host::Ipv4(address)) => is_public(address.into()),
        Some(Host::Ipv6(address)) => is_public(address.into()),
        // The rest is seen when it is resolved.
        Some(Host::Domain(name)) => !is_localhost(name),
        None => false,
    };
    public && url.scheme() == "https"
}

/// RFC 6761, section 6.3: these names always mean the machine itself. A trailing dot makes a name absolute, not another one.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
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

/// Whether an address is one of the public internet: what IANA's special-purpose registries (as public copies had them in November 2026)
/// call "globally reachable", without multicast, and without those blocks that lead on to any IPv4 address (NAT64,
/// 6to4, Teredo) or to no server (IETF protocol assignments).
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>
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
    // All else is loopback, NAT64 (64:ff9b::/96), discard-only, segment routing, local or multicast.
    let global_unicast = a & 0xe000 == 0x2000;
    // IETF protocol assignments with Teredo among them, and documentation.
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8))
        || a == 0x2002 // 6to4 carries any IPv4 address
        || (a == 0x3fff && b < 0x1000); // documentation
    global_unicast && !special
}

#[cfg(test)]
pub(crate) mod hostile;
#[cfg(test)]
mod tests;
