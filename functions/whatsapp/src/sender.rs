//! Who an item is from: found, made, followed under new ids.

use conversations::join_clients;
use shared::{phone, prelude::*};
use tokio_postgres::types::ToSql;

use crate::{
    channel::Channel,
    item::{InboundMessage, Sender},
    statements::{CLIENT_OF_IDENTITY, CREATE_CLIENT, IS_BLOCKED, LINK_IDENTITY, LOCATE},
};

/// What is known of a message before it is stored.
#[derive(FromRow)]
pub struct Located {
    pub client_id: Option<Uuid>,
    /// Whose the user id is, when it is another's than the phone.
    other_client_id: Option<Uuid>,
    /// Known by these ids as they are written here, and last heard of under them.
    is_linked: bool,
    /// The open one.
    pub conversation_id: Option<Uuid>,
    /// The message is stored already.
    pub is_known: bool,
    /// What they write is kept, and told to nobody.
    pub is_blocked: bool,
    /// The closed one that this rates.
    pub rated_conversation_id: Option<Uuid>,
}

/// A message's client, by either of their ids, and their open conversation. A sender who was two clients is one from here on.
pub async fn locate(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    message: &InboundMessage,
    is_rating: bool,
) -> Result<Located, Error> {
    let Sender { wa_id, user_id, .. } = &message.sender;
    let number = wa_id.as_deref().map(phone::canonical);
    let user_kind = channel.provider.user_id_kind();
    let asked: [&(dyn ToSql + Sync); 9] =
        [&number, user_id, &channel.id, &message.id, wa_id, &is_rating, &message.at, &message.reply_to, &user_kind];
    let located: Located = transaction.one(LOCATE, &asked).await?;
    let (Some(one), Some(other)) = (located.client_id, located.other_client_id) else { return Ok(located) };
    let proof = json!({"message": message.id, "phone": number, user_kind: user_id});
    join_clients(context, transaction, channel.company_id, one, other, &proof).await?;
    transaction.one(LOCATE, &asked).await
}

/// Keeps the id a known client had not been seen with, or not for longer than another. One of their own messages also tells in which
/// writing they are answered; on the business's phone it may be another.
pub async fn link(
    transaction: &Transaction,
    channel: &Channel,
    located: &Located,
    sender: &Sender,
    is_theirs: bool,
) -> Result<(), Error> {
    let Some(client_id) = located.client_id else { return Ok(()) };
    let Sender { wa_id, user_id, .. } = sender;
    if !located.is_linked {
        let number = wa_id.as_deref().map(phone::canonical);
        transaction
            .execute(LINK_IDENTITY, &[&client_id, &number, wa_id, user_id, &is_theirs, &channel.provider.user_id_kind()])
            .await?;
    }
    Ok(())
}

/// A client who is not known yet, called as the business has them on its phone, as they call themselves, or by their number. `None` when somebody else has just created them.
pub async fn create_client(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    sender: &Sender,
) -> Result<Option<Uuid>, Error> {
    let Sender { wa_id, user_id, name } = sender;
    let number = wa_id.as_deref().map(phone::canonical);
    let source = if name.is_some() { "profile" } else { "number" };
    let name = name.clone().or_else(|| number.as_deref().map(phone::e164)).unwrap_or_else(|| "Cliente do WhatsApp".into());
    let id = context.new_id();
    let made = transaction
        .query(CREATE_CLIENT, &[&id, &name, &number, wa_id, user_id, &source, &channel.provider.user_id_kind()])
        .await?;
    if made.is_empty() {
        transaction.rollback_to_savepoint(transaction.mark());
        return Ok(None);
    }
    Ok(Some(id))
}

/// A known client is found under a new phone or user id from now on. Whoever was known under it is the same client.
pub async fn follow(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    client_id: Uuid,
    new: &Sender,
) -> Result<(), Error> {
    let number = new.wa_id.as_deref().map(phone::canonical);
    let user_kind = channel.provider.user_id_kind();
    let (kind, value) = match &number {
        Some(number) => ("phone", number.as_str()),
        None => (user_kind, new.user_id.as_deref().unwrap_or_default()),
    };
    let mut owner = client_id;
    if let Some(other) = client_of(transaction, kind, value).await?.filter(|other| *other != client_id) {
        let proof = json!({"follows": client_id, "kind": kind, "value": value});
        owner = join_clients(context, transaction, channel.company_id, client_id, other, &proof).await?;
    }
    transaction.execute(LINK_IDENTITY, &[&owner, &number, &new.wa_id, &new.user_id, &true, &user_kind]).await?;
    Ok(())
}

/// Whether nobody is to hear of what this client does.
///
/// # Errors
/// Those of the database.
pub async fn is_blocked(transaction: &Transaction, client_id: Uuid) -> Result<bool, Error> {
    Ok(!transaction.query(IS_BLOCKED, &[&client_id]).await?.is_empty())
}

pub async fn client_of(transaction: &Transaction, kind: &str, value: &str) -> Result<Option<Uuid>, Error> {
    let rows = transaction.query(CLIENT_OF_IDENTITY, &[&kind, &value]).await?;
    Ok(rows.first().map(|row| row.get("client_id")))
}
