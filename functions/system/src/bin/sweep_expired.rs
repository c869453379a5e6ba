//! Every five minutes — ends what nobody ended: lapsed presence, idle sessions, objects nobody keeps, rows past their age.

use auth::{EndedSession, Revocation, RevocationReason};
use futures_util::future::join_all;
use realtime::presence;
use shared::{files, log, prelude::*, realtime::forget};

/// Rows of each kind removed in one statement.
const BATCH: i32 = 1000;

/// Objects deleted at the same time.
const TOGETHER: usize = 20;

const LAPSED_PRESENCE: &str = "select * from app.lapsed_presence($1)";

/// Of whom a socket is open: the others end by themselves.
const END_IDLE_SESSIONS: &str = "select * from app.end_idle_sessions($1)";

const END_ORPHAN_UPLOADS: &str = "select app.end_orphan_uploads($1) as gone";

const BEGIN_OBJECT_REMOVALS: &str = "select app.begin_object_removals($1) as storage_key";

const END_OBJECT_REMOVALS: &str = "select app.end_object_removals($1)";

const SWEEP: &str = "
    select app.sweep_foundation($1) + app.sweep_logins($1) + app.sweep_service_desk($1) + app.sweep_mails($1) + app.sweep_repair($1)
           + app.sweep_imports($1) + app.sweep_preferences($1) + app.sweep_notifications($1) + app.sweep_ai_runs($1) as gone";

/// Events and raw webhooks go by whole days.
const TURN_DAYS: &str = "select app.turn_days()";

#[derive(FromRow)]
struct Lapsed {
    connection_id: String,
    company_id: Uuid,
}

#[derive(FromRow)]
struct Idle {
    #[from_row(flatten)]
    session: EndedSession,
    user_id: Uuid,
}

#[derive(FromRow)]
struct Due {
    storage_key: String,
}

pub fn main() {
    serve_schedule("rate(5 minutes)", Privilege::Files, sweep_expired);
}

async fn sweep_expired(context: Context) -> Result<(), Error> {
    end_lapsed_presence(&context).await?;
    end_idle_sessions(&context).await?;
    remove_objects(&context).await?;
    remove_old_rows(&context).await?;
    let transaction = context.begin_nobody().await?;
    transaction.query(TURN_DAYS, &[]).await?;
    transaction.commit_quietly().await
}

async fn end_lapsed_presence(context: &Context) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    let lapsed: Vec<Lapsed> = transaction.all(LAPSED_PRESENCE, &[&BATCH]).await?;
    transaction.commit_quietly().await?;
    for Lapsed { connection_id, company_id } in lapsed {
        if !presence::end_lapsed(context, company_id, &connection_id).await? {
            continue;
        }
        // Its items expire by themselves.
        if let Err(error) = forget(context, &connection_id).await {
            log::warn("connection not forgotten", error.cause().unwrap_or_default());
        }
    }
    Ok(())
}

/// Their sockets close, and their owners' other devices are told.
async fn end_idle_sessions(context: &Context) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    let idle: Vec<Idle> = transaction.all(END_IDLE_SESSIONS, &[&BATCH]).await?;
    transaction.commit_quietly().await?;
    for Idle { session, user_id } in idle {
        let revocation = Revocation { user_id, sessions: vec![session], reason: RevocationReason::Idle };
        revocation.spread(context, None).await;
    }
    Ok(())
}

/// An object that could not be deleted is due again the next time.
async fn remove_objects(context: &Context) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    transaction.query(END_ORPHAN_UPLOADS, &[&BATCH]).await?;
    let due: Vec<Due> = transaction.all(BEGIN_OBJECT_REMOVALS, &[&BATCH]).await?;
    transaction.commit_quietly().await?;
    let mut gone = Vec::new();
    for few in due.chunks(TOGETHER) {
        let deleted = join_all(few.iter().map(|due| files::delete(context, &due.storage_key))).await;
        for (Due { storage_key }, deleted) in few.iter().zip(deleted) {
            match deleted {
                Ok(()) => gone.push(storage_key),
                Err(error) => log::warn("object not deleted", error.cause().unwrap_or_default()),
            }
        }
    }
    let transaction = context.begin_nobody().await?;
    transaction.query(END_OBJECT_REMOVALS, &[&gone]).await?;
    transaction.commit_quietly().await
}

async fn remove_old_rows(context: &Context) -> Result<(), Error> {
    loop {
        let transaction = context.begin_nobody().await?;
        let rows = transaction.query(SWEEP, &[&BATCH]).await?;
        let gone: i64 = rows.first().map(|row| row.get("gone")).unwrap_or_default();
        transaction.commit_quietly().await?;
        if gone < i64::from(BATCH) {
            return Ok(());
        }
    }
}
