//! DELETE /whatsapp/instances/{id} — removes an instance at its server and here. What was said by it stays.

use std::time::Duration;

use conversations::{BulkHeld, HeldConversation, LOCK_MANY, close, may_close};
use evolution::{Instance, Known, SERVER_FAILS, Visit, instance::INSTANCE, refuse};
use futures_util::future::try_join;
use integrations::ChannelUpdated;
use shared::{closed_set, error::NOT_FOUND, parameters, prelude::*};

const ROUTE: Route = Route::delete("/whatsapp/instances/{id}").limit(20, Duration::from_mins(1)).fails(&[
    NOT_FOUND,
    SERVER_FAILS[0],
    SERVER_FAILS[1],
    SERVER_FAILS[3],
]);

reads!(REACHABLE_INSIDE);

closed_set! {
    /// What becomes of its open conversations: staff go on reading what they keep, and can no longer answer in it.
    #[schemars(rename = "OpenConversations")]
    OpenConversations { Keep = "keep", Close = "close" }
}

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    #[garde(skip)]
    conversations: OpenConversations,
    /// Removes it here although its server does not answer or refuses the key, where it then stays.
    #[garde(skip)]
    force: Option<bool>,
}

/// Closed in one transaction.
const PAGE: i64 = 200;

const OPEN: &str = "select id from conversations where channel_account_id = $1 and ended_at is null order by id limit $2";

#[derive(FromRow)]
struct Open {
    id: Uuid,
}

/// Nobody else removes it meanwhile.
const LOCK: &str = "select from channel_accounts where id = $1 and kind = 'evolution' and removed_at is null for update";

const REMOVE: &str = "
    update channel_accounts
       set removed_at = now(), status = 'disabled', state = 'close', version = version + 1
     where id = $1
    returning id, kind, name, status, state, version, history";

const FORGET_KEY: &str = "delete from channel_credentials where channel_account_id = $1";

pub fn main() {
    serve(&ROUTE, delete_instance);
}

async fn delete_instance(
    context: Context,
    caller: SteppedUp<Admin>,
    Path(id): Path<Uuid>,
    Query(wish): Query<Wish>,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id];
    let known = Known::read(&context, &transaction, caller.company_id, Some(&ids), 1).await?;
    let known = known.into_iter().next().ok_or(NOT_FOUND)?;
    transaction.commit_unaudited().await?;
    // First there: whoever is interrupted asks again, and the server has it no more.
    let mut visit = Visit::begin(&context, &known);
    let is_forced = wish.force.unwrap_or_default();
    let gone = if known.is_made || !is_forced { visit.delete().await } else { Ok(()) };
    let was_removed_there = gone.is_ok();
    if !is_forced {
        gone.map_err(refuse)?;
    }
    let mut closed = 0;
    if wish.conversations == OpenConversations::Close {
        while let count @ 1.. = close_page(&context, &caller, id).await? {
            closed += count;
        }
    }
    let transaction = context.begin(&caller).await?;
    let (_, instance): (_, Instance) = try_join(transaction.query(LOCK, &[&id]), transaction.one(INSTANCE, &[&id])).await?;
    let removed: ChannelUpdated = transaction.one(REMOVE, &[&id]).await?;
    transaction.defer(FORGET_KEY, parameters![id]);
    transaction.tell_staff(&removed);
    transaction.audit(id, &instance, &json!({"was_removed_there": was_removed_there, "conversations_closed": closed}));
    transaction.commit(NoContent).await
}

/// Closes some of its open conversations; answers how many.
async fn close_page(context: &Context, caller: &Identity, id: Uuid) -> Result<usize, Error> {
    let transaction = context.begin(caller).await?;
    let open: Vec<Open> = transaction.all(OPEN, &[&id, &PAGE]).await?;
    let ids: Vec<Uuid> = open.iter().map(|open| open.id).collect();
    let no_tags: Vec<String> = Vec::new();
    let rows: Vec<BulkHeld> = transaction.all(LOCK_MANY, &[&ids, &no_tags]).await?;
    let held: Vec<&HeldConversation> = rows.iter().map(|row| &row.held).filter(|held| may_close(caller, held).is_ok()).collect();
    if held.is_empty() {
        transaction.commit_unaudited().await?;
        return Ok(0);
    }
    close(context, &transaction, caller, &held, Some("Instância removida"), Some(false)).await?;
    transaction.commit_quietly().await?;
    Ok(held.len())
}
