//! What somebody may write to reach the operator's network: URLs, names and what they resolve to. `PORT` stands for a
//! listener's on 127.0.0.1, which counts who connects.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::BoxFuture;
use reqwest::dns::Name;
use tokio::net::TcpListener;

use super::PublicOnly;

/// URLs that nothing may be sent to, by the way they are meant to get past a check.
pub(crate) const URLS: &[(&str, &[&str])] = &[
    (
        "Lambda's Runtime API, its extensions and X-Ray daemon",
        &[
            "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
            "https://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
            "http://127.0.0.1:PORT/2018-06-01/runtime/invocation/next",
            "https://127.0.0.1:PORT/2018-06-01/runtime/init/error",
            "https://localhost:PORT/2018-06-01/runtime/invocation/next",
            "http://169.254.100.1:9001/2018-06-01/runtime/invocation/next",
            "https://169.254.100.1:9001/2018-06-01/runtime/invocation/next",
            "https://[::ffff:169.254.100.1]:9001/2018-06-01/runtime/invocation/next",
            "https://127.0.0.1:9001/2020-01-01/extension/register",
            "https://sandbox.localhost:9001/2018-06-01/runtime/invocation/next",
            "https://169.254.79.129:2000/",
        ],
    ),
    (
        "metadata and credentials",
        &[
            "http://169.254.169.254/latest/meta-data/",
            "https://169.254.169.254/latest/meta-data/iam/security-credentials/",
            "https://169.254.169.254:80/latest/api/token",
            "https://[fd00:ec2::254]/latest/meta-data/",
            "https://[fd00:ec2::23]/v1/credentials",
            "https://169.254.170.2/v2/credentials",
            "https://169.254.170.23/v1/credentials",
            "https://169.254.169.253/",
            "https://[fd00:ec2::253]/",
            "https://169.254.169.123/",
            "https://[fd20:ce::254]/computeMetadata/v1/",
            "https://100.100.100.200/latest/meta-data/",
            "https://192.0.0.192/latest/meta-data/",
            "https://[::ffff:169.254.169.254]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://[64:ff9b::169.254.169.254]/",
            "https://[2002:a9fe:a9fe::]/",
            "https://2852039166/latest/meta-data/",
            "https://0xA9FEA9FE/latest/meta-data/",
            "https://0xa9.0xfe.0xa9.0xfe/",
            "https://0251.0376.0251.0376/",
            "https://169.254.43518/",
            "https://169.16689662/",
        ],
    ),
    (
        "IPv4 in other forms",
        &[
            "https://127.0.0.1:PORT/",
            "https://127.1:PORT/",
            "https://127.0.1:PORT/",
            "https://2130706433:PORT/",
            "https://0x7f000001:PORT/",
            "https://0x7F.0x0.0x0.0x1:PORT/",
            "https://0x7f.1:PORT/",
            "https://017700000001:PORT/",
            "https://0177.0.0.1:PORT/",
            "https://0177.0.0.01:PORT/",
            "https://0000000177.0.0.1:PORT/",
            "https://127.0x1:PORT/",
            "https://0177.0x0.1:PORT/",
            "https://127.0.0.1.:PORT/",
            "https://2130706433.:PORT/",
            "https://0x7f.1.:PORT/",
            "https://0:PORT/",
            "https://0.0.0.0:PORT/",
            "https://0x0:PORT/",
            "https://00000000:PORT/",
            "https://0.0:PORT/",
            "https://4294967296:PORT/",
            "https://256.0.0.1:PORT/",
            "https://127.0.0.1.1:PORT/",
            "https://127.0.0.0x:PORT/",
            "https://%31%32%37.0.0.1:PORT/",
            "https://127%2e0%2e0%2e1:PORT/",
            "https://0x7f%2e1:PORT/",
        ],
    ),
    (
        "blocks that are not public",
        &[
            "https://10.0.0.1/",
            "https://10.255.255.255/",
            "https://172.16.0.1/",
            "https://172.31.255.255/",
            "https://192.168.0.1/",
            "https://192.168.255.255/",
            "https://100.64.0.1/",
            "https://100.127.255.255/",
            "https://127.255.255.254/",
            "https://169.254.0.1/",
            "https://0.1.2.3/",
            "https://192.0.0.8/",
            "https://192.0.2.1/",
            "https://192.88.99.1/",
            "https://198.18.0.1/",
            "https://198.19.255.255/",
            "https://198.51.100.1/",
            "https://203.0.113.1/",
            "https://224.0.0.1/",
            "https://239.255.255.250/",
            "https://240.0.0.1/",
            "https://255.255.255.255/",
            "https://167772161/",
            "https://0xac100001/",
            "https://0300.0250.0.1/",
        ],
    ),
    (
        "IPv6, and IPv4 within it",
        &[
            "https://[::1]:PORT/",
            "https://[0:0:0:0:0:0:0:1]:PORT/",
            "https://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/",
            "https://[::0001]:PORT/",
            "https://[::]:PORT/",
            "https://[::ffff:127.0.0.1]:PORT/",
            "https://[::FFFF:7F00:1]:PORT/",
            "https://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
            "https://[::ffff:0.0.0.0]:PORT/",
            "https://[::ffff:10.0.0.1]/",
            "https://[::ffff:192.168.1.1]/",
            "https://[::127.0.0.1]:PORT/",
            "https://[::7f00:1]:PORT/",
            "https://[::ffff:0:127.0.0.1]:PORT/",
            "https://[64:ff9b::127.0.0.1]:PORT/",
            "https://[64:ff9b::7f00:1]:PORT/",
            "https://[64:ff9b::10.0.0.1]/",
            "https://[64:ff9b:1::127.0.0.1]:PORT/",
            "https://[64:ff9b:1:ffff::10.0.0.1]/",
            "https://[2002:7f00:1::]:PORT/",
            "https://[2002:7f00:0001::1]:PORT/",
            "https://[2002:a00:1::]/",
            "https://[2002:c0a8:101::1]/",
            "https://[2001::7f00:1]/",
            "https://[2001:0:a00:1:0:0:80ff:fffe]/",
            "https://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/",
            "https://[2001:2::1]/",
            "https://[2001:10::1]/",
            "https://[2001:20::1]/",
            "https://[2001:30::1]/",
            "https://[2001:db8::1]/",
            "https://[3fff::1]/",
            "https://[3fff:fff::1]/",
            "https://[5f00::1]/",
            "https://[100::1]/",
            "https://[100:0:0:1::1]/",
            "https://[fc00::1]/",
            "https://[fd12:3456:789a::1]/",
            "https://[fdff:ffff::1]/",
            "https://[fe80::1]/",
            "https://[fe80::1%25eth0]/",
            "https://[fe80::1%eth0]/",
            "https://[::1%25lo]:PORT/",
            "https://[febf::1]/",
            "https://[fec0::1]/",
            "https://[ff02::1]/",
            "https://[ff0e::1]/",
            "https://[4000::1]/",
            "https://[::1:PORT/",
            "https://::1:PORT/",
            "https://[127.0.0.1]:PORT/",
            "https://[v1.127.0.0.1]:PORT/",
        ],
    ),
    (
        "localhost",
        &[
            "https://localhost:PORT/",
            "https://LOCALHOST:PORT/",
            "https://LocalHost:PORT/",
            "https://localhost.:PORT/",
            "https://LOCALHOST.:PORT/",
            "https://localhost..:PORT/",
            "https://api.localhost:PORT/",
            "https://api.localhost.:PORT/",
            "https://a.b.LOCALHOST:PORT/",
            "https://loc%61lhost:PORT/",
            "https://%6c%6f%63%61%6c%68%6f%73%74:PORT/",
            "https://localhost%2e:PORT/",
            "https://local\u{ad}host:PORT/",
            "https://local\u{200b}host:PORT/",
            "https://ｌｏｃａｌｈｏｓｔ:PORT/",
            "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/",
            "https://localho\u{17f}t:PORT/",
            "https://localhost。:PORT/",
            "https://api。localhost:PORT/",
            "https://xn--localhost-:PORT/",
        ],
    ),
    (
        "digits and dots of other scripts",
        &[
            "https://１２７.０.０.１:PORT/",
            "https://１２７．０．０．１:PORT/",
            "https://127。0。0。1:PORT/",
            "https://127｡0｡0｡1:PORT/",
            "https://①②⑦.⓪.⓪.①:PORT/",
            "https://１２７.1:PORT/",
            "https://２１３０７０６４３３:PORT/",
            "https://０ｘ７ｆ.1:PORT/",
            "https://¹²⁷.⁰.⁰.¹:PORT/",
            "https://𝟏𝟐𝟕.𝟎.𝟎.𝟏:PORT/",
            "https://１６９.２５４.１６９.２５４/",
            "https://127.0.0.1\u{ad}:PORT/",
            "https://127.0.0.1%E3%80%82:PORT/",
        ],
    ),
    (
        "user information, backslashes, blanks and fragments",
        &[
            "https://example.com@127.0.0.1:PORT/",
            "https://example.com:443@127.0.0.1:PORT/",
            "https://example.com%40127.0.0.1@127.0.0.1:PORT/",
            "https://user:password@localhost:PORT/",
            "https://example.com@[::1]:PORT/",
            "https://@127.0.0.1:PORT/",
            "https://:@127.0.0.1:PORT/",
            "https://a@b@127.0.0.1:PORT/",
            "https://example.com%23@127.0.0.1:PORT/",
            "https:\\\\127.0.0.1:PORT\\",
            "https:/\\127.0.0.1:PORT/",
            "https:127.0.0.1:PORT/",
            "https:/127.0.0.1:PORT/",
            "https:////127.0.0.1:PORT/",
            "https:///127.0.0.1:PORT/",
            "https://127.0.0.1:PORT\\@example.com/",
            "https://127.0.0.1:PORT#@example.com/",
            "https://127.0.0.1:PORT?@example.com/",
            "https://127.0.0.1:PORT/@example.com",
            "https://127.0.0.1:PORT;.example.com/",
            "https://127.0.0.1 .example.com/",
            "https://127.0.0.1%20.example.com/",
            "https://127.0.0.1%00.example.com/",
            "https://127.0.0.1%0d%0aHost:example.com/",
            "https://127.0.0.1\t:PORT/",
            "https://127\t.0.0.1:PORT/",
            "https://12\n7.0.0.1:PORT/",
            "ht\ttps://127.0.0.1:PORT/",
            " https://127.0.0.1:PORT/ ",
            "\u{1}https://127.0.0.1:PORT/",
            "//127.0.0.1:PORT/",
            "127.0.0.1:PORT",
            "\\\\127.0.0.1\\share",
            "/latest/meta-data/",
        ],
    ),
    (
        "other schemes and ports",
        &[
            "http://example.com/",
            "http://example.com:443/",
            "http://8.8.8.8/",
            "HTTP://EXAMPLE.COM/",
            "ws://127.0.0.1:PORT/",
            "wss://example.com/",
            "ftp://127.0.0.1:PORT/",
            "ftp://example.com/a.png",
            "file:///etc/passwd",
            "file://127.0.0.1/etc/passwd",
            "file:/proc/self/environ",
            "gopher://127.0.0.1:PORT/_GET%20/",
            "dict://127.0.0.1:PORT/stat",
            "ldap://127.0.0.1:PORT/",
            "tftp://127.0.0.1:PORT/a",
            "jar:https://127.0.0.1:PORT!/",
            "unix:///var/run/docker.sock",
            "javascript:alert(1)",
            "about:blank",
            "blob:https://127.0.0.1:PORT/1",
            "view-source:https://127.0.0.1:PORT/",
            "httpss://example.com/",
            "https+unix://127.0.0.1:PORT/",
            "https://127.0.0.1:0/",
            "https://127.0.0.1:443/",
            "https://127.0.0.1:00022/",
            "https://127.0.0.1:65536/",
            "https://127.0.0.1:-1/",
            "https://127.0.0.1:PORT:80/",
            "https://",
            "https://:PORT/",
            "https://?@127.0.0.1",
        ],
    ),
];

/// Names that lead to addresses which are not public, as [`lookup`] reads them.
pub(crate) const NAMES: &[&str] = &[
    "127-0-0-1.test",
    "127-0-0-1.test.",
    "127-0-0-1.TEST",
    "127-255-255-254.test",
    "0-0-0-0.test",
    "10-0-0-1.test",
    "172-16-0-1.test",
    "192-168-1-1.test",
    "100-64-0-1.test",
    "169-254-100-1.test",
    "169-254-169-254.test",
    "169-254-170-2.test",
    "255-255-255-255.test",
    "0--1.test",
    "0--0.test",
    "0--ffff-7f00-1.test",
    "0--ffff-a9fe-a9fe.test",
    "64-ff9b--7f00-1.test",
    "64-ff9b-1--7f00-1.test",
    "2002-7f00-1--0.test",
    "2001-0--7f00-1.test",
    "fd00-ec2--254.test",
    "fe80--1.test",
    "fec0--1.test",
    "127-0-0-1.10-0-0-1.fd00-ec2--254.test",
    "xn--bcher-kva.127-0-0-1.test",
];

/// Resolves each name with [`lookup`].
pub(crate) const RESOLVER: PublicOnly = PublicOnly { lookup };

/// Reads a name's addresses from its labels: `127-0-0-1.fd00-ec2--254.test` has two. `rebinding.test` is public the first
/// time, and this machine from then on.
fn lookup(name: Name) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    static REBINDING: AtomicUsize = AtomicUsize::new(0);
    let labels = name.as_str().split('.').map(|label| match label {
        "rebinding" if REBINDING.fetch_add(1, Ordering::SeqCst) == 0 => "8-8-8-8",
        "rebinding" => "127-0-0-1",
        label => label,
    });
    let address = |label: &str| {
        let v4 = label.replace('-', ".").parse::<IpAddr>();
        v4.or_else(|_| label.replace('-', ":").parse()).ok()
    };
    let found: Vec<_> = labels.filter_map(address).map(|ip| SocketAddr::new(ip, 0)).collect();
    Box::pin(async move {
        let unknown = || io::Error::other("no such name");
        (!found.is_empty()).then_some(found).ok_or_else(unknown)
    })
}

/// All of [`URLS`], with a listener's port.
pub(crate) fn urls(port: u16) -> impl Iterator<Item = String> {
    let urls = URLS.iter().flat_map(|(_, urls)| urls.iter());
    urls.map(move |url| url.replace("PORT", &port.to_string()))
}

/// URLs of all [`NAMES`], at a listener's port.
pub(crate) fn named_urls(port: u16) -> impl Iterator<Item = String> {
    NAMES.iter().map(move |name| format!("https://{name}:{port}/"))
}

/// A server on 127.0.0.1 that counts connections and closes them.
pub(crate) struct Listener {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                drop(connection);
            }
        });
        Self { port, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
