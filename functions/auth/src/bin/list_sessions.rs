//! GET /auth/sessions — the caller's open logins on all their devices, this one first.

use auth::device::Device;
use shared::prelude::*;

const ROUTE: Route = Route::get("/auth/sessions");

const OWN_LOGINS: &str = "select * from app.own_logins()";

/// One login, with the sessions in every company that it has entered.
#[derive(Serialize, JsonSchema)]
struct OpenLogin {
    id: Uuid,
    device: Device,
    /// As the device calls itself.
    user_agent: Option<String>,
    ip: Option<String>,
    created_at: Timestamp,
    /// To the minute.
    last_seen_at: Timestamp,
    /// When it ends, whatever is done with it.
    expires_at: Timestamp,
    /// Whether this request was made in it.
    is_current: bool,
    company_names: Vec<String>,
}

#[derive(FromRow)]
struct LoginRow {
    id: Uuid,
    user_agent: Option<String>,
    ip: Option<String>,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Timestamp,
    is_current: bool,
    company_names: Vec<String>,
}

impl From<LoginRow> for OpenLogin {
    fn from(row: LoginRow) -> Self {
        let LoginRow { id, user_agent, ip, created_at, last_seen_at, expires_at, is_current, company_names } = row;
        let device = Device::of(user_agent.as_deref());
        Self { id, device, user_agent, ip, created_at, last_seen_at, expires_at, is_current, company_names }
    }
}

pub fn main() {
    serve(&ROUTE, list_sessions);
}

async fn list_sessions(context: Context, caller: Member) -> Result<Page<OpenLogin>, Error> {
    let transaction = context.begin(&caller).await?;
    let rows: Vec<LoginRow> = transaction.all(OWN_LOGINS, &[]).await?;
    Ok(Page::whole(rows.into_iter().map(OpenLogin::from).collect()))
}
