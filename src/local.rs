//! What stands in for AWS on one machine: an embedded `DynamoDB`, a Runtime API, and both functions on one port.

pub mod embedded_store;
pub mod function;
pub mod http_server;
pub mod runtime_api;
pub mod serve;
mod session;
