//! Schedule — every quarter of an hour, leads that came to meet the criteria of a sequence are taken in.

use std::time::Duration;

use followups::enrol::enroll_in_time;
use shared::{log, prelude::*};

/// Sequences of one look-up.
const MOST: i32 = 500;

/// The rest is left to the next time.
const LONGEST: Duration = Duration::from_secs(20);

const TO_ENROLL: &str = "select company_id, sequence_id from app.sequences_to_enroll($1, $2, $3)";

#[derive(FromRow)]
struct ToEnroll {
    company_id: Uuid,
    sequence_id: Uuid,
}

pub fn main() {
    serve_schedule("rate(15 minutes)", Privilege::Standard, enroll_due_leads);
}

async fn enroll_due_leads(context: Context) -> Result<(), Error> {
    let mut after = (Uuid::nil(), Uuid::nil());
    while context.elapsed() < LONGEST {
        let lookup = context.begin_nobody().await?;
        let found: Vec<ToEnroll> = lookup.all(TO_ENROLL, &[&after.0, &after.1, &MOST]).await?;
        lookup.commit_quietly().await?;
        let Some(last) = found.last() else { break };
        after = (last.company_id, last.sequence_id);
        for of_company in found.chunk_by(|one, other| one.company_id == other.company_id) {
            if let Err(error) = ask(&context, of_company).await {
                log::warn("leads not taken in", error.cause().unwrap_or(error.problem().code));
            }
        }
    }
    Ok(())
}

async fn ask(context: &Context, sequences: &[ToEnroll]) -> Result<(), Error> {
    let Some(first) = sequences.first() else { return Ok(()) };
    let transaction = context.begin_system(first.company_id).await?;
    for sequence in sequences {
        enroll_in_time(context, &transaction, sequence.sequence_id);
    }
    transaction.commit_quietly().await
}
