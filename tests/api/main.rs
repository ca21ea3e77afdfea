//! The endpoint from outside: its router over a real DynamoDB API, and its real binary under a Runtime API.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod access;
mod chat;
mod clients;
mod constraints;
mod golden;
mod inference;
mod jwks;
mod jwt;
mod keys;
mod lambda;
mod manage;
mod native;
mod openapi;
mod program;
mod provider_failures;
mod schema;
mod store;
mod streaming;
mod support;
