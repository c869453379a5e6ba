//! What saving a channel asks of WhatsApp and writes.

use shared::{
    error::{FieldProblem, INVALID, UNAVAILABLE},
    prelude::*,
    whatsapp::{Account, Credentials, Failure, Number, look_up_number},
};

use crate::{Integration, config::Channel, integration_columns};

/// No row when there is such a channel already, of whatever company.
const CONNECT: &str = concat!(
    "with channel as (
        insert into channel_accounts (id, kind, external_key, name, department_id, bot_flow_id, settings)
        values ($7, $1, $2, $3, $4, $5, $6)
        on conflict do nothing
        returning *
    )
    select ",
    integration_columns!(),
    " from channel"
);

/// No row when the channel is another company's, or nothing in it changes. New credentials are a change, and set a broken or disabled one
/// going again.
const SAVE_AGAIN: &str = concat!(
    "with channel as (
        update channel_accounts
           set name = $3, department_id = $4, bot_flow_id = $5, settings = $6, version = version + 1,
               status = case when $7 then 'active' else status end
         where kind = $1 and external_key = $2
           and ($7 or (name, department_id, bot_flow_id, settings) is distinct from ($3, $4::uuid, $5::uuid, $6::jsonb))
        returning *
    )
    select ",
    integration_columns!(),
    " from channel"
);

/// With what WhatsApp has said of the number to these credentials: webhooks may name only that.
const KEEP_CREDENTIALS: &str = "
    with proved as (
        update channel_accounts
           set account_key = coalesce($3, account_key), display_number = coalesce($4, display_number)
         where id = $1
    )
    insert into channel_credentials (channel_account_id, sealed)
    values ($1, $2)
    on conflict (channel_account_id) do update set sealed = excluded.sealed";

/// What WhatsApp says of the number to new credentials; `None` without any. Nobody connects a number that is not theirs.
///
/// # Errors
/// 422 when it does not accept them, 503 when it does not answer.
pub async fn prove_right(context: &Context, channel: &Channel) -> Result<Option<(Credentials, Number)>, Error> {
    let Some(credentials) = channel.credentials.clone() else { return Ok(None) };
    let account = Account { phone_number_id: channel.external_key.clone(), credentials };
    let (outcome, _) = look_up_number(context, &account).await;
    match outcome {
        Ok(number) => Ok(Some((account.credentials, number))),
        Err(Failure::Refused { .. } | Failure::Blocked { .. }) => {
            let portuguese = "O WhatsApp não aceita este token para este número.";
            let english = "WhatsApp does not accept this token for this number.";
            Err(INVALID.in_fields(vec![FieldProblem::new("access_token", "not_accepted", portuguese, english)]))
        }
        Err(Failure::Busy { code: reason, .. } | Failure::Unknown { reason }) => Err(UNAVAILABLE.caused_by(reason)),
    }
}

/// Writes the channel with its flow and settings, as a new one when the company is not known to have it. Whoever saves it at the same
/// time may be faster: then it is saved again.
/// `None` when nothing changes, or it is another company's.
pub async fn store(
    context: &Context,
    transaction: &Transaction,
    channel: &Channel,
    (flow, settings): (Option<Uuid>, &Value),
    is_new: bool,
) -> Result<Option<Integration>, Error> {
    let Channel { kind, external_key, name, department_id, credentials, .. } = channel;
    if is_new {
        let connected =
            transaction.first(CONNECT, &[kind, external_key, name, department_id, &flow, settings, &context.new_id()]).await?;
        if connected.is_some() {
            return Ok(connected);
        }
    }
    let renews = credentials.is_some();
    transaction.first(SAVE_AGAIN, &[kind, external_key, name, department_id, &flow, settings, &renews]).await
}

/// Seals the credentials of a channel, and keeps what was proved of its number.
pub async fn keep_credentials(
    context: &Context,
    transaction: &Transaction,
    channel_id: Uuid,
    (credentials, number): &(Credentials, Number),
) -> Result<(), Error> {
    let sealed = credentials.seal(&context.secrets().encryption_keys, channel_id);
    let Number { account_id, display_number } = number;
    transaction.execute(KEEP_CREDENTIALS, &[&channel_id, &sealed, account_id, display_number]).await.map(drop)
}
