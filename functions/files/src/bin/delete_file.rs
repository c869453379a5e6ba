//! DELETE /storage/{id} — takes away one's own upload that was not sent, with its content.

use files::{FILE_IN_FLOW, FILE_IN_USE, FIND_OWN, File, FileUser, FlowOfFile};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/storage/{id}").fails(&[NOT_FOUND, FILE_IN_FLOW, FILE_IN_USE]);

/// No row when it was sent. Its content goes with the last file that is made of it.
const DELETE: &str = "delete from files where id = $1 and uploaded_by = app.user_id() returning id";

/// The first flow that sends it as it is published now.
const FLOW_OF_FILE: &str = "
    select key, name
      from (select distinct on (key) key, name, definition
              from bot_flows
             where number > 0 and removed_at is null
             order by key, number desc) published
     where $1 = any (app.files_of_flow(definition))
     order by key
     limit 1";

pub fn main() {
    serve(&ROUTE, delete_file);
}

async fn delete_file(context: Context, caller: FileUser, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let file: File = transaction.one(FIND_OWN, &[&id]).await?;
    let mark = transaction.mark();
    transaction.savepoint();
    // A message, a picture of somebody, a quick reply or a flow may hold it by now.
    let held_by = [
        "messages_company_id_file_id_fkey",
        "memberships_company_id_avatar_file_id_fkey",
        "quick_replies_files",
        "chat_message_files_file",
        "company_emoji_company_id_file_id_fkey",
    ];
    let gone = transaction.query(DELETE, &[&id]).await.on_constraint("bot_flows_files", FILE_IN_FLOW);
    if gone.as_ref().is_err_and(|error| error.problem() == FILE_IN_FLOW) {
        transaction.rollback_to_savepoint(mark);
        // What the bot says is no client's business.
        let flow: Option<FlowOfFile> = match caller {
            Either::First(_) => transaction.first(FLOW_OF_FILE, &[&id]).await?,
            Either::Second(_) => None,
        };
        return Err(flow.map_or_else(|| FILE_IN_USE.into(), |flow| FILE_IN_FLOW.with_current(&flow)));
    }
    let gone = held_by.iter().fold(gone, |gone, holder| gone.on_constraint(holder, FILE_IN_USE))?;
    if gone.is_empty() {
        // It was sent, unless somebody else has just deleted it.
        let _: File = transaction.one(FIND_OWN, &[&id]).await?;
        return Err(FILE_IN_USE.into());
    }
    transaction.audit(format!("file:{id}"), &file, &Value::Null);
    transaction.commit(NoContent).await
}
