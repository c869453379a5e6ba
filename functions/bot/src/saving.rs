//! What clients say of themselves, kept with them by the rules of a person's change.

use clients::{
    CLIENT, CLIENT_EXISTS, Client, METADATA_TOO_LONG,
    changing::change,
    fields::{self, ClientFields},
    import::{
        mapping::{Column as _, Target},
        person::Person,
    },
};
use futures_util::future::try_join;
use shared::prelude::*;

/// Where answers may be kept; what the business calls somebody by is another matter than what they are.
#[must_use]
pub fn place(save_as: &str) -> Option<Target> {
    let is_meant = |target: &Target| match target {
        Target::Name | Target::Email | Target::Document | Target::Custom(_) => target.is_well_formed(),
        Target::Phone | Target::Tags | Target::Notes => false,
    };
    Target::read(save_as).filter(is_meant)
}

/// Keeps each that can be kept. What is another client's already, and what the company's fields no longer take, stays in the conversation's run
/// alone: nobody who chats is told whom else there is.
///
/// # Errors
/// Those of the database.
pub async fn keep(transaction: &Transaction, client_id: Uuid, answers: &[(String, String)]) -> Result<(), Error> {
    let (client, fields): (Option<Client>, _) =
        try_join(transaction.first(CLIENT, &[&client_id]), fields::read(transaction)).await?;
    let Some(mut client) = client else { return Ok(()) };
    for (save_as, answer) in answers {
        let Some((said, wanted)) = wanted(&client, save_as, answer, &fields) else { continue };
        if wanted == client || said.known.namesake(transaction, Some(client_id)).await?.is_some() {
            continue;
        }
        let mark = transaction.mark();
        transaction.savepoint();
        match change(transaction, &client, &wanted).await {
            Ok(changed) => client = changed,
            Err(error) if [CLIENT_EXISTS, METADATA_TOO_LONG].contains(&error.problem()) => {
                transaction.rollback_to_savepoint(mark);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What an answer says of a client, and what the client is to be with it.
fn wanted(client: &Client, save_as: &str, answer: &str, fields: &ClientFields) -> Option<(Person, Client)> {
    let mut said = Person::default();
    said.take(&place(save_as)?, answer, fields).ok()?;
    let mut wanted = client.clone();
    wanted.name = said.name.clone().unwrap_or(wanted.name);
    wanted.email = said.known.email.clone().or(wanted.email);
    wanted.document = said.known.document.clone().or(wanted.document);
    wanted.custom_fields = fields::changed(&wanted.custom_fields, said.custom_fields.clone());
    Some((said, wanted))
}
