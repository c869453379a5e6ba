//! GET /whatsapp/instances/check-status — asks the servers of all the company's instances at once how they stand, and answers the instances as they are then.

use std::time::Duration;

use evolution::{Instance, InstanceProblem, Known, Seen, Telling, Visit, instance::INSTANCES, record};
use futures_util::stream::{self, StreamExt};
use shared::prelude::*;

const ROUTE: Route = Route::get("/whatsapp/instances/check-status").limit(10, Duration::from_mins(1));

reads!(PUBLIC_API_URL, REACHABLE_INSIDE);

/// Instances that are asked after, and how many at the same time: four rounds of silent servers are over before the answer is due.
const MOST: i64 = 64;
const TOGETHER: usize = 16;

/// How long one is waited for.
const PATIENCE: Duration = Duration::from_secs(6);

pub fn main() {
    serve(&ROUTE, check_instances);
}

async fn check_instances(context: Context, caller: Staff) -> Result<Page<Instance>, Error> {
    let transaction = context.begin(&caller).await?;
    let before: Vec<Instance> = transaction.all(INSTANCES, &[]).await?;
    transaction.commit_unaudited().await?;
    if before.is_empty() {
        return Ok(Page::whole(before));
    }
    // Agents may ask, and see no key.
    let transaction = context.begin_system(caller.company_id).await?;
    let known = Known::read(&context, &transaction, caller.company_id, None, MOST).await?;
    transaction.commit_quietly().await?;
    let ask = async |known: Known| -> (Uuid, Seen) {
        let mut visit = Visit::begin(&context, &known);
        // What is wrong is in what was seen.
        let looked = tokio::time::timeout(PATIENCE, async { drop(visit.look().await) }).await;
        let mut seen = visit.seen;
        if looked.is_err() && seen.state.is_none() {
            seen.problem.get_or_insert(InstanceProblem::Unreachable);
        }
        (known.id, seen)
    };
    let seen: Vec<(Uuid, Seen)> = stream::iter(known).map(ask).buffer_unordered(TOGETHER).collect().await;
    for (id, seen) in &seen {
        record(&context, caller.company_id, *id, seen, Telling::Nobody).await?;
    }
    let transaction = context.begin(&caller).await?;
    let instances: Vec<Instance> = transaction.all(INSTANCES, &[]).await?;
    Ok(Page::whole(instances.into_iter().map(|instance| instance.told(&context)).collect()))
}
