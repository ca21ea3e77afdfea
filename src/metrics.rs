//! Metrics, as lines of the log: CloudWatch takes them from lines in its embedded metric format.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>, read
//! 2026-11.

use serde_json::{Map, Value, json};

/// What all metrics stand under in CloudWatch.
const NAMESPACE: &str = "AssistantEndpoint";
/// The target of the events whose lines hold a metric: no level of the log keeps them out.
pub(crate) const TARGET: &str = "metric";
/// The field by which such an event names its metric.
pub(crate) const FIELD: &str = "metric";

/// One metric.
struct Metric {
    name: &'static str,
    unit: &'static str,
    /// The field that its numbers are told apart by. Its values are a closed set, since each one costs money.
    dimension: &'static str,
}

/// Requests that were refused before a model was asked, by the error's code.
pub(crate) const REFUSED: &str = "Refused";

static METRICS: [Metric; 1] = [Metric {
    name: REFUSED,
    unit: "Count",
    dimension: "code",
}];

/// Makes a line's fields an object of the format, where they name a metric. `milliseconds` is the time since the epoch.
pub(crate) fn embed(fields: &mut Map<String, Value>, milliseconds: i128) {
    let named = fields.shift_remove(FIELD);
    let metric = METRICS
        .iter()
        .find(|metric| named.as_ref().is_some_and(|named| named == metric.name));
    let Some(Metric { name, unit, dimension }) = metric else {
        return;
    };
    fields.insert((*name).to_owned(), json!(1));
    let definition = json!({
        "Namespace": NAMESPACE,
        "Dimensions": [[dimension]],
        "Metrics": [{"Name": name, "Unit": unit}],
    });
    let milliseconds = i64::try_from(milliseconds).unwrap_or_default();
    fields.insert(
        "_aws".to_owned(),
        json!({"Timestamp": milliseconds, "CloudWatchMetrics": [definition]}),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_names_a_metric_holds_it() {
        let mut fields = Map::from_iter([
            ("code".to_owned(), json!("quota_exceeded")),
            (FIELD.to_owned(), json!(REFUSED)),
        ]);
        embed(&mut fields, 1_764_115_200_000);
        let expected = json!({"code": "quota_exceeded", "Refused": 1, "_aws": {"Timestamp": 1_764_115_200_000_i64,
            "CloudWatchMetrics": [{"Namespace": "AssistantEndpoint", "Dimensions": [["code"]],
                "Metrics": [{"Name": "Refused", "Unit": "Count"}]}]}});
        assert_eq!(Value::Object(fields), expected);
        let mut other = Map::from_iter([("code".to_owned(), json!("x"))]);
        embed(&mut other, 0);
        assert_eq!(other.len(), 1);
    }
}
