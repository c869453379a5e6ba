//! GET /webhooks/whatsapp — Meta's check that the address is ours: the challenge comes back.

use shared::{crypto, error::FORBIDDEN, prelude::*};

const ROUTE: Route = Route::get("/webhooks/whatsapp").uses(Uses::Settings).fails(&[FORBIDDEN]);

#[derive(Deserialize, Validate, JsonSchema)]
struct Verification {
    #[serde(rename = "hub.mode")]
    #[garde(length(min = 1, max = 200))]
    mode: String,
    #[serde(rename = "hub.verify_token")]
    #[garde(length(min = 1, max = 200))]
    verify_token: String,
    #[serde(rename = "hub.challenge")]
    #[garde(length(min = 1, max = 200))]
    challenge: String,
}

pub fn main() {
    serve(&ROUTE, verify_whatsapp_webhook);
}

async fn verify_whatsapp_webhook(context: Context, _: Anyone, Query(asked): Query<Verification>) -> Result<Text, Error> {
    let expected = &context.secrets().whatsapp_verify_token;
    let is_ours = crypto::equal_secrets(asked.verify_token.as_bytes(), expected.as_bytes());
    if asked.mode == "subscribe" && is_ours { Ok(Text(asked.challenge)) } else { Err(FORBIDDEN.into()) }
}
