//! DELETE /integrations/config/{id} — removes a channel with its credentials, an instance also at its server. What was said by it stays.

use std::time::Duration;

use channel_accounts::{
    CONVERSATIONS_OPEN,
    known::{CHANNEL, Channel},
};
use conversations::removal::{OpenConversations, Removed, close_and_remove, count_open, reopen, shut};
use evolution::{Known, SERVER_FAILS, remove_there};
use futures_util::future::try_join;
use integrations::ChannelKind;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/integrations/config/{id}").limit(20, Duration::from_mins(1)).fails(&[
    CONVERSATIONS_OPEN,
    NOT_FOUND,
    SERVER_FAILS[0],
    SERVER_FAILS[1],
    SERVER_FAILS[3],
]);

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// Has to be said where conversations are open.
    #[garde(skip)]
    conversations: Option<OpenConversations>,
    /// Removes an instance here although its server does not answer or refuses the key, where it then stays.
    #[garde(skip)]
    force: Option<bool>,
}

pub fn main() {
    serve(&ROUTE, delete_integration);
}

async fn delete_integration(
    context: Context,
    caller: SteppedUp<Admin>,
    Path(id): Path<Uuid>,
    Query(wish): Query<Wish>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let (channel, open) = try_join(transaction.one::<Channel>(CHANNEL, &[&id]), count_open(&transaction, id)).await?;
    if open.open > 0 && wish.conversations.is_none() {
        return Err(CONVERSATIONS_OPEN.with_current(&open));
    }
    let known = match channel.integration.kind {
        ChannelKind::Evolution => Known::read(&context, &transaction, caller.company_id, Some(&[id]), 1).await?.pop(),
        _ => None,
    };
    shut(&transaction, id).await?;
    transaction.commit_unaudited().await?;
    let mut was_removed_there = None;
    if let Some(known) = &known {
        match remove_there(&context, known, wish.force.unwrap_or_default()).await {
            Ok(removed) => was_removed_there = Some(removed),
            Err(error) => {
                reopen(&context, &caller, id, channel.integration.status).await?;
                return Err(error);
            }
        }
    }
    match close_and_remove(&context, &caller, id, (wish.conversations, "Canal removido")).await? {
        Ok(Removed { transaction, closed, kept }) => {
            let done =
                json!({"was_removed_there": was_removed_there, "conversations_closed": closed, "conversations_kept": kept});
            transaction.audit(id, &channel.integration, &done);
            transaction.commit(NoContent).await
        }
        Err(open) => {
            reopen(&context, &caller, id, channel.integration.status).await?;
            Err(CONVERSATIONS_OPEN.with_current(&open))
        }
    }
}
