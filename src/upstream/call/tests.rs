use std::sync::Arc;

use aws_config::SdkConfig;

use super::*;
use crate::{
    chat::{
        message::{Message, Role},
        parameters::Parameters,
    },
    guard::hostile::{Listener, RESOLVER, named_urls, urls},
    provider,
};

/// A caller as on Lambda, but for the names, which [`RESOLVER`] looks up.
fn caller() -> Caller {
    let config = Config::read(|name| match name {
        "ASSISTANTS_TABLE" | "TOKEN_CLAIMS_TABLE" => Some("table".into()),
        _ => None,
    });
    let role = ServiceRole::new(&SdkConfig::builder().build());
    let mut caller = Caller::new(&config.unwrap(), role, ProviderKeys::new(HashMap::new(), None)).unwrap();
    caller.public_only = RESOLVER;
    caller
}

#[tokio::test]
async fn no_connection_is_made_to_a_hostile_base_url() {
    let (listener, caller) = (Listener::start().await, caller());
    let prompt = Prompt {
        messages: Arc::new(vec![Message::text(Role::User, "Hello")]),
        parameters: Parameters::default(),
        own_messages: 0,
        show_reasoning: false,
        for_owner: false,
    };
    let mut count = 0;
    for url in urls(listener.port).chain(named_urls(listener.port)) {
        // What is no URL is a problem of the setting's reader.
        let Ok(url) = Url::parse(url.trim()) else { continue };
        let model = provider::choose("gpt-4o", None, Some(url.clone())).unwrap();
        let opened = caller
            .open(&model, &prompt, Deadline::new(None), &mut Terms::default(), &mut 0)
            .await;
        let Err(Error::Misconfigured(message)) = opened else {
            panic!("{url} was called")
        };
        assert!(
            message.contains("`base_url` must be an https URL at a public address"),
            "{message}"
        );
        count += 1;
    }
    assert!(count >= 138, "{count}");
    assert_eq!(listener.connections(), 0);
}
