//! POST /auth/logout — ends this session at once: its next request answers 401 and its sockets close.

use auth::RevocationReason;
use shared::{prelude::*, realtime};

const ROUTE: Route = Route::post("/auth/logout");

const REVOKE_SESSION: &str = "update sessions set revoked_at = now() where id = app.session_id()";

fn main() {
    serve(&ROUTE, logout);
}

async fn logout(context: Context, caller: Member) -> Result<NoContent, Error> {
    let transaction = context.begin(&caller).await?;
    transaction.execute(REVOKE_SESSION, &[]).await?;
    transaction.emit(auth::session_revoked(&caller, RevocationReason::Logout));
    transaction.audit(caller.session_id, &Value::Null, &json!({"revoked": RevocationReason::Logout}));
    let answer = transaction.commit(NoContent).await?;
    realtime::close_session(&context, &caller).await;
    Ok(answer)
}
