//! Assistants as JSON or for a reader.

use assistant_endpoint::{
    assistant::{Assistant, Record, store::claims::Grace},
    local::embedded_store::Error,
};
use serde_json::{Value, json};

/// One assistant; `token` where it is to be shown, this once, and `grace` where one before it still works.
pub fn print(record: &Record, token: Option<&str>, grace: Option<Grace>, as_json: bool) -> Result<(), Error> {
    let text = if as_json {
        let mut shown = to_json(record)?;
        if let Some(token) = token {
            shown["public_token"] = json!(token);
        }
        if let Some(grace) = grace {
            shown["old_token_valid_until"] = json!(grace.valid_until());
        }
        format!("{shown:#}")
    } else {
        lines(record, token, grace).join("\n")
    };
    crate::written(crate::printed(format_args!("{text}")), token.is_some());
    Ok(())
}

fn lines(record: &Record, token: Option<&str>, grace: Option<Grace>) -> Vec<String> {
    let token = match token {
        Some(token) => format!("{token}  (shown this once: it is not stored)"),
        None => hint(record),
    };
    let mut lines = vec![
        format!("Assistant  {}", record.assistant_id),
        format!("Name       {}", visible(&record.name)),
        format!("Owner      {}", visible(&record.owner_id)),
        format!("Model      {}", model(record)),
        format!("Token      {token}"),
    ];
    lines.extend(grace.map(|grace| format!("Old token  works until {}", grace.valid_until())));
    lines.push(format!("Version    {}, of {}", record.version, record.updated_at));
    lines.push(format!("Config     {}", visible_lines(&format!("{:#}", record.config))));
    lines
}

/// All of them, a line each.
pub fn print_all(records: &[Record], as_json: bool) -> Result<(), Error> {
    if as_json {
        let records = records.iter().map(to_json).collect::<Result<Value, _>>()?;
        say!("{records:#}");
        return Ok(());
    }
    let rows = records.iter().map(|record| {
        let access = if Assistant::new(record.clone()).check_access(None).is_ok() {
            "public"
        } else {
            "closed"
        };
        [
            record.assistant_id.clone(),
            shortened(&visible(&record.name)),
            shortened(&model(record)),
            hint(record),
            access.into(),
        ]
    });
    let header = ["ASSISTANT", "NAME", "MODEL", "TOKEN", "ACCESS"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(header).chain(rows).collect();
    for row in &rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            format!("{cell:width$}")
        });
        say!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    Ok(())
}

/// Without the digest and the count of revocations, which say nothing to a reader.
fn to_json(record: &Record) -> Result<Value, serde_json::Error> {
    let mut shown = serde_json::to_value(record)?;
    if let Some(shown) = shown.as_object_mut() {
        shown.shift_remove("token_digest");
        shown.shift_remove("revocations");
    }
    Ok(shown)
}

fn model(record: &Record) -> String {
    Assistant::new(record.clone())
        .model()
        .map_or_else(|_| "not usable".into(), |model| visible(&model.name))
}

/// An owner's text for the operator's terminal: what would move its cursor, colour it or begin a new line is written out.
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if is_plain(character) {
            visible.push(character);
        } else {
            visible.extend(character.escape_default());
        }
    }
    visible
}

/// The same of a text that has lines.
fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Neither a control character nor one that turns the direction of what follows
/// (<https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>).
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A table's cell, of at most 60 characters.
fn shortened(text: &str) -> String {
    const MAX: usize = 60;
    if text.chars().count() <= MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MAX - 1).collect();
    kept + "…"
}

fn hint(record: &Record) -> String {
    record
        .token_hint
        .as_ref()
        .map_or_else(|| "none".into(), |hint| format!("…{hint}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owners_text_is_no_command_to_a_terminal() {
        assert_eq!(visible("Bob's bot – 機械"), "Bob's bot – 機械");
        assert_eq!(visible("a\u{1b}]0;owned\u{7}\nb"), "a\\u{1b}]0;owned\\u{7}\\nb");
        assert_eq!(visible("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(visible_lines("a\n\tb"), "a\n\\tb");
        assert_eq!(shortened(&"é".repeat(60)).chars().count(), 60);
        assert_eq!(shortened(&"é".repeat(61)).chars().count(), 60);
    }
}
