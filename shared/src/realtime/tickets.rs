//! Tickets that open a socket, so that tokens never travel in a URL: `TICKET#<hash>/TICKET` in the table of connections.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use futures_util::future::BoxFuture;

use super::connections::{table, unavailable};
use crate::{context::Context, crypto, error::Error, identity::Identity};

/// Seconds a ticket may be redeemed.
pub const TICKET_LIFE: i64 = 60;

/// Makes a ticket for `identity`: single use, 60 seconds. Only its hash is kept.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn save_ticket<'a>(context: &'a Context, identity: &'a Identity) -> BoxFuture<'a, Result<String, Error>> {
    Box::pin(async move {
        let ticket = crypto::random_token();
        let put = context
            .aws()
            .dynamodb()
            .put_item()
            .table_name(table())
            .item("pk", AttributeValue::S(ticket_key(&ticket)))
            .item("sk", AttributeValue::S("TICKET".to_owned()))
            .item("identity", AttributeValue::S(serde_json::to_string(identity).unwrap_or_default()))
            .item("expires_at", AttributeValue::N((context.now().as_second() + TICKET_LIFE).to_string()));
        put.send().await.map_err(|error| unavailable(&error))?;
        Ok(ticket)
    })
}

/// Redeems a ticket: whom it is for; `None` when unknown, expired or already used. Deleting it and reading it are one step.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn redeem_ticket<'a>(context: &'a Context, ticket: &'a str) -> BoxFuture<'a, Result<Option<Identity>, Error>> {
    Box::pin(async move {
        let delete = context
            .aws()
            .dynamodb()
            .delete_item()
            .table_name(table())
            .key("pk", AttributeValue::S(ticket_key(ticket)))
            .key("sk", AttributeValue::S("TICKET".to_owned()))
            .return_values(ReturnValue::AllOld);
        let answer = delete.send().await.map_err(|error| unavailable(&error))?;
        let Some(item) = answer.attributes else { return Ok(None) };
        let expires_at = item.get("expires_at").and_then(|value| value.as_n().ok()?.parse::<i64>().ok()).unwrap_or_default();
        if expires_at <= context.now().as_second() {
            return Ok(None);
        }
        Ok(item.get("identity").and_then(|value| serde_json::from_str(value.as_s().ok()?).ok()))
    })
}

fn ticket_key(ticket: &str) -> String {
    format!("TICKET#{}", hex::encode(crypto::sha256(ticket.as_bytes())))
}
