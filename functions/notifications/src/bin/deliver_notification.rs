//! Worker of the notification queue — tells people where they are not looking: one device by web push, or one mail of what stays unread.

use notifications::{
    digest::mail_notifications,
    pushing::{PUSH_NOTIFICATION, push_notification},
};
use shared::prelude::*;

reads!(REACHABLE_INSIDE);

pub fn main() {
    serve_worker(Queue::Notification, Privilege::Standard, deliver_notification, give_up);
}

async fn deliver_notification(context: Context, job: Claimed) -> Result<Outcome, Error> {
    match job.kind.as_str() {
        PUSH_NOTIFICATION => push_notification(&context, &job).await,
        _ => mail_notifications(&context, &job).await,
    }
}

/// What could not be told stays unread, where its person finds it, and is mailed with what comes next.
async fn give_up(_: Claimed, transaction: Transaction) -> Result<(), Error> {
    transaction.commit_quietly().await
}
