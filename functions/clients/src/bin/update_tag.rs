//! PUT /tags/{id} — another name or colour for a tag, and for everything that has it.

use clients::tags::{COLOUR, HOLD_TAGGED, LOCK_TAG, TAG, TAG_NAME_TAKEN, TAG_WITH_NAME, Tag, TagUpdated, is_colour};
use futures_util::future::try_join3;
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    prelude::*,
    visible,
};

const ROUTE: Route =
    Route::put("/tags/{id}").or(&["PATCH /tags/{id}"]).fails(&[NOT_FOUND, TAG_NAME_TAKEN, STALE.showing::<Tag>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TagChanges {
    #[garde(length(chars, min = 1, max = 40), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    #[garde(length(chars, max = 7), inner(custom(is_colour)))]
    #[schemars(regex(pattern = COLOUR))]
    colour: Option<String>,
}

/// No row when it stays as it is, or another one has the name.
const UPDATE: &str = "
    update tags
       set name = coalesce($2, name), colour = coalesce(lower($3), colour), version = version + 1
     where id = $1
       and (name, colour) is distinct from (coalesce($2, name), coalesce(lower($3), colour))
       and not exists (select from tags other where other.id <> $1 and app.look(other.name) = app.look($2))
    returning id, name, colour, created_at, version";

pub fn main() {
    serve(&ROUTE, update_tag);
}

async fn update_tag(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<TagChanges>,
) -> Result<Json<Tag>, Error> {
    let TagChanges { name, colour } = input;
    let transaction = context.begin(&caller).await?;
    let (_, _, current): (_, _, Tag) =
        try_join3(transaction.query(HOLD_TAGGED, &[&id]), transaction.query(LOCK_TAG, &[&id]), transaction.one(TAG, &[&id]))
            .await?;
    if_match.check(&current)?;
    let updated = transaction.first(UPDATE, &[&id, &name, &colour]).await;
    let Some(tag): Option<Tag> = updated.on_constraint("tags_name", TAG_NAME_TAKEN)? else {
        let namesake: Option<Tag> = match &name {
            Some(name) => transaction.first(TAG_WITH_NAME, &[name]).await?,
            None => None,
        };
        return match namesake {
            Some(other) if other.id != id => Err(TAG_NAME_TAKEN.with_current(&other)),
            _ => transaction.commit(Json(current)).await,
        };
    };
    transaction.tell_staff(&TagUpdated { tag: &tag, previous_name: &current.name });
    transaction.audit(id, &current, &tag);
    transaction.commit(Json(tag)).await
}
