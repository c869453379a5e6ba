//! What WhatsApp tells of clients besides their messages: whether they take marketing, and what the business calls them.

use clients::ClientUpdated;
use conversations::accepts_marketing;
use shared::{
    error::{Error, UNAVAILABLE},
    phone,
    prelude::*,
};

use crate::{
    channel::{Channel, Done, TRIES},
    item::{Contact, Preference, Sender},
    sender::create_client,
    statements::{ADD_CONSENT, FIND_CLIENT, NAME_CLIENT},
};

const CLIENT: &str = concat!(
    "select clients.id as client_id, clients.name, clients.name_source, ",
    accepts_marketing!(),
    " from clients where clients.id = $1"
);

#[derive(FromRow)]
struct Known {
    id: Uuid,
}

#[derive(FromRow)]
struct Named {
    id: Uuid,
    is_changed: bool,
}

#[derive(FromRow)]
struct Added {
    is_newest: bool,
}

/// Keeps what a client said of marketing. Of somebody who never wrote a client is made: a refusal must be known before anybody writes.
pub async fn prefer(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    preference: &Preference,
) -> Result<Done, Error> {
    let Preference { sender, granted, at, proof } = preference;
    let client_id = find_or_create(context, transaction, channel, sender).await?;
    let added: Option<Added> = transaction.first(ADD_CONSENT, &[&context.new_id(), &client_id, granted, at, proof]).await?;
    match added {
        None => return Ok(Done::Duplicate),
        Some(Added { is_newest: true }) => tell(transaction, client_id).await?,
        Some(Added { is_newest: false }) => {}
    }
    Ok(Done::Stored)
}

/// Calls a client as the business does on its own phone, unless staff have named them. Numbers of nobody's are no clients, but keep
/// their names.
pub async fn name(transaction: &Transaction, contact: &Contact) -> Result<Done, Error> {
    let Contact { number, name, at } = contact;
    let named: Option<Named> = transaction.first(NAME_CLIENT, &[&phone::canonical(number), name, at]).await?;
    match named {
        None => Ok(Done::Ignored("a name that changes no client".into())),
        Some(Named { is_changed: false, .. }) => Ok(Done::Duplicate),
        Some(Named { id, .. }) => {
            tell(transaction, id).await?;
            Ok(Done::Stored)
        }
    }
}

async fn find_or_create(context: &Context, transaction: &Transaction, channel: &Channel, sender: &Sender) -> Result<Uuid, Error> {
    let number = sender.wa_id.as_deref().map(phone::canonical);
    for _ in 0..TRIES {
        let known: Option<Known> =
            transaction.first(FIND_CLIENT, &[&number, &sender.user_id, &channel.provider.user_id_kind()]).await?;
        if let Some(Known { id }) = known {
            return Ok(id);
        }
        if let Some(id) = create_client(context, transaction, channel, sender).await? {
            return Ok(id);
        }
    }
    Err(UNAVAILABLE.caused_by("lost every race for the client"))
}

async fn tell(transaction: &Transaction, client_id: Uuid) -> Result<(), Error> {
    let updated: ClientUpdated = transaction.one(CLIENT, &[&client_id]).await?;
    transaction.tell_staff(&updated);
    Ok(())
}
