//! GET /calendar — when the company, or a department, works, and whether it is open now.

use calendar::Calendar;
use shared::prelude::*;

const ROUTE: Route = Route::get("/calendar").fails(&[shared::error::NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wanted {
    /// The company's when absent.
    #[garde(skip)]
    department_id: Option<Uuid>,
}

pub fn main() {
    serve(&ROUTE, get_calendar);
}

async fn get_calendar(context: Context, caller: Staff, Query(wanted): Query<Wanted>) -> Result<Json<Calendar>, Error> {
    let transaction = context.begin(&caller).await?;
    calendar::read(&context, &transaction, wanted.department_id).await.map(Json)
}
