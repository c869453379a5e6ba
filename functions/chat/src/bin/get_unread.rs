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

const THREADS: &str = "
    select followers.root_id, followers.channel_id, root.reply_count - followers.read_place as unread, followers.read_place,
           root.reply_count as last_place,
           (select count(*) from chat_mentions
             where chat_mentions.company_id = followers.company_id and chat_mentions.user_id = followers.user_id
               and chat_mentions.channel_id = followers.channel_id and chat_mentions.root_id = followers.root_id
               and chat_mentions.thread_place > followers.read_place) as mentions
      from chat_thread_followers followers
      join chat_messages root on root.company_id = followers.company_id and root.id = followers.root_id
     where followers.user_id = (select app.user_id()) and followers.is_following and root.reply_count > followers.read_place
     order by root.last_reply_at desc, followers.root_id
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
    mentions: i64,
}

/// What somebody has not read. Channels and threads without anything unread are not there.
#[derive(Serialize, JsonSchema)]
struct UnreadChat {
    channels: Vec<UnreadChannel>,
    threads: Vec<UnreadThread>,
    /// Unread messages of channels that are not silent, and answers in followed threads.
    unread: i64,
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
    let unread = loud + threads.iter().map(|thread| thread.unread).sum::<i64>();
    let mentions = channels.iter().map(|channel| channel.mentions).chain(threads.iter().map(|thread| thread.mentions)).sum();
    Ok(Json(UnreadChat { channels, threads, unread, mentions }))
}
