//! The end of the process, as replies under way learn of it.

use tokio::sync::watch;

/// Asks everybody who holds a [`Stop`] to end.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Says when the process is about to end. As an extension of a request it ends the request's reply with an error. A
/// function on Lambda has none: the platform waits for its replies.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// Both ends.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Asks everybody to end.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Waits until the process is about to end; for ever where nobody can ask for it any more.
    pub async fn requested(mut self) {
        if self.0.wait_for(|stopping| *stopping).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
