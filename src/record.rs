//! One line in the log for each reply, written before the reply's body ends: a Lambda environment may freeze right
//! after.

use std::time::{Duration, Instant};

use crate::{
    chat::delta::{FinishReason, Usage},
    error::Error,
    provider::Model,
};

/// What is known of a reply so far. Dropped unfinished, it logs that the client went away.
#[derive(Debug)]
pub struct Record {
    request_id: String,
    assistant_id: String,
    provider: &'static str,
    model: String,
    stream: bool,
    started: Instant,
    first_text: Option<Instant>,
    usage: Option<Usage>,
    written: bool,
}

impl Record {
    /// `started` is when the request came in.
    pub fn new(request_id: String, assistant_id: String, model: &Model, stream: bool, started: Instant) -> Self {
        Self {
            request_id,
            assistant_id,
            provider: model.provider_name(),
            model: model.name.clone(),
            stream,
            started,
            first_text: None,
            usage: None,
            written: false,
        }
    }

    /// How long the client has been waiting.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Notes who answers.
    pub fn answering(&mut self, model: &Model) {
        self.provider = model.provider_name();
        self.model.clone_from(&model.name);
    }

    /// Notes when the first text came.
    pub fn text(&mut self) {
        self.first_text.get_or_insert_with(Instant::now);
    }

    /// Notes the usage.
    pub fn usage(&mut self, usage: Usage) {
        self.usage = Some(usage);
    }

    /// Writes the line for a complete reply.
    pub fn finished(&mut self, reason: FinishReason) {
        self.write(reason.as_str(), None);
    }

    /// Writes the line for a failed or cut-off reply.
    pub fn failed(&mut self, error: &Error) {
        self.write("error", Some(error));
    }

    fn write(&mut self, outcome: &str, error: Option<&Error>) {
        self.written = true;
        let code = error.and_then(Error::log_code);
        tracing::info!(
            request_id = self.request_id,
            assistant_id = self.assistant_id,
            provider = self.provider,
            model = self.model,
            stream = self.stream,
            outcome,
            code,
            status = error.map(|error| error.status().as_u16()),
            cause = error.and_then(Error::cause),
            prompt_tokens = self.usage.map(|usage| usage.prompt),
            completion_tokens = self.usage.map(|usage| usage.completion),
            first_text_ms = self.first_text.map(|at| millis(at - self.started)),
            total_ms = millis(self.elapsed()),
            "reply"
        );
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if !self.written {
            self.write("client_gone", None);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
