//! POST /auth/password/forgot — mails a link to set a new password to whoever has this address. Says and takes the same when nobody has.

use std::time::Duration;

use auth::notices::{self, Addressee};
use futures_util::future::join;
use shared::{closed_set, prelude::*};
use tokio::time::sleep;

const ROUTE: Route = Route::post("/auth/password/forgot");

/// How long every answer takes: longer than the mail's row and its job, whose making would otherwise be seen.
const PATIENCE: Duration = Duration::from_millis(400);

const REQUEST: &str = "select * from app.request_password_reset($1, $2, $3, $4, $5)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Forgot {
    #[garde(dive)]
    email: Email,
}

closed_set! {
    /// If somebody has the address, a mail is on its way to it.
    ResetStatus { CheckYourMail = "check_your_mail" }
}

#[derive(Serialize, JsonSchema)]
struct Requested {
    status: ResetStatus,
}

pub fn main() {
    serve(&ROUTE, request_password_reset);
}

async fn request_password_reset(context: Context, _: Anyone, Json(input): Json<Forgot>) -> Result<Accepted<Requested>, Error> {
    let (requested, ()) = join(request(&context, &input.email), sleep(PATIENCE)).await;
    requested?;
    Ok(Accepted(Requested { status: ResetStatus::CheckYourMail }))
}

async fn request(context: &Context, email: &str) -> Result<(), Error> {
    let (id, origin) = (context.new_id(), context.origin());
    let transaction = context.begin_nobody().await?;
    let made = transaction.enter_with(REQUEST, &[&id, &email, &origin.user_agent, &origin.ip, &origin.request_id]).await?;
    if let Some(row) = made {
        let to = Addressee { email: row.get("email"), name: row.get("name"), locale: row.get("locale") };
        notices::password_reset(&transaction, &to, id, false);
    }
    transaction.commit_quietly().await
}
