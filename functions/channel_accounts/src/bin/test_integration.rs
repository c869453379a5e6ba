//! POST /integrations/config/{id}/test — asks a channel's provider now, and tells what came back and how long it took.

use std::time::Duration;

use channel_accounts::{
    NOT_TESTABLE,
    known::{CHANNEL, Channel},
};
use conversations::outbox::log_calls;
use evolution::{Known, Seen, Telling, Visit, record, words::told_in};
use integrations::{ChannelKind, ChannelUpdated, Integration, channel_updated};
use shared::{
    botconversa,
    error::NOT_FOUND,
    evolution::InstanceState,
    prelude::*,
    provider::{Call, Failure, Outcome},
    whatsapp::{Account, Credentials, Number, look_up_number},
};

const ROUTE: Route =
    Route::post("/integrations/config/{id}/test").limit(20, Duration::from_mins(1)).fails(&[NOT_FOUND, NOT_TESTABLE]);

reads!(BOTCONVERSA_URL, PUBLIC_API_URL, REACHABLE_INSIDE, WHATSAPP_GRAPH_URL, WHATSAPP_GRAPH_VERSION);

/// What a channel's provider has said.
#[derive(Debug, Serialize, JsonSchema)]
struct IntegrationTest {
    /// Whether messages go in and out: the provider answers and takes the credentials, and an instance has a phone.
    works: bool,
    /// Why not, in the provider's code or ours, such as `190`, `unreachable`, `key_refused`; null also where a phone is all that is missing.
    problem: Option<String>,
    /// The provider's own words.
    detail: Option<String>,
    /// Of the slowest call, in milliseconds.
    latency_ms: i32,
    /// The name that people see on WhatsApp.
    name: Option<String>,
    /// The number that people see, E.164.
    display_number: Option<String>,
    /// Of a number, as WhatsApp rates it: `GREEN`, `YELLOW`, `RED`.
    quality: Option<String>,
    /// Of an instance, how it stands with its phone.
    state: Option<InstanceState>,
    /// Of an instance's server.
    server_version: Option<String>,
    /// As it is now: `broken` if the credentials were refused, `active` again if they were taken.
    integration: Integration,
}

/// Credentials that were changed since say for themselves what they are.
const STANDS: &str = channel_updated!(
    "
    update channel_accounts
       set status = $2, version = version + 1
     where id = $1 and status in ('active', 'broken') and status <> $2
       and exists (select from channel_credentials where channel_account_id = $1 and sealed = $3)"
);

pub fn main() {
    serve(&ROUTE, test_integration);
}

async fn test_integration(context: Context, caller: Admin, Path(id): Path<Uuid>) -> Result<Json<IntegrationTest>, Error> {
    let transaction = context.begin(&caller).await?;
    let channel: Channel = transaction.one(CHANNEL, &[&id]).await?;
    let known = match channel.integration.kind {
        ChannelKind::WhatsappCloud | ChannelKind::Botconversa => None,
        ChannelKind::Evolution => {
            let known = Known::read(&context, &transaction, caller.company_id, Some(&[id]), 1).await?.pop();
            Some(known.ok_or(NOT_FOUND)?)
        }
        ChannelKind::Widget => return Err(NOT_TESTABLE.into()),
    };
    transaction.commit_unaudited().await?;
    let mut test = match &known {
        Some(known) => of_instance(&context, caller.company_id, known, channel.integration).await?,
        None => of_account(&context, caller.company_id, channel).await?,
    };
    let transaction = context.begin(&caller).await?;
    test.integration = transaction.one::<Channel>(CHANNEL, &[&id]).await?.integration;
    transaction.audit(id, &Value::Null, &json!({"works": test.works, "problem": test.problem, "state": test.state}));
    transaction.commit(Json(test)).await
}

async fn of_account(context: &Context, company_id: Uuid, channel: Channel) -> Result<IntegrationTest, Error> {
    let Channel { integration, external_key, sealed, .. } = channel;
    let id = integration.id;
    let asked = match (integration.kind, sealed.as_deref()) {
        (ChannelKind::Botconversa, Some(sealed)) => ask_botconversa(context, id, sealed).await,
        (_, Some(sealed)) => ask_whatsapp(context, id, external_key, sealed).await,
        (_, None) => None,
    };
    let (outcome, call) = match asked {
        Some((outcome, call)) => (outcome, Some(call)),
        None => (Err(Failure::Blocked { code: "credentials".into(), detail: String::new() }), None),
    };
    let latency_ms = call.as_ref().map_or(0, |call| call.took_ms);
    let status = match &outcome {
        Ok(_) => Some("active"),
        Err(Failure::Refused { .. } | Failure::Blocked { .. }) => Some("broken"),
        // Silence says nothing of the credentials.
        Err(Failure::Busy { .. } | Failure::Unknown { .. }) => None,
    };
    note(context, company_id, id, (status, sealed), call).await?;
    let (problem, detail) = match &outcome {
        Ok(_) => (None, None),
        Err(Failure::Refused { code, detail } | Failure::Blocked { code, detail }) => (Some(code.clone()), Some(detail.clone())),
        Err(Failure::Busy { code, .. }) => (Some(code.clone()), None),
        Err(Failure::Unknown { reason }) => (Some("unknown".to_owned()), Some(reason.clone())),
    };
    let Number { display_number, verified_name, quality, .. } = outcome.unwrap_or_default();
    Ok(IntegrationTest {
        works: problem.is_none(),
        problem,
        detail: detail.filter(|words| !words.is_empty()),
        latency_ms,
        name: verified_name,
        display_number: display_number.map(|number| shared::phone::e164(&number)),
        quality,
        state: None,
        server_version: None,
        integration,
    })
}

/// `None` when its credentials do not open.
async fn ask_whatsapp(context: &Context, id: Uuid, phone_number_id: String, sealed: &[u8]) -> Option<Outcome<Number>> {
    let credentials = Credentials::open(&context.secrets().encryption_keys, id, sealed)?;
    Some(look_up_number(context, &Account { phone_number_id, credentials }).await)
}

/// Its accounts say nothing of themselves: that it answers is all there is to know.
async fn ask_botconversa(context: &Context, id: Uuid, sealed: &[u8]) -> Option<Outcome<Number>> {
    let credentials = botconversa::Credentials::open(&context.secrets().encryption_keys, id, sealed)?;
    let account = botconversa::Account { api_key: &credentials.api_key, errand: botconversa::Errand::Message };
    let (outcome, call) = botconversa::list(context, account, 1).await;
    Some((outcome.map(|_| Number::default()), call))
}

/// Keeps the call, and what it says of the credentials that it was made with.
async fn note(
    context: &Context,
    company_id: Uuid,
    id: Uuid,
    (status, sealed): (Option<&str>, Option<Vec<u8>>),
    call: Option<Call>,
) -> Result<(), Error> {
    let transaction = context.begin_system(company_id).await?;
    if let Some(status) = status {
        let changed: Option<ChannelUpdated> = transaction.first(STANDS, &[&id, &status, &sealed]).await?;
        if let Some(changed) = changed {
            transaction.tell_staff(&changed);
        }
    }
    log_calls(context, &transaction, id, call.into_iter().collect());
    transaction.commit_quietly().await
}

async fn of_instance(
    context: &Context,
    company_id: Uuid,
    known: &Known,
    integration: Integration,
) -> Result<IntegrationTest, Error> {
    let mut visit = Visit::begin(context, known);
    if visit.version().await.is_ok() {
        // What is wrong is in what was seen.
        let _ = visit.look().await;
    }
    let seen = visit.seen;
    record(context, company_id, known.id, &seen, Telling::Nobody).await?;
    let latency_ms = seen.calls.iter().map(|call| call.took_ms).max().unwrap_or_default();
    let Seen { state, problem, detail, server_version, profile, .. } = seen;
    let profile = profile.unwrap_or_default();
    Ok(IntegrationTest {
        works: state == Some(InstanceState::Open) && problem.is_none(),
        problem: problem.map(|problem| problem.as_str().to_owned()),
        detail: detail.map(|detail| told_in(context.origin().language, detail)),
        latency_ms,
        name: profile.name,
        display_number: profile.number.map(|number| shared::phone::e164(&number)),
        quality: None,
        state,
        server_version,
        integration,
    })
}
