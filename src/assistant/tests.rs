use super::*;
use serde_json::json;

fn assistant(config: Value) -> Assistant {
    let record = json!({"assistant_id": "a", "config": config});
    Assistant::new(serde_json::from_value(record).unwrap())
}

fn model_name(config: Value) -> Option<String> {
    assistant(config).model().ok().map(|model| model.name)
}

#[test]
fn the_model_is_found_in_every_place_it_may_stand() {
    for (config, expected) in [
        (
            json!({"configurable": {"type==agent/model": "gpt-4o", "model": "gpt-4"}}),
            Some("gpt-4o"),
        ),
        (
            json!({"configurable": {"model": "gpt-4o", "llm_type": "GPT 4"}}),
            Some("gpt-4o"),
        ),
        (
            json!({"configurable": {"type": "chatbot", "type==chatbot/llm_type": "GPT 4o Mini"}}),
            Some("gpt-4o-mini"),
        ),
        (
            json!({"configurable": {"type": "chat_retrieval", "type==chat_retrieval/model": "o3", "type==agent/model": "gpt-4"}}),
            Some("o3"),
        ),
        (
            json!({"configurable": {"type==agent/model": null, "model": "gpt-4"}}),
            Some("gpt-4"),
        ),
        (
            json!({"model": "gpt-4o", "configurable": {"agent_type": "GPT 4"}}),
            Some("gpt-4o"),
        ),
        (
            json!({"configurable": {"type==agent/agent_type": "GPT 4o"}}),
            Some("gpt-4o"),
        ),
        (json!({"configurable": {"type==agent/agent_type": "agent"}}), None),
        (json!({"configurable": {"model": "  "}}), None),
        (json!({}), None),
    ] {
        assert_eq!(model_name(config.clone()).as_deref(), expected, "{config}");
    }
}

#[test]
fn any_access_mode_but_public_token_is_closed() {
    for mode in [
        json!("authenticated"),
        json!("public"),
        json!("PUBLIC_TOKEN"),
        json!("public_token "),
        json!(true),
        json!(null),
    ] {
        let assistant = assistant(json!({"configurable": {"type==agent/access_mode": mode}}));
        assert!(
            matches!(assistant.check_access(None), Err(Error::AccessDisabled)),
            "{mode}"
        );
    }
    let open = assistant(json!({"configurable": {"type==agent/access_mode": "public_token"}}));
    open.check_access(Some("https://any.example")).unwrap();
}

#[test]
fn listed_origins_keep_other_pages_out() {
    let with = |origins: Value| {
        assistant(json!({"configurable": {"access_mode": "public_token", "allowed_origins": origins}}))
    };
    let listed = with(json!([
        "https://shop.example",
        "https://www.Shop.example:443/",
        "capacitor://localhost"
    ]));
    listed.check_access(None).unwrap();
    listed.check_access(Some("https://shop.example")).unwrap();
    listed.check_access(Some("https://www.shop.example")).unwrap();
    listed.check_access(Some("capacitor://localhost")).unwrap();
    for origin in ["https://shop.example.evil.com", "http://shop.example", "null"] {
        assert!(
            matches!(listed.check_access(Some(origin)), Err(Error::OriginNotAllowed)),
            "{origin}"
        );
    }
    with(json!([])).check_access(Some("https://any.example")).unwrap();
    assert!(
        with(json!("https://shop.example"))
            .check_access(Some("https://shop.example"))
            .is_err()
    );
}

#[test]
fn another_types_key_opens_nothing() {
    for configurable in [
        json!({"type": "agent", "access_mode": "authenticated", "type==chatbot/access_mode": "public_token"}),
        json!({"type==chatbot/access_mode": "public_token"}),
        json!({"type": "chatbot", "type==agent/access_mode": "public_token", "type==chat_retrieval/access_mode": "public_token"}),
        json!({"type": "chatbot", "access_mode": "public_token", "type==chatbot/access_mode": "authenticated"}),
    ] {
        let assistant = assistant(json!({"configurable": configurable}));
        assert!(
            matches!(assistant.check_access(None), Err(Error::AccessDisabled)),
            "{configurable}"
        );
    }
}

#[test]
fn a_setting_that_cannot_be_read_is_never_passed_over() {
    for (name, value) in [
        ("type", json!("unknown")),
        ("model", json!(5)),
        ("llm_type", json!(" ")),
        ("agent_type", json!(["agent"])),
        ("provider", json!("openia")),
        ("base_url", json!("llm.example.com")),
        ("base_url", json!("https://user:secret@llm.example.com")),
        ("system_message", json!({"text": "You are Bob."})),
        ("allowed_origins", json!("https://shop.example")),
        ("allowed_origins", json!(["shop.example"])),
        ("allowed_origins", json!(["https://*.example"])),
        ("fallback_models", json!("gpt-4o")),
        ("fallback_models", json!(vec!["gpt-4o-mini"; 6])),
        ("fallback_models", json!(["gpt-4o", ""])),
        ("fallback_models", json!(["nobodys-model"])),
        ("reasoning_content", json!("true")),
        ("streaming", json!("false")),
        ("capabilities", json!({"sampling": "sometimes"})),
        ("temperature", json!(3)),
        ("top_p", json!("much")),
        ("max_tokens", json!(0)),
        ("stop", json!([1])),
    ] {
        let mut configurable = json!({"access_mode": "public_token", "model": "gpt-4o"});
        configurable[name] = value.clone();
        let assistant = assistant(json!({"configurable": configurable}));
        let error = assistant.check_access(None).unwrap_err();
        assert!(matches!(error, Error::Misconfigured(_)), "{name} {value}: {error}");
        assert!(
            error.to_string().contains(&format!("`{name}` ")),
            "{name} {value}: {error}"
        );
        assert!(!error.to_string().contains("Bob"), "{error}");
        assert!(
            assistant.model().is_err()
                && assistant
                    .prompt(vec![], Parameters::default(), &Limits::default())
                    .is_err()
        );
    }
    for config in [json!({"instructions": 5}), json!({"model": ["gpt-4o"]})] {
        let mut config = config;
        config["configurable"] = json!({"access_mode": "public_token", "model": "gpt-4o"});
        assert!(assistant(config).check_access(None).is_err());
    }
}
