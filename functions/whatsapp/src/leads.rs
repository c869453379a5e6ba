//! What a flow tells of somebody: they are found or made, and what is not known of them yet is filled in.

use clients::{CLIENT, Client, ClientCreated, ClientUpdated, fields, import::cell};
use conversations::join_clients;
use shared::{
    error::{Error, UNAVAILABLE},
    phone,
    prelude::*,
};

use crate::{
    channel::{Channel, Done, TRIES},
    item::{Lead, Sender},
    sender::{client_of, create_client, is_blocked},
    statements::{FILL_IN, LINK_IDENTITY},
};

/// Finds or makes the client, under both of their ids from now on, and fills in what the flow knows of them. What staff have said stays.
pub async fn note(context: &Context, transaction: &Transaction, channel: &Channel, lead: &Lead) -> Result<Done, Error> {
    let Lead { sender, fields: told } = lead;
    let (client_id, is_new) = find_or_create(context, transaction, channel, sender).await?;
    let fields = fields::read(transaction).await?;
    let values: Map<String, Value> = fields
        .fields
        .iter()
        .filter_map(|field| Some((field.key.clone(), cell::value(field, told.get(&field.key)?).ok()?)))
        .collect();
    let changed = transaction.execute(FILL_IN, &[&client_id, &sender.name, &Value::Object(values)]).await?;
    if (is_new || changed > 0) && !is_blocked(transaction, client_id).await? {
        let client: Client = transaction.one(CLIENT, &[&client_id]).await?;
        if is_new {
            transaction.tell_staff(&ClientCreated { client: &client });
        } else {
            transaction.tell_staff(&ClientUpdated::from(&client));
        }
    }
    Ok(Done::Stored)
}

/// Whoever was two clients by their phone and their id is one from here on.
pub async fn find_or_create(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    sender: &Sender,
) -> Result<(Uuid, bool), Error> {
    let Sender { wa_id, user_id, .. } = sender;
    let user_kind = channel.provider.user_id_kind();
    let number = wa_id.as_deref().map(phone::canonical);
    for _ in 0..TRIES {
        let by_number = match &number {
            Some(number) => client_of(transaction, "phone", number).await?,
            None => None,
        };
        let by_id = match user_id {
            Some(id) => client_of(transaction, user_kind, id).await?,
            None => None,
        };
        let client_id = match (by_number, by_id) {
            (Some(one), Some(other)) if one != other => {
                let proof = json!({"phone": number, user_kind: user_id});
                join_clients(context, transaction, channel.company_id, one, other, &proof).await?
            }
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => match create_client(context, transaction, channel, sender).await? {
                Some(id) => return Ok((id, true)),
                None => continue,
            },
        };
        transaction
            .execute(LINK_IDENTITY, &[&client_id, &number, wa_id, user_id, &channel.provider.writes_addresses(), &user_kind])
            .await?;
        return Ok((client_id, false));
    }
    Err(UNAVAILABLE.caused_by("lost every race for the client"))
}
