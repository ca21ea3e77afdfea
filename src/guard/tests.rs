use std::str::FromStr;

use super::{hostile::*, *};

#[test]
fn public_urls_are_allowed() {
    for url in [
        "https://llm.example.com/v1",
        "https://8.8.8.8/v1",
        "https://[2606:4700::1111]:8443/v1",
        "https://[::ffff:8.8.8.8]/v1",
        "https://localhost.example.com/v1",
        "https://notlocalhost/v1",
        "https://127.0.0.1.example.com/v1",
    ] {
        assert!(allows(&Url::parse(url).unwrap()), "{url}");
    }
}

#[test]
fn hostile_urls_are_not_allowed() {
    let allowed: Vec<_> = urls(443)
        .filter(|url| Url::parse(url).is_ok_and(|url| allows(&url)))
        .collect();
    assert!(allowed.is_empty(), "{allowed:#?}");
    assert!(urls(443).count() >= 166);
}

/// What another parser may read as this machine: it is the host that Rust's `url` reads which is connected to.
#[test]
fn a_url_has_the_host_that_is_connected_to() {
    for (url, host) in [
        ("https://127.0.0.1@example.com/", "example.com"),
        ("https://127.0.0.1:80@example.com/", "example.com"),
        ("https://127.0.0.1:443;@example.com/", "example.com"),
        ("https://example.com#@b@127.0.0.1:443@127.0.0.1:99999/", "example.com"),
        ("https://example.com\\@127.0.0.1/", "example.com"),
        ("https://example.com/@127.0.0.1/", "example.com"),
        ("https://example.com#@127.0.0.1/", "example.com"),
        ("https://example.com?@127.0.0.1/", "example.com"),
        ("https://example.com\t/@127.0.0.1", "example.com"),
        ("https://127.0.0.1.example.com/", "127.0.0.1.example.com"),
    ] {
        let url = Url::parse(url).unwrap();
        let sent = axum::http::Uri::from_str(url.as_str()).unwrap();
        assert_eq!((url.host_str(), sent.host()), (Some(host), Some(host)), "{url}");
    }
}

/// First and last address of each block in IANA's registries that no public server has.
const NOT_PUBLIC: &[&str] = &[
    "0.0.0.0 0.255.255.255",
    "10.0.0.0 10.255.255.255",
    "100.64.0.0 100.127.255.255",
    "127.0.0.0 127.255.255.255",
    "169.254.0.0 169.254.255.255",
    "172.16.0.0 172.31.255.255",
    "192.0.0.0 192.0.0.255",
    "192.0.2.0 192.0.2.255",
    "192.88.99.0 192.88.99.255",
    "192.168.0.0 192.168.255.255",
    "198.18.0.0 198.19.255.255",
    "198.51.100.0 198.51.100.255",
    "203.0.113.0 203.0.113.255",
    "224.0.0.0 239.255.255.255",
    "240.0.0.0 255.255.255.255",
    ":: ::ffff:0.255.255.255",
    "::ffff:10.0.0.0 ::ffff:10.255.255.255",
    "64:ff9b:: 64:ff9b::ffff:ffff",
    "64:ff9b:1:: 64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
    "100:: 100::ffff:ffff:ffff:ffff",
    "100:0:0:1:: 100:0:0:1:ffff:ffff:ffff:ffff",
    "2001:: 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2002:: 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
    "4000:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "5f00:: 5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fc00:: fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80:: febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

/// What is public on either side of them.
const PUBLIC: &[&str] = &[
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.98.255",
    "192.88.100.0",
    "192.167.255.255",
    "192.169.0.0",
    "192.175.48.1",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "::ffff:9.255.255.255",
    "2000::",
    "2001:200::",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2003::",
    "2620:4f:8000::1",
    "3fff:1000::",
];

#[test]
fn blocks_of_ianas_registries_that_are_not_public_servers() {
    for block in NOT_PUBLIC {
        for address in block.split(' ') {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }
    for address in PUBLIC {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

async fn resolved(name: &str) -> Result<Vec<String>, String> {
    let found = RESOLVER.resolve(name.parse().unwrap()).await;
    let found = found.map_err(|error| error.to_string())?;
    Ok(found.map(|address| address.ip().to_string()).collect())
}

#[tokio::test]
async fn of_a_names_addresses_only_the_public_ones_are_connected_to() {
    for (name, public) in [
        ("8-8-8-8.test", &["8.8.8.8"][..]),
        ("8-8-8-8.127-0-0-1.test", &["8.8.8.8"]),
        ("127-0-0-1.8-8-8-8.10-0-0-1.test", &["8.8.8.8"]),
        ("fd00-ec2--254.2606-4700--1111.test", &["2606:4700::1111"]),
        ("1-1-1-1.0--1.2606-4700--1111.test", &["1.1.1.1", "2606:4700::1111"]),
        ("8-8-8-8.64-ff9b--7f00-1.test", &["8.8.8.8"]),
    ] {
        assert_eq!(resolved(name).await.unwrap(), public, "{name}");
    }
    let not_public = NotPublic.to_string();
    for name in NAMES {
        assert_eq!(resolved(name).await, Err(not_public.clone()), "{name}");
    }
    // The addresses that are connected to are those of the lookup that was checked, so that the second answer is too.
    assert_eq!(resolved("rebinding.test").await.unwrap(), ["8.8.8.8"]);
    assert_eq!(resolved("rebinding.test").await, Err(not_public));
}

#[tokio::test]
async fn a_name_for_a_private_address_is_refused_when_it_connects() {
    let listener = Listener::start().await;
    // Nor does a proxy connect in the client's place.
    let proxy = reqwest::Proxy::all(format!("http://127.0.0.1:{}", listener.port)).unwrap();
    let builder = reqwest::Client::builder().tls_certs_only([]).proxy(proxy);
    let client = RESOLVER.client(builder).build().unwrap();
    for url in named_urls(listener.port) {
        let error = client.get(&url).send().await.unwrap_err();
        assert!(is_not_public(&error), "{url}: {error:?}");
    }
    let system = PublicOnly::default().client(reqwest::Client::builder().tls_certs_only([]));
    let url = format!("https://localhost:{}/", listener.port);
    let error = system.build().unwrap().get(url).send().await.unwrap_err();
    assert!(is_not_public(&error), "{error:?}");
    assert_eq!(listener.connections(), 0);
}

#[tokio::test]
async fn the_listener_sees_clients_that_are_not_guarded() {
    let listener = Listener::start().await;
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "[::ffff:127.0.0.1]",
        "１２７.０.０.１",
    ] {
        let before = listener.connections();
        let url = format!("https://{host}:{}/", listener.port);
        client.get(url).send().await.unwrap_err();
        assert!(listener.connections() > before, "{host}");
    }
}
