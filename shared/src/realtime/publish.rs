//! After the commit: frames to the sockets on the events' topics, jobs to their queues, at once and with a time budget. Few listeners are
//! told by whoever committed; for many, a worker is (`push_events`), so that no answer waits for them.
//! What is not reached in time is not lost: the feed and the dispatcher have it.

use std::{collections::HashMap, ops::RangeInclusive, time::Duration};

use futures_util::future::{BoxFuture, join_all, join3};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    connections::{self, Connection, SHARDS},
    sight,
};
use crate::{
    audience::{Audience, ChannelPeople},
    context::Context,
    events::{Event, FeedCursor, Recorded, Topic},
    jobs::{self, Arrival, Dispatch, Job, Message, Queue, Timer},
    log,
};

/// API Gateway's limit on one frame.
const LARGEST_FRAME: usize = 32 * 1024;

/// Listeners of a topic whom an answer waits for; measured, see `bench/README.md`.
const FEW: usize = 16;
/// People of a channel who are looked for by their own topics.
const FEW_PEOPLE: usize = 3;
/// Of more colleagues than these at once, all of the company's listeners are read in place of each one's own.
const FEW_COLLEAGUES: usize = 10;
/// More topics than these are not asked for within an answer either.
const FEW_TOPICS: usize = 64;

const BUDGET: Duration = Duration::from_secs(2);

/// What a socket receives.
#[derive(Serialize)]
pub struct Frame<'event> {
    #[serde(rename = "type")]
    pub kind: &'event str,
    pub cursor: String,
    /// Earlier hints of the same row that this one stands for.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    pub also: &'event [String],
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

/// A frame on its way to whoever follows its topic and may see it.
pub struct Pushed {
    pub topic: Topic,
    pub audience: Audience,
    pub frame: String,
}

/// What the worker is told: a transaction of a company has events for some shards of their listeners.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    pub company_id: Uuid,
    /// The transaction.
    pub tx: String,
    /// The first of them.
    pub shard: u8,
    /// The last, where there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_shard: Option<u8>,
}

impl Handover {
    #[must_use]
    pub fn shards(&self) -> RangeInclusive<u8> {
        self.shard..=self.last_shard.unwrap_or(self.shard)
    }
}

pub(crate) async fn publish_and_dispatch(
    context: &Context,
    company_id: Option<Uuid>,
    readers: &[Uuid],
    events: Vec<Event>,
    recorded: Recorded,
    jobs: Vec<Job>,
) {
    if events.is_empty() && jobs.is_empty() && readers.is_empty() && recorded.asked.is_null() && recorded.pushes.is_null() {
        return;
    }
    let timers: Vec<Timer> = jobs.iter().filter_map(|job| Some(Timer { id: job.id, at: job.run_at? })).collect();
    let sent = jobs.into_iter().filter(|job| recorded.sent.contains(&job.id));
    let sent = sent.map(|Job { id, queue, lane, .. }| Dispatch { id, queue: queue.as_str().to_owned(), lane, dispatches: 1 });
    let [asked, pushes] = [&recorded.asked, &recorded.pushes]
        .map(|jobs| -> Option<Vec<Dispatch>> { Deserialize::deserialize(jobs).unwrap_or_default() });
    let sent: Vec<_> = sent.chain(asked.into_iter().chain(pushes).flatten()).collect();
    let publishing = async {
        let Some(company_id) = company_id else { return };
        sight::follow(context, company_id, readers).await;
        if !events.is_empty() {
            publish(context, company_id, &events, &recorded).await;
        }
    };
    let work = join3(publishing, jobs::dispatch(context, &sent), jobs::set_timers(context, &timers));
    if tokio::time::timeout(BUDGET, work).await.is_err() {
        log::warn("published only in part", "the time budget ran out");
    }
}

async fn publish(context: &Context, company_id: Uuid, events: &[Event], recorded: &Recorded) {
    let Some(epoch) = context.feed_cursor().and_then(|cursor| cursor.parse::<FeedCursor>().ok()).map(|cursor| cursor.epoch)
    else {
        return;
    };
    let people: ChannelPeople = Deserialize::deserialize(&recorded.people).unwrap_or_default();
    let Some(listeners) = few_listeners(context, company_id, events, &people).await else {
        // All of it, so that nobody is told what came later first.
        return hand_over(context, company_id, &recorded.tx, shards_together(events)).await;
    };
    let at = context.now().to_string();
    let pushed = events.iter().zip(&recorded.ids).map(|(event, id)| {
        let frame = Frame {
            kind: event.kind,
            cursor: format!("{epoch}.{}.{id}", recorded.tx),
            also: &[],
            topic: event.topic.to_string(),
            at: at.clone(),
            data: &event.data,
            fetch: event.fetch.as_deref(),
        };
        Pushed { topic: event.topic, audience: event.audience.clone().with_people(&people), frame: frame_text(&frame) }
    });
    tell(context, company_id, &listeners, &pushed.collect::<Vec<_>>()).await;
}

/// Who listens to these events, where they are few; `None` where they are, or may be, more.
async fn few_listeners(
    context: &Context,
    company_id: Uuid,
    events: &[Event],
    people: &ChannelPeople,
) -> Option<Vec<(Topic, Vec<Connection>)>> {
    let of_company = Topic::Company(company_id);
    let mut topics = distinct(events.iter().map(|event| event.topic));
    let few = few_people(events, people);
    if let Some(few) = &few {
        topics.retain(|topic| *topic != of_company);
        topics
            .extend(few.iter().map(|user_id| Topic::User(*user_id)).filter(|topic| !topics.contains(topic)).collect::<Vec<_>>());
    } else if topics.iter().any(|topic| !matches!(topic, Topic::User(_))) && !topics.contains(&of_company) {
        // Whether a company has few listeners is asked whatever it is told: by two ways, what comes later would overtake what came before.
        topics.push(of_company);
    }
    // Whoever is in a channel is of the staff, and so listens to the company.
    let is_colleague = |user_id: Uuid| people.values().any(|people| people.contains(&user_id));
    let among = if topics.contains(&of_company) { take_colleagues(&mut topics, is_colleague) } else { Vec::new() };
    if topics.len() > FEW_TOPICS {
        return None;
    }
    let found = join_all(topics.iter().map(|topic| connections::on_topic_if_few(context, *topic, FEW))).await;
    let mut listeners = Vec::new();
    for (topic, found) in topics.into_iter().zip(found) {
        match found {
            Ok(Some(found)) => listeners.push((topic, found)),
            Ok(None) => return None,
            Err(error) => log::warn("topic not read", error.cause().unwrap_or_default()),
        }
    }
    add_colleagues(&mut listeners, of_company, &among);
    if let Some(few) = few {
        let is_theirs = |topic: &Topic| matches!(topic, Topic::User(user_id) if few.contains(user_id));
        let theirs =
            listeners.iter().filter(|(topic, _)| is_theirs(topic)).flat_map(|(_, listening)| listening.clone()).collect();
        listeners.push((of_company, theirs));
    }
    Some(listeners)
}

/// The people of the channels that these events are for, where nobody else on the company's topic is told anything and they are fewer than
/// it takes to read all of the company's listeners.
fn few_people(events: &[Event], people: &ChannelPeople) -> Option<Vec<Uuid>> {
    let mut few = Vec::new();
    for event in events.iter().filter(|event| !matches!(event.topic, Topic::User(_))) {
        let of_channel = people.get(&event.audience.channel_id()?).into_iter().flatten();
        few.extend(of_channel.filter(|user_id| !few.contains(*user_id)).collect::<Vec<_>>());
        if few.len() > FEW_PEOPLE {
            return None;
        }
    }
    (!few.is_empty()).then_some(few)
}

/// Takes the topics of colleagues out of those that are to be asked for, where they are many: all of a company's staff listen to the company too.
pub fn take_colleagues(topics: &mut Vec<Topic>, is_colleague: impl Fn(Uuid) -> bool) -> Vec<Topic> {
    let is_theirs = |topic: &Topic| matches!(topic, Topic::User(user_id) if is_colleague(*user_id));
    let (colleagues, others): (Vec<Topic>, Vec<Topic>) = topics.iter().partition(|topic| is_theirs(topic));
    if colleagues.len() <= FEW_COLLEAGUES {
        return Vec::new();
    }
    *topics = others;
    colleagues
}

/// Adds who listens to the topics of colleagues, found among those who listen to their company.
pub fn add_colleagues(listeners: &mut Vec<(Topic, Vec<Connection>)>, of_company: Topic, colleagues: &[Topic]) {
    let of_all = listeners.iter().find(|(topic, _)| *topic == of_company).map(|(_, listening)| listening.as_slice());
    listeners.extend(of_colleagues(of_all.unwrap_or_default(), colleagues));
}

fn of_colleagues(of_company: &[Connection], colleagues: &[Topic]) -> Vec<(Topic, Vec<Connection>)> {
    let mut listeners: Vec<(Topic, Vec<Connection>)> = Vec::new();
    for connection in of_company {
        let own = Topic::User(connection.identity.user_id);
        match listeners.iter_mut().find(|(topic, _)| *topic == own) {
            Some((_, listening)) => listening.push(connection.clone()),
            None if colleagues.contains(&own) => listeners.push((own, vec![connection.clone()])),
            None => {}
        }
    }
    listeners
}

/// Each topic once, in the order of their first.
pub fn distinct(topics: impl Iterator<Item = Topic>) -> Vec<Topic> {
    let mut distinct = Vec::new();
    for topic in topics {
        if !distinct.contains(&topic) {
            distinct.push(topic);
        }
    }
    distinct
}

/// Sends each frame to those listeners of its topic who may see it, in order.
pub fn tell<'a>(
    context: &'a Context,
    company_id: Uuid,
    listeners: &'a [(Topic, Vec<Connection>)],
    pushed: &'a [Pushed],
) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        let mut frames: HashMap<&str, Vec<&str>> = HashMap::new();
        for Pushed { topic, audience, frame } in pushed {
            // A person's topic is heard in all their companies: each hears what its own feed has.
            let listening = listeners.iter().filter(|(heard, _)| heard == topic).flat_map(|(_, listening)| listening);
            let listening = listening.filter(|connection| connection.identity.company_id == company_id);
            for connection in listening.filter(|connection| audience.includes(&connection.reader)) {
                frames.entry(&connection.id).or_default().push(frame);
            }
        }
        connections::post_all(context, frames).await;
    })
}

/// How many shards one message is for. What is said in channels says its own order (`place`, `revision`), so that it may come by another way
/// than what else the company is told, and reads the table of connections three times at most.
fn shards_together(events: &[Event]) -> u8 {
    let is_of_channels =
        events.iter().all(|event| matches!(event.topic, Topic::User(_)) || event.audience.channel_id().is_some());
    if is_of_channels { SHARDS / 2 } else { 1 }
}

/// Lets the worker tell the listeners, each shard of them in the order of what was handed over.
async fn hand_over(context: &Context, company_id: Uuid, tx: &str, together: u8) {
    let messages = (0..SHARDS).step_by(usize::from(together)).map(|shard| {
        let last_shard = (together > 1).then(|| shard + together - 1);
        let handover = Handover { company_id, tx: tx.to_owned(), shard, last_shard };
        let group = if together > 1 { format!("{company_id}.channels.{shard}") } else { format!("{company_id}.{shard}") };
        Message { arrival: Arrival::InGroup(group), id: format!("{tx}-{shard}"), body: json!(handover) }
    });
    jobs::send(context, Queue::Push, messages.collect()).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audience::Reader,
        identity::{Identity, Role},
    };

    fn connection(id: &str, user_id: u128) -> Connection {
        let [company_id, user_id, session_id] = [1, user_id, 3].map(Uuid::from_u128);
        let identity = Identity { company_id, user_id, role: Role::Agent, session_id };
        let reader = Reader { is_staff: true, sees_all: false, audiences: vec![format!("self:{user_id}")] };
        Connection { id: id.to_owned(), identity, reader, name: String::new(), topics: Vec::new(), expires_at: 0 }
    }

    fn people(numbers: std::ops::Range<u128>) -> Vec<Topic> {
        numbers.map(|number| Topic::User(Uuid::from_u128(number))).collect()
    }

    #[test]
    fn many_colleagues_are_not_asked_for_one_by_one() {
        let is_colleague = |user_id: Uuid| user_id.as_u128() >= 100;
        let company = Topic::Company(Uuid::nil());
        let mut few = [vec![company], people(90..110)].concat();
        assert_eq!((take_colleagues(&mut few, is_colleague), few.len()), (vec![], 21));
        let mut many = [vec![company], people(90..111)].concat();
        assert_eq!(take_colleagues(&mut many, is_colleague), people(100..111));
        assert_eq!(many, [vec![company], people(90..100)].concat(), "a student listens to no company");
    }

    #[test]
    fn each_colleague_is_heard_on_all_their_sockets_and_nobody_else_is() {
        let listening = [connection("a", 7), connection("b", 8), connection("c", 7), connection("d", 9)];
        let found = of_colleagues(&listening, &people(7..9));
        let ids: Vec<(Topic, Vec<&str>)> = found
            .iter()
            .map(|(topic, listening)| (*topic, listening.iter().map(|connection| connection.id.as_str()).collect()))
            .collect();
        assert_eq!(ids, [(people(7..8)[0], vec!["a", "c"]), (people(8..9)[0], vec!["b"])]);
    }
}
