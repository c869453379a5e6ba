//! GET /team/accept-invite/{token} — what an invite is for, to who holds its link.

use shared::prelude::*;
use team::invite::{FIND_INVITE, FoundInvite, INVITE_GONE, id_of};

const ROUTE: Route = Route::get("/team/accept-invite/{token}").fails(&[INVITE_GONE]);

/// An invite as its holder sees it.
#[derive(Debug, Serialize, JsonSchema)]
struct InviteToAccept {
    company_name: String,
    email: String,
    name: Option<String>,
    role: Role,
    invited_by_name: String,
    expires_at: Timestamp,
    /// Whether there is an account with this address already: it is accepted with the password of that, and otherwise with a name and a new one.
    has_account: bool,
}

pub fn main() {
    serve(&ROUTE, get_invite);
}

async fn get_invite(context: Context, _: Anyone, Path(token): Path<String>) -> Result<Json<InviteToAccept>, Error> {
    let id = id_of(&context, &token)?;
    let lookup = context.begin_nobody().await?;
    let found: FoundInvite = lookup.one(FIND_INVITE, &[&id]).await?;
    found.expect_open()?;
    let has_account = found.password_hash.is_some();
    let FoundInvite { company_name, email, name, role, invited_by_name, expires_at, .. } = found;
    Ok(Json(InviteToAccept { company_name, email, name, role, invited_by_name, expires_at, has_account }))
}
