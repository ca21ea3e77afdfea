//! What a process takes, as `/proc` has it.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use assistant_endpoint::local::embedded_store::Error;
use tokio::{task::JoinHandle, time::sleep};

/// How long connections that nobody uses may stay open at the end: the AWS SDK keeps its own for 90 seconds.
const SETTLED_AFTER: Duration = Duration::from_secs(120);
/// Descriptors that may be open at the end and were not at the start.
pub const ALLOWED_DESCRIPTORS: usize = 16;

/// Sees to it that this process, and those it starts, may open so many files.
pub fn check_descriptors(needed: u64) -> Result<(), Error> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    if soft.is_some_and(|soft| soft < needed) {
        return Err(format!("needs {needed} open files: raise `ulimit -n`, or set a smaller SOAK_STREAMS").into());
    }
    Ok(())
}

/// What a process takes now.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub resident_kb: u64,
    pub descriptors: usize,
    pub sockets: usize,
}

pub fn sample(process: u32) -> Result<Sample, Error> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident_kb = resident.and_then(|line| line.split_whitespace().next()?.parse().ok());
    let (mut descriptors, mut sockets) = (0, 0);
    for descriptor in fs::read_dir(format!("/proc/{process}/fd"))?.flatten() {
        descriptors += 1;
        let target = fs::read_link(descriptor.path()).unwrap_or_default();
        sockets += usize::from(target.as_os_str().as_encoded_bytes().starts_with(b"socket:"));
    }
    Ok(Sample {
        resident_kb: resident_kb.ok_or("the process has ended")?,
        descriptors,
        sockets,
    })
}

/// What the process takes once it has closed what it does not use any more, or keeps.
pub async fn settled(process: u32, start: Sample) -> Result<Sample, Error> {
    let waiting = Instant::now();
    loop {
        let now = sample(process)?;
        if now.descriptors <= start.descriptors + ALLOWED_DESCRIPTORS || waiting.elapsed() > SETTLED_AFTER {
            return Ok(now);
        }
        sleep(Duration::from_secs(1)).await;
    }
}

/// The largest resident size in each half of a soak, sampled many times a second.
pub struct Peaks {
    shared: Arc<Shared>,
    sampling: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// In kB.
    peaks: [AtomicU64; 2],
    half: AtomicUsize,
}

impl Peaks {
    pub fn of(process: u32) -> Self {
        let shared = Arc::new(Shared::default());
        let into = Arc::clone(&shared);
        let sampling = tokio::spawn(async move {
            while let Ok(sample) = sample(process) {
                let half = into.half.load(Ordering::Relaxed);
                into.peaks[half].fetch_max(sample.resident_kb, Ordering::Relaxed);
                sleep(Duration::from_millis(100)).await;
            }
        });
        Self { shared, sampling }
    }

    pub fn second_half(&self) {
        self.shared.half.store(1, Ordering::Relaxed);
    }

    pub fn end(self) -> [u64; 2] {
        self.sampling.abort();
        self.shared.peaks.each_ref().map(|peak| peak.load(Ordering::Relaxed))
    }
}
