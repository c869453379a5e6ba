//! Worker of the push queue — tells one shard of a company's listeners what was committed, in order.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use realtime::told::{self, ToldEvent};
use shared::{
    prelude::*,
    realtime::{Handover, add_colleagues, distinct, on_topic, take_colleagues, tell},
    serve_messages,
};

/// What is done to many at once is on many topics: not so many questions at a time that the table has enough of them.
const QUERIES: usize = 32;

pub fn main() {
    serve_messages(Queue::Push, Privilege::Standard, push_events);
}

/// One group: all of one company and the same shards. Who listens is read last: nobody is told who has left by then.
async fn push_events(context: Context, handovers: Vec<Handover>) -> Result<(), Error> {
    let Some(first) = handovers.first() else { return Ok(()) };
    let (company_id, shards) = (first.company_id, first.shards());
    let transactions: Vec<String> = handovers.into_iter().map(|handover| handover.tx).collect();
    let transaction = context.begin_system(company_id).await?;
    let events = told::of_transactions(&transaction, &transactions).await?;
    transaction.commit_quietly().await?;
    let mut topics = distinct(events.iter().map(|event| event.topic));
    let colleagues: HashSet<Topic> = events.iter().filter(|event| event.is_of_colleague).map(|event| event.topic).collect();
    let among = take_colleagues(&mut topics, |user_id| colleagues.contains(&Topic::User(user_id)));
    let of_company = Topic::Company(company_id);
    if !among.is_empty() && !topics.contains(&of_company) {
        topics.push(of_company);
    }
    let found = stream::iter(topics.clone())
        .map(|topic| on_topic(&context, topic, shards.clone()))
        .buffered(QUERIES)
        .try_collect::<Vec<_>>()
        .await?;
    let mut listeners: Vec<_> = topics.into_iter().zip(found).collect();
    add_colleagues(&mut listeners, of_company, &among);
    let pushed: Vec<_> = told::merge_hints(events).iter().map(ToldEvent::to_pushed).collect();
    tell(&context, company_id, &listeners, &pushed).await;
    Ok(())
}
