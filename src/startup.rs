//! What every binary sets up before its work.

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Lambda's log: one JSON object a line on stdout.
pub fn log_json() {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false);
    tracing_subscriber::registry().with(lines.with_filter(levels())).init();
}

/// A terminal's log: readable lines on stderr.
pub fn log_human() {
    let lines = tracing_subscriber::fmt::layer()
        .with_target(false)
        .with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(levels())).init();
}

/// `RUST_LOG` is the level of our own lines. The libraries' stay at `warn`: at `trace` the Lambda runtime prints whole
/// events, and with them the callers' tokens.
fn levels() -> Targets {
    let own = std::env::var("RUST_LOG").ok().and_then(|level| level.parse().ok());
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_CRATE_NAME"), own.unwrap_or(LevelFilter::INFO))
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
