//! `$default` — messages that name no action we know, or are no JSON object at all.

use realtime::UNKNOWN_ACTION;
use shared::{error::MALFORMED, prelude::*, realtime::Connection};

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(transparent)]
struct Anything(#[garde(skip)] Value);

pub fn main() {
    serve_action_using(Uses::Nothing, "$default", unknown_action);
}

async fn unknown_action(_: Context, _: Connection, Anything(message): Anything) -> Result<(), Error> {
    Err(if message.is_object() { UNKNOWN_ACTION.into() } else { MALFORMED.into() })
}
