//! Worker of the notification queue — tells people where they are not looking: digests by mail.

use notifications::digest::mail_notifications;
use shared::prelude::*;

pub fn main() {
    serve_worker(Queue::Notification, Privilege::Standard, deliver_notification, give_up);
}

async fn deliver_notification(context: Context, job: Claimed) -> Result<Outcome, Error> {
    mail_notifications(&context, &job).await
}

/// What could not be mailed stays unread, and goes along with what comes next.
async fn give_up(_: Claimed, transaction: Transaction) -> Result<(), Error> {
    transaction.commit_quietly().await
}
