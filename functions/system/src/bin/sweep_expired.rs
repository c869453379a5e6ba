//! Every five minutes — ends what nobody ended: lapsed presence, orphan uploads, rows past their age.

use realtime::presence;
use shared::{files, log, prelude::*, realtime::forget};

/// Rows of each kind removed in one statement.
const BATCH: i32 = 1000;

const LAPSED_PRESENCE: &str = "select * from app.lapsed_presence($1)";

const ORPHAN_UPLOADS: &str = "select storage_key from app.take_orphan_uploads($1)";

const SWEEP: &str = "select app.sweep_foundation($1) + app.sweep_service_desk($1) as gone";

#[derive(FromRow)]
struct Lapsed {
    connection_id: String,
    company_id: Uuid,
}

#[derive(FromRow)]
struct Orphan {
    storage_key: String,
}

fn main() {
    serve_schedule("rate(5 minutes)", Privilege::Files, sweep_expired);
}

async fn sweep_expired(context: Context) -> Result<(), Error> {
    end_lapsed_presence(&context).await?;
    remove_orphan_uploads(&context).await?;
    remove_old_rows(&context).await
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

/// The row goes first: an object without a row is found by the bucket's own listing, a row without an object would lie.
async fn remove_orphan_uploads(context: &Context) -> Result<(), Error> {
    let transaction = context.begin_nobody().await?;
    let orphans: Vec<Orphan> = transaction.all(ORPHAN_UPLOADS, &[&BATCH]).await?;
    transaction.commit_quietly().await?;
    for orphan in orphans {
        if let Err(error) = files::delete(context, &orphan.storage_key).await {
            log::warn("orphan upload not deleted", error.cause().unwrap_or_default());
        }
    }
    Ok(())
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
