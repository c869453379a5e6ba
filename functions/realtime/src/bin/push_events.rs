//! Worker of the push queue — tells one shard of a company's listeners what was committed, in order.

use futures_util::{StreamExt, TryStreamExt, stream};
use realtime::told::{self, ToldEvent};
use shared::{
    prelude::*,
    realtime::{Handover, distinct, on_topic, tell},
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
    let topics = distinct(events.iter().map(|event| event.topic));
    let found = stream::iter(topics.clone())
        .map(|topic| on_topic(&context, topic, shards.clone()))
        .buffered(QUERIES)
        .try_collect::<Vec<_>>()
        .await?;
    let listeners: Vec<_> = topics.into_iter().zip(found).collect();
    let pushed: Vec<_> = told::merge_hints(events).iter().map(ToldEvent::to_pushed).collect();
    tell(&context, company_id, &listeners, &pushed).await;
    Ok(())
}
