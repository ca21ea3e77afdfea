//! What every binary sets up before its work.

use std::process::ExitCode;

use axum::{Router, http::Uri};
use tokio::signal::unix::{SignalKind, signal};
use tower::{ServiceExt, util::MapRequestLayer};

use crate::{event, log, runtime_socket::RuntimeSocket};

/// What surrounds a function's life: its log, and at a failed start one line on stderr that begins with `name`.
pub async fn function(name: &str, run: impl Future<Output = Result<(), lambda_runtime::Error>>) -> ExitCode {
    log::json();
    abort_on_panic();
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let is_elsewhere = std::env::var_os(RUNTIME_API).is_none();
            let advice = if is_elsewhere { OUTSIDE_LAMBDA } else { "" };
            eprintln!("{name}: {error}{advice}");
            ExitCode::FAILURE
        }
    }
}

/// Where the Lambda runtime asks for events, a `host:port`.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
const OUTSIDE_LAMBDA: &str = ". This program runs in AWS Lambda. On this machine, use `make run`, or `make invoke \
                              EVENT=events/chat.json` for one event";

/// Checks what the Lambda runtime reads of the environment: it would panic.
///
/// # Errors
/// The first variable that is missing or malformed.
pub fn check_surroundings() -> Result<(), String> {
    let read = |name: &str| std::env::var(name).map_err(|_| format!("{name}: is required but not set"));
    let address = read(RUNTIME_API)?;
    let uri = format!("http://{}", address.trim_start_matches("http://")).parse::<Uri>();
    if uri.is_err() || address.trim().is_empty() {
        return Err(format!(
            "{RUNTIME_API}: must be a host and a port, such as 127.0.0.1:9001"
        ));
    }
    read("AWS_LAMBDA_FUNCTION_NAME")?;
    read("AWS_LAMBDA_FUNCTION_VERSION")?;
    let memory = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
    if read(memory)?.parse::<i32>().is_err() {
        return Err(format!("{memory}: must be a number of megabytes"));
    }
    Ok(())
}

/// Makes any panic end the process at once, as `panic = "abort"` does in the release profile: a panic that unwinds
/// out of a streamed body would end it cleanly, and cut-off text would look complete.
fn abort_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
        std::process::abort();
    }));
}

/// Answers the Lambda runtime's events, each reply through response streaming, until the platform ends the process.
///
/// # Errors
/// Where the Runtime API is not there.
pub async fn serve(router: Router) -> Result<(), lambda_runtime::Error> {
    exit_on_sigterm()?;
    let socket = RuntimeSocket::from_env();
    let service = router.layer(MapRequestLayer::new(move |request| {
        socket.send_without_delay();
        request
    }));
    lambda_runtime::run_concurrent(service.map_request(event::request).map_response(event::response)).await
}

/// Ends the process when the platform shuts its environment down. Nothing is left to do then: each reply's log is
/// written before its body ends. (The runtime's own graceful-shutdown helper would cost an extension at each start.)
fn exit_on_sigterm() -> std::io::Result<()> {
    let mut sigterm = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        sigterm.recv().await;
        std::process::exit(0);
    });
    Ok(())
}
