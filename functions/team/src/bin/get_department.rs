//! GET /departments/{id} — a department with its members and what waits in it.

use shared::{error::NOT_FOUND, prelude::*};
use team::{DEPARTMENT, Department};

const ROUTE: Route = Route::get("/departments/{id}").fails(&[NOT_FOUND]);

pub fn main() {
    serve(&ROUTE, get_department);
}

async fn get_department(context: Context, caller: Staff, Path(id): Path<Uuid>) -> Result<Json<Department>, Error> {
    let transaction = context.begin(&caller).await?;
    Ok(Json(transaction.one(DEPARTMENT, &[&id]).await?))
}
