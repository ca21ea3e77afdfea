//! What every binary sets up before its work.

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Lambda's log: one JSON object a line on stdout. `RUST_LOG` sets the level.
pub fn log_json() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(filter())
        .init();
}

/// A terminal's log: readable lines on stderr.
pub fn log_human() {
    tracing_subscriber::fmt()
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_env_filter(filter())
        .init();
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"))
}

/// Makes any panic end the process at once, as `panic = "abort"` does in the release profile: a panic that unwinds
/// out of a streamed body would end it cleanly, and cut-off text would look complete.
pub fn abort_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
        std::process::abort();
    }));
}

/// Ends the process when the platform shuts its environment down. Nothing is left to do then: each reply's log is
/// written before its body ends. (The runtime's own graceful-shutdown helper would cost an extension at each start.)
pub fn exit_on_sigterm() -> std::io::Result<()> {
    let mut sigterm = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        sigterm.recv().await;
        std::process::exit(0);
    });
    Ok(())
}
