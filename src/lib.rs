//! An OpenAI-compatible chat completions endpoint for assistants, as a streaming AWS Lambda function.
//!
//! # One request, walked through
//!
//! ```text
//! Lambda event ─ http ─► Token ─► Assistant ─► Prompt ─► request body ─► [provider] ─► Frame ─► Delta ─► reply
//!                        token    assistant    chat      provider/encode  upstream     frames   decode   buffered | streamed
//! ```
//!
//! [`event`] makes a Lambda event a request that cannot be malformed, `http::router` is the way in, and its
//! `chat_completions` is the whole path in one function:
//!
//! 1. [`token`]: the bearer token becomes a digest; the token itself goes no further.
//! 2. [`assistant`]: the store finds the assistant that carries the digest. An index and a hint only say where to look;
//!    a consistent read decides, so that a revoked token is out on the next request. Then access mode and origin.
//! 3. [`chat`]: the body becomes a `ChatRequest`, read as leniently as no-code tools need, and with the assistant's
//!    settings a `Prompt`.
//! 4. [`provider`]: the assistant's settings say which provider; `encode` makes the prompt that provider's request, as far
//!    as the tables of `capabilities` say that the model takes it. It touches no network, and neither does `decode` on the
//!    way back. Bedrock is no special client: its signature is a way to authenticate, its event stream a framing.
//! 5. [`upstream`]: the one place that talks to providers. It fetches images that have to go as data, sends, checks the
//!    status, leaves out what the model turns down, tries again and then another model while nothing has come, watches
//!    idle time and deadline, and turns bytes to frames and, through `decode`, to deltas.
//! 6. [`reply`]: the provider is asked to stream whichever form the client wants, so there is one stream of `Delta`:
//!    the buffered reply folds it, the streamed one maps it.
//!
//! What is kept and read again (Secrets Manager's secrets, an issuer's keys, the role's credentials) goes through `secrets`,
//! where a value that is known never waits for a reading.
//!
//! The second function, [`manage`], lets owners keep their assistants; [`openapi`] describes both.
//!
//! What fails on the way is an [`error::Error`]. It becomes the response before the first byte and the stream's last
//! event after it. A decoder that is not told the answer's end reports an error, so cut-off text cannot look complete.
//!
//! The public function's cold start is `main.rs`. The operator's program is `bin/assistants`; with `local` it runs
//! everything on one machine. Both stand behind the feature `cli`, so that the function links neither clap nor the
//! embedded store.

pub mod config;
pub mod guard;
pub mod http;

pub mod token;

pub(crate) mod secrets;

pub mod assistant;

pub mod chat;

pub mod provider;

pub mod upstream;

pub mod reply;

pub mod error;

pub mod manage;
pub mod openapi;

pub mod event;
pub mod log;
pub mod runtime_socket;
pub mod startup;

#[cfg(feature = "cli")]
pub mod local;
