//! DELETE /knowledge/manage/{id} — an article less. Its row and its versions stay, where nobody finds them.

use knowledge::articles::{Article, Change, LOCKED};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/knowledge/manage/{id}").fails(&[NOT_FOUND]);

const REMOVE: &str = "update knowledge_articles set removed_at = now(), version = version + 1, updated_at = now() where id = $1";

pub fn main() {
    serve(&ROUTE, delete_knowledge);
}

async fn delete_knowledge(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let current: Article = transaction.one(LOCKED, &[&id]).await?;
    transaction.execute(REMOVE, &[&id]).await?;
    let gone = Article { version: current.version + 1, ..current.clone() };
    gone.tell(&transaction, Change::Removed);
    transaction.audit(id, &current, &Value::Null);
    transaction.commit(NoContent).await
}
