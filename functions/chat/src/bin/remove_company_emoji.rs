//! DELETE /chat/emoji/{id} — an emoji of the company's is there no more, by whoever added it or who leads. Reactions with it keep its name.

use chat::{ChatEmojiUpdated, CompanyEmoji, NOT_AUTHOR};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/chat/emoji/{id}").fails(&[NOT_FOUND, NOT_AUTHOR]);

const EMOJI: &str = "select id, name, file_id, created_by_id, created_at from company_emoji where id = $1";
const REMOVE: &str = "delete from company_emoji where id = $1";

pub fn main() {
    serve(&ROUTE, remove_company_emoji);
}

async fn remove_company_emoji(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let emoji: CompanyEmoji = transaction.one(EMOJI, &[&id]).await?;
    if transaction.execute(REMOVE, &[&id]).await? == 0 {
        return Err(NOT_AUTHOR.into());
    }
    transaction.tell_staff(&ChatEmojiUpdated { name: emoji.name.clone() });
    transaction.audit(id, &emoji, &Value::Null);
    transaction.commit(NoContent).await
}
