//! What an error of Postgres means to the caller.

use tokio_postgres::error::SqlState;

use crate::error::{Error, INTERNAL, INVALID, NOT_FOUND, SESSION_REVOKED, STEP_UP_REQUIRED, TWO_FACTOR_REQUIRED, UNAVAILABLE};

/// Whether a new connection may do better: the server is waking, restarting, full, or unreachable.
pub(crate) fn is_worth_reconnecting(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        None => true,
        Some(code) => {
            code.code().starts_with("08")
                || [
                    SqlState::ADMIN_SHUTDOWN,
                    SqlState::CRASH_SHUTDOWN,
                    SqlState::CANNOT_CONNECT_NOW,
                    SqlState::TOO_MANY_CONNECTIONS,
                ]
                .contains(code)
        }
    }
}

/// Whether a prepared statement no longer fits a table that a migration has meanwhile changed.
pub(crate) fn is_plan_outdated(error: &tokio_postgres::Error) -> bool {
    let is_meant = |message: &str| message == "cached plan must not change result type";
    error.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) && error.as_db_error().is_some_and(|error| is_meant(error.message()))
}

/// The error for the caller. Errors after which nothing can have been committed are marked as worth doing again.
pub(crate) fn explain(error: &tokio_postgres::Error) -> Error {
    let Some(database) = error.as_db_error() else {
        let is_ours = matches!(error.to_string().as_str(), text if text.starts_with("error serializing") || text.starts_with("error deserializing"));
        if is_ours {
            return INTERNAL.caused_by(describe(error));
        }
        return transient(error, "connection");
    };
    let code = database.code();
    // As `app.enter` refuses.
    if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        let refusals = [SESSION_REVOKED, TWO_FACTOR_REQUIRED, STEP_UP_REQUIRED];
        if let Some(refusal) = refusals.into_iter().find(|refusal| refusal.code == database.message()) {
            return refusal.into();
        }
    }
    if let Some(why) = passing_reason(error, code) {
        return transient(error, why);
    }
    if [SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE].contains(code) {
        return UNAVAILABLE.caused_by(describe(error));
    }
    let problem = match code {
        // A reference to a row of nobody, or of another tenant.
        code if *code == SqlState::FOREIGN_KEY_VIOLATION => NOT_FOUND,
        // A time before those that the server knows.
        code if *code == SqlState::DATETIME_FIELD_OVERFLOW => INVALID,
        _ => INTERNAL,
    };
    let mut explained = problem.caused_by(describe(error));
    explained.0.constraint = database.constraint().map(str::to_owned);
    explained
}

fn passing_reason(error: &tokio_postgres::Error, code: &SqlState) -> Option<&'static str> {
    match code {
        code if *code == SqlState::T_R_DEADLOCK_DETECTED => Some("deadlock"),
        code if *code == SqlState::T_R_SERIALIZATION_FAILURE => Some("serialization"),
        _ if is_plan_outdated(error) => Some("plan"),
        _ => is_worth_reconnecting(error).then_some("connection"),
    }
}

fn transient(error: &tokio_postgres::Error, why: &'static str) -> Error {
    let mut explained = UNAVAILABLE.caused_by(describe(error));
    explained.0.transient = Some(why);
    explained
}

fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(database) => format!("{}: {} ({:?})", database.code().code(), database.message(), database.where_()),
        None => format!("{error:?}"),
    }
}
