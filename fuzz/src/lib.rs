//! What each fuzz target does with its input, and what has to hold.
//!
//! The targets in `fuzz_targets` call these functions with what libFuzzer makes up; the test `fuzz` of the package itself
//! replays `corpus` through the same ones. A function panics where a property does not hold, and returns where the input
//! is not one of its kind.

mod answers;
mod callers;
mod management;

pub use answers::{anthropic, bedrock, event_stream, gemini, openai, sse};
pub use callers::{event, model_name, request, response_request, token_header};
pub use management::{jwt, merge_patch, settings};

/// A target and its name: that of its binary, and of its folder in `corpus`.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 14] = [
    ("sse", sse),
    ("event_stream", event_stream),
    ("openai", openai),
    ("anthropic", anthropic),
    ("bedrock", bedrock),
    ("gemini", gemini),
    ("request", request),
    ("response_request", response_request),
    ("token_header", token_header),
    ("model_name", model_name),
    ("event", event),
    ("settings", settings),
    ("merge_patch", merge_patch),
    ("jwt", jwt),
];

/// Runs what only looks asynchronous: all of its input is there.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A number below `end` that depends on nothing but the input (FNV-1a), so that a finding can be repeated.
fn choice(data: &[u8], end: usize) -> usize {
    let hash = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    usize::try_from(hash >> 8).unwrap_or_default() % end
}
