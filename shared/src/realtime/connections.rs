//! The DynamoDB table of connections. `CONN#<id>/META` is the connection, `TOPIC#<topic>/CONN#<id>` puts it on a topic,
//! `TICKET#<hash>/TICKET` waits to be redeemed; `META` also lists the topics; index `gsi1` inverts the key for clean-up.

use std::collections::{HashMap, HashSet};

use aws_sdk_apigatewaymanagement::{error::SdkError, operation::post_to_connection::PostToConnectionError, primitives::Blob};
use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue},
};
use futures_util::future::{join, join_all};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    access::Identity,
    audience::Reader,
    context::Context,
    crypto,
    error::{Error, UNAVAILABLE},
    events::Topic,
    log,
    settings::variable,
};

/// API Gateway cuts every connection after two hours.
const LONGEST_CONNECTION: i64 = 2 * 60 * 60;

/// Seconds a ticket may be redeemed.
pub const TICKET_LIFE: i64 = 60;

/// Seconds a handshake may take. Until it is over, posting answers as if the connection were gone.
const LONGEST_HANDSHAKE: i64 = 30;

type Item = HashMap<String, AttributeValue>;

/// One open socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    pub id: String,
    pub identity: Identity,
    pub reader: Reader,
    /// The person's, for what others are shown.
    #[serde(default)]
    pub name: String,
    /// What it is on; known only of a connection that `find` gave.
    #[serde(skip)]
    pub topics: Vec<Topic>,
    /// Seconds since the epoch, after which the socket cannot be open any more.
    pub expires_at: i64,
}

impl Connection {
    /// A socket that opens now.
    #[must_use]
    pub fn new(context: &Context, id: String, identity: Identity, reader: Reader, name: String) -> Self {
        let expires_at = context.now().as_second() + LONGEST_CONNECTION;
        Self { id, identity, reader, name, topics: Vec::new(), expires_at }
    }

    fn to_item(&self, pk: String, sk: String) -> Item {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(pk)),
            ("sk".to_owned(), AttributeValue::S(sk)),
            ("connection".to_owned(), self.to_attribute()),
            ("expires_at".to_owned(), AttributeValue::N(self.expires_at.to_string())),
        ])
    }

    fn to_attribute(&self) -> AttributeValue {
        AttributeValue::S(serde_json::to_string(self).unwrap_or_default())
    }

    fn from_item(item: &Item) -> Option<Self> {
        let mut connection: Self = serde_json::from_str(item.get("connection")?.as_s().ok()?).ok()?;
        let topics = item.get("topics").and_then(|value| value.as_ss().ok());
        connection.topics = topics.into_iter().flatten().filter_map(|topic| topic.parse().ok()).collect();
        Some(connection)
    }

    fn may_be_opening(&self, now: i64) -> bool {
        self.expires_at - LONGEST_CONNECTION + LONGEST_HANDSHAKE > now
    }
}

fn table() -> String {
    variable("CONNECTIONS_TABLE")
}

fn connection_key(id: &str) -> String {
    format!("CONN#{id}")
}

fn topic_key(topic: Topic) -> String {
    format!("TOPIC#{topic}")
}

fn unavailable(error: &impl std::fmt::Debug) -> Error {
    UNAVAILABLE.caused_by(format!("{error:?}"))
}

/// Writes a connection with its topics.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn remember(context: &Context, connection: &Connection, topics: &[Topic]) -> Result<(), Error> {
    let key = connection_key(&connection.id);
    let mut meta = connection.to_item(key.clone(), "META".to_owned());
    if !topics.is_empty() {
        meta.insert("topics".to_owned(), AttributeValue::Ss(topics.iter().map(ToString::to_string).collect()));
    }
    let items = topics.iter().map(|topic| connection.to_item(topic_key(*topic), key.clone())).chain([meta]);
    join_all(items.map(|item| put(context, item))).await.into_iter().collect()
}

/// The connection with this id; `None` when it is gone.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn find(context: &Context, id: &str) -> Result<Option<Connection>, Error> {
    let get = context
        .aws()
        .dynamodb()
        .get_item()
        .table_name(table())
        .key("pk", AttributeValue::S(connection_key(id)))
        .key("sk", AttributeValue::S("META".to_owned()))
        .consistent_read(true);
    let answer = get.send().await.map_err(|error| unavailable(&error))?;
    Ok(answer.item.as_ref().and_then(Connection::from_item))
}

/// Puts a connection on a topic. Whether it may see it is the caller's to check. Nothing happens to a connection that is gone.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn subscribe(context: &Context, connection: &Connection, topic: Topic) -> Result<(), Error> {
    if !change_topics(context, &connection.id, "add topics :topics", topic).await? {
        return Ok(());
    }
    put(context, connection.to_item(topic_key(topic), connection_key(&connection.id))).await
}

/// Takes a connection off a topic.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn unsubscribe(context: &Context, connection_id: &str, topic: Topic) -> Result<(), Error> {
    delete(context, topic_key(topic), connection_key(connection_id)).await?;
    change_topics(context, connection_id, "delete topics :topics", topic).await?;
    Ok(())
}

/// Writes what a connection may see now on the connection and on its topics.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn refresh(context: &Context, connection: &Connection) -> Result<(), Error> {
    let update = update_meta(context, &connection.id)
        .update_expression("set #connection = :connection")
        .expression_attribute_names("#connection", "connection")
        .expression_attribute_values(":connection", connection.to_attribute());
    if !succeeds_if_there(update).await? {
        return Ok(());
    }
    let key = connection_key(&connection.id);
    let puts = connection.topics.iter().map(|topic| put(context, connection.to_item(topic_key(*topic), key.clone())));
    join_all(puts).await.into_iter().collect()
}

/// Changes the list of topics. Answers whether the connection is still there.
async fn change_topics(context: &Context, id: &str, expression: &str, topic: Topic) -> Result<bool, Error> {
    let topics = AttributeValue::Ss(vec![topic.to_string()]);
    let update = update_meta(context, id).update_expression(expression).expression_attribute_values(":topics", topics);
    succeeds_if_there(update).await
}

fn update_meta(context: &Context, id: &str) -> UpdateItemFluentBuilder {
    let update = context.aws().dynamodb().update_item().table_name(table());
    update
        .key("pk", AttributeValue::S(connection_key(id)))
        .key("sk", AttributeValue::S("META".to_owned()))
        .condition_expression("attribute_exists(pk)")
}

async fn succeeds_if_there(update: UpdateItemFluentBuilder) -> Result<bool, Error> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => Ok(false),
        Err(error) => Err(unavailable(&error)),
    }
}

async fn put(context: &Context, item: Item) -> Result<(), Error> {
    let put = context.aws().dynamodb().put_item().table_name(table()).set_item(Some(item));
    put.send().await.map_err(|error| unavailable(&error))?;
    Ok(())
}

/// Removes a connection and its topics.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn forget(context: &Context, id: &str) -> Result<(), Error> {
    let key = connection_key(id);
    let query = context
        .aws()
        .dynamodb()
        .query()
        .table_name(table())
        .index_name("gsi1")
        .key_condition_expression("sk = :connection")
        .expression_attribute_values(":connection", AttributeValue::S(key.clone()));
    // The index knows every item, if not yet those of a moment ago; the connection itself knows these.
    let (answer, known) = join(query.send(), find(context, id)).await;
    let answer = answer.map_err(|error| unavailable(&error))?;
    let indexed = answer.items().iter().filter_map(|item| item.get("pk")?.as_s().ok().cloned());
    let topics: HashSet<String> =
        known?.into_iter().flat_map(|connection| connection.topics).map(topic_key).chain(indexed).collect();
    let deletes = topics.into_iter().map(|pk| (pk, key.clone())).chain([(key.clone(), "META".to_owned())]);
    join_all(deletes.map(|(pk, sk)| delete(context, pk, sk))).await.into_iter().collect()
}

async fn delete(context: &Context, pk: String, sk: String) -> Result<(), Error> {
    let delete = context
        .aws()
        .dynamodb()
        .delete_item()
        .table_name(table())
        .key("pk", AttributeValue::S(pk))
        .key("sk", AttributeValue::S(sk));
    delete.send().await.map_err(|error| unavailable(&error))?;
    Ok(())
}

/// The connections on a topic that can still be open.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn on_topic(context: &Context, topic: Topic) -> Result<Vec<Connection>, Error> {
    query_topic(context, topic, false).await
}

async fn query_topic(context: &Context, topic: Topic, is_consistent: bool) -> Result<Vec<Connection>, Error> {
    let now = context.now().as_second();
    let mut connections = Vec::new();
    let mut start = None;
    loop {
        let query = context
            .aws()
            .dynamodb()
            .query()
            .table_name(table())
            .key_condition_expression("pk = :topic")
            .expression_attribute_values(":topic", AttributeValue::S(topic_key(topic)))
            .consistent_read(is_consistent)
            .set_exclusive_start_key(start);
        let answer = query.send().await.map_err(|error| unavailable(&error))?;
        connections.extend(answer.items().iter().filter_map(Connection::from_item).filter(|found| found.expires_at > now));
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(connections);
        }
    }
}

/// Sends one frame. A connection that is gone is forgotten. Answers whether it was sent.
pub async fn post(context: &Context, connection_id: &str, frame: &str) -> bool {
    let post = context.aws().connections().post_to_connection().connection_id(connection_id).data(Blob::new(frame));
    match post.send().await {
        Ok(_) => true,
        Err(SdkError::ServiceError(error)) if matches!(error.err(), PostToConnectionError::GoneException(_)) => {
            let now = context.now().as_second();
            if matches!(find(context, connection_id).await, Ok(Some(connection)) if connection.may_be_opening(now)) {
                return false;
            }
            if let Err(error) = forget(context, connection_id).await {
                log::warn("connection not forgotten", error.cause().unwrap_or_default());
            }
            false
        }
        Err(error) => {
            log::warn("frame not sent", &format!("{error:?}"));
            false
        }
    }
}

/// Closes the sockets of a person's sessions that have ended.
pub async fn close_sessions(context: &Context, user_id: Uuid, sessions: &[Uuid]) {
    // A connection written just before is among them: the handshake that wrote it has found its session standing.
    let connections = match query_topic(context, Topic::User(user_id), true).await {
        Ok(connections) => connections,
        Err(error) => {
            log::warn("sockets not closed", error.cause().unwrap_or_default());
            return;
        }
    };
    let ended = connections.into_iter().filter(|connection| sessions.contains(&connection.identity.session_id));
    join_all(ended.map(|connection| async move {
        let closed = context.aws().connections().delete_connection().connection_id(&connection.id).send().await;
        if let Err(error) = closed {
            log::warn("socket not closed", &format!("{error:?}"));
        }
        if let Err(error) = forget(context, &connection.id).await {
            log::warn("connection not forgotten", error.cause().unwrap_or_default());
        }
    }))
    .await;
}

/// Makes a ticket for `identity`: single use, 60 seconds. Only its hash is kept.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn save_ticket(context: &Context, identity: &Identity) -> Result<String, Error> {
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
}

/// Redeems a ticket: whom it is for; `None` when unknown, expired or already used. Deleting it and reading it are one step.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub async fn redeem_ticket(context: &Context, ticket: &str) -> Result<Option<Identity>, Error> {
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
}

fn ticket_key(ticket: &str) -> String {
    format!("TICKET#{}", hex::encode(crypto::sha256(ticket.as_bytes())))
}
