//! What a decoder is: a provider's frames in, steps of an answer out.

use crate::{chat::delta::Delta, error::ProviderError};

/// Turns one provider's frames into deltas.
///
/// There are only three things to say: deltas, the end, an error. Input that stops where [`Ending::CutOff`] holds is an
/// error, so that cut-off text cannot look complete.
pub trait Decode: Send {
    /// Takes the next frame.
    ///
    /// # Errors
    /// What the provider reported within its stream, or that the frame is malformed.
    fn decode(&mut self, frame: &Frame) -> Result<Decoded, ProviderError>;

    /// What it means if nothing more comes.
    fn ending(&self) -> Ending;
}

/// What it means if nothing more comes after a frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// The answer is cut off.
    #[default]
    CutOff,
    /// The answer is complete if the input ends cleanly. A silence or a broken connection cuts it off: more may have
    /// been to come.
    AtEndOfInput,
    /// The answer is complete. Usage or an end marker may follow; neither silence nor a broken connection takes anything
    /// from it, only what the provider itself says is an error.
    Complete,
}

/// What a frame means.
#[derive(Debug, PartialEq)]
pub enum Decoded {
    /// Any number of steps of the answer.
    Deltas(Vec<Delta>),
    /// The provider's own end marker.
    End,
}

/// One message of a provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The event's name, where it has one.
    pub event: Option<String>,
    /// The payload.
    pub data: String,
}
