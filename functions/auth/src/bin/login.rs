//! POST /auth/login — e-mail and password for a pair of tokens.

use std::time::Duration;

use auth::{CREDENTIALS_WRONG, Candidate, Company, NO_COMPANY, PENDING_APPROVAL, SignedIn, SignedInUser, TOO_MANY_FAILURES};
use shared::{limits, prelude::*};

const ROUTE: Route = Route::post("/auth/login").fails(&[CREDENTIALS_WRONG, NO_COMPANY, PENDING_APPROVAL, TOO_MANY_FAILURES]);

const FAILURE_WINDOW: Duration = Duration::from_mins(15);
const FAILURES_PER_ACCOUNT: u64 = 5;
const FAILURES_PER_ADDRESS: u64 = 30;

/// Of no password: verified when the e-mail is unknown, so that the answer takes as long.
const DUMMY_HASH: &str = "$2b$12$C6UzMDM.H6dfI/f/IKcEeO5m8Y8Yb6FqQm0r1bGq4P6oHeuFq4p2e";

const FIND_LOGIN: &str = "select * from app.find_login($1)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    #[garde(email, length(max = 254))]
    email: String,
    #[garde(length(min = 1, max = 128))]
    password: String,
    /// Which company to enter, when the person belongs to several; the oldest otherwise.
    #[garde(skip)]
    company_id: Option<Uuid>,
}

fn main() {
    serve(&ROUTE, login);
}

async fn login(context: Context, _: Anyone, Json(input): Json<Login>) -> Result<Json<SignedIn>, Error> {
    let email = input.email.to_lowercase();
    refuse_after_failures(&context, &email).await?;
    let lookup = context.begin_nobody().await?;
    let candidates: Vec<Candidate> = lookup.all(FIND_LOGIN, &[&email]).await?;
    // Hashing takes long: nothing is held open meanwhile.
    lookup.commit_quietly().await?;
    let hash = candidates.first().map_or(DUMMY_HASH, |candidate| &candidate.password_hash);
    let is_right = bcrypt::verify(&input.password, hash).unwrap_or(false);
    if !is_right || candidates.is_empty() {
        count_failure(&context, &email).await;
        return Err(CREDENTIALS_WRONG.into());
    }
    let wanted = |candidate: &&Candidate| input.company_id.is_none() || candidate.company_id == input.company_id;
    let candidate = candidates.iter().find(wanted).ok_or(NO_COMPANY)?;
    match candidate.status.as_deref() {
        Some("active") => {}
        Some("pending_approval") => return Err(PENDING_APPROVAL.into()),
        _ => return Err(NO_COMPANY.into()),
    }
    let (Some(company_id), Some(name), Some(slug)) =
        (candidate.company_id, candidate.company_name.clone(), candidate.company_slug.clone())
    else {
        return Err(NO_COMPANY.into());
    };
    let role = candidate.role.as_deref().and_then(auth::parse_role).ok_or(NO_COMPANY)?;
    let transaction = context.begin_nobody().await?;
    let (identity, tokens) = auth::start_session(&context, &transaction, candidate.user_id, company_id, role).await?;
    let user = SignedInUser { id: identity.user_id, name: candidate.name.clone(), email, role };
    let company = Company { id: company_id, name, slug };
    let answer = SignedIn {
        user,
        company,
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        expires_in: tokens.expires_in,
    };
    transaction.commit(Json(answer)).await
}

fn keys(context: &Context, email: &str) -> [(String, u64); 2] {
    let ip = context.origin().ip.clone().unwrap_or_default();
    [(format!("login-failures:{ip}:{email}"), FAILURES_PER_ACCOUNT), (format!("login-failures:{ip}"), FAILURES_PER_ADDRESS)]
}

async fn refuse_after_failures(context: &Context, email: &str) -> Result<(), Error> {
    for (key, most) in keys(context, email) {
        if let Some((failures, seconds)) = limits::count(context, &key, 0, FAILURE_WINDOW).await
            && failures >= most
        {
            return Err(TOO_MANY_FAILURES.retry_after(seconds));
        }
    }
    Ok(())
}

async fn count_failure(context: &Context, email: &str) {
    for (key, _) in keys(context, email) {
        limits::count(context, &key, 1, FAILURE_WINDOW).await;
    }
}
