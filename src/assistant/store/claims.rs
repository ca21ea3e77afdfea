//! Claims: whose a token is. A claim is never deleted, so a token that was rotated or revoked, or whose assistant was
//! deleted, stays its owner's: nobody else can answer those who still send it.

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem,
    builders::PutBuilder,
};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Item, Store,
    transaction::{Refused, Step, WriteError, cannot_encode},
    unavailable, unreadable,
};
use crate::{assistant::Record, error::Error, token::TokenDigest};

/// The longest grace period, in seconds: 30 days.
pub const MAX_GRACE: u64 = 30 * 24 * 60 * 60;

/// How long a trial token opens its assistant, in seconds.
const TRIAL: u64 = 15 * 60;

/// How long a replaced token keeps working, or a trial token.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    valid_until: OffsetDateTime,
}

impl Grace {
    /// `seconds` from now; `None` for less than one second and for more than [`MAX_GRACE`].
    pub fn from_now(seconds: u64) -> Option<Self> {
        let seconds = Some(seconds).filter(|seconds| (1..=MAX_GRACE).contains(seconds))?;
        let until = OffsetDateTime::now_utc().unix_timestamp() + i64::try_from(seconds).ok()?;
        let valid_until = OffsetDateTime::from_unix_timestamp(until).ok()?;
        Some(Self { valid_until })
    }

    /// RFC 3339, in whole seconds.
    pub fn valid_until(&self) -> String {
        self.valid_until.format(&Rfc3339).unwrap_or_default()
    }
}

/// An item of the TokenClaims table.
#[derive(Serialize, Deserialize)]
pub(super) struct Claim {
    token_digest: String,
    pub(super) assistant_id: String,
    /// Claims were once written without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner_id: Option<String>,
    /// Up to then, in seconds since the epoch, the token opens its assistant although that no longer carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_until: Option<i64>,
    /// The assistant's own count when the grace period began: a revocation since then has ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revocations: Option<u64>,
    /// A trial token's claim is no public token's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    trial: bool,
    /// When `DynamoDB` may delete a trial token's claim, in seconds since the epoch. All other claims stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
}

impl Claim {
    fn new(digest: &str, record: &Record, grace: Option<Grace>) -> Self {
        Self {
            token_digest: digest.to_owned(),
            assistant_id: record.assistant_id.clone(),
            owner_id: Some(record.owner_id.clone()),
            valid_until: grace.map(|grace| grace.valid_until.unix_timestamp()),
            revocations: grace.map(|_| record.revocations),
            trial: false,
            expires_at: None,
        }
    }

    pub(super) fn read(item: Item) -> Result<Self, Error> {
        serde_dynamo::from_item(item).map_err(unreadable)
    }

    /// Whether the token is one to try the assistant with, and its time is not up.
    pub(super) fn is_trial_now(&self) -> bool {
        self.trial && self.has_time()
    }

    fn has_time(&self) -> bool {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        self.valid_until.is_some_and(|until| until > now)
    }

    /// Whether the token still opens the assistant, which has another one now or none.
    pub(super) fn is_in_grace(&self, record: &Record) -> bool {
        !self.trial && self.has_time() && self.revocations.unwrap_or(0) == record.revocations
    }
}

impl Store {
    pub(super) async fn claim(&self, digest: &TokenDigest) -> Result<Option<Claim>, Error> {
        let item = self
            .get_item(&self.tables.token_claims, "token_digest", digest.as_str())
            .await?;
        item.map(Claim::read).transpose()
    }

    /// Writes a claim by which a token opens an assistant that does not carry it, for 15 minutes. Returns until when.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store does not answer.
    pub(crate) async fn put_trial(&self, digest: &TokenDigest, record: &Record) -> Result<Grace, Error> {
        let until = Grace::from_now(TRIAL).ok_or_else(|| cannot_encode("there is no such time"))?;
        let claim = Claim {
            trial: true,
            valid_until: Some(until.valid_until.unix_timestamp()),
            expires_at: Some(until.valid_until.unix_timestamp()),
            ..Claim::new(digest.as_str(), record, None)
        };
        self.client
            .put_item()
            .table_name(&self.tables.token_claims)
            .set_item(Some(serde_dynamo::to_item(claim).map_err(cannot_encode)?))
            .condition_expression("attribute_not_exists(token_digest)")
            .send()
            .await
            .map_err(unavailable)?;
        Ok(until)
    }

    /// Commits the steps, and with them the claim of the token that the assistant newly carries, if there is one.
    pub(super) async fn commit_with_claim(
        &self,
        mut steps: Vec<Step>,
        record: &Record,
        digest: Option<&str>,
    ) -> Result<(), WriteError> {
        let Some(digest) = digest else {
            return Ok(self.commit(steps).await?);
        };
        let mut first = steps.clone();
        first.push(self.claim_token(digest, record)?);
        match self.commit(first).await {
            Err(Refused { found: Some(claim), .. }) => {
                steps.extend(self.take_over(digest, record, Claim::read(claim)?).await?);
                Ok(self.commit(steps).await?)
            }
            done => Ok(done?),
        }
    }

    /// Claims a token that nobody has, or that was this assistant's before.
    fn claim_token(&self, digest: &str, record: &Record) -> Result<Step, Error> {
        let put = self
            .put_claim(&Claim::new(digest, record, None))?
            .condition_expression(
                "attribute_not_exists(token_digest) \
                 OR (assistant_id = :own AND (attribute_not_exists(owner_id) OR owner_id = :owner))",
            )
            .expression_attribute_values(":own", text(&record.assistant_id))
            .expression_attribute_values(":owner", text(&record.owner_id))
            .return_values_on_condition_check_failure(AllOld);
        step(put, || WriteError::TokenTaken)
    }

    /// Claims a token of another assistant of the same owner, which is gone or no longer carries it.
    async fn take_over(&self, digest: &str, record: &Record, claim: Claim) -> Result<[Step; 2], WriteError> {
        let previous = self.get(&claim.assistant_id).await?;
        // Whose a deleted assistant was, a claim without an owner does not say: its token is nobody's.
        let owner = claim
            .owner_id
            .as_ref()
            .or_else(|| previous.as_ref().map(|previous| &previous.owner_id));
        let is_carried = previous
            .as_ref()
            .is_some_and(|previous| previous.token_digest.as_deref() == Some(digest));
        if owner != Some(&record.owner_id) || is_carried || claim.trial {
            return Err(WriteError::TokenTaken);
        }
        let put = self
            .put_claim(&Claim::new(digest, record, None))?
            .condition_expression("assistant_id = :previous AND (attribute_not_exists(owner_id) OR owner_id = :owner)")
            .expression_attribute_values(":previous", text(&claim.assistant_id))
            .expression_attribute_values(":owner", text(&record.owner_id));
        let check = ConditionCheck::builder()
            .table_name(&self.tables.assistants)
            .key("assistant_id", text(&claim.assistant_id))
            .condition_expression("attribute_not_exists(token_digest) OR token_digest <> :digest")
            .expression_attribute_values(":digest", text(digest))
            .build()
            .map_err(cannot_encode)?;
        let check = TransactWriteItem::builder().condition_check(check).build();
        Ok([
            step(put, || WriteError::TokenTaken)?,
            (check, || WriteError::TokenTaken),
        ])
    }

    /// The claim of a token that the assistant carried so far. It is written again for the grace period, and because
    /// it may be one without an owner.
    pub(super) fn keep_claim(&self, digest: &str, record: &Record, grace: Option<Grace>) -> Result<Step, Error> {
        let put = self
            .put_claim(&Claim::new(digest, record, grace))?
            .condition_expression("attribute_not_exists(token_digest) OR assistant_id = :own OR owner_id = :owner")
            .expression_attribute_values(":own", text(&record.assistant_id))
            .expression_attribute_values(":owner", text(&record.owner_id));
        step(put, || WriteError::Changed)
    }

    fn put_claim(&self, claim: &Claim) -> Result<PutBuilder, Error> {
        let item = serde_dynamo::to_item(claim).map_err(cannot_encode)?;
        Ok(Put::builder()
            .table_name(&self.tables.token_claims)
            .set_item(Some(item)))
    }
}

fn step(put: PutBuilder, meaning: fn() -> WriteError) -> Result<Step, Error> {
    let put = put.build().map_err(cannot_encode)?;
    Ok((TransactWriteItem::builder().put(put).build(), meaning))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(valid_until: i64, revocations: Option<u64>) -> Claim {
        Claim {
            token_digest: "d".into(),
            assistant_id: "a".into(),
            owner_id: None,
            valid_until: Some(valid_until),
            revocations,
            trial: false,
            expires_at: None,
        }
    }

    #[test]
    fn a_grace_period_has_one_second_to_thirty_days() {
        for (seconds, is_one) in [
            (0, false),
            (1, true),
            (MAX_GRACE, true),
            (MAX_GRACE + 1, false),
            (u64::MAX, false),
        ] {
            assert_eq!(Grace::from_now(seconds).is_some(), is_one, "{seconds}");
        }
        let until = Grace::from_now(60).unwrap().valid_until();
        assert!(
            until.ends_with('Z') && until.len() == "2026-01-01T00:00:00Z".len(),
            "{until}"
        );
    }

    #[test]
    fn a_grace_period_ends_with_its_time_and_with_a_revocation() {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let with = |revocations| Record {
            revocations,
            ..Record::default()
        };
        for (claim, revocations, holds) in [
            (claim(now + 60, None), 0, true),
            (claim(now + 60, Some(2)), 2, true),
            (claim(now + 60, None), 1, false),
            (claim(now + 60, Some(1)), 2, false),
            (claim(now - 1, None), 0, false),
            (
                Claim {
                    trial: true,
                    ..claim(now + 60, None)
                },
                0,
                false,
            ),
            (
                Claim {
                    valid_until: None,
                    ..claim(0, None)
                },
                0,
                false,
            ),
        ] {
            assert_eq!(claim.is_in_grace(&with(revocations)), holds, "{revocations}");
        }
    }
}
