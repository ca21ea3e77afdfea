use serde_json::json;

use super::*;

#[test]
fn all_problems_are_found_and_named_by_their_keys() {
    let config = json!({
        "instructions": 5,
        "configurable": {
            "type==agent/temperature": 3,
            "access_mode": "open",
            "model": "nobodys-model",
            "type==chatbot/top_p": "another type's",
            "unknown": {"kept": true},
        },
    });
    let (settings, problems) = Settings::read(&config);
    let params: Vec<_> = problems.iter().map(|problem| problem.param.as_str()).collect();
    assert_eq!(
        params,
        [
            "config.configurable.access_mode",
            "config.configurable.type==agent/temperature",
            "config.instructions",
            "config.configurable.model",
        ]
    );
    assert!(!settings.is_public && settings.model.is_none());
}

#[test]
fn nothing_set_is_no_problem() {
    for config in [
        json!(null),
        json!({}),
        json!({"configurable": null}),
        json!({"configurable": {}}),
        json!({"instructions": "", "model": null, "configurable": {"system_message": "", "temperature": null}}),
    ] {
        let (settings, problems) = Settings::read(&config);
        assert_eq!(problems, [], "{config}");
        assert!(!settings.is_public && settings.model.is_none() && settings.system_message.is_none());
    }
    assert_eq!(Settings::read(&json!({"configurable": []})).1.len(), 1);
}

#[test]
fn every_setting_is_described() {
    let described = described();
    for setting in &described {
        assert!(
            setting.about.ends_with('.') && setting.about.len() > 20,
            "{}",
            setting.name
        );
        assert!(setting.schema.is_object(), "{}", setting.name);
    }
    for name in ["access_mode", "model", "base_url", "system_message"] {
        assert!(described.iter().any(|setting| setting.name == name), "{name}");
    }
}

#[test]
fn each_fallback_is_asked_once() {
    for (configurable, expected) in [
        (
            json!({"model": "gpt-4o", "fallback_models": ["gpt-4o", "gpt-4.1", "gpt-4.1", "openai/gpt-4o"]}),
            vec!["gpt-4.1"],
        ),
        (
            json!({"model": "gpt-4o", "fallback_models": ["azure/gpt-4o", "openai/gpt-4.1"]}),
            vec!["gpt-4o", "gpt-4.1"],
        ),
        // The same name at an own server is another model.
        (
            json!({"model": "gpt-4o", "base_url": "https://llm.example.com", "fallback_models": ["gpt-4o", "gpt-4o"]}),
            vec!["gpt-4o"],
        ),
    ] {
        let (settings, problems) = Settings::read(&json!({"configurable": configurable}));
        let names: Vec<_> = settings
            .fallback_models
            .iter()
            .map(|model| model.name.as_str())
            .collect();
        assert_eq!((names, problems), (expected, vec![]), "{configurable}");
    }
}

#[test]
fn fallbacks_are_few() {
    for (count, is_problem) in [(5, false), (6, true), (200, true)] {
        let config = json!({"configurable": {"model": "gpt-4o", "fallback_models": vec!["gpt-4o-mini"; count]}});
        let messages: Vec<_> = Settings::read(&config)
            .1
            .into_iter()
            .map(|problem| problem.message)
            .collect();
        let expected = is_problem.then(|| "must hold at most 5 models".to_owned());
        assert_eq!(messages, Vec::from_iter(expected), "{count}");
    }
}

#[test]
fn a_base_url_holds_no_credentials_and_no_query() {
    for (url, problem) in [
        ("https://llm.example.com/v1", None),
        ("https://user:pw99@llm.example.com/v1", Some("keys secret")),
        ("https://pw99@llm.example.com/v1", Some("keys secret")),
        ("https://:pw99@llm.example.com/v1", Some("keys secret")),
        ("https://llm.example.com/v1?key=pw99", Some("without a query")),
        ("https://llm.example.com/v1#pw99", Some("without a query")),
        ("ftp://llm.example.com/v1", Some("https (or http)")),
        ("//llm.example.com/v1", Some("https (or http)")),
        (
            "https://llm.example.com/v1/chat/completions",
            Some("leave that end off"),
        ),
        (
            "https://llm.example.com/v1/chat/completions/",
            Some("leave that end off"),
        ),
        ("https://llm.example.com/chat/completions/v1", None),
    ] {
        let config = json!({"configurable": {"model": "gpt-4o", "base_url": url}});
        let problems = Settings::read(&config).1;
        let told = problems.first().map(|problem| problem.message.as_str());
        let is_told = told
            .zip(problem)
            .is_some_and(|(told, problem)| told.contains(problem) && !told.contains("pw99"));
        assert!(is_told || told.is_none() && problem.is_none(), "{url}: {told:?}");
    }
}
