//! POST /auth/login — e-mail and password for a pair of tokens, or for a challenge where a code is asked for too.

use auth::{
    CREDENTIALS_WRONG, Candidate, Company, NO_COMPANY, PENDING_APPROVAL, SignedIn, SignedInUser,
    guard::{self, TOO_MANY_FAILURES},
    password, sign_in,
};
use shared::{crypto, error::WRONG_COMPANY, prelude::*};

const ROUTE: Route =
    Route::post("/auth/login").fails(&[CREDENTIALS_WRONG, NO_COMPANY, PENDING_APPROVAL, TOO_MANY_FAILURES, WRONG_COMPANY]);

/// Seconds in which a challenge is to be answered; see `login_challenges`.
const CHALLENGE_LIFE: i64 = 300;

const FIND_LOGIN: &str = "select * from app.find_login($1)";

const OPEN_CHALLENGE: &str = "select app.open_challenge($1, $2, $3)";

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

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum LoggedIn {
    SignedIn(Box<SignedIn>),
    Challenged(Challenged),
}

/// The password was right, and a code is asked for: `POST /auth/login/verify`.
#[derive(Serialize, JsonSchema)]
struct Challenged {
    challenge: String,
    /// Seconds in which it is to be answered.
    expires_in: i64,
}

pub fn main() {
    serve(&ROUTE, login);
}

async fn login(context: Context, _: Anyone, Json(input): Json<Login>) -> Result<Json<LoggedIn>, Error> {
    let email = input.email.to_string();
    guard::expect_failure(&context, &email).await?;
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
    guard::take_back_failure(&context, &email).await;
    let wanted = |candidate: &Candidate| input.company_id.is_none() || candidate.company_id == input.company_id;
    let candidate = candidates.into_iter().find(wanted).ok_or(NO_COMPANY)?;
    match candidate.status.as_deref() {
        Some("active") => {}
        Some("pending_approval") => return Err(PENDING_APPROVAL.into()),
        _ => return Err(NO_COMPANY.into()),
    }
    let (Some(id), Some(name), Some(slug)) = (candidate.company_id, candidate.company_name, candidate.company_slug) else {
        return Err(NO_COMPANY.into());
    };
    let role = candidate.role.ok_or(NO_COMPANY)?;
    let transaction = context.begin_nobody().await?;
    if candidate.has_second_factor {
        context.is_for(id)?;
        let challenge = crypto::random_token();
        let hash = crypto::sha256(challenge.as_bytes());
        transaction.query(OPEN_CHALLENGE, &[&hash, &id, &candidate.user_id]).await?;
        return transaction.commit(Json(LoggedIn::Challenged(Challenged { challenge, expires_in: CHALLENGE_LIFE }))).await;
    }
    let Candidate { user_id, name: user_name, avatar_url, .. } = candidate;
    let user = SignedInUser { id: user_id, name: user_name, email, role, avatar_url };
    let signed_in = sign_in(&context, &transaction, user, Company { id, name, slug }).await?;
    transaction.commit(Json(LoggedIn::SignedIn(Box::new(signed_in)))).await
}
