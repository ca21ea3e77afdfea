//! An answer, for whoever delivers it.

use std::pin::Pin;

use futures_util::Stream;

use crate::{chat::delta::Delta, error::Error, provider::Model};

/// An answer that has begun.
pub struct Answer {
    /// The model that gives it.
    pub model: Model,
    /// All of it.
    pub deltas: Deltas,
}

/// An answer on its way.
pub type Awaited = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// The steps of an answer; after an error comes nothing.
pub type Deltas = Pin<Box<dyn Stream<Item = Result<Delta, Error>> + Send>>;
