//! Transactions: a list of writes that are all made or none, each with what it means where its condition fails.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};

use super::{Item, Store, unavailable};
use crate::error::Error;

/// How often a transaction that ran into another one is tried.
const MAX_TRANSACTION_ATTEMPTS: u32 = 5;

/// Why nothing was written, or nobody knows whether it was.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The token is another assistant's, or another owner's.
    #[error("This public token is already in use. Choose another.")]
    TokenTaken,
    /// A grace period without an old token and a new one.
    #[error(
        "A grace period needs an old token and a new one: the assistant has none, or keeps the one that it has. Set \
         another token, or leave the grace period out; nothing was changed."
    )]
    NothingToKeep,
    /// The owner has as many assistants as an owner may have.
    #[error(
        "You have as many assistants as the operator lets one owner have (`MAX_ASSISTANTS_PER_OWNER`). Delete one, or ask \
         the operator for more; nothing was created."
    )]
    TooManyAssistants,
    /// The assistant is not in the version that was read.
    #[error("The assistant has changed meanwhile. Read it again and repeat the change.")]
    Changed,
    /// The store cannot be used, and nothing was written.
    #[error(transparent)]
    Store(#[from] Error),
    /// The store did not say whether the write was made.
    #[error(transparent)]
    Unsettled(Error),
}

/// One write of a transaction, and what it means where its condition fails.
pub(super) type Step = (TransactWriteItem, fn() -> WriteError);

/// Why a transaction was not made.
pub(super) struct Refused {
    error: WriteError,
    /// The item that failed a step's condition, where the step asks for it.
    pub(super) found: Option<Item>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        WriteError::from(error).into()
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        Self { error, found: None }
    }
}

impl From<Refused> for WriteError {
    fn from(refused: Refused) -> Self {
        refused.error
    }
}

impl Store {
    /// All steps or none.
    pub(super) async fn commit(&self, steps: Vec<Step>) -> Result<(), Refused> {
        let (items, meanings): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        for attempt in 1.. {
            let transaction = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()));
            let Err(error) = transaction.send().await else {
                return Ok(());
            };
            let reasons = error.as_service_error().map(cancellation_reasons).unwrap_or_default();
            let mut of_steps = meanings.iter().zip(reasons);
            if let Some((meaning, reason)) =
                of_steps.find(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
            {
                return Err(Refused {
                    error: meaning(),
                    found: reason.item().cloned(),
                });
            }
            if error.as_service_error().is_some_and(is_about_the_item) {
                return Err(cannot_be_stored().into());
            }
            if attempt == MAX_TRANSACTION_ATTEMPTS
                || !reasons
                    .iter()
                    .any(|reason| reason.code() == Some("TransactionConflict"))
            {
                return Err(unmade(error).into());
            }
            tokio::time::sleep(Duration::from_millis(fastrand::u64(10..50) << attempt)).await;
        }
        Ok(())
    }
}

/// What a failure says of a transaction: one that `DynamoDB` turned down by an exception was not made. Its other errors, such as
/// `InternalServerError`, and a lost answer leave that open.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>, read 2026-11.
fn unmade(error: SdkError<TransactWriteItemsError>) -> WriteError {
    if error.code().is_some_and(|code| code.ends_with("Exception")) {
        return unavailable(error).into();
    }
    WriteError::Unsettled(unavailable(error))
}

pub(super) fn cannot_encode(error: impl std::fmt::Display) -> Error {
    Error::Misconfigured(format!("its settings cannot be stored ({error})."))
}

/// What `DynamoDB` rejects an item for. Nobody but the owner writes into it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>, read 2026-11.
fn cannot_be_stored() -> Error {
    Error::invalid(
        "config",
        "The assistant cannot be stored. With all of its settings it takes more than 400 KB, or one of them has an empty \
         name, is nested deeper than 32 levels, or has a number with more than 38 digits, above 10^125 or nearer to zero than 10^-130. \
         Nothing was changed.",
    )
}

/// Whether the transaction, or one of its steps, was rejected for what the item is.
fn is_about_the_item(error: &TransactWriteItemsError) -> bool {
    let mut reasons = cancellation_reasons(error).iter();
    error.code() == Some("ValidationException") || reasons.any(|reason| reason.code() == Some("ValidationError"))
}

/// One for each step, in their order.
fn cancellation_reasons(error: &TransactWriteItemsError) -> &[CancellationReason] {
    match error {
        TransactWriteItemsError::TransactionCanceledException(canceled) => canceled.cancellation_reasons(),
        _ => &[],
    }
}
