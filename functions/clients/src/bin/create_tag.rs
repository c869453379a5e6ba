//! POST /tags — a new tag for clients and conversations.

use clients::tags::{COLOUR, TAG_NAME_TAKEN, TAG_WITH_NAME, Tag, TagCreated, is_colour};
use shared::{VISIBLE, prelude::*, visible};

const ROUTE: Route = Route::post("/tags").fails(&[TAG_NAME_TAKEN]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewTag {
    #[garde(length(chars, min = 1, max = 40), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// Grey without it.
    #[garde(length(chars, max = 7), inner(custom(is_colour)))]
    #[schemars(regex(pattern = COLOUR))]
    colour: Option<String>,
}

/// No row when the name is taken.
const CREATE: &str = "
    insert into tags (id, name, colour)
    values ($1, $2, coalesce(lower($3), '#8a8f98'))
    on conflict (company_id, app.look(name)) do nothing
    returning id, name, colour, created_at, version";

pub fn main() {
    serve(&ROUTE, create_tag);
}

async fn create_tag(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(input): Json<NewTag>,
) -> Result<Created<Tag>, Error> {
    let NewTag { name, colour } = input;
    let transaction = context.begin(&caller).await?;
    let Some(tag): Option<Tag> = transaction.first(CREATE, &[&context.new_id(), &name, &colour]).await? else {
        let current: Option<Tag> = transaction.first(TAG_WITH_NAME, &[&name]).await?;
        return Err(TAG_NAME_TAKEN.with_current(&current));
    };
    transaction.tell_staff(&TagCreated { tag: &tag });
    transaction.audit(tag.id, &Value::Null, &tag);
    transaction.commit(Created(tag)).await
}
