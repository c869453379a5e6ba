//! POST /companies/{id}/members — invites somebody into the company by mail, with or without an account.

use companies::expect_own;
use shared::{error::STEP_UP_REQUIRED, prelude::*};
use team::{
    invite::{ALREADY_INVITED, ALREADY_MEMBER, Invitation, Invite, invite},
    membership::ask_before_giving,
};

const ROUTE: Route = Route::post("/companies/{id}/members").fails(&[STEP_UP_REQUIRED, ALREADY_MEMBER, ALREADY_INVITED]);

pub fn main() {
    serve(&ROUTE, add_company_member);
}

async fn add_company_member(
    context: Context,
    caller: Admin,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(input): Json<Invitation>,
) -> Result<Created<Invite>, Error> {
    ask_before_giving(&context, input.role);
    let transaction = context.begin(&caller).await?;
    let invite = invite(&context, &transaction, &caller, input).await?;
    expect_own(&caller, id)?;
    transaction.commit(Created(invite)).await
}
