//! What is written at a reply's end, before its body ends, since a Lambda environment may freeze right after: a line in
//! the log for each reply, and what else it is given to do.

use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};
use tokio::{runtime::Handle, task::JoinHandle, time::timeout};
use tracing::Instrument;

mod line;

use crate::{
    answer::{Answer, Tries, Unanswered},
    chat::delta::{Delta, FinishReason, Usage},
    deadline::Deadline,
    error::Error,
    provider::{Model, OWN},
};

/// How long a reply's end waits for what is written then, all of it together.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// Work at a reply's end, such as a write to a table.
pub(crate) type EndTask = Box<dyn FnOnce(&ReplyRecord) -> BoxFuture<'static, ()> + Send>;

/// What is known of a reply so far. Its end is written once: by [`Self::end`], or where the reply is dropped before.
pub(crate) struct ReplyRecord {
    assistant_id: String,
    provider: &'static str,
    model: String,
    stream: bool,
    started: Instant,
    first_text: Option<Instant>,
    last_text: Option<Instant>,
    usage: Option<Usage>,
    /// Of all text that has come, thinking included.
    text_bytes: u64,
    tries: Option<Tries>,
    /// The fields that the model rejected and that were left out.
    omitted: Vec<&'static str>,
    outcome: Outcome,
    end_tasks: Vec<EndTask>,
    end_limit: Duration,
    written: bool,
}

/// How a reply ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Completely.
    Finished(FinishReason),
    /// Without an answer or within it.
    Failed {
        /// The status that the error has or would have.
        status: u16,
        /// [`Error::closed_code`].
        code: String,
        /// [`Error::cause`].
        cause: Option<String>,
        /// [`Error::fault_at`] the model's server.
        fault: Option<&'static str>,
    },
    /// The client did not wait for the end.
    ClientGone,
}

impl ReplyRecord {
    /// `started` is when the request came in; `deadline` is the reply's own.
    pub(crate) fn new(assistant_id: String, model: &Model, stream: bool, started: Instant, deadline: Deadline) -> Self {
        Self {
            assistant_id,
            provider: model.provider_name(),
            model: model.name.clone(),
            stream,
            started,
            first_text: None,
            last_text: None,
            usage: None,
            text_bytes: 0,
            tries: None,
            omitted: Vec::new(),
            outcome: Outcome::ClientGone,
            end_tasks: Vec::new(),
            // The other half of the margin is for the last event.
            end_limit: END_TIMEOUT.min(deadline.margin() / 2),
            written: false,
        }
    }

    /// Adds work to the reply's end, whatever it will be.
    pub(crate) fn at_end(&mut self, task: EndTask) {
        self.end_tasks.push(task);
    }

    /// The same where there is any.
    pub(crate) fn also_at_end(&mut self, task: Option<EndTask>) {
        self.end_tasks.extend(task);
    }

    /// How long the client has been waiting.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How the reply ended, as far as it is known.
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether the request was refused before any model was asked: such a one is counted nowhere.
    pub(crate) fn is_refused(&self) -> bool {
        self.tries.is_some_and(|tries| tries.unasked)
    }

    /// What the provider counted, so far.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The tokens that providers stated of calls without an answer.
    pub(crate) fn spent(&self) -> Usage {
        self.tries.map(|tries| tries.spent).unwrap_or_default()
    }

    /// How much text has come, in bytes.
    pub(crate) fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Notes who answers, and after how many tries.
    ///
    /// # Errors
    /// The failure, where nobody does.
    pub(crate) fn begun(&mut self, answer: Result<Answer, Unanswered>) -> Result<Answer, Error> {
        match answer {
            Ok(answer) => {
                self.provider = answer.model.provider_name();
                self.model.clone_from(&answer.model.name);
                self.tries = Some(answer.tries);
                self.omitted = answer.omitted.fields().collect();
                Ok(answer)
            }
            Err(Unanswered { error, tries }) => {
                self.tries = Some(tries);
                Err(error)
            }
        }
    }

    /// Notes when the first text came, and the usage.
    pub(crate) fn delta(&mut self, delta: &Delta) {
        let text = match delta {
            Delta::Text { text, .. } | Delta::Refusal(text) => {
                let now = Instant::now();
                self.first_text.get_or_insert(now);
                self.last_text = Some(now);
                text.as_str()
            }
            Delta::Reasoning(text) => text,
            Delta::Usage(usage) => {
                self.usage = Some(*usage);
                ""
            }
            Delta::Finish(_) => "",
        };
        self.text_bytes += text.len() as u64;
    }

    /// Notes that the answer is complete.
    pub(crate) fn finished(&mut self, reason: FinishReason) {
        self.outcome = Outcome::Finished(reason);
    }

    /// Notes that the reply failed or was cut off.
    pub(crate) fn failed(&mut self, error: &Error) {
        self.outcome = Outcome::Failed {
            status: error.status().as_u16(),
            code: error.closed_code(),
            cause: error.cause().map(str::to_owned),
            fault: error.fault_at(self.provider == OWN),
        };
    }

    /// Writes the reply's end. It is waited for up to 500 ms, and written to its end where the client goes away
    /// meanwhile.
    pub(crate) async fn end(mut self) {
        if let Some(written) = self.write() {
            // A task that panics ends the process.
            let _ = written.await;
        }
    }

    /// Writes the line at once, and has the rest done on a task of its own, which nobody has to wait for.
    fn write(&mut self) -> Option<JoinHandle<()>> {
        self.written = true;
        self.log();
        let tasks = std::mem::take(&mut self.end_tasks);
        let tasks: Vec<_> = tasks.into_iter().map(|task| task(self)).collect();
        if tasks.is_empty() {
            return None;
        }
        let limit = self.end_limit;
        let work = async move {
            if timeout(limit, join_all(tasks)).await.is_err() {
                tracing::warn!("not all that is written at a reply's end was written in time");
            }
        };
        // There is none where the process ends.
        let runtime = Handle::try_current().ok()?;
        Some(runtime.spawn(work.in_current_span()))
    }
}

impl Drop for ReplyRecord {
    fn drop(&mut self) {
        if !self.written {
            self.write();
        }
    }
}
