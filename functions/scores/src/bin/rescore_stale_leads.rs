//! Every minute — has leads scored anew whose clients have written, and once a day all others, from whom time takes points away.

use shared::{log, prelude::*};

/// Companies of one run.
const MOST: i32 = 500;

const DUE: &str = "select * from app.companies_to_score($1)";

#[derive(FromRow)]
struct Due {
    company_id: Uuid,
    /// Pages of them.
    pages: i64,
}

pub fn main() {
    serve_schedule("rate(1 minute)", Privilege::Standard, rescore_stale_leads);
}

async fn rescore_stale_leads(context: Context) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    let due: Vec<Due> = transaction.all(DUE, &[&MOST]).await?;
    transaction.commit_quietly().await?;
    for Due { company_id, pages } in due {
        // What fails for one company is no other's loss.
        if let Err(error) = ask(&context, company_id, pages).await {
            log::warn("scores not made anew", error.cause().unwrap_or(error.problem().code));
        }
    }
    Ok(())
}

async fn ask(context: &Context, company_id: Uuid, pages: i64) -> Result<(), Error> {
    let transaction = context.begin_system(company_id).await?;
    for page in 0..pages {
        let job = Job::new(context, Queue::Scores, "rescore_stale_leads", format!("stale_scores:{company_id}"), json!({}));
        transaction.enqueue(job.unless_waiting(format!("{company_id}:{page}")));
    }
    transaction.commit_quietly().await
}
