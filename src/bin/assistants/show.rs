//! Assistants as JSON or for a reader.

use assistant_endpoint::{
    assistant::{Assistant, Record, store::claims::Grace},
    local::embedded_store::Error,
};
use serde_json::{Value, json};

/// One assistant; `token` where it is to be shown, this once, and `grace` where one before it still works.
pub fn print(record: &Record, token: Option<&str>, grace: Option<Grace>, as_json: bool) -> Result<(), Error> {
    if as_json {
        let mut shown = to_json(record)?;
        if let Some(token) = token {
            shown["public_token"] = json!(token);
        }
        if let Some(grace) = grace {
            shown["old_token_valid_until"] = json!(grace.valid_until());
        }
        say!("{shown:#}");
        return Ok(());
    }
    say!("Assistant  {}", record.assistant_id);
    say!("Name       {}", record.name);
    say!("Owner      {}", record.owner_id);
    say!("Model      {}", model(record));
    match token {
        Some(token) => say!("Token      {token}  (shown this once: it is not stored)"),
        None => say!("Token      {}", hint(record)),
    }
    if let Some(grace) = grace {
        say!("Old token  works until {}", grace.valid_until());
    }
    say!("Version    {}, of {}", record.version, record.updated_at);
    say!("Config     {:#}", record.config);
    Ok(())
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
            record.name.clone(),
            model(record),
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
        .map_or_else(|_| "not usable".into(), |model| model.name)
}

fn hint(record: &Record) -> String {
    record
        .token_hint
        .as_ref()
        .map_or_else(|| "none".into(), |hint| format!("…{hint}"))
}
