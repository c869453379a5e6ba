//! PUT /integrations/config/{id} — changes what is given of a channel: what it is called, where it leads, whether it works, its secrets.

use channel_accounts::{
    SECRET_IN_USE,
    changes::IntegrationChanges,
    known::{CHANNEL, Channel, LOCKED_CHANNEL},
};
use futures_util::future::try_join;
use integrations::{
    ChannelKind, ChannelUpdated, INSTANCE_IN_USE, Integration, NAME_TAKEN, config, integration_columns,
    referred::{REFERRED_TO, ReferredTo},
    saving::{Proof, announce, instance_credentials, keep_credentials, keep_webhook_secret, prove_right},
    second_names,
};
use shared::{
    error::{NOT_FOUND, STALE, refuse},
    evolution::Credentials,
    prelude::*,
};
use team::given::Given;

const ROUTE: Route = Route::put("/integrations/config/{id}").or(&["PATCH /integrations/config/{id}"]).fails(&[
    INSTANCE_IN_USE,
    NAME_TAKEN,
    NOT_FOUND,
    SECRET_IN_USE,
    STALE.showing::<Integration>(),
]);

reads!(PUBLIC_API_URL, REACHABLE_INSIDE, WHATSAPP_GRAPH_URL, WHATSAPP_GRAPH_VERSION);

/// An earlier secret that its server was not told to replace yet stays the one that it may bring. Flows are told by people.
const UPDATE: &str = concat!(
    "with channel as (
        update channel_accounts
           set name = $2, department_id = $3, bot_flow_id = case when $4 then $5::uuid else bot_flow_id end, settings = $6, status = $7,
               account_key = coalesce($8, account_key), external_key = coalesce($9, external_key),
               previous_key = case when $9::text is null or (previous_key is not null and previous_key_until is null) then previous_key
                                   else external_key end,
               previous_key_until = case when $9::text is null then previous_key_until
                                         when kind = 'botconversa' then now() + interval '1 hour' end,
               version = version + 1
         where id = $1
        returning *
    )
    select ",
    integration_columns!(),
    " from channel"
);

pub fn main() {
    serve(&ROUTE, update_integration);
}

async fn update_integration(
    context: Context,
    caller: SteppedUp<Admin>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    mut body: Unread<IntegrationChanges>,
) -> Result<Json<Integration>, Error> {
    if second_names::are_in(&body.value) {
        let transaction = context.begin(&caller).await?;
        let Channel { integration, .. } = transaction.one(CHANNEL, &[&id]).await?;
        drop(transaction);
        second_names::take(&mut body.value, Some(integration.kind));
    }
    let changes = body.read()?;
    let proved = if changes.has_secret() { Some(prove(&context, &caller, id, &changes).await?) } else { None };
    let transaction = context.begin(&caller).await?;
    let referred: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&changes.department_id.set(), &changes.bot_flow_key.set()];
    let (found, locked): (ReferredTo, Channel) =
        try_join(transaction.one(REFERRED_TO, &referred), transaction.one(LOCKED_CHANNEL, &[&id])).await?;
    let current = locked.integration;
    if_match.check(&current)?;
    refuse(changes.problems(&current).into_iter().chain(found.unknown(changes.bot_flow_key.set().is_some())))?;
    let mut wanted = changes.applied_to(&current, &locked.external_key);
    let mut proof = None;
    if let Some(proved) = proved {
        // What was asked of another address says nothing of this one.
        if proved.asked_of != place(&current) {
            return Err(STALE.with_current(&current));
        }
        for field in ["base_url", "api_key"].into_iter().filter(|_| current.kind == ChannelKind::Evolution) {
            wanted.settings[field] = proved.channel.settings[field].clone();
        }
        (wanted.account_key, proof) = (proved.channel.account_key, proved.proof);
    }
    if changes.rotate_webhook_secret && locked.has_previous_secret {
        return Err(SECRET_IN_USE.into());
    }
    let status = changes.status_after(current.status);
    let is_same = (&wanted.name, wanted.department_id, &wanted.bot_flow_key, &wanted.settings, status)
        == (&current.name, current.department_id, &current.bot_flow_key, &current.settings, current.status);
    if is_same && proof.is_none() && !changes.rotate_webhook_secret {
        return transaction.commit(Json(current)).await;
    }
    let fresh = changes.rotate_webhook_secret.then(|| Credentials::new(String::new()));
    let key = fresh.as_ref().map(Credentials::external_key);
    let has_flow = changes.bot_flow_key != Given::Kept;
    let config::Channel { name, department_id, settings, account_key, .. } = &wanted;
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
        [&id, name, department_id, &has_flow, &found.bot_flow_id, settings, &status.as_str(), account_key, &key];
    let updated: Result<Integration, Error> = transaction.one(UPDATE, &row).await;
    let integration = updated
        .on_constraint("channel_accounts_instance", INSTANCE_IN_USE)
        .on_constraint("channel_accounts_instance_name", NAME_TAKEN)?;
    match (&proof, fresh) {
        (Some(proof), fresh) => keep_credentials(&context, &transaction, id, proof, fresh).await?,
        (None, Some(fresh)) => {
            let kept = instance_credentials(&context, &transaction, id).await?;
            keep_webhook_secret(&context, &transaction, id, &Credentials { api_key: kept.api_key, ..fresh }).await?;
        }
        (None, None) => {}
    }
    transaction.tell_staff(&ChannelUpdated::from(&integration));
    transaction.audit(id, &current, &integration);
    let answer = transaction.commit(Json(integration.clone())).await?;
    if integration.kind == ChannelKind::Evolution && (proof.is_some() || changes.rotate_webhook_secret) {
        announce(&context, caller.company_id, &integration).await;
    }
    Ok(answer)
}

/// What a provider has said to new credentials, and of which address.
struct Proved {
    channel: config::Channel,
    proof: Option<Proof>,
    asked_of: [Option<String>; 3],
}

/// Asks outside of any transaction.
async fn prove(context: &Context, caller: &Identity, id: Uuid, changes: &IntegrationChanges) -> Result<Proved, Error> {
    let transaction = context.begin(caller).await?;
    let known: Channel = transaction.one(CHANNEL, &[&id]).await?;
    transaction.commit_unaudited().await?;
    refuse(changes.problems(&known.integration))?;
    let mut channel = changes.applied_to(&known.integration, &known.external_key);
    let proof = prove_right(context, &mut channel).await?;
    Ok(Proved { channel, proof, asked_of: place(&known.integration) })
}

fn place(integration: &Integration) -> [Option<String>; 3] {
    ["phone_number_id", "base_url", "instance"].map(|field| integration.settings[field].as_str().map(str::to_owned))
}
