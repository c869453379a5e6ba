//! POST /auth/login — e-mail and password for a pair of tokens.

use std::time::Duration;

use auth::{
    CREDENTIALS_WRONG, Candidate, Company, NO_COMPANY, PENDING_APPROVAL, SignedIn, SignedInUser, TOO_MANY_FAILURES, password,
};
use shared::{error::WRONG_COMPANY, limits, prelude::*};

const ROUTE: Route =
    Route::post("/auth/login").fails(&[CREDENTIALS_WRONG, NO_COMPANY, PENDING_APPROVAL, TOO_MANY_FAILURES, WRONG_COMPANY]);

const FAILURE_WINDOW: Duration = Duration::from_mins(15);
const FAILURES_PER_ACCOUNT: u64 = 5;
const FAILURES_PER_ADDRESS: u64 = 30;

const FIND_LOGIN: &str = "select * from app.find_login($1)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    #[garde(dive)]
    email: Email,
    #[garde(length(chars, min = 1, max = 128))]
    password: String,
    /// Which company to enter, when the person belongs to several; otherwise their primary one, else the oldest.
    #[garde(skip)]
    company_id: Option<Uuid>,
}

pub fn main() {
    serve(&ROUTE, login);
}

async fn login(context: Context, _: Anyone, Json(input): Json<Login>) -> Result<Json<SignedIn>, Error> {
    let email = input.email.to_string();
    expect_failure(&context, &email).await?;
    let lookup = context.begin_nobody().await?;
    let candidates: Vec<Candidate> = lookup.all(FIND_LOGIN, &[&email]).await?;
    // Hashing takes long: nothing is held open meanwhile.
    lookup.commit_quietly().await?;
    let hash = candidates.first().map(|candidate| candidate.password_hash.as_str());
    let is_right = password::is_right(&input.password, hash);
    // Who is active nowhere is told what a stranger is told.
    if !is_right || candidates.iter().all(Candidate::is_inactive) {
        return Err(CREDENTIALS_WRONG.into());
    }
    take_back_failure(&context, &email).await;
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
    let role = candidate.role.ok_or(NO_COMPANY)?;
    let transaction = context.begin_nobody().await?;
    let (identity, tokens) = auth::start_session(&context, &transaction, candidate.user_id, company_id, role).await?;
    let user = SignedInUser { id: identity.user_id, name: candidate.name.clone(), email, role, avatar_url: None };
    let company = Company { id: company_id, name, slug };
    transaction.commit(Json(SignedIn { user, company, tokens })).await
}

/// The counters of failures, with the most each may reach.
fn counters(context: &Context, email: &str) -> [(String, u64); 2] {
    let ip = context.origin().ip.clone().unwrap_or_default();
    [(format!("login-failures:{ip}:{email}"), FAILURES_PER_ACCOUNT), (format!("login-failures:{ip}"), FAILURES_PER_ADDRESS)]
}

/// Counts a failure before the password is looked at, so that many tries at once do not pass one by one; refuses over the limit.
async fn expect_failure(context: &Context, email: &str) -> Result<(), Error> {
    for (key, most) in counters(context, email) {
        if let Some((failures, seconds)) = limits::count_since_first(context, &key, FAILURE_WINDOW).await
            && failures > most
        {
            return Err(TOO_MANY_FAILURES.retry_after(seconds));
        }
    }
    Ok(())
}

/// It was not a failure after all.
async fn take_back_failure(context: &Context, email: &str) {
    for (key, _) in counters(context, email) {
        limits::take_back(context, &key).await;
    }
}
