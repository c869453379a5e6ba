//! DELETE /calendar/holidays/{id} — removes a holiday that was added.

use calendar::CalendarUpdated;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::delete("/calendar/holidays/{id}").fails(&[NOT_FOUND]);

const REMOVE: &str = "
    delete from holidays
     where id = $1
    returning department_id, date::text as date, name, yearly";

#[derive(FromRow, Serialize)]
struct Removed {
    department_id: Option<Uuid>,
    date: String,
    name: String,
    yearly: bool,
}

pub fn main() {
    serve(&ROUTE, remove_holiday);
}

async fn remove_holiday(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let removed: Removed = transaction.one(REMOVE, &[&id]).await?;
    transaction.tell_staff(&CalendarUpdated { department_id: removed.department_id });
    transaction.audit(id, &removed, &Value::Null);
    transaction.commit(NoContent).await
}
