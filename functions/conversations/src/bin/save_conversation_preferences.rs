//! PUT /conversations/{id}/preferences — mutes a conversation for the caller alone, until a time or for good, or not any more.

use conversations::{ConversationPreferences, ConversationPreferencesSaved};
use shared::{error::NOT_FOUND, error::refuse, prelude::*, rule};

const ROUTE: Route =
    Route::put("/conversations/{id}/preferences").or(&["PATCH /conversations/{id}/preferences"]).fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = until_when_muted)]
struct SavePreferences {
    #[garde(skip)]
    muted: bool,
    /// To come, within a year; for good without it.
    #[garde(custom(goes_with_muted(self.muted)))]
    muted_until: Option<Timestamp>,
}

/// No row of a conversation that the caller does not see.
const SAVE: &str = "
    with seen as (
        select id from conversations where id = $1
    ), saved as (
        insert into conversation_preferences (conversation_id, muted_until)
        select id, $3 from seen where $2
        on conflict (company_id, user_id, conversation_id) do update
           set muted_until = excluded.muted_until
         where conversation_preferences.muted_until is distinct from excluded.muted_until
        returning conversation_id
    ), gone as (
        delete from conversation_preferences
         where conversation_id = (select id from seen) and user_id = (select app.user_id()) and not $2
        returning conversation_id
    )
    select exists (select from saved union all select from gone) as is_changed from seen";

#[derive(FromRow)]
struct Saved {
    is_changed: bool,
}

pub fn main() {
    serve(&ROUTE, save_conversation_preferences);
}

async fn save_conversation_preferences(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<SavePreferences>,
) -> Result<Json<ConversationPreferences>, Error> {
    let SavePreferences { muted, muted_until } = input;
    refuse(muted_until.and_then(|until| shared::time_to_come("muted_until", context.now(), until)))?;
    let transaction = context.begin(&agent).await?;
    let Saved { is_changed } = transaction.one(SAVE, &[&id, &muted, &muted_until]).await?;
    let preferences = ConversationPreferences { conversation_id: id, muted, muted_until };
    if is_changed {
        let payload = ConversationPreferencesSaved { preferences: preferences.clone() };
        transaction.tell_person(agent.user_id, &payload);
    }
    transaction.audit(id, &Value::Null, &preferences);
    transaction.commit(Json(preferences)).await
}

/// As the rule says it, for the description.
fn until_when_muted(schema: &mut schemars::Schema) {
    let muted = json!({"type": "object", "properties": {"muted": {"const": true}}});
    let not_muted = json!({"type": "object", "properties": {"muted": {"const": false}, "muted_until": {"type": "null"}}});
    schema.insert("oneOf".into(), json!([muted, not_muted]));
}

fn goes_with_muted(muted: bool) -> impl FnOnce(&Option<Timestamp>, &()) -> garde::Result {
    move |until, ()| {
        if until.is_some() && !muted {
            return Err(rule("not_allowed", "A hora só vai com o silêncio.", "The time goes with muting only."));
        }
        Ok(())
    }
}
