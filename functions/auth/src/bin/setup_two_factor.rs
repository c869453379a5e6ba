//! POST /auth/2fa/setup — a new secret for the caller's authenticator app, which counts from its first code on.

use auth::{
    qr,
    second_factor::{self, ALREADY_ENABLED},
    totp,
};
use shared::{error::INTERNAL, prelude::*};

const ROUTE: Route = Route::post("/auth/2fa/setup").fails(&[ALREADY_ENABLED]);

/// The address stands above the code in the app.
const OWN_EMAIL: &str = "select email from users where id = app.user_id()";

const BEGIN: &str = "select app.begin_second_factor($1) as is_begun";

#[derive(Serialize, JsonSchema)]
struct SetUp {
    /// For who types it into the app: base 32.
    secret: String,
    /// What the picture says, for an app on the same device.
    otpauth_uri: String,
    /// The picture for the app's camera, as SVG.
    qr_svg: String,
}

#[derive(FromRow)]
struct Own {
    email: String,
}

pub fn main() {
    serve(&ROUTE, setup_two_factor);
}

async fn setup_two_factor(context: Context, caller: SettingUp<Member>) -> Result<Json<SetUp>, Error> {
    let transaction = context.begin(&caller).await?;
    let Own { email } = transaction.one(OWN_EMAIL, &[]).await?;
    let secret = totp::new_secret();
    let sealed = second_factor::seal(&context.secrets().encryption_keys, caller.user_id, &secret);
    let rows = transaction.query(BEGIN, &[&sealed]).await?;
    if !rows.first().is_some_and(|row| row.get("is_begun")) {
        return Err(ALREADY_ENABLED.into());
    }
    let otpauth_uri = totp::uri(&secret, &email);
    let qr_svg = qr::svg(&otpauth_uri).map_err(|error| INTERNAL.caused_by(error))?;
    transaction.audit(caller.user_id, &Value::Null, &json!({"two_factor": "begun"}));
    transaction.commit(Json(SetUp { secret: totp::text_of(&secret), otpauth_uri, qr_svg })).await
}
