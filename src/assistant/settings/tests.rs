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
