//! The endpoint from outside: its router over a real DynamoDB API, and its real binary under a Runtime API.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by a panic"
)]

mod access;
mod audit;
mod bad_requests;
mod bedrock;
mod chat;
mod claims;
mod clients;
mod cors;
mod errors_by_provider;
mod fallback;
mod faults;
mod finish_reasons;
mod fuzz;
mod golden;
mod grace;
mod images;
mod inference;
mod jwks;
mod jwt;
mod keys;
mod lambda;
mod learned_parameters;
mod limits;
mod limits_of_callers;
mod log_lines;
mod manage;
mod manage_bad_requests;
mod memory;
mod metrics;
mod models;
mod not_streamed;
mod openapi;
mod own_server;
mod page;
mod parameters_by_provider;
mod paths;
mod permissions;
mod program;
mod program_output;
mod provider_bodies;
mod provider_constraints;
mod provider_error_forms;
mod provider_failures;
mod provider_sdks;
mod rejections;
mod replies_by_provider;
mod responses;
mod responses_by_provider;
mod responses_deleted;
mod responses_failures;
mod responses_kept;
mod responses_state;
mod security_document;
mod serve;
mod serve_limits;
mod settings;
mod snippets;
mod ssrf;
mod start;
mod store;
mod store_faults;
mod streaming;
mod support;
mod token_limits;
mod trial;
mod usage;
