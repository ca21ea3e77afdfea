//! An assistant's settings as options: one for each setting of the table.

use assistant_endpoint::{
    assistant::{
        Record,
        settings::{
            Described, described,
            keys::{Keys, TYPE},
        },
    },
    config::Rules,
    local::embedded_store::Error,
    manage::change::{Patch, Patched},
};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, error::ErrorKind, value_parser};
use serde_json::{Map, Value, json};

/// What the options set and remove, by the names that were given: a name may bear the prefix of a type.
#[derive(Debug, Default)]
pub struct Settings {
    set: Vec<(String, Value)>,
    unset: Vec<String>,
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        let command = described()
            .into_iter()
            .fold(command, |command, setting| command.arg(option(&setting)));
        command
            .arg(
                Arg::new("set")
                    .long("set")
                    .value_name("NAME=VALUE")
                    .action(ArgAction::Append)
                    .value_parser(name_and_value)
                    .help("Any setting, its value as JSON or else as text, e.g. --set temperature=0.2"),
            )
            .arg(
                Arg::new("unset")
                    .long("unset")
                    .value_name("NAME")
                    .action(ArgAction::Append)
                    .help("Remove a setting"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// `--base-url <BASE_URL>`; one that takes a list may be repeated, and has its singular as another name.
fn option(setting: &Described) -> Arg {
    let long = setting.name.replace('_', "-");
    let option = Arg::new(setting.name)
        .value_name(setting.name.to_uppercase())
        .value_parser(value_parser!(String))
        .allow_hyphen_values(true)
        .help(setting.about.trim_end_matches('.').to_owned());
    let option = if is_list(setting) {
        let singular = long.trim_end_matches('s').to_owned();
        option.action(ArgAction::Append).visible_alias(singular)
    } else {
        option
    };
    option.long(long)
}

fn is_list(setting: &Described) -> bool {
    setting.schema["type"] == "array"
}

/// An option's text as the setting's value: text where that is what the setting holds, else JSON.
fn value(setting: &Described, text: &str) -> Value {
    let is_text = setting.schema["type"] == "string" || setting.schema.get("enum").is_some();
    match serde_json::from_str(text) {
        Ok(value) if !is_text => value,
        // What is no JSON is refused with the setting's name, as in the management API.
        _ => json!(text),
    }
}

/// One item of a list, or those of a list in JSON.
fn items(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap_or_else(|_| vec![json!(text)])
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Self::default();
        for setting in described() {
            let Some(mut given) = matches.get_many::<String>(setting.name) else {
                continue;
            };
            let value = if is_list(&setting) {
                given.by_ref().flat_map(|text| items(text)).collect()
            } else {
                given.next_back().map_or(Value::Null, |text| value(&setting, text))
            };
            settings.set.push((setting.name.to_owned(), value));
        }
        let set = matches.get_many::<(String, Value)>("set");
        settings.set.extend(set.into_iter().flatten().cloned());
        let unset = matches.get_many::<String>("unset");
        settings.unset.extend(unset.into_iter().flatten().cloned());
        Ok(settings)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn name_and_value(argument: &str) -> Result<(String, Value), clap::Error> {
    let problem = |text: &str| clap::Error::raw(ErrorKind::ValueValidation, text);
    // A prefix has an equals sign of its own: `type==agent/temperature=0.2`.
    let at = argument
        .find('/')
        .filter(|_| argument.starts_with("type=="))
        .unwrap_or(0);
    let (name, value) = argument[at..]
        .split_once('=')
        .ok_or_else(|| problem("write it as NAME=VALUE"))?;
    let name = &argument[..at + name.len()];
    if name.is_empty() || name.ends_with('/') {
        return Err(problem("the setting has no name: write it as NAME=VALUE"));
    }
    if name.ends_with("public_token") {
        return Err(problem(
            "a public token is set with `create --token` or `rotate-token --token`",
        ));
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    Ok((name.to_owned(), value))
}

impl Settings {
    /// The same with one more, unless the options set it.
    pub fn or(mut self, name: &str, value: impl Into<Value>) -> Self {
        if !self.set.iter().any(|(set, _)| set == name) {
            self.set.push((name.to_owned(), value.into()));
        }
        self
    }

    /// The same JSON Merge Patch that the management API takes, for an assistant that is `record` so far.
    pub fn into_patch(self, record: &Record, name: Option<String>, token: Option<String>) -> Value {
        let own_type = self.set.iter().rfind(|(name, _)| name == TYPE).map(|(_, value)| value);
        let own_type = own_type.unwrap_or(&record.config["configurable"][TYPE]).clone();
        let (keys, _) = Keys::of(Some(&Map::from_iter([(TYPE.to_owned(), own_type)])));
        let token = token.map(|token| ("public_token".to_owned(), json!(token)));
        let unset = self.unset.into_iter().map(|name| (name, Value::Null));
        let mut configurable = json!({});
        for (name, value) in self.set.into_iter().chain(token).chain(unset) {
            let is_whole_key = name.starts_with("type==");
            let key = if is_whole_key { name } else { keys.written(&name) };
            configurable[key] = value;
        }
        let mut patch = json!({"config": {"configurable": configurable}});
        if let Some(name) = name {
            patch["name"] = json!(name);
        }
        patch
    }
}

/// Reads a patch as the management API does, and applies it.
pub fn apply(patch: &Value, record: &Record, rules: &Rules) -> Result<Patched, Error> {
    Ok(Patch::read(patch.to_string().as_bytes())?.apply(record, rules)?)
}
