//! Worker of the chat queue — posts planned messages whose time has come, once.

use chat::{give_up_scheduled, post_scheduled};
use shared::prelude::*;

pub fn main() {
    serve_worker(Queue::Chat, Privilege::Standard, post_scheduled_chat_message, give_up);
}

async fn post_scheduled_chat_message(context: Context, job: Claimed) -> Result<Outcome, Error> {
    post_scheduled(&context, &job).await
}

async fn give_up(job: Claimed, transaction: Transaction) -> Result<(), Error> {
    give_up_scheduled(&job, &transaction).await?;
    transaction.commit_quietly().await
}
