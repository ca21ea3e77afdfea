//! Claims on tokens, written past the store's own code.

use std::net::SocketAddr;

use assistant_endpoint::{local::embedded_store, token::Token};
use aws_sdk_dynamodb::{Client, types::AttributeValue};

/// Writes a claim as an earlier version or another program would: texts, and `valid_until` as a number.
pub async fn put_claim(store: SocketAddr, token: &str, attributes: &[(&str, &str)]) {
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let client = Client::new(&embedded_store::client_config(store).await);
    let mut put = client
        .put_item()
        .table_name(embedded_store::tables().token_claims)
        .item("token_digest", text(Token::new(token).digest().as_str()));
    for (name, value) in attributes {
        let value = match *name {
            "valid_until" => AttributeValue::N((*value).to_owned()),
            _ => text(value),
        };
        put = put.item(*name, value);
    }
    put.send().await.unwrap();
}
