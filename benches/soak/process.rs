//! What a process takes, as `/proc` has it.

use std::{
    collections::HashSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use assistant_endpoint::local::embedded_store::Error;
use tokio::{task::JoinHandle, time::sleep};

/// How long connections that nobody uses may stay open at the end.
const SETTLED_AFTER: Duration = Duration::from_secs(30);
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

/// What a process takes now. Its connections to the store stand apart: the AWS SDK keeps as many as were ever needed at once,
/// and both ends are the local server's.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub resident_kb: u64,
    pub descriptors: usize,
    pub sockets: usize,
    pub to_store: usize,
}

pub fn sample(process: u32, store: u16) -> Result<Sample, Error> {
    let of_store = sockets_of_port(store)?;
    let (mut descriptors, mut sockets, mut to_store) = (0, 0, 0);
    for descriptor in fs::read_dir(format!("/proc/{process}/fd"))?.flatten() {
        let target = fs::read_link(descriptor.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        if inode.is_some_and(|inode| of_store.contains(inode)) {
            to_store += 1;
            continue;
        }
        descriptors += 1;
        sockets += usize::from(inode.is_some());
    }
    Ok(Sample {
        resident_kb: resident_kb(process)?,
        descriptors,
        sockets,
        to_store,
    })
}

fn resident_kb(process: u32) -> Result<u64, Error> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok(kilobytes.ok_or("the process has ended")?)
}

/// The inodes of the TCP sockets that have this port at either end.
fn sockets_of_port(port: u16) -> Result<HashSet<String>, Error> {
    let port = format!(":{port:04X}");
    let table = fs::read_to_string("/proc/net/tcp")?;
    let of_port = table.lines().filter_map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let [_, local, remote, ..] = columns.as_slice() else {
            return None;
        };
        let inode = columns.get(9)?;
        (local.ends_with(&port) || remote.ends_with(&port)).then(|| (*inode).to_owned())
    });
    Ok(of_port.collect())
}

/// What the process takes once it has closed what it does not use any more, or keeps.
pub async fn settled(process: u32, store: u16, start: Sample) -> Result<Sample, Error> {
    let waiting = Instant::now();
    loop {
        let now = sample(process, store)?;
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
            while let Ok(resident) = resident_kb(process) {
                let half = into.half.load(Ordering::Relaxed);
                into.peaks[half].fetch_max(resident, Ordering::Relaxed);
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
