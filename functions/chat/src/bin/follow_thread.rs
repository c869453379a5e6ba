//! PUT /chat/messages/{id}/thread/follow — the caller wants to hear of a thread's answers, or not any more.

use chat::{ChatThreadFollowed, FOLLOWING, ThreadFollowing};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::put("/chat/messages/{id}/thread/follow").fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ThreadWish {
    #[garde(skip)]
    is_following: bool,
}

/// Who begins to follow has read what was answered before, and so has who does not want to hear of it any more: what told them of it is over.
const FOLLOW: &str = "
    insert into chat_thread_followers (root_id, channel_id, is_following, has_chosen, read_place)
    select id, channel_id, $2, true, reply_count from chat_messages where id = $1 and root_id is null
        on conflict (company_id, root_id, user_id) do update set is_following = excluded.is_following, has_chosen = true,
                   read_place = greatest(chat_thread_followers.read_place, excluded.read_place)
     where (chat_thread_followers.is_following, chat_thread_followers.has_chosen) is distinct from (excluded.is_following, true)
    returning root_id";

pub fn main() {
    serve(&ROUTE, follow_thread);
}

async fn follow_thread(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(ThreadWish { is_following }): Json<ThreadWish>,
) -> Result<Json<ThreadFollowing>, Error> {
    let transaction = context.begin(&caller).await?;
    let changed = transaction.query(FOLLOW, &[&id, &is_following]).await?;
    let thread: ThreadFollowing = transaction.one(FOLLOWING, &[&id]).await?;
    if !changed.is_empty() {
        transaction.tell_person(caller.user_id, &ChatThreadFollowed { thread: thread.clone() });
    }
    transaction.audit(id, &Value::Null, &thread);
    transaction.commit(Json(thread)).await
}
