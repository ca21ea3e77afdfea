//! The log: one line for each event, of at most 4 kB, with the fields of the spans around it: the request's id.
//!
//! A value that is too long is shortened, whoever wrote it, and the line stays whole: CloudWatch and whoever reads a
//! terminal get all fields of each line.

use std::io::Write;

use serde_json::{Map, Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing::{
    Event, Id, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Record},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, Scope},
    util::SubscriberInitExt,
};

use crate::metrics;

/// The target of the lines that hold metrics. In Lambda they are there at any level, or the numbers would be wrong.
pub(crate) const METRICS: &str = "metrics";
/// The target of audits, which are there at any level.
pub(crate) const AUDIT: &str = "audit";
/// The target of starts that fail, which are there at any level: Lambda itself does not say why.
pub(crate) const START: &str = "start";

/// Writes a line with metrics: a warning where whoever operates the service has to know of it. `tracing` takes a level that is
/// known when this is compiled.
macro_rules! metrics_line {
    ($is_grave:expr, $($fields:tt)+) => {
        if $is_grave {
            tracing::warn!(target: $crate::log::METRICS, $($fields)+);
        } else {
            tracing::info!(target: $crate::log::METRICS, $($fields)+);
        }
    };
}
pub(crate) use metrics_line;

/// Longest line, in bytes, its end included.
const MAX_LINE: usize = 4000;
/// Longest text in a line of usual size, in bytes as JSON writes it.
const MAX_TEXT: usize = 1000;

/// Lambda's log: one JSON object a line on stdout. Lines with metrics and audits are there at any level.
pub fn json() {
    let write = |line: &Value| {
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    };
    let namespace = std::env::var(NAMESPACE).unwrap_or_default();
    let namespace = match namespace.trim() {
        "" => metrics::NAMESPACE.to_owned(),
        named => named.to_owned(),
    };
    let lambdas = rank(&std::env::var(LAMBDAS_LEVEL).unwrap_or_default());
    let least = lambdas.max(rank("INFO"));
    start(
        LevelFilter::TRACE,
        Lines {
            write,
            least,
            namespace,
        },
    );
}

/// A terminal's log: the same lines, readable, on stderr.
pub fn human() {
    let own = own_level(|name| std::env::var(name).ok());
    let write = |line: &Value| {
        let _ = writeln!(std::io::stderr().lock(), "{}", readable(line));
    };
    start(
        own,
        Lines {
            write,
            least: 0,
            namespace: metrics::NAMESPACE.to_owned(),
        },
    );
}

fn start(metrics: LevelFilter, lines: Lines) {
    tracing_subscriber::registry()
        .with(lines.with_filter(levels(metrics)))
        .init();
}

/// The level that the function's settings have, which Lambda filters the lines by itself too.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>, read 2026-11.
const LAMBDAS_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
/// The variable that names the metrics' namespace. `config` checks it: a malformed one stops the start before any metric.
pub(crate) const NAMESPACE: &str = "METRICS_NAMESPACE";
/// Lambda's levels, each graver than the one before.
const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/// How grave a level is.
fn rank(level: &str) -> usize {
    LEVELS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(level))
        .unwrap_or_default()
}

/// `AWS_LAMBDA_LOG_LEVEL`, else `RUST_LOG`, is the level of our own lines. The libraries' stay at `warn`: at `trace` the Lambda
/// runtime prints whole events, and with them the callers' tokens.
fn levels(metrics: LevelFilter) -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), own_level(|name| std::env::var(name).ok()))
        .with_target(METRICS, metrics)
        .with_target(AUDIT, LevelFilter::TRACE)
        .with_target(START, LevelFilter::TRACE)
}

fn own_level(variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let set = |name: &str| level(&variable(name)?);
    let own = set(LAMBDAS_LEVEL).or_else(|| set("RUST_LOG"));
    own.unwrap_or(LevelFilter::INFO)
}

/// A level in any case. Lambda has one above `ERROR`.
fn level(name: &str) -> Option<LevelFilter> {
    if name.eq_ignore_ascii_case("fatal") {
        return Some(LevelFilter::ERROR);
    }
    // An empty one would be read as `ERROR`.
    name.parse().ok().filter(|_| !name.is_empty())
}

struct Lines {
    write: fn(&Value),
    /// The rank that a line has at least which is to be there at any level: Lambda drops what is below its own level.
    least: usize,
    /// CloudWatch's namespace for the metrics in the lines.
    namespace: String,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields(Map::new());
        let now = OffsetDateTime::now_utc();
        fields
            .0
            .insert("timestamp".into(), json!(now.format(&Rfc3339).unwrap_or_default()));
        let target = event.metadata().target();
        let always = matches!(target, METRICS | AUDIT | START);
        let level = rank(event.metadata().level().as_str());
        let level = if always { level.max(self.least) } else { level };
        fields.0.insert("level".into(), json!(LEVELS[level]));
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.0.extend(of_span.0.clone());
            }
        }
        event.record(&mut fields);
        if target == METRICS {
            metrics::complete(&mut fields.0);
            metrics::embed(&mut fields.0, &self.namespace, now.unix_timestamp_nanos() / 1_000_000);
        }
        (self.write)(&bounded(fields.0));
    }
}

/// An event's or a span's fields, by name.
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }
}

/// The line with its texts shortened so that it keeps to [`MAX_LINE`].
fn bounded(fields: Map<String, Value>) -> Value {
    let mut line = Value::Object(fields);
    let mut longest = MAX_TEXT;
    loop {
        for value in line.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Value::String(text) = value {
                shorten(text, longest);
            }
        }
        // With the line's end.
        if line.to_string().len() < MAX_LINE || longest == 0 {
            return line;
        }
        longest /= 2;
    }
}

/// Cuts a text to at most `longest` bytes as JSON writes it, less its quotes.
fn shorten(text: &mut String, longest: usize) {
    const MARK: &str = "…";
    let written = |text: &str| json!(text).to_string().len() - 2;
    if written(text) <= longest {
        return;
    }
    let mut size = MARK.len();
    let mut buffer = [0; 4];
    let kept = text.char_indices().find(|(_, character)| {
        size += written(character.encode_utf8(&mut buffer));
        size > longest
    });
    text.truncate(kept.map_or(text.len(), |(at, _)| at));
    text.push_str(MARK);
}

/// What a terminal's line says elsewhere.
const ELSEWHERE: [&str; 3] = ["timestamp", "level", "message"];

/// `2026-11-25T12:00:00Z WARN message name=value …`
fn readable(line: &Value) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    let fields = line.as_object().into_iter().flatten();
    let others = fields.filter(|(name, _)| !ELSEWHERE.contains(&name.as_str()) && !metrics::is_for_metrics(name));
    let others: Vec<_> = others.map(|(name, value)| format!(" {name}={value}")).collect();
    let (timestamp, level, message) = (text("timestamp"), text("level"), text("message"));
    format!("{timestamp} {level:>5} {message}{}", others.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_in_any_case() {
        for (name, expected) in [
            ("DEBUG", Some(LevelFilter::DEBUG)),
            ("warn", Some(LevelFilter::WARN)),
            ("FATAL", Some(LevelFilter::ERROR)),
            ("TRACE", Some(LevelFilter::TRACE)),
            ("loud", None),
            ("", None),
        ] {
            assert_eq!(level(name), expected, "{name}");
        }
    }

    #[test]
    fn lambdas_level_goes_before_rusts() {
        for (lambda, rust, expected) in [
            (Some("warn"), Some("debug"), LevelFilter::WARN),
            (None, Some("debug"), LevelFilter::DEBUG),
            (Some(""), Some("debug"), LevelFilter::DEBUG),
            (Some("DEBUG"), None, LevelFilter::DEBUG),
            (None, None, LevelFilter::INFO),
        ] {
            let variable = |name: &str| {
                let value = if name == "RUST_LOG" { rust } else { lambda };
                value.map(str::to_owned)
            };
            assert_eq!(own_level(variable), expected, "{lambda:?} {rust:?}");
        }
    }

    #[test]
    fn a_line_is_at_most_4_kb_and_keeps_all_its_fields() {
        for text in ["a", "\u{0}", "é", "\"", "🙂"] {
            let fields = (0..20).map(|at| (format!("field_{at}"), json!(text.repeat(100_000))));
            let line = bounded(fields.chain([("status".into(), json!(502))]).collect());
            assert!(line.to_string().len() < MAX_LINE, "{text:?}");
            assert!(readable(&line).len() < MAX_LINE, "{text:?}");
            assert_eq!(line.as_object().unwrap().len(), 21);
            assert_eq!(line["status"], 502);
            assert!(line["field_0"].as_str().unwrap().ends_with('…'));
        }
    }

    #[test]
    fn a_line_of_usual_size_is_left_as_it_is() {
        let fields = Map::from_iter([
            ("level".to_owned(), json!("INFO")),
            ("message".to_owned(), json!("reply")),
            ("code".to_owned(), json!("provider_error")),
            ("total_ms".to_owned(), json!(12)),
        ]);
        let line = bounded(fields.clone());
        assert_eq!(line, Value::Object(fields));
        assert_eq!(readable(&line), "  INFO reply code=\"provider_error\" total_ms=12");
    }
}
