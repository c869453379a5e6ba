//! PUT /channels/{id} — another name, topic or rule, or back from the archive; what is not given stays.

use channels::{
    CHANNEL, ChatChannelUpdated, IS_DIRECT, IS_GENERAL, NAME_TAKEN, NOT_MANAGER, OwnChannel, has_name, managed, name_key,
    plain_name,
};
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    prelude::*,
};

const ROUTE: Route = Route::put("/channels/{id}").or(&["PATCH /channels/{id}"]).fails(&[
    NOT_FOUND,
    NOT_MANAGER,
    IS_DIRECT,
    IS_GENERAL,
    NAME_TAKEN,
    STALE.showing::<OwnChannel>(),
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelChanges {
    #[garde(length(chars, min = 1, max = 80), inner(custom(has_name)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    #[garde(length(chars, max = 500))]
    topic: Option<String>,
    #[garde(skip)]
    is_announcement: Option<bool>,
    /// Nobody posts in one that is; its name is free for another.
    #[garde(skip)]
    is_archived: Option<bool>,
}

/// No row when it stays as it is.
const UPDATE: &str = "
    update channels
       set name = coalesce($2, name), name_key = coalesce(app.look($3), name_key), topic = coalesce($4, topic),
           is_announcement = coalesce($5, is_announcement),
           archived_at = case when $6 then coalesce(archived_at, now()) when not $6 then null else archived_at end,
           version = version + 1, updated_at = now()
     where id = $1
       and (name, topic, is_announcement, archived_at is not null) is distinct from
           (coalesce($2, name), coalesce($4, topic), coalesce($5, is_announcement), coalesce($6, archived_at is not null))
    returning id";

pub fn main() {
    serve(&ROUTE, update_channel);
}

async fn update_channel(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<ChannelChanges>,
) -> Result<Json<OwnChannel>, Error> {
    let ChannelChanges { name, topic, is_announcement, is_archived } = &input;
    let name = name.as_deref().map(plain_name);
    let transaction = context.begin(&caller).await?;
    let current = managed(&transaction, id).await?;
    if_match.check(&current)?;
    if current.channel.is_general && *is_archived == Some(true) {
        return Err(IS_GENERAL.into());
    }
    let changed = transaction
        .query(UPDATE, &[&id, &name, &name.map(name_key), topic, is_announcement, is_archived])
        .await
        .on_constraint("channels_name", NAME_TAKEN)?;
    if changed.is_empty() {
        return transaction.commit(Json(current)).await;
    }
    let own: OwnChannel = transaction.one(CHANNEL, &[&id]).await?;
    own.channel.tell(&transaction, caller.company_id, &ChatChannelUpdated { channel: own.channel.clone() });
    transaction.audit(id, &current.channel, &own.channel);
    transaction.commit(Json(own)).await
}
