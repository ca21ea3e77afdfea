//! The endpoint from outside: its router over a real DynamoDB API, and its real binary under a Runtime API.

mod access;
mod chat;
mod clients;
mod lambda;
mod provider_failures;
mod schema;
mod streaming;
mod support;
