//! POST /admin/approve-user/{id} — lets in who signed up for the company, and tells them by mail.

use shared::{
    error::STEP_UP_REQUIRED,
    mail::{Mail, Template},
    prelude::*,
};
use team::{
    membership::{admit, ask_before_giving},
    user::{MemberStatus, User},
};

const ROUTE: Route = Route::post("/admin/approve-user/{id}").fails(&[STEP_UP_REQUIRED]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Approval {
    /// `agent` when none is given.
    #[garde(skip)]
    role: Option<Role>,
}

pub fn main() {
    serve(&ROUTE, approve_user);
}

async fn approve_user(
    context: Context,
    caller: Admin,
    Path(id): Path<Uuid>,
    Json(input): Json<Approval>,
) -> Result<Json<User>, Error> {
    if let Some(role) = input.role {
        ask_before_giving(&context, role);
    }
    let transaction = context.begin(&caller).await?;
    let change = admit(&transaction, id, MemberStatus::PendingApproval, input.role).await?;
    if change.is_new {
        let User { email, name, locale, .. } = &change.user;
        let data = json!({});
        transaction.mail(Mail { template: Template::Approved, to: email, name, locale, link: None, data });
    }
    transaction.commit(Json(change.user)).await
}
