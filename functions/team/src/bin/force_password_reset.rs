//! POST /admin/reset-password/{id} — mails a member a link to set a new password. Their present one stays until they do: nobody but they
//! ever knows one, and whoever is admin here has no say in the other companies of theirs.

use auth::notices::{self, Addressee};
use shared::{error::NOT_FOUND, prelude::*};

const TOO_MANY_LINKS: Problem = Problem::new(
    429,
    "too_many_links",
    "Esta pessoa já recebeu vários links. Aguarde meia hora.",
    "This person was sent several links already. Wait half an hour.",
);

const ROUTE: Route = Route::post("/admin/reset-password/{id}").fails(&[TOO_MANY_LINKS]);

const MAKE: &str = "select email, name, locale, is_made from app.force_password_reset($1, $2)";

/// Seconds after which a person may be sent another link, at the latest.
const PAUSE: u32 = 1800;

#[derive(FromRow)]
struct Made {
    email: String,
    name: String,
    locale: String,
    is_made: bool,
}

pub fn main() {
    serve(&ROUTE, force_password_reset);
}

async fn force_password_reset(
    context: Context,
    admin: Admin,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
) -> Result<NoContent, Error> {
    let reset_id = context.new_id();
    let transaction = context.begin(&admin).await?;
    let made: Option<Made> = transaction.first(MAKE, &[&reset_id, &id]).await?;
    let Made { email, name, locale, is_made } = made.ok_or(NOT_FOUND)?;
    if !is_made {
        return Err(TOO_MANY_LINKS.retry_after(PAUSE));
    }
    notices::password_reset(&transaction, &Addressee { email, name, locale }, reset_id, true);
    transaction.audit(id, &Value::Null, &json!({"password_reset": "sent"}));
    transaction.commit(NoContent).await
}
