//! Worker of the mail queue — hands mails over to their servers, and notes what these say.

use std::time::Duration;

use shared::{environment::variable, parameters, prelude::*};
use system::mail::{Failure, WAITING, Waiting, send};

reads!(FRONT_END_URL, PUBLIC_API_URL, REACHABLE_INSIDE);

/// Only while it waits: what came of a mail is said once.
const NOTE: &str = "
    update mails
       set state = $2, attempts = $3, reply = left($4, 500), sent_at = case when $2 = 'sent' then now() end
     where id = $1 and state = 'queued'";

/// Somebody had it done again after it had failed.
const AWAIT_AGAIN: &str = "update mails set state = 'queued' where id = $1 and state in ('refused', 'failed')";

/// What a server said before stands beside it.
const TOO_LATE: &str = "
    update mails
       set state = 'failed', reply = left(concat_ws('; ', 'the link has expired', reply), 500)
     where id = $1 and state = 'queued'";

#[derive(Deserialize)]
struct SendEmail {
    mail_id: Uuid,
}

pub fn main() {
    serve_worker(Queue::Mail, Privilege::Standard, send_email, give_up);
}

async fn send_email(context: Context, job: Claimed) -> Result<Outcome, Error> {
    let SendEmail { mail_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    if job.is_retried() {
        transaction.execute(AWAIT_AGAIN, &[&mail_id]).await?;
    }
    let Some(mail): Option<Waiting> = transaction.first(WAITING, &[&mail_id]).await? else {
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(Outcome::Done);
    };
    if mail.is_too_late(context.now()) {
        transaction.execute(TOO_LATE, &[&mail_id]).await?;
        job.finish(&transaction);
        transaction.commit_quietly().await?;
        return Ok(Outcome::Done);
    }
    transaction.commit_unaudited().await?;
    let Some(server) = mail.account.server(&context, job.company_id)? else {
        return later(&context, &job, mail_id, "no mail server is set".to_owned()).await;
    };
    let message = mail.write(&context, &server, [&variable("FRONT_END_URL"), &variable("PUBLIC_API_URL")])?;
    match send(&server, message).await {
        Ok(reply) => {
            let transaction = note(&context, &job, mail_id, "sent", reply).await?;
            job.finish(&transaction);
            transaction.commit_quietly().await?;
            Ok(Outcome::Done)
        }
        Err(Failure { said, is_final: true, .. }) => {
            note(&context, &job, mail_id, "refused", said.clone()).await?.commit_quietly().await?;
            Ok(Outcome::Failed { reason: said })
        }
        Err(Failure { said, .. }) => later(&context, &job, mail_id, said).await,
    }
}

/// Tried again after 20 s, 40 s, … a quarter of an hour, for somewhat over an hour in all.
async fn later(context: &Context, job: &Claimed, mail_id: Uuid, reason: String) -> Result<Outcome, Error> {
    note(context, job, mail_id, "queued", reason.clone()).await?.commit_quietly().await?;
    let doublings = u32::try_from(job.attempts).unwrap_or_default().clamp(1, 7) - 1;
    Ok(Outcome::Again { after: Duration::from_secs(20 << doublings).min(Duration::from_mins(15)), reason })
}

async fn note(context: &Context, job: &Claimed, mail_id: Uuid, state: &'static str, reply: String) -> Result<Transaction, Error> {
    let transaction = context.begin_system(job.company_id).await?;
    transaction.execute(NOTE, &[&mail_id, &state, &job.attempts, &reply]).await?;
    Ok(transaction)
}

/// Whoever waits for the mail finds that it will not come.
async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    let SendEmail { mail_id } = job.read()?;
    transaction.defer(GIVE_UP, parameters![mail_id]);
    transaction.commit_quietly().await
}

const GIVE_UP: &str = "update mails set state = 'failed' where id = $1 and state = 'queued'";
