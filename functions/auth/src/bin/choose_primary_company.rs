//! POST /auth/companies/{id}/primary — a login of the caller's that names no company enters this one from now on.

use auth::MyCompany;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/auth/companies/{id}/primary");

const CHOOSE_PRIMARY: &str = "select app.choose_primary($1) as is_chosen";

const CHOSEN: &str = "
    select id, name, slug, role, id = app.company_id() as is_active, is_primary
      from app.companies_of_user()
     where id = $1";

pub fn main() {
    serve(&ROUTE, choose_primary_company);
}

async fn choose_primary_company(context: Context, caller: Member, Path(id): Path<Uuid>) -> Result<Json<MyCompany>, Error> {
    let transaction = context.begin(&caller).await?;
    let chosen = transaction.query(CHOOSE_PRIMARY, &[&id]).await?;
    if !chosen.first().is_some_and(|row| row.get("is_chosen")) {
        return Err(NOT_FOUND.into());
    }
    let company: MyCompany = transaction.one(CHOSEN, &[&id]).await?;
    transaction.audit(caller.user_id, &Value::Null, &json!({"primary_company": id}));
    transaction.commit(Json(company)).await
}
