//! What open sockets may see: read anew where it may have changed.

use futures_util::future::BoxFuture;
use postgres_from_row::FromRow;
use uuid::Uuid;

use super::connections::{Connection, find, of_user, refresh};
use crate::{
    audience::Reader,
    context::Context,
    error::{Error, SESSION_REVOKED},
    identity::Identity,
    log,
};

const SIGHT: &str = "select app.sees_all() as sees_all, app.audiences() as audiences from app.enter($1, $2, $3, $4)";

#[derive(FromRow)]
struct Sight {
    sees_all: bool,
    audiences: Vec<String>,
}

/// Writes what a connection may see now, if that is not what it has.
///
/// # Errors
/// 401 when its session has ended, 503 when a store does not answer.
pub fn look_anew<'a>(context: &'a Context, connection: &'a Connection) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let Identity { company_id, user_id, role, session_id } = &connection.identity;
        let transaction = context.begin_nobody().await?;
        let Sight { sees_all, audiences } = transaction.one(SIGHT, &[company_id, user_id, &role.as_str(), session_id]).await?;
        drop(transaction);
        let reader = Reader { is_staff: role.is_staff(), sees_all, audiences };
        if reader == connection.reader {
            return Ok(());
        }
        refresh(context, &Connection { reader, ..connection.clone() }).await
    })
}

/// Lets the sockets of these people in the company see what they may see now. One that is missed follows with its next `ping`.
pub(super) async fn follow(context: &Context, company_id: Uuid, user_ids: &[Uuid]) {
    for user_id in user_ids {
        if let Err(error) = follow_one(context, company_id, *user_id).await {
            log::warn("sockets see what they saw", error.cause().unwrap_or(error.problem().code));
        }
    }
}

async fn follow_one(context: &Context, company_id: Uuid, user_id: Uuid) -> Result<(), Error> {
    let open = of_user(context, user_id).await?;
    for connection in open.into_iter().filter(|connection| connection.identity.company_id == company_id) {
        // With its topics, which only the connection's own row lists.
        let Some(connection) = find(context, &connection.id).await? else { continue };
        match look_anew(context, &connection).await {
            Err(error) if error.problem() != SESSION_REVOKED => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
