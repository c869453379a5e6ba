//! POST /conversations — writes to a client first: finds their open conversation on a number, or begins one that the caller holds.

use conversations::{BEGIN_FAILS, Begun, Conversation, Message, MessageToSend, Recipient, begin, phone::Phone};
use shared::{VISIBLE, prelude::*, rule, visible};

const ROUTE: Route = Route::post("/conversations").or(&["/chats"]).fails(&BEGIN_FAILS);

reads!(PUBLIC_API_URL);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = either_one)]
struct StartConversation {
    /// Give either a client or a phone.
    #[garde(custom(one_recipient(self.phone.is_some())))]
    client_id: Option<Uuid>,
    /// Who is known by it, or a client who is made now.
    #[garde(dive)]
    phone: Option<Phone>,
    /// What a client is called who is made now.
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)), custom(beside_phone(self.phone.is_some())))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    /// The number to write from; the company's only active one without it.
    #[garde(skip)]
    channel_account_id: Option<Uuid>,
    /// Sent to the client at once. Outside the 24-hour window only a template may be.
    #[garde(dive)]
    message: Option<MessageToSend>,
}

/// The conversation, and the message that was sent.
#[derive(Serialize, JsonSchema)]
struct StartedConversation {
    #[serde(flatten)]
    conversation: Conversation,
    message: Option<Message>,
}

pub fn main() {
    serve(&ROUTE, start_conversation);
}

async fn start_conversation(
    context: Context,
    agent: Staff,
    IdempotencyKey(key): IdempotencyKey,
    Json(input): Json<StartConversation>,
) -> Result<Made<StartedConversation>, Error> {
    let StartConversation { client_id, phone, name, channel_account_id, message } = input;
    let to = Recipient { client_id, phone, name, channel_account_id };
    let message = message.as_ref().map(|message| (message, message.own_id(&context, &agent, key)));
    let transaction = context.begin(&agent).await?;
    let Begun { conversation, message, is_new, is_repeated } = begin(&context, &transaction, &agent, &to, message).await?;
    let started = StartedConversation { conversation, message };
    if is_repeated {
        return Ok(Made::Before(started));
    }
    transaction.commit(if is_new { Made::Now(started) } else { Made::Before(started) }).await
}

/// As the rules say it, for the description.
fn either_one(schema: &mut schemars::Schema) {
    let by = |given: &str, absent: &[&str]| {
        let mut properties: Map<String, Value> =
            absent.iter().map(|name| ((*name).to_owned(), json!({"type": "null"}))).collect();
        properties.insert(given.to_owned(), json!({"type": "string"}));
        json!({"title": given, "type": "object", "required": [given], "properties": properties})
    };
    schema.insert("oneOf".into(), json!([by("client_id", &["phone", "name"]), by("phone", &["client_id"])]));
}

fn one_recipient(has_phone: bool) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |client, ()| {
        if client.is_some() == has_phone {
            return Err(rule("one_target", "Informe um cliente ou um telefone.", "Give either a client or a phone."));
        }
        Ok(())
    }
}

fn beside_phone(has_phone: bool) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |name, ()| {
        if name.is_some() && !has_phone {
            return Err(rule("not_allowed", "O nome vai com um telefone.", "The name goes with a phone."));
        }
        Ok(())
    }
}
