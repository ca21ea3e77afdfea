//! An OpenAI-compatible chat completions endpoint for assistants, as a streaming AWS Lambda function.

pub mod assistant;
pub mod chat;
pub mod config;
pub mod error;
pub mod http;
pub mod provider;
pub mod reply;
pub mod runtime_socket;
pub mod startup;
pub mod token;
pub mod upstream;

#[cfg(feature = "cli")]
pub mod local;
