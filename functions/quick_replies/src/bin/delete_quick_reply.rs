//! DELETE /quick-replies/{id} — a quick reply less.

use quick_replies::{LOCKED, QuickReply, QuickReplyDeleted, SUPERVISORS_ONLY};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/quick-replies/{id}").fails(&[NOT_FOUND, SUPERVISORS_ONLY]);

const DELETE: &str = "delete from quick_replies where id = $1";

pub fn main() {
    serve(&ROUTE, delete_quick_reply);
}

async fn delete_quick_reply(context: Context, agent: Staff, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&agent).await?;
    let current: QuickReply = transaction.one(LOCKED, &[&id]).await?;
    if !current.may_be_changed_by(&agent) {
        return Err(SUPERVISORS_ONLY.into());
    }
    transaction.execute(DELETE, &[&id]).await?;
    current.tell(&transaction, &agent, &QuickReplyDeleted { quick_reply_id: id });
    transaction.audit(id, &current, &Value::Null);
    transaction.commit(NoContent).await
}
