//! Numbers that are asked after before their first message: whether they have WhatsApp, and under which ids.

use shared::{evolution::KnownNumber, phone, prelude::*};

use crate::{identity::LOCK_KEYS, joining::join_clients};

const OWNER: &str = "select client_id from client_identities where kind = $1 and value = $2";

/// In the writing that WhatsApp uses, where it is the same number.
const CHECKED: &str = "
    update client_identities
       set checked_at = now(), address = coalesce($2, address)
     where kind = 'phone' and value = $1";

const ADD_HIDDEN: &str = "
    insert into client_identities (client_id, kind, value, address) values ($1, 'lid', $2, $2) on conflict do nothing";

/// Keeps what a server knows of a client's number. Whoever was known under its hidden id is the same client.
///
/// # Errors
/// Those of the database.
pub async fn remember(context: &Context, company_id: Uuid, number: &str, known: &KnownNumber) -> Result<(), Error> {
    let KnownNumber { number: written, hidden_id } = known;
    let transaction = context.begin_system(company_id).await?;
    let keys: Vec<String> =
        [format!("phone:{number}")].into_iter().chain(hidden_id.iter().map(|id| format!("lid:{id}"))).collect();
    transaction.execute(LOCK_KEYS, &[&keys]).await?;
    let owner_of = async |kind: &str, value: &str| -> Result<Option<Uuid>, Error> {
        Ok(transaction.query(OWNER, &[&kind, &value]).await?.first().map(|row| row.get("client_id")))
    };
    if let (Some(mut client), Some(id)) = (owner_of("phone", number).await?, hidden_id) {
        if let Some(other) = owner_of("lid", id).await?.filter(|other| *other != client) {
            let proof = json!({"number": number, "lid": id});
            client = join_clients(context, &transaction, company_id, client, other, &proof).await?;
        }
        transaction.execute(ADD_HIDDEN, &[&client, id]).await?;
    }
    let written = Some(written).filter(|written| phone::canonical(written) == number);
    transaction.execute(CHECKED, &[&number, &written]).await?;
    transaction.commit_quietly().await
}
