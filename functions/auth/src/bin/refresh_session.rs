//! POST /auth/refresh — a refresh token for a new pair, the same one until that is used. After that the token ends its login.

use auth::{END_FAMILY, REFRESH_TOKEN_INVALID, Revocation, RevocationReason, TokenPair, refresh_token};
use shared::{crypto, error::WRONG_COMPANY, parameters, prelude::*};

const ROUTE: Route = Route::post("/auth/refresh").or(&["/auth/refresh-token"]).fails(&[REFRESH_TOKEN_INVALID, WRONG_COMPANY]);

const JUDGE: &str = "select * from app.judge_refresh_token($1)";

const SUCCEED: &str = "select app.succeed_refresh_token($1, $2, $3)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    #[garde(length(min = 1, max = 256))]
    refresh_token: String,
}

#[derive(FromRow)]
struct Judgement {
    outcome: String,
    session_id: Option<Uuid>,
    company_id: Option<Uuid>,
    user_id: Option<Uuid>,
    role: Option<Role>,
    family_id: Option<Uuid>,
    key_ids: Option<Vec<String>>,
}

impl Judgement {
    /// Whose token it is, and of which login; `None` for one that is unknown.
    fn holder(&self) -> Option<(Identity, Uuid)> {
        let identity =
            Identity { user_id: self.user_id?, company_id: self.company_id?, role: self.role?, session_id: self.session_id? };
        Some((identity, self.family_id?))
    }
}

pub fn main() {
    serve(&ROUTE, refresh_session);
}

async fn refresh_session(context: Context, _: Anyone, Json(input): Json<Refresh>) -> Result<Json<TokenPair>, Error> {
    let hash = |token: &str| crypto::sha256(token.as_bytes());
    let presented = hash(&input.refresh_token);
    let transaction = context.begin_nobody().await?;
    let judgement: Judgement = transaction.one(JUDGE, &[&presented]).await?;
    let (identity, family_id) = judgement.holder().ok_or(REFRESH_TOKEN_INVALID)?;
    match judgement.outcome.as_str() {
        "usable" => {
            context.is_for(identity.company_id)?;
            let known_ids = judgement.key_ids.unwrap_or_default();
            let keys = &context.secrets().token_keys;
            let successor = refresh_token::successor(keys, &known_ids, family_id, &input.refresh_token);
            transaction.defer(SUCCEED, parameters![presented, hash(&successor.token), successor.key_id.to_owned()]);
            transaction.commit_quietly().await?;
            Ok(Json(TokenPair::new(&context, &identity, successor.token)))
        }
        "reused" => {
            let sessions = transaction.all(END_FAMILY, &[&identity.session_id]).await?;
            transaction.commit_quietly().await?;
            let reason = RevocationReason::RefreshTokenReused;
            Revocation { user_id: identity.user_id, sessions, reason }.spread(&context, None).await;
            Err(REFRESH_TOKEN_INVALID.into())
        }
        _ => Err(REFRESH_TOKEN_INVALID.into()),
    }
}
