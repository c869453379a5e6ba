//! POST /integrations/config — connects a channel, or saves it again with another configuration.

use integrations::{
    ChannelUpdated, Integration, NUMBER_IN_USE,
    config::{Channel, IntegrationConfig, keep_hints},
};
use shared::{
    error::{FieldProblem, INVALID, UNAVAILABLE},
    prelude::*,
    whatsapp::{Account, Credentials, Failure, Number, look_up_number},
};
use tokio_postgres::types::ToSql;

const ROUTE: Route = Route::post("/integrations/config").fails(&[NUMBER_IN_USE]);

reads!(WHATSAPP_GRAPH_URL, WHATSAPP_GRAPH_VERSION);

/// What the input refers to, and the channel as it is if this company has saved it before; nobody else saves it meanwhile.
const FIND: &str = "
    select $3::uuid is null or exists (select from departments where id = $3) as has_department,
           (select id from bot_flows where key = $4 and published_at is not null order by number desc limit 1) as bot_flow_id,
           (select to_jsonb(channel) from (
               select channel_accounts.id, kind, name, status, department_id, bot_flows.key as bot_flow_key, settings,
                      channel_accounts.created_at, version
                 from channel_accounts
                 left join bot_flows on bot_flows.id = channel_accounts.bot_flow_id
                where kind = $1 and external_key = $2
                  for update of channel_accounts
           ) channel) as current";

/// No row when there is such a channel already, of whatever company.
const CONNECT: &str = "
    with saved as (
        insert into channel_accounts (id, kind, external_key, name, department_id, bot_flow_id, settings)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict do nothing
        returning *
    )
    select id, kind, name, status, department_id, $8::text as bot_flow_key, settings, created_at, version from saved";

/// No row when the channel is another company's. New credentials set a broken or disabled one going again.
const SAVE_AGAIN: &str = "
    with saved as (
        update channel_accounts
           set name = $3, department_id = $4, bot_flow_id = $5, settings = $6, version = version + 1,
               status = case when $8 then 'active' else status end
         where kind = $1 and external_key = $2
        returning *
    )
    select id, kind, name, status, department_id, $7::text as bot_flow_key, settings, created_at, version from saved";

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

#[derive(FromRow)]
struct Found {
    has_department: bool,
    bot_flow_id: Option<Uuid>,
    current: Option<Value>,
}

impl Found {
    /// 0 for a channel that was never saved.
    fn version(&self) -> i32 {
        let version = self.current.as_ref().and_then(|current| current["version"].as_i64());
        version.and_then(|version| version.try_into().ok()).unwrap_or(0)
    }
}

pub fn main() {
    serve(&ROUTE, save_integration);
}

async fn save_integration(
    context: Context,
    caller: Admin,
    _: IdempotencyKey,
    if_match: IfMatch,
    Json(input): Json<IntegrationConfig>,
) -> Result<Json<Integration>, Error> {
    let channel = Channel::from(input);
    let number = match &channel.credentials {
        Some(credentials) => prove_right(&context, &channel.external_key, credentials).await?,
        None => Number::default(),
    };
    let Channel { kind, external_key, name, department_id, bot_flow_key, .. } = &channel;
    let transaction = context.begin(&caller).await?;
    let found: Found = transaction.one(FIND, &[kind, external_key, department_id, bot_flow_key]).await?;
    if_match.check(found.version(), &found.current)?;
    refuse_unknown(&channel, &found)?;
    let flow = found.bot_flow_id;
    let settings = keep_hints(channel.settings.clone(), found.current.as_ref().map_or(&Value::Null, |row| &row["settings"]));
    let mut saved: Option<Integration> = None;
    if found.current.is_none() {
        let id = context.new_id();
        let values: [&(dyn ToSql + Sync); 8] = [&id, kind, external_key, name, department_id, &flow, &settings, bot_flow_key];
        saved = transaction.first(CONNECT, &values).await?;
    }
    let integration = if let Some(connected) = saved {
        connected
    } else {
        let renews = channel.credentials.is_some();
        let values: [&(dyn ToSql + Sync); 8] = [kind, external_key, name, department_id, &flow, &settings, bot_flow_key, &renews];
        transaction.first(SAVE_AGAIN, &values).await?.ok_or(NUMBER_IN_USE)?
    };
    if let Some(credentials) = &channel.credentials {
        let sealed = credentials.seal(&context.secrets().encryption_keys, integration.id);
        let Number { account_id, display_number } = &number;
        transaction.execute(KEEP_CREDENTIALS, &[&integration.id, &sealed, account_id, display_number]).await?;
    }
    let event = Event::new(Topic::Company(caller.company_id), Audience::staff(), &ChannelUpdated::from(&integration));
    transaction.emit(event);
    transaction.audit(integration.id, &found.current, &integration);
    transaction.commit(Json(integration)).await
}

/// Nobody connects a number that is not theirs: the token must be one that WhatsApp accepts for it.
async fn prove_right(context: &Context, phone_number_id: &str, credentials: &Credentials) -> Result<Number, Error> {
    let account = Account { phone_number_id: phone_number_id.to_owned(), credentials: credentials.clone() };
    let (outcome, _) = look_up_number(context, &account).await;
    match outcome {
        Ok(number) => Ok(number),
        Err(Failure::Refused { .. } | Failure::Blocked { .. }) => {
            let portuguese = "O WhatsApp não aceita este token para este número.";
            let english = "WhatsApp does not accept this token for this number.";
            Err(INVALID.in_fields(vec![FieldProblem::new("access_token", "not_accepted", portuguese, english)]))
        }
        Err(Failure::Busy { code: reason, .. } | Failure::Unknown { reason }) => Err(UNAVAILABLE.caused_by(reason)),
    }
}

fn refuse_unknown(channel: &Channel, found: &Found) -> Result<(), Error> {
    let mut problems = Vec::new();
    if !found.has_department {
        let (portuguese, english) = ("Departamento não encontrado.", "No such department.");
        problems.push(FieldProblem::new("department_id", "not_found", portuguese, english));
    }
    if channel.bot_flow_key.is_some() && found.bot_flow_id.is_none() {
        let (portuguese, english) = ("Nenhum fluxo publicado tem esta chave.", "No published flow has this key.");
        problems.push(FieldProblem::new("bot_flow_key", "not_published", portuguese, english));
    }
    if channel.credentials.is_none() && found.current.is_none() {
        let (portuguese, english) = ("Obrigatório na primeira vez.", "Required the first time.");
        problems.push(FieldProblem::new("access_token", "required", portuguese, english));
    }
    if problems.is_empty() { Ok(()) } else { Err(INVALID.in_fields(problems)) }
}
