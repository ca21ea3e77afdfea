//! `assistants settings`: what can be set, for a terminal, a program or the documents.

use assistant_endpoint::assistant::settings::{Described, code, described, in_words, schema};
use clap::Args;

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
    let value = in_words(&setting.schema);
    match setting.schema.get("default") {
        Some(default) => format!("{value}; {} unless set", code(default)),
        None => value,
    }
}
