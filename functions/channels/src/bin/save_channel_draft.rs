//! PUT /channels/{id}/draft — what the caller has begun to write, for all their devices; nothing takes it away.

use channels::{ChannelPreferences, ChatPreferencesSaved, NOT_MEMBER, not_in, preference_columns};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::put("/channels/{id}/draft").fails(&[NOT_FOUND, NOT_MEMBER]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelDraft {
    #[garde(length(chars, max = 8000))]
    text: String,
}

const SAVE: &str = concat!(
    "update channel_members
        set draft = $2, drafted_at = case when $2 <> '' then now() end
      where channel_id = $1 and user_id = app.user_id()
     returning ",
    preference_columns!()
);

pub fn main() {
    serve(&ROUTE, save_channel_draft);
}

async fn save_channel_draft(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    Json(ChannelDraft { text }): Json<ChannelDraft>,
) -> Result<Json<ChannelPreferences>, Error> {
    let transaction = context.begin(&caller).await?;
    let Some(preferences): Option<ChannelPreferences> = transaction.first(SAVE, &[&id, &text]).await? else {
        return Err(not_in(&transaction, id).await);
    };
    transaction.tell_person(caller.user_id, &ChatPreferencesSaved { preferences: preferences.clone() });
    transaction.commit_unaudited().await?;
    Ok(Json(preferences))
}
