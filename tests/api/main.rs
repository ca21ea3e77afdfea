//! The endpoint from outside: its router over a real DynamoDB API, and its real binary under a Runtime API.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod access;
mod bedrock;
mod chat;
mod claims;
mod clients;
mod confidential;
mod errors_by_provider;
mod fallback;
mod golden;
mod grace;
mod images;
mod inference;
mod jwks;
mod jwt;
mod keys;
mod lambda;
mod log_lines;
mod manage;
mod manage_requests;
mod message_order;
mod not_streamed;
mod openapi;
mod parameters_by_provider;
mod program;
mod provider_bodies;
mod provider_constraints;
mod provider_error_forms;
mod provider_failures;
mod provider_sdks;
mod replies_by_provider;
mod settings;
mod store;
mod streaming;
mod support;
mod token_limits;
mod unruly;
