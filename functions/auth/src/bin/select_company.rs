//! POST /auth/companies/{id}/select — a session of the same login in another of the caller's companies.

use auth::{Company, TokenPair};
use shared::{crypto, prelude::*};

const ROUTE: Route = Route::post("/auth/companies/{id}/select");

/// The session it is chosen in goes on: other windows may be using it.
const CHOOSE_COMPANY: &str = "select * from app.choose_company($1, $2, $3, $4, $5, $6)";

#[derive(Debug, Serialize, JsonSchema)]
struct SelectedCompany {
    company: Company,
    /// The caller's role there.
    role: Role,
    #[serde(flatten)]
    tokens: TokenPair,
}

#[derive(FromRow)]
struct Chosen {
    #[from_row(flatten)]
    company: Company,
    role: Role,
}

pub fn main() {
    serve(&ROUTE, select_company);
}

async fn select_company(
    context: Context,
    caller: SettingUp<Member>,
    Path(id): Path<Uuid>,
) -> Result<Json<SelectedCompany>, Error> {
    let (session_id, refresh_token) = (context.new_id(), crypto::random_token());
    let (hash, origin) = (crypto::sha256(refresh_token.as_bytes()), context.origin());
    let transaction = context.begin(&caller).await?;
    let Chosen { company, role } =
        transaction.one(CHOOSE_COMPANY, &[&session_id, &id, &hash, &origin.user_agent, &origin.ip, &origin.request_id]).await?;
    let identity = Identity { user_id: caller.user_id, company_id: id, role, session_id };
    let tokens = TokenPair::new(&context, &identity, refresh_token);
    transaction.commit(Json(SelectedCompany { company, role, tokens })).await
}
