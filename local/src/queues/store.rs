//! Keeps messages across restarts in one SQLite file.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, Row, params};

use super::queue::{Message, Queue, Sent};

/// `synchronous = off` leaves the write to the kernel: a killed process loses nothing, a machine
/// that loses power may.
const SCHEMA: &str = "
    pragma journal_mode = wal;
    pragma synchronous = off;
    create table if not exists messages (
        queue             text not null,
        sequence          integer not null,
        id                text not null,
        body              text not null,
        message_group     text,
        deduplication_id  text,
        attributes        text not null,
        source            text,
        sent_at           integer not null,
        first_received_at integer,
        receive_count     integer not null,
        visible_at        integer not null,
        primary key (queue, sequence)
    ) without rowid;
    create table if not exists deduplications (
        queue      text not null,
        id         text not null,
        message_id text not null,
        sequence   integer not null,
        expires_at integer not null,
        primary key (queue, id)
    ) without rowid;";

const INSERT_MESSAGE: &str = "
    insert or replace into messages
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

const INSERT_DEDUPLICATION: &str = "
    insert or replace into deduplications
    values (?1, ?2, ?3, ?4, ?5)";

/// `visible_at` is not touched: nobody holds the message after a restart, so it is received again
/// at once, unless a worker asked for a later time.
const RECORD_RECEIPT: &str = "
    update messages
    set receive_count = ?3, first_received_at = ?4
    where queue = ?1 and sequence = ?2";

const RECORD_VISIBILITY: &str = "
    update messages
    set visible_at = ?3
    where queue = ?1 and sequence = ?2";

const DELETE_MESSAGE: &str = "
    delete from messages
    where queue = ?1 and sequence = ?2";

/// The file behind the queues; without one nothing is kept.
pub struct Store {
    connection: Option<Connection>,
}

impl Store {
    pub fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self { connection: None }) };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Some(connection) })
    }

    /// Fills the queues with what the file holds; messages of queues that are gone stay there.
    pub fn load(&self, queues: &mut BTreeMap<String, Queue>, now: i64) -> anyhow::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        connection.execute("delete from deduplications where expires_at <= ?1", [now])?;
        for (logical_id, queue) in queues {
            let mut statement = connection.prepare("select * from messages where queue = ?1 order by sequence")?;
            for message in statement.query_map([logical_id], message_of)? {
                queue.push(message?, now);
            }
            let mut statement = connection.prepare(
                "select id, message_id, sequence, expires_at from deduplications where queue = ?1 order by expires_at",
            )?;
            let rows = statement.query_map([logical_id], |row| {
                let sent = Sent { message_id: row.get(1)?, sequence: row.get(2)?, expires_at: row.get(3)? };
                Ok((row.get(0)?, sent))
            })?;
            for row in rows {
                let (id, sent) = row?;
                queue.remember(id, sent);
            }
        }
        Ok(())
    }

    /// Runs the writes of `work` as one transaction.
    pub fn together<T>(&self, work: impl FnOnce() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let Some(connection) = &self.connection else { return work() };
        let transaction = connection.unchecked_transaction()?;
        let done = work()?;
        transaction.commit()?;
        Ok(done)
    }

    pub fn insert(&self, queue: &str, message: &Message) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        connection.prepare_cached(INSERT_MESSAGE)?.execute(params![
            queue,
            message.sequence,
            message.id,
            message.body,
            message.group,
            message.deduplication_id,
            message.attributes.to_string(),
            message.source,
            message.sent_at,
            message.first_received_at,
            message.receive_count,
            message.visible_at,
        ])?;
        Ok(())
    }

    pub fn remember(&self, queue: &str, deduplication_id: &str, sent: &Sent) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        connection.prepare_cached(INSERT_DEDUPLICATION)?.execute(params![
            queue,
            deduplication_id,
            sent.message_id,
            sent.sequence,
            sent.expires_at,
        ])?;
        Ok(())
    }

    pub fn record_receipt(&self, queue: &str, message: &Message) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        connection.prepare_cached(RECORD_RECEIPT)?.execute(params![
            queue,
            message.sequence,
            message.receive_count,
            message.first_received_at
        ])?;
        Ok(())
    }

    pub fn record_visibility(&self, queue: &str, sequence: i64, visible_at: i64) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        connection.prepare_cached(RECORD_VISIBILITY)?.execute(params![queue, sequence, visible_at])?;
        Ok(())
    }

    pub fn delete(&self, queue: &str, sequence: i64) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        connection.prepare_cached(DELETE_MESSAGE)?.execute(params![queue, sequence])?;
        Ok(())
    }

    pub fn purge(&self, queue: &str) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else { return Ok(()) };
        connection.execute("delete from messages where queue = ?1", [queue])?;
        Ok(())
    }
}

fn message_of(row: &Row<'_>) -> rusqlite::Result<Message> {
    let attributes: String = row.get("attributes")?;
    Ok(Message {
        sequence: row.get("sequence")?,
        id: row.get("id")?,
        body: row.get("body")?,
        group: row.get("message_group")?,
        deduplication_id: row.get("deduplication_id")?,
        attributes: serde_json::from_str(&attributes).unwrap_or_default(),
        source: row.get("source")?,
        sent_at: row.get("sent_at")?,
        first_received_at: row.get("first_received_at")?,
        receive_count: row.get("receive_count")?,
        visible_at: row.get("visible_at")?,
    })
}
