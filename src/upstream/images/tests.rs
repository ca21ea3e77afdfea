use std::sync::Mutex;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::guard::hostile::{Listener, RESOLVER, named_urls, urls};

/// A fetcher as on Lambda, but for the names, which [`RESOLVER`] looks up.
fn fetcher() -> ImageFetcher {
    ImageFetcher {
        connections: Connections::default(),
        timeouts: Timeouts::default(),
        allow_private: false,
        public_only: RESOLVER,
    }
}

async fn refusal(fetcher: &ImageFetcher, url: &str) -> String {
    let fetched = fetcher.download(url, &AtomicUsize::new(0)).await;
    fetched.expect_err(url)
}

#[tokio::test]
async fn no_connection_is_made_for_a_hostile_url() {
    let (listener, fetcher) = (Listener::start().await, fetcher());
    let mut count = 0;
    for url in urls(listener.port) {
        let why = refusal(&fetcher, &url).await;
        let known = why.contains("must be https at a public address") || why == "this is not a URL";
        assert!(known, "{url:?}: {why}");
        count += 1;
    }
    // The public learns nothing of the names inside: a private one is as good as one that nobody has.
    let unknown = refusal(&fetcher, "https://nobody-has-this-name.test/").await;
    assert!(
        unknown.contains("could not be reached at a public address"),
        "{unknown}"
    );
    for url in named_urls(listener.port) {
        assert_eq!(refusal(&fetcher, &url).await, unknown, "{url}");
        count += 1;
    }
    assert!(count >= 166, "{count}");
    assert_eq!(listener.connections(), 0);
}

/// A server that answers each request with a redirect to what `location` holds then.
async fn redirecting(location: Arc<Mutex<String>>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut statuses = [301, 302, 303, 307, 308].into_iter().cycle();
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 4096]).await;
            let location = location.lock().unwrap().clone();
            let status = statuses.next().unwrap();
            let head = format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            let _ = connection.write_all(head.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn no_redirect_to_a_hostile_url_is_followed() {
    let listener = Listener::start().await;
    let location = Arc::new(Mutex::new(String::new()));
    let front = redirecting(Arc::clone(&location)).await;
    // The name of the first server alone is not looked up, and plain http is asked of it past the check of the first URL.
    let builder = fetcher().builder().tls_certs_only([]).resolve("front.test", front);
    let client = builder.build().unwrap();
    let first = format!("http://front.test:{}/", front.port());
    let mut count = 0;
    let relative = [
        "//127.0.0.1:PORT/",
        "\\\\127.0.0.1:PORT/",
        "/\\127.0.0.1:PORT/",
        "///127.1:PORT/",
    ];
    let relative = relative.map(|url| url.replace("PORT", &listener.port.to_string()));
    // A line end would end the header.
    let locations = urls(listener.port).chain(named_urls(listener.port)).chain(relative);
    for url in locations.filter(|url| !url.contains(['\n', '\u{1}'])) {
        location.lock().unwrap().clone_from(&url);
        match client.get(&first).send().await {
            Err(error) => assert!(guard::is_not_public(&error), "{url}: {error:?}"),
            // What cannot be read as a URL is followed by nobody.
            Ok(response) => assert!(response.status().is_redirection(), "{url}: {response:?}"),
        }
        count += 1;
    }
    assert!(count >= 18, "{count}");
    assert_eq!(listener.connections(), 0);
}
