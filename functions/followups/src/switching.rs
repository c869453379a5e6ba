//! Sequences that begin to run, go on, or do not run for a while.

use shared::prelude::*;

use crate::{
    enrol::{Audience, MANY_LEADS, MOST_AT_ONCE, ManyLeads, enroll_later},
    settings::Settings,
};

const PAUSE: &str = "
    update followup_executions set status = 'paused' where sequence_id = $1 and status = 'active'";

/// Before a sequence begins to run: whether so many may be taken in at once.
///
/// # Errors
/// `MANY_LEADS` with their number, where that was not confirmed.
pub async fn expect_few(transaction: &Transaction, id: Uuid, settings: &Settings, confirmed: bool) -> Result<(), Error> {
    if confirmed {
        return Ok(());
    }
    let audience = Audience {
        sequence_id: id,
        criteria: settings.criteria.clone(),
        lead_ids: None,
        again: false,
        steps: settings.steps.clone(),
        hours: settings.hours.clone(),
    };
    let count = audience.count(transaction).await?;
    if count > MOST_AT_ONCE { Err(MANY_LEADS.with_current(&ManyLeads { count })) } else { Ok(()) }
}

/// What follows from a change: leads come in and paused ones go on, or all wait.
///
/// # Errors
/// Those of the database.
pub async fn follow(context: &Context, transaction: &Transaction, id: Uuid, was: bool, is: bool) -> Result<(), Error> {
    if is {
        enroll_later(context, transaction, id);
    } else if was {
        transaction.execute(PAUSE, &[&id]).await?;
    }
    Ok(())
}
