//! POST /channels/{id}/read — how far the caller has read a channel, or one of its threads. It never goes back, unless they mark it unread.

use channels::{ChatChannelRead, NOT_MEMBER, not_in};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/channels/{id}/read").fails(&[NOT_FOUND, NOT_MEMBER]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelReadMark {
    /// Up to here; everything without it.
    #[garde(range(min = 1))]
    place: Option<i64>,
    /// Of this thread, the message that it is about; places are the thread's then.
    #[garde(skip)]
    root_id: Option<Uuid>,
    /// From `place` on it is unread again.
    #[garde(skip)]
    #[serde(default)]
    unread: bool,
}

const READ: &str = "
    with own as (
        select members.*, channels.last_place
          from channel_members members
          join channels on channels.company_id = members.company_id and channels.id = members.channel_id
         where members.channel_id = $1 and members.user_id = app.user_id()
    ), marked as (
        update channel_members
           set read_place = case when $3 then least(own.last_place, $2::bigint - 1)
                                 else greatest(own.read_place, channel_members.read_place, least(own.last_place, coalesce($2::bigint, own.last_place))) end
          from own
         where channel_members.channel_id = own.channel_id and channel_members.user_id = own.user_id
        returning channel_members.read_place
    )
    select own.channel_id, null::uuid as root_id, marked.read_place, own.last_place,
           (select count(*) from chat_mentions
             where user_id = own.user_id and channel_id = own.channel_id and place > marked.read_place) as mentions
      from own, marked";

const READ_THREAD: &str = "
    with root as (
        select id, channel_id, reply_count from chat_messages where id = $4 and channel_id = $1 and root_id is null
    ), marked as (
        insert into chat_thread_followers as followers (root_id, channel_id, is_following, read_place)
        select id, channel_id, false, least(reply_count, coalesce($2::bigint - case when $3 then 1 else 0 end, reply_count)) from root
            on conflict (company_id, root_id, user_id) do update
           set read_place = case when $3 then excluded.read_place else greatest(followers.read_place, excluded.read_place) end
        returning read_place
    )
    select root.channel_id, root.id as root_id, marked.read_place, root.reply_count as last_place,
           (select count(*) from chat_mentions
             where user_id = app.user_id() and channel_id = root.channel_id and root_id = root.id
               and thread_place > marked.read_place) as mentions
      from root, marked";

pub fn main() {
    serve(&ROUTE, mark_channel_read);
}

async fn mark_channel_read(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<ChannelReadMark>,
) -> Result<Json<ChatChannelRead>, Error> {
    let ChannelReadMark { place, root_id, unread } = input;
    let place = place.or(unread.then_some(1));
    let transaction = context.begin(&caller).await?;
    let read: Option<ChatChannelRead> = match root_id {
        Some(root_id) => Some(transaction.one(READ_THREAD, &[&id, &place, &unread, &root_id]).await?),
        None => transaction.first(READ, &[&id, &place, &unread]).await?,
    };
    let Some(read) = read else {
        return Err(not_in(&transaction, id).await);
    };
    transaction.tell_person(caller.user_id, &read);
    transaction.commit_unaudited().await?;
    Ok(Json(read))
}
