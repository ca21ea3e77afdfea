//! Responses that are kept, so that a later request can carry their conversation on: an item for each, in the Responses
//! table.
//!
//! The key begins with the assistant's id, so that no id opens another assistant's response. An item holds its own turn
//! alone, and the ids of those before it: any turn can be carried on in several ways.

use std::{
    collections::{BTreeSet, HashMap},
    io::{Read, Write},
};

use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::{AttributeValue, KeysAndAttributes},
};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    assistant::store::{Item, LAST_WRITE_TIMEOUT, Store, number, number_in, once, unavailable},
    error::Error,
    log,
};

mod erase;

/// Most turns of a conversation.
pub(crate) const MAX_TURNS: usize = 200;
/// Most text of a conversation, in bytes.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most bytes of a kept turn, compressed: an item of `DynamoDB` has at most 400 KB.
const MAX_KEPT: usize = 380_000;
/// Most bytes of a response that is kept, before compression: its log probabilities can be much longer than its text.
const MAX_RESPONSE: usize = 16 * 1024 * 1024;
/// Most calls for one conversation.
const MAX_CALLS: usize = 4;
/// Most keys of one `BatchGetItem`.
const MAX_BATCH: usize = 100;
const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// The Responses table: an item for each assistant and response.
#[derive(Debug, Clone)]
pub struct ResponsesTable {
    client: Client,
    table: String,
    ttl_days: u64,
}

/// What was said in a turn, as items of OpenAI's.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Said {
    /// The request's own, without what was said before.
    pub input: Vec<Value>,
    /// The response's messages.
    pub output: Vec<Value>,
}

/// A turn to be kept.
#[derive(Debug)]
pub(crate) struct Turn {
    pub assistant_id: String,
    pub response_id: String,
    pub before: Before,
    pub said: Said,
    /// The response's body, JSON.
    pub response: Vec<u8>,
}

/// The turns before one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Before {
    /// Their responses' ids, oldest first.
    pub ids: Vec<String>,
    /// How much they take together.
    pub bytes: usize,
}

/// What a request refers to.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    pub before: Before,
    /// What was said in each turn.
    pub said: HashMap<String, Said>,
}

/// Why what a request refers to cannot be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// This response is not kept.
    Missing(String),
    /// There are too many turns.
    TooManyTurns,
    /// There is too much text.
    TooLong,
    /// The table does not answer.
    Unavailable(Error),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Unavailable(error)
    }
}

impl ResponsesTable {
    /// The store's Responses table, where it has one, over the store's own connections. What is kept is kept for so many
    /// days.
    pub fn of(store: &Store, ttl_days: u64) -> Option<Self> {
        let (client, tables) = store.parts();
        Some(Self {
            client: client.clone(),
            table: tables.responses.clone()?,
            ttl_days,
        })
    }

    /// Keeps a turn. Returns whether it is kept: not so where it is too long, or where the write fails. A write that fails
    /// loses no reply: the log says so.
    pub(crate) async fn keep(&self, turn: Turn) -> bool {
        let assistant_id = turn.assistant_id.clone();
        let Some(item) = self.item(turn) else {
            tracing::info!(assistant_id, "a response was not kept, since it is too long");
            return false;
        };
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        match put.customize().config_override(once(LAST_WRITE_TIMEOUT)).send().await {
            Ok(_) => true,
            Err(error) => {
                let cause = unavailable(error);
                tracing::warn!(
                    target: log::METRICS,
                    assistant_id,
                    cause = cause.cause(),
                    fault = "response_not_kept",
                    "a response was not kept"
                );
                false
            }
        }
    }

    /// `None` for a turn that is too long.
    fn item(&self, turn: Turn) -> Option<Item> {
        let said = serde_json::to_vec(&turn.said).ok()?;
        if said.len() > MAX_BYTES || turn.response.len() > MAX_RESPONSE {
            return None;
        }
        let (compressed, response) = (compress(&said)?, compress(&turn.response)?);
        let kept = compressed.len() + response.len();
        if kept > MAX_KEPT {
            return None;
        }
        let bytes = turn.before.bytes + said.len().max(kept);
        let ids = turn.before.ids.into_iter().map(AttributeValue::S).collect();
        let expires_at = now().saturating_add(self.ttl_days.saturating_mul(SECONDS_A_DAY));
        let mut item = key(&turn.assistant_id, &turn.response_id);
        item.extend([
            ("before".into(), AttributeValue::L(ids)),
            ("bytes".into(), number(bytes)),
            ("expires_at".into(), number(expires_at)),
            ("said".into(), AttributeValue::B(Blob::new(compressed))),
            ("response".into(), AttributeValue::B(Blob::new(response))),
        ]);
        Some(item)
    }

    /// The body of a response.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the table does not answer.
    pub(crate) async fn response(&self, assistant_id: &str, id: &str) -> Result<Option<Vec<u8>>, Error> {
        let item = self.get(assistant_id, id).await?;
        item.map(|item| decompress(&item, "response", MAX_RESPONSE)).transpose()
    }

    /// What was said in a response's turn.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the table does not answer.
    pub(crate) async fn said(&self, assistant_id: &str, id: &str) -> Result<Option<Said>, Error> {
        let item = self.get(assistant_id, id).await?;
        item.map(|item| said(&item)).transpose()
    }

    /// Deletes a response. Returns whether it was kept. That is read first: a deletion whose answer is lost is sent again,
    /// and finds nothing then.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the table does not answer.
    pub(crate) async fn delete(&self, assistant_id: &str, id: &str) -> Result<bool, Error> {
        if self.get(assistant_id, id).await?.is_none() {
            return Ok(false);
        }
        let delete = self.client.delete_item().table_name(&self.table);
        let deleted = delete.set_key(Some(key(assistant_id, id))).send().await;
        deleted.map(|_| true).map_err(unavailable)
    }

    /// Reads a response's whole conversation, and what `references` said, by four calls at most.
    ///
    /// # Errors
    /// Where one of them is not kept, where they are too much, or where the table does not answer.
    pub(crate) async fn earlier(
        &self,
        assistant_id: &str,
        previous: Option<&str>,
        references: &BTreeSet<String>,
    ) -> Result<Earlier, Unread> {
        let mut calls = 0;
        let mut earlier = Earlier::default();
        if let Some(previous) = previous {
            calls += 1;
            let item = self.get(assistant_id, previous).await?;
            let item = item.ok_or_else(|| Unread::Missing(previous.to_owned()))?;
            earlier.before = before(&item);
            earlier.before.ids.push(previous.to_owned());
            if earlier.before.ids.len() >= MAX_TURNS {
                return Err(Unread::TooManyTurns);
            }
            if earlier.before.bytes > MAX_BYTES {
                return Err(Unread::TooLong);
            }
            earlier.said.insert(previous.to_owned(), said(&item)?);
        }
        let wanted = earlier.before.ids.iter().chain(references);
        let wanted: BTreeSet<_> = wanted.filter(|id| !earlier.said.contains_key(*id)).cloned().collect();
        if wanted.len() + earlier.said.len() >= MAX_TURNS {
            return Err(Unread::TooManyTurns);
        }
        let mut left: Vec<_> = wanted.iter().cloned().collect();
        let mut bytes = 0;
        while !left.is_empty() {
            if calls == MAX_CALLS {
                let cause = "DynamoDB: not all of a conversation came".into();
                return Err(Unread::Unavailable(Error::Unavailable { cause }));
            }
            calls += 1;
            let batch = left.split_off(left.len().saturating_sub(MAX_BATCH));
            let (items, unprocessed) = self.get_batch(assistant_id, batch).await?;
            left.extend(unprocessed);
            for item in items {
                let (Some(id), false) = (id_of(&item), is_expired(&item)) else {
                    continue;
                };
                let said = decompress(&item, "said", MAX_BYTES)?;
                bytes += said.len();
                if bytes > MAX_BYTES {
                    return Err(Unread::TooLong);
                }
                earlier.said.insert(id, parse(&said)?);
            }
        }
        match wanted.into_iter().find(|id| !earlier.said.contains_key(id)) {
            Some(missing) => Err(Unread::Missing(missing)),
            None => Ok(earlier),
        }
    }

    async fn get(&self, assistant_id: &str, id: &str) -> Result<Option<Item>, Error> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(assistant_id, id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(output.item.filter(|item| !is_expired(item)))
    }

    /// The items, and the ids of those that the table has not come to.
    async fn get_batch(&self, assistant_id: &str, ids: Vec<String>) -> Result<(Vec<Item>, Vec<String>), Error> {
        let keys = ids.iter().map(|id| key(assistant_id, id)).collect();
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .projection_expression("response_id, expires_at, said")
            .consistent_read(true)
            .build()
            .map_err(|_| unreadable())?;
        let output = self
            .client
            .batch_get_item()
            .request_items(&self.table, request)
            .send()
            .await
            .map_err(unavailable)?;
        // There is the one table, whether its answer calls it by its name or its ARN.
        let items = output.responses.unwrap_or_default().into_values().flatten().collect();
        let unprocessed = output.unprocessed_keys.unwrap_or_default().into_values();
        let unprocessed = unprocessed.flat_map(|keys| keys.keys.into_iter().filter_map(|key| id_of(&key)));
        Ok((items, unprocessed.collect()))
    }
}

fn key(assistant_id: &str, id: &str) -> Item {
    Item::from([
        ("assistant_id".into(), AttributeValue::S(assistant_id.to_owned())),
        ("response_id".into(), AttributeValue::S(id.to_owned())),
    ])
}

fn now() -> u64 {
    u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0)
}

/// `DynamoDB` deletes an item some days after it has expired.
fn is_expired(item: &Item) -> bool {
    number_in::<u64>(item, "expires_at").is_none_or(|expires_at| expires_at <= now())
}

fn id_of(item: &Item) -> Option<String> {
    item.get("response_id")?.as_s().ok().cloned()
}

fn before(item: &Item) -> Before {
    let ids = item.get("before").and_then(|ids| ids.as_l().ok());
    let ids = ids.into_iter().flatten();
    Before {
        ids: ids.filter_map(|id| id.as_s().ok().cloned()).collect(),
        bytes: number_in(item, "bytes").unwrap_or(usize::MAX),
    }
}

fn said(item: &Item) -> Result<Said, Error> {
    parse(&decompress(item, "said", MAX_BYTES)?)
}

fn parse(said: &[u8]) -> Result<Said, Error> {
    serde_json::from_slice(said).map_err(|_| unreadable())
}

/// The fastest level: the end of a reply waits for it.
fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn decompress(item: &Item, name: &str, limit: usize) -> Result<Vec<u8>, Error> {
    let compressed = item
        .get(name)
        .and_then(|value| value.as_b().ok())
        .ok_or_else(unreadable)?;
    let mut bytes = Vec::new();
    let mut decoder = ZlibDecoder::new(compressed.as_ref()).take(limit as u64 + 1);
    decoder.read_to_end(&mut bytes).map_err(|_| unreadable())?;
    if bytes.len() > limit {
        return Err(unreadable());
    }
    Ok(bytes)
}

fn unreadable() -> Error {
    Error::Unavailable {
        cause: "a kept response cannot be read".into(),
    }
}
