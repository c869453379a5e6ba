//! Every five minutes — notices instances that went down or whose server is dead, and tells the company's admins once.

use std::time::Duration;

use evolution::{InstanceProblem, Known, Telling, Visit, record};
use futures_util::stream::{self, StreamExt};
use shared::{evolution::InstanceState, log, prelude::*};

/// Asked after in one run, and how many at the same time.
const MOST: i32 = 400;
const TOGETHER: usize = 20;

/// A server that does not answer is asked once more after this long: a moment of silence is no news.
const PAUSE: Duration = Duration::from_secs(2);

/// Nobody is asked after this long, so that the run ends before its time does.
const LONGEST: Duration = Duration::from_secs(30);

/// Those that nobody has asked after for longest.
const DUE: &str = "select * from app.instances_to_check($1)";

#[derive(FromRow)]
struct Due {
    channel_account_id: Uuid,
    company_id: Uuid,
}

reads!(PUBLIC_API_URL, REACHABLE_INSIDE);

pub fn main() {
    serve_schedule("rate(5 minutes)", Privilege::Standard, check_channels);
}

async fn check_channels(context: Context) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    let due: Vec<Due> = transaction.all(DUE, &[&MOST]).await?;
    transaction.commit_quietly().await?;
    let check = async |due: Due| {
        if context.elapsed() > LONGEST {
            return;
        }
        if let Err(error) = check_one(&context, &due).await {
            log::warn("instance not checked", error.cause().unwrap_or(error.problem().code));
        }
    };
    stream::iter(due).for_each_concurrent(TOGETHER, check).await;
    Ok(())
}

async fn check_one(context: &Context, due: &Due) -> Result<(), Error> {
    let transaction = context.begin_system(due.company_id).await?;
    let ids = [due.channel_account_id];
    let known = Known::read(context, &transaction, due.company_id, Some(&ids), 1).await?;
    transaction.commit_quietly().await?;
    let Some(known) = known.into_iter().next() else { return Ok(()) };
    let mut visit = Visit::begin(context, &known);
    // What is wrong is in what was seen.
    // One that is missing may be about to be removed here.
    let may_pass = [Some(InstanceProblem::Unreachable), Some(InstanceProblem::Missing)];
    if visit.look().await.is_err() && may_pass.contains(&visit.seen.problem) {
        tokio::time::sleep(PAUSE).await;
        let _ = visit.look().await;
    }
    if visit.seen.has_webhook && visit.seen.problem.is_none() {
        visit.keep_webhook().await;
    }
    let mut seen = visit.seen;
    if seen.problem == Some(InstanceProblem::Unreachable) {
        seen.state = Some(InstanceState::Close);
    }
    record(context, due.company_id, known.id, &seen, Telling::Admins).await.map(drop)
}
