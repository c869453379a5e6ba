//! DELETE /views/{id} — a view less; what it showed stays where it is.

use shared::{error::NOT_FOUND, prelude::*};
use views::{LOCKED, SUPERVISORS_ONLY, View, ViewDeleted, may_write};

const ROUTE: Route = Route::delete("/views/{id}").fails(&[NOT_FOUND, SUPERVISORS_ONLY]);

const DELETE: &str = "delete from views where id = $1";

pub fn main() {
    serve(&ROUTE, delete_view);
}

async fn delete_view(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&agent).await?;
    let current: View = transaction.one(LOCKED, &[&id]).await?;
    if !may_write(current.is_shared, &agent) {
        return Err(SUPERVISORS_ONLY.into());
    }
    transaction.execute(DELETE, &[&id]).await?;
    current.tell(&transaction, &agent, &ViewDeleted { view_id: id });
    transaction.audit(id, &current, &Value::Null);
    transaction.commit(NoContent).await
}
