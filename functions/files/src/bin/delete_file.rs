//! DELETE /storage/{id} — takes away one's own upload that was not sent, with its content.

use files::{FILE_IN_USE, FIND_OWN, File, FileUser};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/storage/{id}").fails(&[NOT_FOUND, FILE_IN_USE]);

/// No row when it was sent. Its content goes with the last file that is made of it.
const DELETE: &str = "delete from files where id = $1 and uploaded_by = app.user_id() returning id";

pub fn main() {
    serve(&ROUTE, delete_file);
}

async fn delete_file(context: Context, caller: FileUser, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let file: File = transaction.one(FIND_OWN, &[&id]).await?;
    // A message, a picture of somebody or a quick reply may hold it by now.
    let held_by = ["messages_company_id_file_id_fkey", "memberships_company_id_avatar_file_id_fkey", "quick_replies_files"];
    let gone = transaction.query(DELETE, &[&id]).await;
    let gone = held_by.iter().fold(gone, |gone, holder| gone.on_constraint(holder, FILE_IN_USE))?;
    if gone.is_empty() {
        // It was sent, unless somebody else has just deleted it.
        let _: File = transaction.one(FIND_OWN, &[&id]).await?;
        return Err(FILE_IN_USE.into());
    }
    transaction.audit(format!("file:{id}"), &file, &Value::Null);
    transaction.commit(NoContent).await
}
