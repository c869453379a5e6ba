//! POST /auth/refresh — a refresh token for a new pair. A token that comes a second time ends its login.

use auth::{END_FAMILY, REFRESH_TOKEN_INVALID, Revocation, RevocationReason, TokenPair};
use shared::{crypto, prelude::*};

const ROUTE: Route = Route::post("/auth/refresh").or(&["/auth/refresh-token"]).fails(&[REFRESH_TOKEN_INVALID]);

const ROTATE: &str = "select * from app.rotate_refresh_token($1, $2)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    #[garde(length(min = 1, max = 256))]
    refresh_token: String,
}

#[derive(FromRow)]
struct Rotation {
    outcome: String,
    session_id: Option<Uuid>,
    company_id: Option<Uuid>,
    user_id: Option<Uuid>,
    role: Option<String>,
}

impl Rotation {
    /// Whose token it is; `None` for one that is unknown.
    fn identity(&self) -> Option<Identity> {
        let role = self.role.as_deref()?.parse().ok()?;
        Some(Identity { user_id: self.user_id?, company_id: self.company_id?, role, session_id: self.session_id? })
    }
}

fn main() {
    serve(&ROUTE, refresh_session);
}

async fn refresh_session(context: Context, _: Anyone, Json(input): Json<Refresh>) -> Result<Json<TokenPair>, Error> {
    let refresh_token = crypto::random_token();
    let hash = |token: &str| crypto::sha256(token.as_bytes());
    let transaction = context.begin_nobody().await?;
    let rotation: Rotation = transaction.one(ROTATE, &[&hash(&input.refresh_token), &hash(&refresh_token)]).await?;
    let sessions = match (rotation.outcome.as_str(), rotation.session_id) {
        ("reused", Some(session_id)) => transaction.all(END_FAMILY, &[&session_id]).await?,
        _ => Vec::new(),
    };
    // Also when the token is refused: a reused one has just ended its family.
    transaction.commit_quietly().await?;
    let identity = rotation.identity().ok_or(REFRESH_TOKEN_INVALID)?;
    match rotation.outcome.as_str() {
        "rotated" | "raced" => Ok(Json(TokenPair::new(&context, &identity, refresh_token))),
        "reused" => {
            let reason = RevocationReason::RefreshTokenReused;
            Revocation { user_id: identity.user_id, sessions, reason }.spread(&context, None).await;
            Err(REFRESH_TOKEN_INVALID.into())
        }
        _ => Err(REFRESH_TOKEN_INVALID.into()),
    }
}
