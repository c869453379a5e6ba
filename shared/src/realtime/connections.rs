//! The DynamoDB table of connections. `CONN#<id>/META` is the connection and lists its topics, `TOPIC#<topic>/CONN#<shard>#<id>` puts it
//! on one of them; index `gsi1` inverts the key for clean-up. Tickets live in the same table.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
};

use aws_sdk_apigatewaymanagement::{error::SdkError, operation::post_to_connection::PostToConnectionError, primitives::Blob};
use aws_sdk_dynamodb::{
    operation::{
        query::builders::QueryFluentBuilder,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::AttributeValue,
};
use futures_util::{
    StreamExt,
    future::{BoxFuture, join, join_all},
    stream,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    audience::Reader,
    context::Context,
    crypto,
    environment::variable,
    error::{Error, UNAVAILABLE},
    events::Topic,
    identity::Identity,
    log,
};

/// API Gateway cuts every connection after two hours.
const LONGEST_CONNECTION: i64 = 2 * 60 * 60;

/// Seconds a handshake may take. Until it is over, posting answers as if the connection were gone.
const LONGEST_HANDSHAKE: i64 = 30;

/// Into how many parts the listeners of a topic fall. A connection is always in the same one, so that what it is told keeps its order.
pub const SHARDS: u8 = 8;
/// All of them.
pub const ALL_SHARDS: RangeInclusive<u8> = 0..=SHARDS - 1;

/// Frames on their way at the same time.
const CONCURRENT_POSTS: usize = 32;

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

pub(super) fn table() -> String {
    variable("CONNECTIONS_TABLE")
}

fn connection_key(id: &str) -> String {
    format!("CONN#{id}")
}

fn topic_key(topic: Topic) -> String {
    format!("TOPIC#{topic}")
}

/// Sort key of a connection on its topics.
fn listener_key(id: &str) -> String {
    format!("{}{id}", prefix(shard_of(id)))
}

/// What sort keys of a shard's connections begin with.
fn prefix(shard: u8) -> String {
    format!("CONN#{shard}#")
}

/// The part of all listeners that a connection belongs to.
fn shard_of(id: &str) -> u8 {
    crypto::sha256(id.as_bytes())[0] % SHARDS
}

pub(super) fn unavailable(error: &impl std::fmt::Debug) -> Error {
    UNAVAILABLE.caused_by(format!("{error:?}"))
}

/// Writes a connection with its topics.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn remember<'a>(context: &'a Context, connection: &'a Connection, topics: &'a [Topic]) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let key = listener_key(&connection.id);
        let mut meta = connection.to_item(connection_key(&connection.id), "META".to_owned());
        if !topics.is_empty() {
            meta.insert("topics".to_owned(), AttributeValue::Ss(topics.iter().map(ToString::to_string).collect()));
        }
        let items = topics.iter().map(|topic| connection.to_item(topic_key(*topic), key.clone())).chain([meta]);
        join_all(items.map(|item| put(context, item))).await.into_iter().collect()
    })
}

/// The connection with this id; `None` when it is gone.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn find<'a>(context: &'a Context, id: &'a str) -> BoxFuture<'a, Result<Option<Connection>, Error>> {
    Box::pin(async move {
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
    })
}

/// Puts a connection on a topic. Whether it may see it is the caller's to check. Nothing happens to a connection that is gone.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn subscribe<'a>(context: &'a Context, connection: &'a Connection, topic: Topic) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        if !change_topics(context, &connection.id, "add topics :topics", topic).await? {
            return Ok(());
        }
        put(context, connection.to_item(topic_key(topic), listener_key(&connection.id))).await
    })
}

/// Takes a connection off a topic.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn unsubscribe<'a>(context: &'a Context, connection_id: &'a str, topic: Topic) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        delete(context, topic_key(topic), listener_key(connection_id)).await?;
        change_topics(context, connection_id, "delete topics :topics", topic).await?;
        Ok(())
    })
}

/// Writes what a connection may see now on the connection and on its topics.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn refresh<'a>(context: &'a Context, connection: &'a Connection) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let update = update_meta(context, &connection.id)
            .update_expression("set #connection = :connection")
            .expression_attribute_names("#connection", "connection")
            .expression_attribute_values(":connection", connection.to_attribute());
        if !succeeds_if_there(update).await? {
            return Ok(());
        }
        let key = listener_key(&connection.id);
        let puts = connection.topics.iter().map(|topic| put(context, connection.to_item(topic_key(*topic), key.clone())));
        join_all(puts).await.into_iter().collect()
    })
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
pub fn forget<'a>(context: &'a Context, id: &'a str) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let key = listener_key(id);
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
        let meta = (connection_key(id), "META".to_owned());
        let deletes = topics.into_iter().map(|pk| (pk, key.clone())).chain([meta]);
        join_all(deletes.map(|(pk, sk)| delete(context, pk, sk))).await.into_iter().collect()
    })
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

/// The connections on a topic that can still be open, of these shards.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn on_topic(context: &Context, topic: Topic, shards: RangeInclusive<u8>) -> BoxFuture<'_, Result<Vec<Connection>, Error>> {
    Box::pin(async move { all_open(context, listeners(context, topic, shards)).await })
}

/// The connections on a topic if they are this many at most; `None` when they are, or may be, more: then the others are not read.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub fn on_topic_if_few(context: &Context, topic: Topic, most: usize) -> BoxFuture<'_, Result<Option<Vec<Connection>>, Error>> {
    Box::pin(async move {
        let query = listeners(context, topic, ALL_SHARDS).limit(i32::try_from(most).unwrap_or(i32::MAX).saturating_add(1));
        let answer = query.send().await.map_err(|error| unavailable(&error))?;
        // Those that have expired count until DynamoDB deletes them: what lies beyond them is not known here.
        Ok((answer.items().len() <= most).then(|| open_ones(context, answer.items())))
    })
}

fn listeners(context: &Context, topic: Topic, shards: RangeInclusive<u8>) -> QueryFluentBuilder {
    let query = context.aws().dynamodb().query().table_name(table());
    // No id of a connection has a character behind `~`.
    query
        .key_condition_expression("pk = :topic and sk between :first and :last")
        .expression_attribute_values(":topic", AttributeValue::S(topic_key(topic)))
        .expression_attribute_values(":first", AttributeValue::S(prefix(*shards.start())))
        .expression_attribute_values(":last", AttributeValue::S(prefix(*shards.end()) + "~"))
}

async fn all_open(context: &Context, query: QueryFluentBuilder) -> Result<Vec<Connection>, Error> {
    let mut connections = Vec::new();
    let mut start = None;
    loop {
        let answer = query.clone().set_exclusive_start_key(start).send().await.map_err(|error| unavailable(&error))?;
        connections.extend(open_ones(context, answer.items()));
        start = answer.last_evaluated_key;
        if start.is_none() {
            return Ok(connections);
        }
    }
}

fn open_ones(context: &Context, items: &[Item]) -> Vec<Connection> {
    let now = context.now().as_second();
    items.iter().filter_map(Connection::from_item).filter(|found| found.expires_at > now).collect()
}

/// Sends frames: one connection's one after the other, in order, different connections' at the same time.
pub async fn post_all(context: &Context, frames: impl IntoIterator<Item = (&str, Vec<&str>)>) {
    stream::iter(frames)
        .for_each_concurrent(CONCURRENT_POSTS, |(connection, frames)| async move {
            for frame in frames {
                if !post(context, connection, frame).await {
                    break;
                }
            }
        })
        .await;
}

/// Sends one frame. A connection that is gone is forgotten. Answers whether it was sent.
pub fn post<'a>(context: &'a Context, connection_id: &'a str, frame: &'a str) -> BoxFuture<'a, bool> {
    Box::pin(async move {
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
    })
}

/// The open connections of a person, in all their companies. One written just before is among them: the handshake that wrote it has found
/// everything as it was.
///
/// # Errors
/// 503 when DynamoDB does not answer.
pub(super) fn of_user(context: &Context, user_id: Uuid) -> BoxFuture<'_, Result<Vec<Connection>, Error>> {
    Box::pin(async move { all_open(context, listeners(context, Topic::User(user_id), ALL_SHARDS).consistent_read(true)).await })
}

/// Closes the sockets of a person's sessions that have ended.
pub fn close_sessions<'a>(context: &'a Context, user_id: Uuid, sessions: &'a [Uuid]) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let connections = match of_user(context, user_id).await {
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
    })
}
