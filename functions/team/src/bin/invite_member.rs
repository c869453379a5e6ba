//! POST /team/invite — invites somebody by mail; supervisors bring in agents and students.

use shared::{error::STEP_UP_REQUIRED, prelude::*};
use team::{
    invite::{ALREADY_INVITED, ALREADY_MEMBER, Invitation, Invite, invite},
    membership::ask_before_giving,
};

const ROUTE: Route = Route::post("/team/invite").fails(&[STEP_UP_REQUIRED, ALREADY_MEMBER, ALREADY_INVITED]);

pub fn main() {
    serve(&ROUTE, invite_member);
}

async fn invite_member(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<Invitation>,
) -> Result<Created<Invite>, Error> {
    ask_before_giving(&context, input.role);
    let transaction = context.begin(&caller).await?;
    let invite = invite(&context, &transaction, &caller, input).await?;
    transaction.commit(Created(invite)).await
}
