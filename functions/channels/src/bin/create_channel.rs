//! POST /channels — a new channel, which whoever makes it manages, with its first members.

use channels::{CHANNEL, ChatChannelCreated, NAME_TAKEN, OwnChannel, colleagues, has_name, name_key, plain_name};
use shared::{VISIBLE, closed_set, prelude::*};

const ROUTE: Route = Route::post("/channels").fails(&[NAME_TAKEN]);

closed_set! {
    /// Found by all staff, or by its members only.
    NamedKind { Public = "public", Private = "private" }
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewChannel {
    /// Without the sign before it; no other channel's, whatever case, accents and look of its letters.
    #[garde(length(chars, min = 1, max = 80), custom(has_name))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// `public` without it.
    #[garde(skip)]
    kind: Option<NamedKind>,
    #[garde(length(chars, max = 500))]
    #[serde(default)]
    topic: String,
    #[garde(skip)]
    #[serde(default)]
    is_announcement: bool,
    /// Active staff of this company, besides the caller.
    #[garde(length(max = 50))]
    #[serde(default)]
    member_ids: Vec<Uuid>,
}

const MAKE: &str = "select app.make_channel($1, $2, $3, $4, $5, $6, $7)";

pub fn main() {
    serve(&ROUTE, create_channel);
}

async fn create_channel(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(input): Json<NewChannel>,
) -> Result<Created<OwnChannel>, Error> {
    let NewChannel { name, kind, topic, is_announcement, mut member_ids } = input;
    let (name, key) = (plain_name(&name), name_key(plain_name(&name)));
    let kind = kind.unwrap_or(NamedKind::Public).as_str();
    let (transaction, id) = (context.begin(&caller).await?, context.new_id());
    colleagues(&transaction, "member_ids", &member_ids).await?;
    transaction
        .query(MAKE, &[&id, &kind, &name, &key, &topic, &is_announcement, &member_ids])
        .await
        .on_constraint("channels_name", NAME_TAKEN)?;
    let own: OwnChannel = transaction.one(CHANNEL, &[&id]).await?;
    own.channel.tell(&transaction, caller.company_id, &ChatChannelCreated { channel: own.channel.clone() });
    member_ids.push(caller.user_id);
    member_ids.sort_unstable();
    member_ids.dedup();
    own.channel.tell_joined(&transaction, &member_ids);
    transaction.audit(id, &Value::Null, &own.channel);
    transaction.commit(Created(own)).await
}
