//! `assistants usage`.

use assistant_endpoint::{
    local::embedded_store::Error,
    usage::{Day, UsageReport, UsageTable, range},
};
use clap::Args;
use serde_json::json;

use super::commands::Common;

#[derive(Args)]
pub struct ShowUsage {
    /// The assistant's id
    id: String,
    /// The first day, in UTC, as in 2026-11-25; 29 days before the last unless given
    #[arg(long)]
    from: Option<String>,
    /// The last day, in UTC; today unless given. A range has at most 92 days
    #[arg(long)]
    to: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl ShowUsage {
    pub async fn run(self) -> Result<(), Error> {
        let days = range(self.from.as_deref(), self.to.as_deref()).map_err(|(_, why)| why)?;
        let (store, record) = self.common.read(&self.id).await?;
        let table = UsageTable::of(&store).ok_or("USAGE_TABLE is not set. Set it to the stack's table.")?;
        let report = table.report(record.assistant_id, days).await?;
        if self.common.json {
            say!("{:#}", json!(report));
        } else {
            print(report);
        }
        Ok(())
    }
}

fn print(report: UsageReport) {
    say!("DAY         REQUESTS  FAILURES    PROMPT    CACHED  COMPLETION  REASONING  ESTIMATED");
    let total = Day {
        day: "Total".into(),
        counts: report.total,
    };
    for Day { day, counts } in report.days.iter().chain([&total]) {
        say!(
            "{day:<10}  {:>8}  {:>8}  {:>8}  {:>8}  {:>10}  {:>9}  {:>9}",
            counts.requests,
            counts.failures,
            counts.prompt_tokens,
            counts.cached_tokens,
            counts.completion_tokens,
            counts.reasoning_tokens,
            counts.estimated_requests
        );
    }
}
