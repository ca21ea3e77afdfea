//! Metrics, as lines of the log: CloudWatch takes them from lines in its embedded metric format.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>, read
//! 2026-11.
//!
//! A line holds a metric as a field of the metric's name. The names that begin with `gen_ai` are OpenTelemetry's:
//! <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/>, read 2026-11.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};

/// The namespace of all metrics, unless `METRICS_NAMESPACE` names another one.
pub(crate) const NAMESPACE: &str = "AssistantEndpoint";

/// Whether CloudWatch takes a namespace for metrics of our own.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Metric.html> and
/// <https://docs.amazonaws.cn/sdk-for-ruby/v3/api/Aws/CloudWatch/Types/PutMetricDataInput.html>, read 2026-12.
pub(crate) fn is_namespace(name: &str) -> bool {
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    name.len() <= 255 && !name.starts_with(':') && !name.starts_with("AWS/") && name.bytes().all(is_printable)
}

/// One metric.
struct Metric {
    name: &'static str,
    unit: &'static str,
    /// The sets of fields that its numbers are told apart by; an empty set is for all of them together. A field's values are a
    /// closed set, since each one costs money.
    dimensions: Dimensions,
}

type Dimensions = &'static [&'static [&'static str]];

const PROVIDER: &str = "gen_ai.provider.name";
const ALL: Dimensions = &[&[]];
const BY_PROVIDER: Dimensions = &[&[PROVIDER], &[]];

/// All metrics. `docs/operations.md` has this table, and the template's dashboard and alarms take their metrics from there. No
/// dimension is a model's name: owners choose models, and each value of a dimension is a series that costs money.
#[rustfmt::skip]
static METRICS: [Metric; 13] = [
    Metric { name: "gen_ai.usage.input_tokens", unit: "Count", dimensions: BY_PROVIDER },
    Metric { name: "gen_ai.usage.output_tokens", unit: "Count", dimensions: BY_PROVIDER },
    Metric { name: "gen_ai.usage.cache_read.input_tokens", unit: "Count", dimensions: BY_PROVIDER },
    Metric { name: "gen_ai.usage.cache_creation.input_tokens", unit: "Count", dimensions: BY_PROVIDER },
    Metric { name: "gen_ai.server.request.duration", unit: "Seconds", dimensions: BY_PROVIDER },
    Metric { name: "gen_ai.server.time_to_first_token", unit: "Seconds", dimensions: BY_PROVIDER },
    Metric { name: "gen_ai.server.time_per_output_token", unit: "Seconds", dimensions: BY_PROVIDER },
    Metric { name: "ReplyErrors", unit: "Count", dimensions: &[&[PROVIDER], &["code"], &[]] },
    Metric { name: "Refused", unit: "Count", dimensions: &[&["code"]] },
    Metric { name: "Faults", unit: "Count", dimensions: &[&["fault"], &["area"]] },
    Metric { name: "Retries", unit: "Count", dimensions: ALL },
    Metric { name: "Fallbacks", unit: "Count", dimensions: ALL },
    Metric { name: "ColdStart", unit: "Count", dimensions: ALL },
];

/// In lines of requests alone, of which each request that a model may be asked for has one.
const OF_REQUESTS: [&str; 2] = ["gen_ai.server.request.duration", "Refused"];

/// The faults that a line may name, and where to look for each. No alarm watches `owner`: an owner's mistake is no operator's
/// work.
const FAULTS: [(&str, &str); 11] = [
    ("provider_failing", "provider"),
    ("provider_key_refused", "account"),
    ("provider_without_credit", "account"),
    ("not_set_up", "owner"),
    ("own_server_failing", "owner"),
    ("store_unavailable", "store"),
    ("limits_not_counted", "store"),
    ("limits_not_checked", "store"),
    ("usage_not_counted", "store"),
    ("response_not_kept", "store"),
    ("issuer_unavailable", "issuer"),
];

/// Adds what a line's metrics need and its writer does not know: the cold start, in the environment's first line of a request,
/// and of a fault, that it is one and its area.
pub(crate) fn complete(fields: &mut Map<String, Value>) {
    static WARM: AtomicBool = AtomicBool::new(false);
    let is_of_request = OF_REQUESTS.iter().any(|name| fields.contains_key(*name));
    if is_of_request && !WARM.swap(true, Ordering::Relaxed) {
        fields.insert("ColdStart".to_owned(), json!(1));
    }
    let fault = fields.get("fault");
    if let Some((_, area)) = FAULTS.iter().find(|(name, _)| fault.is_some_and(|fault| fault == name)) {
        fields.insert("area".to_owned(), json!(area));
        fields.insert("Faults".to_owned(), json!(1));
    }
}

/// Makes a line's fields an object of the format, if they hold metrics. `milliseconds` is the time since the epoch.
pub(crate) fn embed(fields: &mut Map<String, Value>, namespace: &str, milliseconds: i128) {
    let mut directives: Vec<(Dimensions, Vec<Value>)> = Vec::new();
    for metric in METRICS.iter().filter(|metric| fields.contains_key(metric.name)) {
        let definition = json!({"Name": metric.name, "Unit": metric.unit});
        match directives
            .iter_mut()
            .find(|(dimensions, _)| *dimensions == metric.dimensions)
        {
            Some((_, metrics)) => metrics.push(definition),
            None => directives.push((metric.dimensions, vec![definition])),
        }
    }
    if directives.is_empty() {
        return;
    }
    let directives = directives
        .into_iter()
        .map(|(dimensions, metrics)| json!({"Namespace": namespace, "Dimensions": dimensions, "Metrics": metrics}));
    let directives: Vec<_> = directives.collect();
    let milliseconds = i64::try_from(milliseconds).unwrap_or_default();
    fields.insert(
        "_aws".to_owned(),
        json!({"Timestamp": milliseconds, "CloudWatchMetrics": directives}),
    );
}

/// Whether a field is there for metrics alone, and no use to whoever reads a line.
pub(crate) fn is_for_metrics(field: &str) -> bool {
    field == "_aws" || field.starts_with("gen_ai.") || METRICS.iter().any(|metric| metric.name == field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_metrics_defines_them() {
        let mut fields = Map::from_iter([
            ("code".to_owned(), json!("quota_exceeded")),
            ("Refused".to_owned(), json!(1)),
        ]);
        embed(&mut fields, "Ours/a", 1_764_115_200_000);
        let expected = json!({"code": "quota_exceeded", "Refused": 1, "_aws": {"Timestamp": 1_764_115_200_000_i64,
            "CloudWatchMetrics": [{"Namespace": "Ours/a", "Dimensions": [["code"]],
                "Metrics": [{"Name": "Refused", "Unit": "Count"}]}]}});
        assert_eq!(Value::Object(fields), expected);
        let mut other = Map::from_iter([("code".to_owned(), json!("x"))]);
        embed(&mut other, NAMESPACE, 0);
        assert_eq!(other.len(), 1);
    }

    /// The meaning of each metric is the document's own; its name, unit and dimensions are the code's.
    #[test]
    fn the_operations_document_has_each_metric() {
        let document = include_str!("../docs/operations.md");
        let rows = document
            .lines()
            .filter(|line| line.starts_with("| `") && line.contains("| Count |") || line.contains("| Seconds |"));
        let rows: Vec<_> = rows
            .map(|row| row.splitn(5, '|').take(4).collect::<Vec<_>>().join("|"))
            .collect();
        let expected = METRICS.iter().map(|metric| {
            let sets = metric.dimensions.iter().map(|set| match *set {
                [] => "all".to_owned(),
                names => names
                    .iter()
                    .map(|name| format!("`{name}`"))
                    .collect::<Vec<_>>()
                    .join(" + "),
            });
            format!(
                "| `{}` | {} | {} ",
                metric.name,
                metric.unit,
                sets.collect::<Vec<_>>().join(", ")
            )
        });
        assert_eq!(rows, expected.collect::<Vec<_>>());
    }

    #[test]
    fn the_operations_document_has_each_fault() {
        let document = include_str!("../docs/operations.md");
        for (fault, area) in FAULTS {
            assert!(document.contains(&format!("| `{fault}` | `{area}` | ")), "{fault}");
        }
    }

    #[test]
    fn metrics_of_the_same_dimensions_share_a_directive() {
        let names = ["Retries", "Fallbacks", "gen_ai.server.request.duration"];
        let mut fields: Map<_, _> = names.map(|name| (name.to_owned(), json!(1))).into_iter().collect();
        embed(&mut fields, NAMESPACE, 0);
        let directives = fields["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 2);
        assert_eq!(directives[0]["Dimensions"], json!([[PROVIDER], []]));
        assert_eq!(directives[1]["Dimensions"], json!([[]]));
        assert_eq!(directives[1]["Metrics"].as_array().unwrap().len(), 2);
    }
}
