//! What somebody has not read for a while, in one mail.

use futures_util::future::try_join;
use shared::{
    mail::{Mail, Template},
    parameters,
    prelude::*,
};

use crate::notification_words;

/// As many as one mail names.
const MOST_NAMED: usize = 20;

/// Whoever has this row is the only one who adds to what waits, and who takes it.
const HOLD: &str = "select from jobs where id = $1 for update";

/// In a language the person reads, and without what was said: mails go through other hands.
const DIGEST: &str = concat!(
    "select users.email, users.name, users.locale, notifications.id, words.title
      from app.unread_of(array[$1::uuid], 'mail') unread
      join notifications on notifications.id = unread.id
      join users on users.id = unread.user_id",
    notification_words!(),
    "
     order by notifications.at desc, notifications.id desc"
);

const MAILED: &str = "update notifications set mailed_at = now() where id = any ($1)";

#[derive(Deserialize)]
struct MailNotifications {
    user_id: Uuid,
}

#[derive(FromRow)]
struct Unread {
    email: String,
    name: String,
    locale: String,
    id: Uuid,
    title: String,
}

/// Sends what a person has not read, if there still is such, as one mail: it, what it names and the end of the job are one transaction.
///
/// # Errors
/// Those of the database.
pub async fn mail_notifications(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let MailNotifications { user_id } = job.read()?;
    let transaction = context.begin_system(job.company_id).await?;
    let (_, unread): (_, Vec<Unread>) =
        try_join(transaction.query(HOLD, &[&job.id]), transaction.all(DIGEST, &[&user_id])).await?;
    if let Some(first) = unread.first() {
        let titles: Vec<_> = unread.iter().take(MOST_NAMED).map(|row| &row.title).collect();
        let data = json!({"titles": titles, "more": unread.len() - titles.len()});
        let Unread { email, name, locale, .. } = first;
        transaction.mail(Mail { template: Template::Notifications, to: email, name, locale, link: None, data });
        let ids: Vec<Uuid> = unread.iter().map(|row| row.id).collect();
        transaction.defer(MAILED, parameters![ids]);
    }
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}
