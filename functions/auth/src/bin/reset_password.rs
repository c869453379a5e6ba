//! POST /auth/password/reset — a new password, by the link that was mailed. Every login of the person ends.

use auth::{
    EndedSession, Revocation, RevocationReason,
    notices::{self, Addressee},
    password,
};
use shared::{
    links::{Link, Purpose},
    prelude::*,
};

const LINK_INVALID: Problem = Problem::new(
    410,
    "link_invalid",
    "Este link não vale mais. Peça outro.",
    "This link is no longer good. Ask for another one.",
);

const ROUTE: Route = Route::post("/auth/password/reset").fails(&[LINK_INVALID]);

const FIND: &str = "select email, name from app.find_password_reset($1)";

const RESET: &str = "select * from app.reset_password($1, $2, $3, $4, $5)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reset {
    /// Of the link.
    #[garde(length(min = 1, max = 256))]
    token: String,
    #[garde(length(chars, min = 10, max = 128))]
    password: String,
}

#[derive(FromRow)]
struct Holder {
    email: String,
    name: String,
}

pub fn main() {
    serve(&ROUTE, reset_password);
}

async fn reset_password(context: Context, _: Anyone, Json(input): Json<Reset>) -> Result<NoContent, Error> {
    let keys = &context.secrets().token_keys;
    let Link { id, .. } = Link::read(Purpose::PasswordReset, &input.token, keys).ok_or(LINK_INVALID)?;
    let lookup = context.begin_nobody().await?;
    let holder: Option<Holder> = lookup.first(FIND, &[&id]).await?;
    // Hashing takes long: nothing is held open meanwhile.
    lookup.commit_quietly().await?;
    let Holder { email, name } = holder.ok_or(LINK_INVALID)?;
    password::expect_hard_to_guess("password", &input.password, &email, &name)?;
    let hash = password::hash(&input.password)?;
    let origin = context.origin();
    let transaction = context.begin_nobody().await?;
    let row = transaction
        .enter_with(RESET, &[&id, &hash, &origin.user_agent, &origin.ip, &origin.request_id])
        .await?
        .ok_or(LINK_INVALID)?;
    let (company_id, sessions): (Uuid, Vec<Uuid>) = (row.get("company_id"), row.get("session_ids"));
    let sessions = sessions.into_iter().zip(row.get::<_, Vec<Uuid>>("company_ids"));
    let sessions = sessions.map(|(session_id, company_id)| EndedSession { session_id, company_id }).collect();
    let revocation = Revocation { user_id: row.get("user_id"), sessions, reason: RevocationReason::PasswordChanged };
    revocation.tell_in(&transaction, company_id);
    notices::password_changed(&transaction, &Addressee { email, name, locale: row.get("locale") });
    transaction.commit_quietly().await?;
    revocation.spread(&context, Some(company_id)).await;
    Ok(NoContent)
}
