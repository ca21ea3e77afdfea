//! `assistants settings`: what can be set, for a terminal, a program or the documents.

use assistant_endpoint::assistant::settings::{Described, described, schema};
use clap::Args;
use serde_json::Value;

#[derive(Args)]
pub struct Describe {
    /// Print a JSON Schema
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print the table of docs/settings.md
    #[arg(long)]
    markdown: bool,
}

impl Describe {
    pub fn run(self) {
        let text = match (self.json, self.markdown) {
            (true, _) => format!("{:#}\n", schema()),
            (_, true) => table(),
            _ => described().iter().map(paragraph).collect::<Vec<_>>().concat(),
        };
        say!("{}", text.trim_end());
    }
}

fn paragraph(setting: &Described) -> String {
    let value = value_of(setting).replace('`', "");
    format!("{}\n  {}\n  Value: {value}\n", setting.name, setting.about)
}

fn table() -> String {
    let row = |setting: &Described| format!("| `{}` | {} | {} |\n", setting.name, value_of(setting), setting.about);
    let rows: Vec<_> = described().iter().map(row).collect();
    format!("| setting | value | meaning |\n| --- | --- | --- |\n{}", rows.concat())
}

/// What a value may be, in words: "`true` or `false`; `false` unless set".
fn value_of(setting: &Described) -> String {
    let value = of_schema(&setting.schema);
    match setting.schema.get("default") {
        Some(default) => format!("{value}; {} unless set", code(default)),
        None => value,
    }
}

fn of_schema(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().map(code).collect();
        return values.join(", ");
    }
    if let Some(kinds) = schema["oneOf"].as_array() {
        let kinds: Vec<_> = kinds.iter().map(of_schema).collect();
        return kinds.join(" or ");
    }
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => "`true` or `false`".into(),
        "string" if schema["format"] == "uri" => "a URL".into(),
        "string" => "text".into(),
        "array" => format!("a list of {}s", of_schema(&schema["items"]).trim_start_matches("a ")),
        "object" => "a JSON object".into(),
        kind => format!(
            "{}{}",
            if kind == "integer" {
                "a whole number"
            } else {
                "a number"
            },
            range(schema)
        ),
    }
}

fn range(schema: &Value) -> String {
    let limit = |name: &str| schema[name].as_f64();
    match (limit("minimum"), limit("maximum")) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" from {min} on"),
        (None, Some(max)) => format!(" up to {max}"),
        (None, None) => String::new(),
    }
}

fn code(value: &Value) -> String {
    format!("`{}`", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
