//! What a soak found, and whether that is good.

use std::time::Duration;

use crate::process::{ALLOWED_DESCRIPTORS, Sample};

/// How much more the second half may take than the first: a tenth, and what an allocator keeps.
const ALLOWED_KB: u64 = 4 * 1024;

/// What came of one soak.
pub struct Report {
    pub what: &'static str,
    pub done: u64,
    /// The most that ran at once.
    pub at_once: u64,
    pub errors: u64,
    pub took: Duration,
    /// The largest resident size in each half, in kB.
    pub peaks: [u64; 2],
    pub start: Sample,
    pub end: Sample,
}

impl Report {
    /// Why the soak has failed.
    pub fn problems(&self) -> Vec<String> {
        let (what, [first, second]) = (self.what, self.peaks);
        let mut problems = Vec::new();
        if self.errors > 0 {
            problems.push(format!("{what}: {} errors", self.errors));
        }
        if second > first + first / 10 + ALLOWED_KB {
            problems.push(format!("{what}: memory grew from {first} kB to {second} kB"));
        }
        if self.end.descriptors > self.start.descriptors + ALLOWED_DESCRIPTORS {
            let (start, end) = (self.start.descriptors, self.end.descriptors);
            problems.push(format!("{what}: {start} descriptors became {end}"));
        }
        problems
    }
}

/// The table of both soaks.
pub fn print(reports: &[Report; 2]) {
    let row = |name: &str, value: &dyn Fn(&Report) -> String| {
        println!("{name:<28}{:>14}{:>14}", value(&reports[0]), value(&reports[1]));
    };
    row("", &|report| report.what.to_owned());
    row("done", &|report| report.done.to_string());
    row("at once", &|report| report.at_once.to_string());
    row("errors", &|report| report.errors.to_string());
    row("a second", &|report| per_second(report.done, report.took));
    row("resident at start, kB", &|report| report.start.resident_kb.to_string());
    row("peak of the first half, kB", &|report| report.peaks[0].to_string());
    row("peak of the second half, kB", &|report| report.peaks[1].to_string());
    row("resident at end, kB", &|report| report.end.resident_kb.to_string());
    row("sockets, start to end", &|report| {
        format!("{} to {}", report.start.sockets, report.end.sockets)
    });
    row("to the store, start to end", &|report| {
        format!("{} to {}", report.start.to_store, report.end.to_store)
    });
    row("descriptors, start to end", &|report| {
        format!("{} to {}", report.start.descriptors, report.end.descriptors)
    });
}

fn per_second(done: u64, took: Duration) -> String {
    // Whole milliseconds are exact enough, and never zero.
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    (done * 1000 / millis).to_string()
}
