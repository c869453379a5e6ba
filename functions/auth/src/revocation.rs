//! The end of a login: every session of its family, in every company, with their sockets.

use shared::{log, prelude::*, realtime};

/// Ends the family of session `$1` and answers all of it.
pub const END_FAMILY: &str = "select session_id, company_id from app.end_family($1)";

/// Ends the login `$1` of the caller's, or where that is null all but the one they are in, and answers their sessions.
pub const END_OWN_LOGINS: &str = "select session_id, company_id from app.end_own_logins($1)";

/// A session that has ended with its login.
#[derive(Debug, FromRow)]
pub struct EndedSession {
    pub session_id: Uuid,
    pub company_id: Uuid,
}

/// A session has ended before its time: its sockets close and its next request answers 401.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionRevoked {
    pub session_id: Uuid,
    pub reason: RevocationReason,
}

#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    Logout,
    /// Its owner ended it from another login.
    Revoked,
    /// Nobody has used it for as long as the company says.
    Idle,
    /// Its owner has set another password.
    PasswordChanged,
    /// A refresh token came again although its successor was in use: one of two who hold it is not its owner.
    RefreshTokenReused,
}

event!(SessionRevoked = "session.revoked");

/// The end of one person's family of sessions.
#[derive(Debug)]
pub struct Revocation {
    pub user_id: Uuid,
    pub sessions: Vec<EndedSession>,
    pub reason: RevocationReason,
}

impl Revocation {
    /// Tells the person's own devices, and the audit trail, of the sessions in the transaction's company.
    pub fn tell_in(&self, transaction: &Transaction, company_id: Uuid) {
        let Self { user_id, reason, .. } = *self;
        for session in self.sessions.iter().filter(|session| session.company_id == company_id) {
            let payload = SessionRevoked { session_id: session.session_id, reason };
            transaction.tell_person(user_id, &payload);
            transaction.audit(session.session_id, &Value::Null, &json!({"user_id": user_id, "revoked": reason}));
        }
    }

    /// Once it is committed: tells the companies that do not know yet and closes the sockets.
    pub async fn spread(&self, context: &Context, told: Option<Uuid>) {
        let mut companies: Vec<Uuid> = self.sessions.iter().map(|session| session.company_id).collect();
        companies.sort_unstable();
        companies.dedup();
        for company_id in companies.into_iter().filter(|company_id| Some(*company_id) != told) {
            if let Err(error) = self.tell(context, company_id).await {
                log::warn("revocation not told", error.cause().unwrap_or_default());
            }
        }
        let sessions: Vec<Uuid> = self.sessions.iter().map(|session| session.session_id).collect();
        realtime::close_sessions(context, self.user_id, &sessions).await;
    }

    async fn tell(&self, context: &Context, company_id: Uuid) -> Result<(), Error> {
        let transaction = context.begin_system(company_id).await?;
        self.tell_in(&transaction, company_id);
        transaction.commit_quietly().await
    }
}
