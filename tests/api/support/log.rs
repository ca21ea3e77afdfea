//! A function's log, as a file.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;

/// The file, which goes with this.
pub struct Log(PathBuf);

impl Log {
    pub fn new() -> Self {
        let name = format!("log-{}", uuid::Uuid::new_v4());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    /// Where a process writes to.
    pub fn stdio(&self) -> Stdio {
        File::create(&self.0).unwrap().into()
    }

    pub fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap()
    }

    /// The lines with this message.
    pub fn lines(&self, message: &str) -> Vec<Value> {
        lines(&self.text(), message)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The lines of a log with this message.
pub fn lines(log: &str, message: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["message"] == message).collect()
}
