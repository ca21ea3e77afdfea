//! `assistants usage`.

use assistant_endpoint::{
    local::embedded_store::Error,
    usage::{Counts, Day, range},
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
        let (from, to) = range(self.from.as_deref(), self.to.as_deref()).map_err(|(_, why)| why)?;
        let (_, record) = self.common.read(&self.id).await?;
        let table = self.common.usage().await?;
        let days = table.days(&record.assistant_id, from, to).await?;
        let total = days
            .iter()
            .fold(Counts::default(), |total, day| total.plus(&day.counts));
        if self.common.json {
            let shown = json!({"assistant_id": record.assistant_id, "from": from.to_string(), "to": to.to_string(),
                "days": days, "total": total});
            println!("{shown:#}");
        } else {
            print(&days, total);
        }
        Ok(())
    }
}

fn print(days: &[Day], total: Counts) {
    println!("DAY         REQUESTS  FAILURES    PROMPT    CACHED  COMPLETION  REASONING  ESTIMATED");
    let total = Day {
        day: "Total".into(),
        counts: total,
    };
    for Day { day, counts } in days.iter().chain([&total]) {
        println!(
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
