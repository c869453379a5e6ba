//! PUT /channels/{id}/preferences — what the caller wants to hear of a channel, and where they see it; what is not given stays.

use channels::{ChannelPreferences, ChatPreferencesSaved, NOT_MEMBER, NotifyLevel, not_in, preference_columns};
use shared::{
    error::{NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route =
    Route::put("/channels/{id}/preferences").or(&["PATCH /channels/{id}/preferences"]).fails(&[NOT_FOUND, NOT_MEMBER]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveChannelPreferences {
    #[garde(skip)]
    level: Option<NotifyLevel>,
    #[garde(skip)]
    is_muted: Option<bool>,
    /// To come, within a year; muted for good without it.
    #[garde(skip)]
    muted_until: Option<Timestamp>,
    #[garde(skip)]
    is_favorite: Option<bool>,
    /// Until somebody writes there.
    #[garde(skip)]
    is_hidden: Option<bool>,
}

const SAVE: &str = concat!(
    "update channel_members
        set level = coalesce($2, level), is_muted = coalesce($3, $4::timestamptz is not null or is_muted),
            muted_until = case when $3 is false then null when $3 or $4::timestamptz is not null then $4 else muted_until end,
            is_favorite = coalesce($5, is_favorite), is_hidden = coalesce($6, is_hidden)
      where channel_id = $1 and user_id = app.user_id()
     returning ",
    preference_columns!()
);

pub fn main() {
    serve(&ROUTE, save_channel_preferences);
}

async fn save_channel_preferences(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<SaveChannelPreferences>,
) -> Result<Json<ChannelPreferences>, Error> {
    let SaveChannelPreferences { level, is_muted, muted_until, is_favorite, is_hidden } = input;
    refuse(muted_until.and_then(|until| shared::time_to_come("muted_until", context.now(), until)))?;
    let level = level.map(NotifyLevel::as_str);
    let transaction = context.begin(&caller).await?;
    let saved = transaction.first(SAVE, &[&id, &level, &is_muted, &muted_until, &is_favorite, &is_hidden]).await?;
    let Some(preferences): Option<ChannelPreferences> = saved else {
        return Err(not_in(&transaction, id).await);
    };
    transaction.tell_person(caller.user_id, &ChatPreferencesSaved { preferences: preferences.clone() });
    transaction.audit(id, &Value::Null, &preferences);
    transaction.commit(Json(preferences)).await
}
