//! POST /integrations/config — connects a channel or the company's CRM, or saves it again with another configuration.

use futures_util::future::try_join;
use integrations::{
    ACCOUNT_IN_USE, ChannelUpdated, INSTANCE_IN_USE, Integration, NAME_TAKEN, NUMBER_IN_USE, botconversa_proof,
    config::{Channel, Configured, IntegrationConfig},
    crm::{self, CrmConnection, JUST_CONNECTED, OTHER_CRM, SavedCrm},
    integration_columns,
    referred::{REFERRED_TO, ReferredTo},
    saving::{announce, keep_credentials, prove_right, store},
    second_names,
};
use shared::{
    error::{FieldProblem, NOT_FOUND, STALE, refuse},
    evolution::Credentials,
    prelude::*,
};

const ROUTE: Route = Route::post("/integrations/config").fails(&[
    ACCOUNT_IN_USE,
    INSTANCE_IN_USE,
    JUST_CONNECTED,
    NAME_TAKEN,
    NOT_FOUND,
    NUMBER_IN_USE,
    OTHER_CRM,
    STALE.showing::<Option<Stale>>(),
]);

reads!(BOTCONVERSA_URL, PUBLIC_API_URL, REACHABLE_INSIDE, WHATSAPP_GRAPH_URL, WHATSAPP_GRAPH_VERSION);

/// The channel as it is if this company has saved it before; nobody else saves it meanwhile.
const LOCKED: &str = concat!(
    "select ",
    integration_columns!(),
    " from channel_accounts channel
      where kind = $1 and (external_key = $2 or account_key = $3 or id = $4) and removed_at is null
        for update"
);

const OF_KIND: &str =
    concat!("select ", integration_columns!(), " from channel_accounts channel where kind = $1 and removed_at is null limit 2");

/// What was saved, by its kind.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum SavedIntegration {
    Channel(Box<Integration>),
    Crm(Box<SavedCrm>),
}

/// What somebody else has saved meanwhile.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Stale {
    Channel(Box<Integration>),
    Crm(Box<CrmConnection>),
}

pub fn main() {
    serve(&ROUTE, save_integration);
}

async fn save_integration(
    context: Context,
    caller: SteppedUp<Admin>,
    _: IdempotencyKey,
    if_match: IfMatch,
    mut body: Unread<IntegrationConfig>,
) -> Result<Json<SavedIntegration>, Error> {
    second_names::take(&mut body.value, None);
    if let Some(only) = only(&context, &caller, &body.value).await? {
        second_names::complete(&mut body.value, &only);
    }
    let mut channel = match Configured::from(body.read()?) {
        Configured::Channel(channel) => *channel,
        Configured::Crm(crm) => {
            let Json(saved) = crm::save(&context, &caller, if_match, crm).await?;
            return Ok(Json(SavedIntegration::Crm(Box::new(saved))));
        }
    };
    let proved = match channel.kind {
        "botconversa" => botconversa_proof::prove(&context, caller.company_id, &mut channel).await?,
        _ => prove_right(&context, &mut channel).await?,
    };
    let Channel { kind, id, external_key, account_key, department_id, bot_flow_key, .. } = &channel;
    let transaction = context.begin(&caller).await?;
    let (found, current): (ReferredTo, Option<Integration>) = try_join(
        transaction.one(REFERRED_TO, &[department_id, bot_flow_key]),
        transaction.first(LOCKED, &[kind, external_key, account_key, id]),
    )
    .await?;
    if id.is_some() && current.is_none() {
        return Err(NOT_FOUND.into());
    }
    if_match.check(&current)?;
    refuse(found.unknown(channel.bot_flow_key.is_some()).chain(missing(&channel, current.as_ref())))?;
    let settings = channel.settings_after(current.as_ref());
    // The address of such a channel's webhooks is made once, and is what it is found by.
    let fresh = (channel.has_own_webhooks() && current.is_none()).then(|| Credentials::new(String::new()));
    if let Some(fresh) = &fresh {
        channel.external_key = fresh.external_key();
    }
    let saved = store(&context, &transaction, &channel, (found.bot_flow_id, &settings), current.is_none()).await?;
    let Some(integration) = saved else {
        let unchanged = current.ok_or(NUMBER_IN_USE)?;
        return transaction.commit(Json(SavedIntegration::Channel(Box::new(unchanged)))).await;
    };
    if let Some(proved) = &proved {
        keep_credentials(&context, &transaction, integration.id, proved, fresh).await?;
    }
    transaction.tell_staff(&ChannelUpdated::from(&integration));
    transaction.audit(integration.id, &current, &integration);
    let answer = transaction.commit(Json(SavedIntegration::Channel(Box::new(integration.clone())))).await?;
    if channel.kind == "evolution" && proved.is_some() {
        announce(&context, caller.company_id, &integration).await;
    }
    Ok(answer)
}

/// The company's channel of a kind, where the body names none and it has one.
async fn only(context: &Context, caller: &Identity, body: &Value) -> Result<Option<Integration>, Error> {
    let Some(kind) = second_names::names_none(body) else { return Ok(None) };
    let transaction = context.begin(caller).await?;
    let found: Vec<Integration> = transaction.all(OF_KIND, &[&kind.as_str()]).await?;
    drop(transaction);
    Ok(<[Integration; 1]>::try_from(found).ok().map(|[only]| only))
}

/// What is missing the first time.
fn missing(channel: &Channel, current: Option<&Integration>) -> Option<FieldProblem> {
    let token = if channel.has_own_webhooks() { "api_key" } else { "access_token" };
    (channel.secret.is_none() && current.is_none())
        .then(|| FieldProblem::new(token, "required", "Obrigatório na primeira vez.", "Required the first time."))
}
