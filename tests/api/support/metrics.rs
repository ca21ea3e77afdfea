//! A log's metrics, read as CloudWatch reads them.

use std::collections::BTreeMap;

use serde_json::Value;

/// What CloudWatch would have: by name and dimensions, all values.
pub type Metrics = BTreeMap<(String, String), Vec<f64>>;

/// The only dimensions: each has few values, which no owner chooses.
const DIMENSIONS: [&str; 4] = ["gen_ai.provider.name", "code", "fault", "area"];

/// Reads a log as CloudWatch does: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub fn metrics_of(log: &str) -> Metrics {
    let mut metrics = Metrics::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line.to_string().len() < 4096, "{line}");
        let Some(aws) = line.get("_aws") else { continue };
        assert!(aws["Timestamp"].as_i64() > Some(1_700_000_000_000), "{line}");
        for directive in aws["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], "AssistantEndpoint");
            let series = directive["Dimensions"]
                .as_array()
                .unwrap()
                .iter()
                .flat_map(|set| set.as_array().unwrap());
            for dimension in series {
                assert!(DIMENSIONS.contains(&dimension.as_str().unwrap()), "{dimension}");
            }
            for set in directive["Dimensions"].as_array().unwrap() {
                let names = set.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                // Each has to be a text at the line's root, or CloudWatch drops the line.
                let dimensions: Vec<_> = names
                    .map(|name| format!("{name}={}", line[name].as_str().unwrap()))
                    .collect();
                for metric in directive["Metrics"].as_array().unwrap() {
                    let name = metric["Name"].as_str().unwrap();
                    assert!(matches!(metric["Unit"].as_str(), Some("Count" | "Seconds")), "{metric}");
                    let key = (name.to_owned(), dimensions.join(","));
                    metrics.entry(key).or_default().push(line[name].as_f64().unwrap());
                }
            }
        }
    }
    metrics
}

pub fn sum(metrics: &Metrics, name: &str, dimensions: &str) -> Option<f64> {
    let values = metrics.get(&(name.to_owned(), dimensions.to_owned()))?;
    Some(values.iter().sum())
}
