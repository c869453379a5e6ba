//! DELETE /knowledge/manage/{id} — an article less. Its row and its versions stay, where nobody finds them.

use knowledge::articles::{Article, LOCKED, remove};
use shared::{
    error::{NOT_FOUND, STALE},
    prelude::*,
};

const ROUTE: Route = Route::delete("/knowledge/manage/{id}").fails(&[NOT_FOUND, STALE.showing::<Article>()]);

pub fn main() {
    serve(&ROUTE, delete_knowledge);
}

async fn delete_knowledge(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let current: Article = transaction.one(LOCKED, &[&id]).await?;
    if_match.check(&current)?;
    remove(&transaction, &current).await?;
    transaction.audit(id, &current, &Value::Null);
    transaction.commit(NoContent).await
}
