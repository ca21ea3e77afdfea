//! Audits: a line in the log for each write to an assistant that was made, at whatever level the log is. It says who changed
//! what, but no value: a setting may be a secret.

use serde_json::Value;

use crate::{assistant::Record, log::AUDIT};

/// Who made a write.
#[derive(Debug, Clone, Copy)]
pub enum By<'a> {
    /// The assistant's owner, by the management API; the JWT's `sub`.
    Owner(&'a str),
    /// Somebody with AWS credentials, by the program `assistants`; their name on that machine.
    Program(&'a str),
}

/// What was written.
#[derive(Debug, Clone, Copy)]
pub enum Action<'a> {
    /// A new assistant.
    Create,
    /// The assistant, which was this before.
    Update(&'a Record),
    /// The assistant is gone.
    Delete,
    /// A token to try it with.
    CreateTrial,
    /// What was kept of its conversations is gone.
    EraseResponses,
}

/// Writes the line; `record` is the assistant as it is now, or was before it was deleted.
pub fn written(by: By<'_>, action: Action<'_>, record: &Record) {
    log(by, action, record, None);
}

/// The same where the store did not say whether the write was made. `record` is the assistant before it, as far as it is known.
pub fn perhaps_written(by: By<'_>, action: Action<'_>, record: &Record) {
    log(by, action, record, Some("unknown"));
}

fn log(by: By<'_>, action: Action<'_>, record: &Record, made: Option<&str>) {
    let (by, who) = match by {
        By::Owner(sub) => ("owner", sub),
        By::Program(user) => ("program", user),
    };
    let (action, changed) = match action {
        Action::Create => ("create", Some(changed(&Record::default(), record))),
        Action::Update(before) => ("update", Some(changed(before, record))),
        Action::Delete => ("delete", None),
        Action::CreateTrial => ("create_trial", None),
        Action::EraseResponses => ("erase_responses", None),
    };
    tracing::info!(
        target: AUDIT,
        by,
        who,
        action,
        assistant_id = record.assistant_id,
        version = record.version,
        changed = changed.filter(|_| made.is_none()).map(|names| names.join(", ")),
        made,
        "audit"
    );
}

/// The names of what differs, in order.
fn changed(before: &Record, after: &Record) -> Vec<String> {
    let own = [
        ("name", before.name != after.name),
        ("public_token", before.token_digest != after.token_digest),
    ];
    let own = own
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| name.to_owned());
    let (old, new) = (&before.config["configurable"], &after.config["configurable"]);
    let others = differing(&before.config, &after.config).filter(|name| *name != "configurable");
    let others = others.map(|name| format!("config.{name}"));
    let mut names: Vec<_> = own
        .chain(differing(old, new).map(str::to_owned))
        .chain(others)
        .collect();
    names.sort_unstable();
    names
}

/// The keys of two objects whose values differ.
fn differing<'a>(old: &'a Value, new: &'a Value) -> impl Iterator<Item = &'a str> {
    let keys = |object: &'a Value| {
        object
            .as_object()
            .into_iter()
            .flat_map(|object| object.keys().map(String::as_str))
    };
    let gone = keys(old).filter(|key| new.get(key).is_none());
    keys(new).filter(|key| old.get(key) != new.get(key)).chain(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(name: &str, token_digest: Option<&str>, config: Value) -> Record {
        Record {
            name: name.into(),
            token_digest: token_digest.map(str::to_owned),
            config,
            ..Record::default()
        }
    }

    #[test]
    fn what_differs_is_named() {
        let before = record(
            "Bob",
            Some("a"),
            json!({"configurable": {"type==agent/model": "gpt-4o", "temperature": 1, "gone": 1, "same": [1]}, "model": "x"}),
        );
        let after = record(
            "Ann",
            Some("b"),
            json!({"configurable": {"type==agent/model": "gpt-5", "temperature": 1, "same": [1], "new": null}, "model": "y"}),
        );
        let expected = [
            "config.model",
            "gone",
            "name",
            "new",
            "public_token",
            "type==agent/model",
        ];
        assert_eq!(changed(&before, &after), expected);
        assert!(changed(&after, &after).is_empty());
        assert_eq!(
            changed(
                &Record::default(),
                &record("", None, json!({"configurable": {"model": "m"}}))
            ),
            ["model"]
        );
    }
}
