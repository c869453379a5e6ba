//! POST /auth/login/verify — the challenge of a login, with a code, for a pair of tokens.

use auth::{
    Company, NewSession, SignedIn, SignedInUser,
    second_factor::{Given, Judgement, TOO_MANY_CODES},
};
use shared::{crypto, error::WRONG_COMPANY, prelude::*};

const CHALLENGE_INVALID: Problem = Problem::new(
    401,
    "challenge_invalid",
    "O tempo para informar o código acabou. Entre novamente.",
    "The time to give the code is over. Sign in again.",
);

/// Beside `challenge_invalid`, as a wrong password is.
const CODE_WRONG: Problem =
    Problem::new(401, "code_wrong", "O código não confere. Tente de novo.", "The code is not right. Try again.");

const ROUTE: Route = Route::post("/auth/login/verify").fails(&[CHALLENGE_INVALID, CODE_WRONG, TOO_MANY_CODES, WRONG_COMPANY]);

const FIND_CHALLENGE: &str = "select * from app.find_challenge($1)";

const SIGN_IN: &str = "select * from app.sign_in_with_code($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Answered {
    /// Of the login.
    #[garde(length(min = 1, max = 256))]
    challenge: String,
    /// Six digits of the app, or a recovery code.
    #[garde(length(chars, min = 6, max = 40))]
    code: String,
}

#[derive(FromRow)]
struct Challenged {
    user_id: Uuid,
    name: String,
    email: String,
    #[from_row(flatten)]
    company: Company,
    role: Role,
    avatar_url: Option<String>,
    secret: Vec<u8>,
}

pub fn main() {
    serve(&ROUTE, verify_login);
}

async fn verify_login(context: Context, _: Anyone, Json(input): Json<Answered>) -> Result<Json<SignedIn>, Error> {
    let challenge = crypto::sha256(input.challenge.as_bytes());
    let transaction = context.begin_nobody().await?;
    let found: Option<Challenged> = transaction.first(FIND_CHALLENGE, &[&challenge]).await?;
    let Challenged { user_id, name, email, company, role, avatar_url, secret } = found.ok_or(CHALLENGE_INVALID)?;
    context.is_for(company.id)?;
    let Given { step, recovery_hash } = Given::read(&context, user_id, &secret, &input.code)?;
    let session = NewSession::new(&context);
    let origin = context.origin();
    let device = session.device.name();
    let answered = transaction
        .enter_with(
            SIGN_IN,
            &[
                &challenge,
                &step,
                &recovery_hash,
                &session.id,
                &session.refresh_hash,
                &origin.user_agent,
                &origin.ip,
                &origin.request_id,
                &device,
                &session.network,
            ],
        )
        .await?
        .ok_or(CHALLENGE_INVALID)?;
    let judgement = Judgement { outcome: answered.get("outcome"), seconds: answered.get("seconds") };
    if let Err(refusal) = judgement.check(CODE_WRONG) {
        // A wrong one counts.
        transaction.audit(user_id, &Value::Null, &json!({"code": judgement.outcome}));
        transaction.commit_quietly().await?;
        return Err(refusal);
    }
    let user = SignedInUser { id: user_id, name, email, role, avatar_url };
    let signed_in = session.answer(&context, &transaction, user, company, &answered);
    transaction.commit(Json(signed_in)).await
}
