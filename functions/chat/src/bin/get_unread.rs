//! GET /chat/unread — what the caller has not read: by channel, by followed thread, and in all.

use futures_util::future::try_join;
use shared::prelude::*;

const ROUTE: Route = Route::get("/chat/unread");

/// Places after the cursor: no counter that could drift.
const CHANNELS: &str = "
    select own.channel_id, channels.last_place - own.read_place as unread, own.read_place, channels.last_place,
           (select count(*) from chat_mentions
             where chat_mentions.company_id = own.company_id and chat_mentions.user_id = own.user_id
               and chat_mentions.channel_id = own.channel_id and chat_mentions.place > own.read_place) as mentions,
           own.level = 'nothing' or own.is_muted and (own.muted_until is null or own.muted_until > now()) as is_silent
      from channel_members own
      join channels on channels.company_id = own.company_id and channels.id = own.channel_id
     where own.user_id = (select app.user_id()) and channels.last_place > own.read_place and channels.archived_at is null
     order by channels.last_message_at desc, own.channel_id";

/// Those that the caller follows, and those that mention them. What stands in the channel too is read there as well as here.
const THREADS: &str = "
    with mentioned as (
        select mentions.root_id, count(*) as mentions, count(*) filter (where mentions.place is null) as mentions_here_alone
          from chat_mentions mentions
          join channel_members own
            on own.company_id = mentions.company_id and own.channel_id = mentions.channel_id and own.user_id = mentions.user_id
          left join chat_thread_followers followers
            on followers.company_id = mentions.company_id and followers.root_id = mentions.root_id
               and followers.user_id = mentions.user_id
         where mentions.user_id = (select app.user_id()) and mentions.root_id is not null
           and mentions.thread_place > coalesce(followers.read_place, 0)
           and (mentions.place is null or mentions.place > own.read_place)
         group by mentions.root_id
    ), threads as (
        select root_id from chat_thread_followers where user_id = (select app.user_id()) and is_following
        union
        select root_id from mentioned
    )
    select root.id as root_id, root.channel_id, root.reply_count - coalesce(followers.read_place, 0) as unread,
           coalesce(followers.read_place, 0) as read_place, root.reply_count as last_place,
           coalesce(mentioned.mentions, 0) as mentions, coalesce(mentioned.mentions_here_alone, 0) as mentions_here_alone,
           coalesce(followers.is_following, false) as is_following
      from threads
      join chat_messages root on root.company_id = (select app.company_id()) and root.id = threads.root_id
      join channels on channels.company_id = root.company_id and channels.id = root.channel_id and channels.archived_at is null
      left join chat_thread_followers followers
        on followers.company_id = root.company_id and followers.root_id = root.id and followers.user_id = (select app.user_id())
      left join mentioned on mentioned.root_id = root.id
     where root.reply_count > coalesce(followers.read_place, 0)
     order by root.last_reply_at desc, root.id
     limit 200";

#[derive(Serialize, JsonSchema, FromRow)]
struct UnreadChannel {
    channel_id: Uuid,
    unread: i64,
    read_place: i64,
    last_place: i64,
    /// Unread messages that mention the caller.
    mentions: i64,
    /// Muted, or of no interest: counted here, and in no total but that of mentions.
    is_silent: bool,
}

#[derive(Serialize, JsonSchema, FromRow)]
struct UnreadThread {
    root_id: Uuid,
    channel_id: Uuid,
    unread: i64,
    read_place: i64,
    last_place: i64,
    /// Unread answers that mention the caller.
    mentions: i64,
    /// Those of them that are not in the channel too, and so are not counted there.
    #[serde(skip)]
    #[schemars(skip)]
    mentions_here_alone: i64,
    /// Otherwise it is here for its mentions, and in no total but that of mentions.
    is_following: bool,
}

/// What somebody has not read. Channels and threads without anything unread are not there, and neither are those of archived channels.
#[derive(Serialize, JsonSchema)]
struct UnreadChat {
    channels: Vec<UnreadChannel>,
    threads: Vec<UnreadThread>,
    /// Unread messages of channels that are not silent, and answers in followed threads.
    unread: i64,
    /// Unread messages and answers that mention the caller, each once.
    mentions: i64,
}

pub fn main() {
    serve(&ROUTE, get_unread);
}

async fn get_unread(context: Context, caller: Staff) -> Result<Json<UnreadChat>, Error> {
    let transaction = context.begin(&caller).await?;
    let (channels, threads): (Vec<UnreadChannel>, Vec<UnreadThread>) =
        try_join(transaction.all(CHANNELS, &[]), transaction.all(THREADS, &[])).await?;
    let loud: i64 = channels.iter().filter(|channel| !channel.is_silent).map(|channel| channel.unread).sum();
    let followed = threads.iter().filter(|thread| thread.is_following);
    let unread = loud + followed.map(|thread| thread.unread).sum::<i64>();
    let of_threads = threads.iter().map(|thread| thread.mentions_here_alone);
    let mentions = channels.iter().map(|channel| channel.mentions).chain(of_threads).sum();
    Ok(Json(UnreadChat { channels, threads, unread, mentions }))
}
