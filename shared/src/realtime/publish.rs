//! After the commit: frames to the sockets on the events' topics, jobs to their queues, at once and with a time budget.
//! What is not reached in time is not lost: the feed and the dispatcher have it.

use std::{collections::HashMap, time::Duration};

use futures_util::{StreamExt, future::join, future::join_all, stream};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::connections::{self, Connection};
use crate::{
    context::Context,
    database::Recorded,
    events::{Event, FeedCursor, Topic},
    jobs::{self, Dispatch, Job},
    log,
};

/// API Gateway's limit on one frame.
const LARGEST_FRAME: usize = 32 * 1024;

/// Frames on their way at the same time.
const CONCURRENT_POSTS: usize = 32;

const BUDGET: Duration = Duration::from_secs(2);

/// What a socket receives.
#[derive(Serialize)]
pub struct Frame<'event> {
    #[serde(rename = "type")]
    pub kind: &'event str,
    pub cursor: String,
    pub topic: String,
    pub at: String,
    pub data: &'event Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch: Option<&'event str>,
}

/// A frame as text. One over the limit goes without its data, with the path to read it at; others need no path.
#[must_use]
pub fn frame_text(frame: &Frame<'_>) -> String {
    let write = |data, fetch| {
        let Frame { cursor, topic, at, .. } = frame;
        let frame = Frame { data, fetch, cursor: cursor.clone(), topic: topic.clone(), at: at.clone(), ..*frame };
        serde_json::to_string(&frame).unwrap_or_default()
    };
    let whole = write(frame.data, None);
    if whole.len() <= LARGEST_FRAME { whole } else { write(&Value::Null, frame.fetch.or(Some("/events"))) }
}

pub(crate) async fn publish_and_dispatch(
    context: &Context,
    company_id: Option<Uuid>,
    events: Vec<Event>,
    recorded: Recorded,
    jobs: Vec<Job>,
) {
    if events.is_empty() && jobs.is_empty() {
        return;
    }
    let due = jobs.into_iter().filter(|job| job.run_at.is_none());
    let due: Vec<_> = due.map(|job| Dispatch { id: job.id, queue: job.queue, lane: job.lane, dispatches: 1 }).collect();
    let work = join(publish(context, company_id, &events, &recorded), jobs::dispatch(context, &due));
    if tokio::time::timeout(BUDGET, work).await.is_err() {
        log::warn("published only in part", "the time budget ran out");
    }
}

async fn publish(context: &Context, company_id: Option<Uuid>, events: &[Event], recorded: &Recorded) {
    let Some(epoch) = context.feed_cursor().and_then(|cursor| cursor.parse::<FeedCursor>().ok()).map(|cursor| cursor.epoch)
    else {
        return;
    };
    let mut topics: Vec<Topic> = Vec::new();
    for event in events {
        if !topics.contains(&event.topic) {
            topics.push(event.topic);
        }
    }
    let found = join_all(topics.iter().map(|topic| connections::on_topic(context, *topic))).await;
    let mut listeners = HashMap::new();
    for (topic, found) in topics.into_iter().zip(found) {
        match found {
            Ok(found) => drop(listeners.insert(topic, found)),
            Err(error) => log::warn("topic not read", error.cause().unwrap_or_default()),
        }
    }
    let at = context.now().to_string();
    // One connection's frames go one after the other, in order; different connections' at the same time.
    let mut frames: HashMap<&str, Vec<String>> = HashMap::new();
    for (event, id) in events.iter().zip(&recorded.ids) {
        let frame = Frame {
            kind: event.kind,
            cursor: format!("{epoch}.{}.{id}", recorded.tx),
            topic: event.topic.to_string(),
            at: at.clone(),
            data: &event.data,
            fetch: event.fetch.as_deref(),
        };
        let text = frame_text(&frame);
        // A person's topic is heard in all their companies: each hears what its own feed has.
        let of_company = |connection: &&Connection| Some(connection.identity.company_id) == company_id;
        let listening = listeners.get(&event.topic).into_iter().flatten().filter(of_company);
        for connection in listening.filter(|connection| event.audience.includes(&connection.reader)) {
            frames.entry(&connection.id).or_default().push(text.clone());
        }
    }
    stream::iter(frames)
        .for_each_concurrent(CONCURRENT_POSTS, |(connection, frames)| async move {
            for frame in frames {
                if !connections::post(context, connection, &frame).await {
                    break;
                }
            }
        })
        .await;
}
