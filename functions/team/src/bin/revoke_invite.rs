//! DELETE /team/invites/{id} — an invite that nobody has used opens nothing any more.

use shared::prelude::*;
use team::{
    invite::{Invite, InviteUpdated},
    invite_columns,
};

const ROUTE: Route = Route::delete("/team/invites/{id}");

const REVOKE: &str = concat!(
    "with revoked as (
        update invites set revoked_at = now() where id = $1 and used_at is null and revoked_at is null returning *
    )
    select ",
    invite_columns!(),
    " from revoked as invites"
);

pub fn main() {
    serve(&ROUTE, revoke_invite);
}

async fn revoke_invite(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    let invite: Invite = transaction.one(REVOKE, &[&id]).await?;
    transaction.tell_staff(&InviteUpdated { invite: &invite });
    transaction.audit(id, &json!({"state": "open"}), &json!({"state": invite.state}));
    transaction.commit(NoContent).await
}
