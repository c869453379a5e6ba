//! POST /auth/companies/{id}/select — a session of the caller in another of their companies.

use auth::{Company, MY_COMPANIES, MyCompany, TokenPair};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/auth/companies/{id}/select");

#[derive(Debug, Serialize, JsonSchema)]
struct SelectedCompany {
    company: Company,
    /// The caller's role there.
    role: Role,
    #[serde(flatten)]
    tokens: TokenPair,
}

fn main() {
    serve(&ROUTE, select_company);
}

async fn select_company(context: Context, caller: Member, Path(id): Path<Uuid>) -> Result<Json<SelectedCompany>, Error> {
    let lookup = context.begin(&caller).await?;
    let companies: Vec<MyCompany> = lookup.all(MY_COMPANIES, &[]).await?;
    drop(lookup);
    let MyCompany { name, slug, role, .. } = companies.into_iter().find(|company| company.id == id).ok_or(NOT_FOUND)?;
    let role: Role = role.parse().map_err(|_| NOT_FOUND)?;
    // The session it was chosen in goes on: other windows may be using it.
    let transaction = context.begin_nobody().await?;
    let (_, tokens) = auth::start_session(&context, &transaction, caller.user_id, id, role).await?;
    transaction.commit(Json(SelectedCompany { company: Company { id, name, slug }, role, tokens })).await
}
