//! An endpoint with everything around it, on loopback ports of its own.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use assistant_endpoint::{
    assistant::{
        Record,
        store::{Store, write::NewAssistant},
    },
    config::Config,
    http::finish,
    local::embedded_store,
    public::{App, routes},
    token::Token,
    upstream::role::ServiceRole,
};
use aws_config::{SdkConfig, timeout::TimeoutConfig};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub mod claim;
pub mod document;
pub mod failures;
pub mod function;
pub mod log;
pub mod management;
pub mod metrics;
pub mod provider;
pub mod response_calls;
pub mod responses;
pub mod schema;
pub mod secret;
pub mod store_fault;
pub mod store_proxy;
pub mod store_record;
pub mod streams;
pub mod usage_calls;
pub mod wire;

use provider::FakeProvider;
use secret::Secret;
use store_fault::Fault;
use store_proxy::Calls;
use usage_calls::Trouble;

pub const PLATFORM_KEY: &str = "sk-platform-key-of-the-tests";

/// The Python that `make test` installs the SDKs for.
pub fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".local/test-venv/bin/python")
}

/// A store with its tables, in memory.
pub async fn start_store() -> (SdkConfig, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (embedded_store::start(listener, None).await.unwrap(), address)
}

/// Creates an assistant and returns its token.
pub async fn create(store: &Store, configurable: Value) -> (Record, String) {
    let token = Token::generate().unwrap();
    let revealed = token.reveal().to_owned();
    let new = NewAssistant {
        owner_id: "owner-1".into(),
        name: "Test".into(),
        config: json!({"configurable": configurable}),
        token: Some(token),
    };
    (store.create(new).await.unwrap(), revealed)
}

/// A client for http on loopback. Without TLS it does not read the system's root certificates, which takes a debug build
/// longer than most tests.
pub fn http_client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}

pub struct TestApp {
    pub address: SocketAddr,
    pub store_address: SocketAddr,
    pub store: Store,
    pub provider: FakeProvider,
    client: reqwest::Client,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

/// The embedded store for a test's set-up, which waits as long as a machine under load needs.
pub fn patient_store(aws: &SdkConfig) -> Store {
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(Duration::from_secs(60))
        .build();
    Store::with_timeouts(aws, embedded_store::tables(), timeouts)
}

impl TestApp {
    pub async fn start(provider: FakeProvider) -> Self {
        Self::with(provider, &[]).await
    }

    /// An endpoint whose OpenAI and Bedrock are `provider`, with more settings.
    pub async fn with(provider: FakeProvider, settings: &[(&str, &str)]) -> Self {
        let (aws, address) = start_store().await;
        Self::build(provider, settings, (&aws, address), &aws).await
    }

    /// An endpoint that sees its store through a fault; the test itself sees the store as it is.
    pub async fn with_store_fault(provider: FakeProvider, fault: Fault) -> Self {
        let (aws, address) = start_store().await;
        let faulty = store_fault::in_front_of(address, fault).await;
        Self::build(provider, &[], (&aws, address), &faulty).await
    }

    /// The same with a Usage table.
    pub async fn with_faulty_usage(provider: FakeProvider, fault: Fault) -> Self {
        let (aws, address) = start_store().await;
        let faulty = store_fault::in_front_of(address, fault).await;
        Self::build(provider, &[("USAGE_TABLE", "Usage")], (&aws, address), &faulty).await
    }

    /// An endpoint with no key in its environment but a keys secret.
    pub async fn with_secret(provider: FakeProvider, secret: &Secret) -> Self {
        let (aws, address) = start_store().await;
        let with_secret = secret.beside(address).await;
        let settings = [
            ("PROVIDER_KEYS_SECRET", "the-keys"),
            ("OPENAI_API_KEY", ""),
            ("ALLOW_PRIVATE_PROVIDERS", "true"),
        ];
        Self::build(provider, &settings, (&aws, address), &with_secret).await
    }

    /// An endpoint with a Usage table whose calls are noted, and answered as the table or some trouble does.
    pub async fn noting_usage(provider: FakeProvider, settings: &[(&str, &str)], trouble: Trouble) -> (Self, Calls) {
        let (aws, address) = start_store().await;
        let (proxy, calls) = usage_calls::in_front_of(address, trouble).await;
        let seen = embedded_store::client_config(proxy).await;
        let settings = [&[("USAGE_TABLE", "Usage")], settings].concat();
        (Self::build(provider, &settings, (&aws, address), &seen).await, calls)
    }

    /// An endpoint with a Responses table whose calls are noted, and answered as the table or some trouble does.
    pub async fn noting_responses(
        provider: FakeProvider,
        settings: &[(&str, &str)],
        trouble: response_calls::Trouble,
    ) -> (Self, Calls) {
        let (aws, address) = start_store().await;
        let (proxy, calls) = response_calls::in_front_of(address, trouble).await;
        let seen = embedded_store::client_config(proxy).await;
        let settings = [&[("RESPONSES_TABLE", "Responses")], settings].concat();
        (Self::build(provider, &settings, (&aws, address), &seen).await, calls)
    }

    async fn build(
        provider: FakeProvider,
        settings: &[(&str, &str)],
        (aws, store_address): (&SdkConfig, SocketAddr),
        seen_by_endpoint: &SdkConfig,
    ) -> Self {
        let tables = embedded_store::tables();
        let (base_url, origin) = (provider.base_url(), provider.origin());
        let mut all = HashMap::from([
            ("ASSISTANTS_TABLE", tables.assistants.as_str()),
            ("TOKEN_CLAIMS_TABLE", &tables.token_claims),
            ("OPENAI_BASE_URL", &base_url),
            ("OPENAI_API_KEY", PLATFORM_KEY),
            ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &origin),
        ]);
        all.extend(settings.iter().copied());
        let mut config = Config::read(|name| all.get(name).map(|value| (*value).to_owned())).unwrap();
        config.timeouts.before_retry = Duration::from_millis(1);
        config.timeouts.after_finish = Duration::from_millis(300);
        config.timeouts.error_body = Duration::from_secs(1);
        config.timeouts.image = Duration::from_secs(1);
        let app = App::new(&config, seen_by_endpoint, ServiceRole::new(seen_by_endpoint)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = finish(routes(Arc::new(app)), config.way_in.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            store: patient_store(aws),
            store_address,
            provider,
            client: http_client(),
        }
    }

    /// A public assistant with gpt-4o; returns its token.
    pub async fn assistant(&self) -> String {
        self.assistant_with(json!({})).await
    }

    /// A public assistant with gpt-4o and more settings; returns its token.
    pub async fn assistant_with(&self, more: Value) -> String {
        let mut configurable = json!({"type==agent/access_mode": "public_token", "type==agent/model": "gpt-4o"});
        for (name, value) in more.as_object().unwrap() {
            configurable[name] = value.clone();
        }
        create(&self.store, configurable).await.1
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub fn chat_request(&self, token: &str, body: &Value) -> reqwest::RequestBuilder {
        self.request(Method::POST, "/public/openai/v1/chat/completions")
            .bearer_auth(token)
            .json(body)
    }

    pub async fn chat(&self, token: &str, body: &Value) -> Reply {
        Reply::of(self.chat_request(token, body)).await
    }
}

impl Reply {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        // No cache may give one caller's response to another, whatever it is.
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// The body of a reply that succeeded.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self.body()
    }

    /// The body of any reply.
    #[track_caller]
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks status, form and code of an error, and returns its message.
    #[track_caller]
    pub fn error(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.headers.contains_key("x-request-id"));
        error_message(&self.body(), code)
    }

    /// The JSON of each `data:` event; checks that lines are data or comments and nothing else.
    pub fn events(&self) -> Vec<Value> {
        events(&self.text)
    }

    pub fn is_done(&self) -> bool {
        self.text.ends_with("data: [DONE]\n\n")
    }
}

/// Checks an error object's form and code, and returns its message.
#[track_caller]
pub fn error_message(body: &Value, code: &str) -> String {
    let error = body["error"].as_object().unwrap_or_else(|| panic!("{body}"));
    let mut names: Vec<_> = error.keys().map(String::as_str).collect();
    // The management API lists all settings that cannot be used beside OpenAI's four fields.
    if let Some(problems) = error.get("problems") {
        assert_eq!((names.pop(), code), (Some("problems"), "invalid_value"), "{body}");
        assert_eq!(problems[0]["param"], error["param"], "{body}");
    }
    assert_eq!(names, ["message", "type", "param", "code"], "{body}");
    assert_eq!(error["code"].as_str().unwrap_or("null"), code, "{body}");
    error["message"].as_str().unwrap().to_owned()
}

pub fn events(text: &str) -> Vec<Value> {
    let mut events = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("data: ") {
            Some("[DONE]") => {}
            Some(data) => events.push(serde_json::from_str(data).unwrap()),
            None => assert!(line.starts_with(": "), "{line:?}"),
        }
    }
    events
}

/// The text of all chunks.
pub fn text_of(events: &[Value]) -> String {
    events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect()
}

pub fn hello(stream: bool) -> Value {
    json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "stream": stream})
}

/// Waits, where the minute is about to end, for the next one: what is counted by the minute would be counted anew.
pub async fn early_in_a_minute() {
    let second = time::OffsetDateTime::now_utc().second();
    if second > 50 {
        tokio::time::sleep(Duration::from_secs(u64::from(61 - second))).await;
    }
}

/// Far more than what does not wait takes, and less than the five seconds that a reading may take.
const SOON: Duration = Duration::from_secs(2);

/// What comes without waiting for a reading that hangs.
pub async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, work).await.expect("it waited")
}

/// Waits until there are so many readings.
pub async fn readings(count: impl Fn() -> usize, expected: usize) {
    let reached = async {
        while count() < expected {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(reached).await;
}
