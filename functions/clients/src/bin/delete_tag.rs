//! DELETE /tags/{id} — a tag less, also on everything that has it.

use clients::tags::{HOLD_TAGGED, LOCK_TAG, TAG, Tag, TagDeleted};
use futures_util::future::try_join3;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/tags/{id}").fails(&[NOT_FOUND]);

const DELETE: &str = "delete from tags where id = $1";

pub fn main() {
    serve(&ROUTE, delete_tag);
}

async fn delete_tag(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, _, tag): (_, _, Tag) =
        try_join3(transaction.query(HOLD_TAGGED, &[&id]), transaction.query(LOCK_TAG, &[&id]), transaction.one(TAG, &[&id]))
            .await?;
    transaction.execute(DELETE, &[&id]).await?;
    transaction.tell_staff(&TagDeleted { tag_id: id, name: &tag.name });
    transaction.audit(id, &tag, &Value::Null);
    transaction.commit(NoContent).await
}
