//! An OpenAI-compatible chat completions endpoint for assistants, as a streaming AWS Lambda function.
//!
//! # One request, walked through
//!
//! ```text
//! Lambda event ─ http ─► Token ─► Assistant ─► Prompt ─► request body ─► [provider] ─► Frame ─► Delta ─► reply
//!                        token    assistant    chat      protocol/*/encode upstream   frames   decode   buffered | streamed
//! ```
//!
//! [`event`] makes a Lambda event a request that cannot be malformed, [`http`] is what surrounds every route, and
//! `public::App::enter` and `public::App::answer` are the whole path, for both of OpenAI's APIs; between the two the front
//! reads the body:
//!
//! 1. [`token`]: the bearer token becomes a digest; the token itself goes no further.
//! 2. [`assistant`]: the store finds the assistant that carries the digest. An index and a hint only say where to look;
//!    a consistent read decides, so that a revoked token is out on the next request. Then access mode and origin.
//! 3. [`chat`]: the body becomes neutral messages and parameters, read as leniently as no-code tools need, and with the
//!    assistant's settings a `Prompt`.
//! 4. [`provider`]: who serves the assistant's model, and what the tables of `capabilities` know of it.
//!    Before any model is called, [`usage`] counts the request against the assistant's [`limit`]s, by its caller too, whom
//!    [`way_in`] knows.
//! 5. [`protocol`]: `encode` makes the prompt a provider's request, `decode` makes its frames deltas. Neither touches a
//!    network. Bedrock is no special client: its signature is a way to authenticate, its event stream a framing.
//! 6. [`upstream`]: the one place that talks to providers. It fetches images that have to go as data, sends, checks the
//!    status, leaves out what the model rejects, tries again and then another model while nothing has come, watches
//!    idle time and deadline, and turns bytes to frames and, through `decode`, to deltas: an [`answer`].
//! 7. [`reply`]: the provider is asked to stream whichever way the client wants its reply, so there is one stream of
//!    `Delta`: the buffered reply folds it, the streamed one maps it. It delivers bytes; what they look like is a
//!    `Form`'s, which the front brings (`form` in `public::chat_completions` and `public::responses`). A [`record`] logs how the
//!    reply ended, in a line that is its [`metrics`] too, and does what else is to be done before its body ends: its [`usage`]
//!    is counted, and a response is one of the [`kept_responses`].
//!
//! The second function, [`manage`], lets owners keep their assistants, by an API and by the page in `manage/page`, whose files
//! `build.rs` packs. Each front describes its own routes where they stand. Each write to an assistant has an [`audit`].
//!
//! What fails on the way is an [`error::Error`]. It becomes the response before the first byte and the stream's last
//! event after it. A decoder that is not told the answer's end reports an error, so cut-off text cannot look complete.
//! A provider's own words reach nobody but an assistant's owner, who tries it: callers read which reason it was of a closed set.
//!
//! [`http`] gives each request an id and a span with it, so that every line of [`log`] within has the id.
//!
//! What is read from elsewhere and kept (the providers' keys, the JWT secret, the issuer's keys, the role's credentials) is
//! read again by [`secrets`].
//!
//! The public function's cold start is `main.rs`. The operator's program is `bin/assistants`; with `local` it runs
//! everything on one machine. Both stand behind the feature `cli`, so that the function links neither clap nor the
//! embedded store.
//!
//! The modules below stand in the order of the path: each uses those above it.

// Only what the programs and the outside tests use is `pub`, so that the compiler finds dead code in the rest.
#![warn(unreachable_pub)]
#![expect(
    rustdoc::private_intra_doc_links,
    reason = "`make docs` documents private items too: they are for whoever works on this package"
)]

pub mod deadline;
pub mod error;
mod guard;
pub mod limit;
pub mod log;
mod metrics;
mod secrets;
pub mod stop;
pub mod token;
pub mod way_in;

pub mod http;

pub mod chat;

pub mod provider;

pub mod config;

pub mod assistant;

pub mod audit;

mod answer;
mod record;
pub mod usage;

pub mod kept_responses;

pub mod protocol;

pub mod upstream;

mod reply;

pub mod public;

pub mod manage;

pub mod event;
mod runtime_socket;
pub mod startup;

#[cfg(feature = "cli")]
pub mod local;
