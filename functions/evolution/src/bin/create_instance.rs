//! POST /whatsapp/instances — makes an instance at an Evolution API server, and shows the code that links a phone to it.
//! The row is there before the server is asked: whatever happens to that call, connecting the instance goes on from it.

use std::time::Duration;

use evolution::{
    Instance, Known, SERVER_FAILS, Telling, Visit, instances, record,
    servers::{GlobalAccess, instance_name},
};
use futures_util::future::try_join;
use integrations::{
    ChannelKind, ChannelUpdated, EvolutionSettings, NAME_TAKEN,
    config::{KEY, is_key},
    hint,
    referred::{REFERRED_TO, ReferredTo},
    saving::server_address,
};
use shared::{
    VISIBLE,
    crypto::random_token,
    error::{FieldProblem, INVALID, refuse},
    evolution::Credentials,
    parameters,
    prelude::*,
    visible,
};

const ROUTE: Route = Route::post("/whatsapp/instances").limit(30, Duration::from_mins(1)).fails(&[
    NAME_TAKEN,
    SERVER_FAILS[0],
    SERVER_FAILS[1],
    SERVER_FAILS[2],
    SERVER_FAILS[3],
]);

reads!(PUBLIC_API_URL, REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewInstance {
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// Where it is made; the one that was given last without it.
    #[garde(dive)]
    server: Option<InstanceServer>,
    /// Where its new conversations go.
    #[garde(skip)]
    department_id: Option<Uuid>,
    /// The published flow that answers first.
    #[garde(length(chars, min = 1, max = 80))]
    bot_flow_key: Option<String>,
}

/// An Evolution API server.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InstanceServer {
    /// Such as `https://evolution.escola.com.br`.
    #[garde(length(max = 300))]
    base_url: String,
    /// Its global key, which makes instances. Never shown again.
    #[garde(length(min = 8, max = 500), custom(is_key))]
    #[schemars(regex(pattern = KEY))]
    api_key: String,
}

const IS_TAKEN: &str = "select exists (select from channel_accounts where kind = 'evolution' and removed_at is null and lower(name) = lower($1)) as is_taken";

/// No row when another has its name.
const CREATE: &str = instances!(
    "with made as (
        insert into channel_accounts (id, kind, external_key, name, department_id, bot_flow_id, settings, account_key, state)
        values ($1, 'evolution', $2, $3, $4, $5, $6, $7, 'close')
        on conflict do nothing
        returning *
    ), evolution_instances as (
        insert into evolution_instances (channel_account_id, problem, told_at)
        select id, 'not_made', $8 from made
        returning *
    )
    ",
    "made",
    ""
);

const KEEP_CREDENTIALS: &str = "insert into channel_credentials (channel_account_id, sealed) values ($1, $2)";

pub fn main() {
    serve(&ROUTE, create_instance);
}

async fn create_instance(
    context: Context,
    caller: SteppedUp<Admin>,
    _: IdempotencyKey,
    Json(input): Json<NewInstance>,
) -> Result<Created<Instance>, Error> {
    let id = context.new_id();
    let name_there = instance_name(&input.name, id);
    let access = access(&context, &caller, &input).await?;
    access.prove(&context, &name_there).await?;
    // A token of our choosing: known and sealed before the server has it.
    let credentials = Credentials::new(random_token());
    let transaction = context.begin(&caller).await?;
    let found: ReferredTo = transaction.one(REFERRED_TO, &[&input.department_id, &input.bot_flow_key]).await?;
    refuse(found.unknown(input.bot_flow_key.is_some()))?;
    let settings = EvolutionSettings {
        base_url: access.base_url.clone(),
        instance: name_there.clone(),
        api_key: Some(hint(&credentials.api_key)),
        messages_per_minute: None,
        pause_ms: None,
    };
    let (hash, shown, key) = (credentials.external_key(), json!(settings), settings.key());
    let made: Option<Instance> = transaction
        .first(CREATE, &[&id, &hash, &input.name, &input.department_id, &found.bot_flow_id, &shown, &key, &context.now()])
        .await?;
    let instance = made.ok_or(NAME_TAKEN)?;
    transaction.defer(KEEP_CREDENTIALS, parameters![id, credentials.seal(&context.secrets().encryption_keys, id)]);
    if input.server.is_some() {
        access.keep(&context, &transaction, caller.company_id);
    }
    let Instance { name, status, state, version, .. } = instance.clone();
    transaction.tell_staff(&ChannelUpdated {
        id,
        kind: ChannelKind::Evolution,
        name,
        status,
        state: Some(state),
        version,
        history: None,
    });
    transaction.audit(id, &Value::Null, &instance);
    transaction.commit(Created(instance.clone())).await?;

    let known = Known::to_be_made(id, name_there, credentials, access);
    let mut visit = Visit::begin(&context, &known);
    // Its own row says what became of it.
    let _ = visit.connect(None).await;
    let seen = visit.seen;
    let changed = record(&context, caller.company_id, id, &seen, Telling::Nobody).await?;
    Ok(Created(instance.as_seen(&seen, changed.map(|changed| changed.version)).told(&context)))
}

/// The server that is given, or the one that is kept. Nothing of this transaction stays: the key of the request is claimed by the next one.
async fn access(context: &Context, caller: &Identity, input: &NewInstance) -> Result<GlobalAccess, Error> {
    let transaction = context.begin(caller).await?;
    let (rows, kept) =
        try_join(transaction.query(IS_TAKEN, &[&input.name]), GlobalAccess::kept(context, &transaction, caller.company_id))
            .await?;
    drop(transaction);
    if rows.first().is_some_and(|row| row.get("is_taken")) {
        return Err(NAME_TAKEN.into());
    }
    match &input.server {
        Some(server) => {
            let base_url = server_address(&server.base_url, "server.base_url").await?;
            Ok(GlobalAccess { base_url, api_key: server.api_key.clone() })
        }
        None => kept.ok_or_else(|| {
            let (portuguese, english) = ("Informe o servidor na primeira vez.", "Give the server the first time.");
            INVALID.in_fields(vec![FieldProblem::new("server", "required", portuguese, english)])
        }),
    }
}
