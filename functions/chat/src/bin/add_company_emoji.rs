//! POST /chat/emoji — an emoji of the company's own, from a small picture that the caller has uploaded.

use chat::{ChatEmojiUpdated, CompanyEmoji, EMOJI_TAKEN, OWN_EMOJI, TOO_MANY_EMOJI, own_name};
use shared::{
    error::{FieldProblem, refuse},
    prelude::*,
    rule,
};

const ROUTE: Route = Route::post("/chat/emoji").fails(&[EMOJI_TAKEN, TOO_MANY_EMOJI]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewEmoji {
    /// Small letters without accents, digits and `_`.
    #[garde(length(chars, min = 2, max = 32), custom(a_name))]
    #[schemars(regex(pattern = OWN_EMOJI))]
    name: String,
    /// A picture of 256 KiB at most.
    #[garde(skip)]
    file_id: Uuid,
}

fn a_name(name: &str, (): &()) -> garde::Result {
    shared::visible(&name, &())?;
    if own_name(&format!(":{name}:")).is_some() {
        return Ok(());
    }
    let (portuguese, english) =
        ("Use letras minúsculas sem acento, números e _.", "Use lower-case letters without accents, digits and _.");
    Err(rule("invalid_name", portuguese, english))
}

const ROOM: &str = "
    select (select count(*) from company_emoji) as present,
           exists (select from files
                    where id = $1 and uploaded_by = app.user_id() and status = 'ready' and mime_type like 'image/%' and size <= 262144) as is_picture";

#[derive(FromRow)]
struct Room {
    present: i64,
    is_picture: bool,
}

const ADD: &str = "
    insert into company_emoji (id, name, file_id) values ($1, $2, $3)
    returning id, name, file_id, created_by_id, created_at";

pub fn main() {
    serve(&ROUTE, add_company_emoji);
}

async fn add_company_emoji(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(NewEmoji { name, file_id }): Json<NewEmoji>,
) -> Result<Created<CompanyEmoji>, Error> {
    let transaction = context.begin(&caller).await?;
    let Room { present, is_picture } = transaction.one(ROOM, &[&file_id]).await?;
    refuse((!is_picture).then(|| {
        let (portuguese, english) = ("Envie antes uma imagem de até 256 KiB.", "Upload a picture of 256 KiB at most first.");
        FieldProblem::new("file_id", "no_picture", portuguese, english)
    }))?;
    if present >= 500 {
        return Err(TOO_MANY_EMOJI.into());
    }
    let emoji: CompanyEmoji =
        transaction.one(ADD, &[&context.new_id(), &name, &file_id]).await.on_constraint("company_emoji_name", EMOJI_TAKEN)?;
    transaction.tell_staff(&ChatEmojiUpdated { name });
    transaction.audit(emoji.id, &Value::Null, &emoji);
    transaction.commit(Created(emoji)).await
}
