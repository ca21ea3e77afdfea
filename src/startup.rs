//! What every binary sets up before its work.

use std::process::ExitCode;

use axum::{
    Router,
    http::uri::{Authority, Scheme, Uri},
};
use tokio::signal::unix::{SignalKind, signal};
use tower::{ServiceExt, util::MapRequestLayer};

use crate::{error::root_cause, event, log, runtime_socket::RuntimeSocket};

/// Sets up a function's log and runs the function. A start that fails is one line of the log, which no level drops.
pub async fn function(name: &str, run: impl Future<Output = Result<(), lambda_runtime::Error>>) -> ExitCode {
    log::json();
    abort_on_panic();
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let is_elsewhere = std::env::var_os(RUNTIME_API).is_none();
            let advice = if is_elsewhere { OUTSIDE_LAMBDA } else { "" };
            tracing::error!(target: log::START, function = name, cause = format!("{error}{advice}"), "the function did not start");
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
    if !is_runtime_api(&read(RUNTIME_API)?) {
        return Err(format!(
            "{RUNTIME_API}: must be a host and a port, such as 127.0.0.1:9001, or a URL such as http://127.0.0.1:9000/.rt"
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

/// Whether the Lambda runtime's client takes an address: a `host:port`, or with a path (cargo-lambda's) a whole URL.
fn is_runtime_api(address: &str) -> bool {
    let names_a_host = |authority: &Authority| {
        !authority.host().is_empty() && (authority.port_u16().is_some() || authority.as_str() == authority.host())
    };
    address.parse::<Uri>().is_ok_and(|uri| {
        uri.scheme().is_none_or(|scheme| *scheme == Scheme::HTTP)
            && uri.query().is_none()
            && uri.authority().is_some_and(names_a_host)
    })
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
    lambda_runtime::run_concurrent(service.map_request(event::request).map_response(event::response))
        .await
        .map_err(|error| format!("{RUNTIME_API}: no event comes from there ({})", root_cause(&*error)).into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtimes_client_gets_an_address_that_it_takes() {
        for address in [
            "127.0.0.1:9001",
            "localhost",
            "[::1]:9001",
            "http://127.0.0.1:9000/.rt",
            "http://127.0.0.1:9000",
        ] {
            assert!(is_runtime_api(address), "{address}");
        }
        for address in [
            "",
            " 127.0.0.1:9001",
            "not a host",
            ":9001",
            "127.0.0.1:",
            "127.0.0.1:99999",
            "127.0.0.1:http",
            // Without a scheme there is no path: cargo-lambda's address, cut short.
            "127.0.0.1:9000/.rt",
            "127.0.0.1:9001?a",
            "http://127.0.0.1:9001?a",
            "https://127.0.0.1:9001",
            "ftp://127.0.0.1:9001",
            "http://",
            "/.rt",
            "[::1",
        ] {
            assert!(!is_runtime_api(address), "{address}");
        }
    }
}
