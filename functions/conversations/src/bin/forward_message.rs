//! POST /messages/{id}/forward — sends a message on to other conversations, each judged by itself.

use std::collections::BTreeMap;

use conversations::{
    Author, HeldConversation, LOCK_ALL, MESSAGE, Message, NOT_FORWARDABLE, NewMessage, add_outgoing, may_send, named_twice,
    sent_on,
};
use futures_util::future::{join, try_join_all};
use shared::{
    error::{NOT_FOUND, refuse},
    files::QUARANTINED,
    prelude::*,
};

const ROUTE: Route = Route::post("/messages/{id}/forward").fails(&[NOT_FOUND, NOT_FORWARDABLE, QUARANTINED]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Forward {
    /// Where to, each of them once.
    #[garde(length(min = 1, max = 10))]
    #[schemars(extend("uniqueItems" = true))]
    conversation_ids: Vec<Uuid>,
}

/// What became of the message in one conversation.
#[derive(Serialize, JsonSchema)]
struct Forwarded {
    conversation_id: Uuid,
    /// Null when it was refused.
    message: Option<Message>,
    /// Why it was refused: the code `POST /messages` would have answered.
    code: Option<&'static str>,
    detail: Option<&'static str>,
}

/// In the order asked for.
#[derive(Serialize, JsonSchema)]
struct ForwardedAll {
    data: Vec<Forwarded>,
}

pub fn main() {
    serve(&ROUTE, forward_message);
}

async fn forward_message(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(input): Json<Forward>,
) -> Result<Json<ForwardedAll>, Error> {
    let ids = &input.conversation_ids;
    refuse(named_twice(ids))?;
    let transaction = context.begin(&agent).await?;
    let (held, message) = join(transaction.all(LOCK_ALL, &[ids]), transaction.one::<Message>(MESSAGE, &[&id])).await;
    let (held, message): (Vec<HeldConversation>, Message) = (held?, message?);
    let is_checked = message.file.as_ref().is_none_or(|file| file["status"] != "quarantined");
    let content = sent_on(&message).ok_or(if is_checked { NOT_FORWARDABLE } else { QUARANTINED })?;
    let held: BTreeMap<Uuid, HeldConversation> = held.into_iter().map(|held| (held.id, held)).collect();
    let forward = async |conversation_id: Uuid| -> Result<Forwarded, Error> {
        let judged =
            held.get(&conversation_id).ok_or(NOT_FOUND).and_then(|held| may_send(context.now(), &agent, held, message.kind));
        if let Err(problem) = judged {
            let detail = context.origin().language.pick(problem.portuguese, problem.english);
            return Ok(Forwarded { conversation_id, message: None, code: Some(problem.code), detail: Some(detail) });
        }
        let new = NewMessage {
            id: context.new_id(),
            conversation_id,
            sender_type: Author::Agent,
            sender_id: Some(agent.user_id),
            content: content.clone(),
            reply_to_id: None,
            client_message_id: None,
            is_reply: true,
        };
        let added = add_outgoing(&context, &transaction, agent.company_id, new).await?;
        Ok(Forwarded { conversation_id, message: added.map(|(_, message)| message), code: None, detail: None })
    };
    let forwarded = try_join_all(ids.iter().map(|id| forward(*id))).await?;
    let became: Vec<Value> =
        forwarded.iter().map(|one| json!({"conversation_id": one.conversation_id, "code": one.code})).collect();
    transaction.audit(id, &Value::Null, &became);
    transaction.commit(Json(ForwardedAll { data: forwarded })).await
}
