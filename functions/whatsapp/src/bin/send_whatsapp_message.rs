//! POST /whatsapp/messages/send — sends a message to a phone: into the client's open conversation, or one that begins with it.

use conversations::{Addressed, BEGIN_FAILS, Begun, Message, Recipient, begin, phone::Phone};
use shared::{VISIBLE, error::INTERNAL, prelude::*, visible};

const ROUTE: Route = Route::post("/whatsapp/messages/send").fails(&BEGIN_FAILS);

reads!(PUBLIC_API_URL);

/// A message to a phone.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SendWhatsappMessage")]
struct ToPhone {
    /// Who is known by it, or a client who is made now.
    #[garde(dive)]
    phone: Phone,
    /// What a client is called who is made now.
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    /// The number to write from; the company's only active one without it.
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
}

pub fn main() {
    serve(&ROUTE, send_whatsapp_message);
}

async fn send_whatsapp_message(
    context: Context,
    agent: Staff,
    IdempotencyKey(key): IdempotencyKey,
    Json(Addressed { to, message: input }): Json<Addressed<ToPhone>>,
) -> Result<Created<Message>, Error> {
    let ToPhone { phone, name, channel_account_id } = to;
    let to = Recipient { client_id: None, phone: Some(phone), name, channel_account_id };
    let own_id = input.own_id(&context, &agent, key);
    let transaction = context.begin(&agent).await?;
    let begun = begin(&context, &transaction, &agent, &to, Some((&input, own_id))).await?;
    let Begun { message: Some(message), is_repeated, .. } = begun else {
        return Err(INTERNAL.caused_by("a message that was sent is not there"));
    };
    if is_repeated {
        return Ok(Created(message));
    }
    transaction.commit(Created(message)).await
}
