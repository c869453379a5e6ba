//! POST /conversations/{id}/lead — makes a lead of a conversation's client, who may have none open yet.

use clients::fields::changed;
use futures_util::future::try_join3;
use leads::{DETAIL, HOLD_STAGES, LeadCreated, LeadData, LeadDetail, NO_SUCH_STAGE, PLACE_FOR_NEW, Stage};
use scores::rescored;
use shared::{error::NOT_FOUND, money::Money, prelude::*};

const LEAD_EXISTS: Problem = Problem::new(
    409,
    "lead_exists",
    "Este cliente já tem um lead aberto.",
    "This client has an open lead already.",
)
.showing::<LeadDetail>();

const ROUTE: Route = Route::post("/conversations/{id}/lead").fails(&[NOT_FOUND, NO_SUCH_STAGE, LEAD_EXISTS]);

#[derive(Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LeadOfConversation {
    /// The company's first one where nothing is said.
    #[garde(skip)]
    pipeline_id: Option<Uuid>,
    /// An open one of the pipeline; its first one where nothing is said.
    #[garde(skip)]
    stage_id: Option<Uuid>,
    /// Where they came from; `whatsapp` where nothing is said.
    #[garde(length(chars, min = 1, max = 80))]
    origin: Option<String>,
    #[garde(skip)]
    potential_value: Option<Money>,
}

/// Whom it is with, held so that of two the second finds the first's lead.
const CLIENT: &str = "
    select clients.id, clients.name,
           (select value from client_identities identity
             where identity.company_id = clients.company_id and identity.client_id = clients.id and identity.kind = 'phone'
             order by identity.created_at, identity.value limit 1) as phone,
           (select value from client_identities identity
             where identity.company_id = clients.company_id and identity.client_id = clients.id and identity.kind = 'email'
             order by identity.created_at, identity.value limit 1) as email
      from conversations
      join clients on clients.company_id = conversations.company_id and clients.id = conversations.client_id
     where conversations.id = $1
       for no key update of clients";

#[derive(FromRow)]
struct Client {
    id: Uuid,
    name: String,
    phone: Option<String>,
    email: Option<String>,
}

const OPEN_LEAD: &str = "
    select id from leads
     where client_id = (select client_id from conversations where id = $1) and status = 'open' and deleted_at is null
     order by created_at, id
     limit 1";

#[derive(FromRow)]
struct Open {
    id: Uuid,
}

pub fn main() {
    serve(&ROUTE, create_lead_from_conversation);
}

async fn create_lead_from_conversation(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(input): Json<LeadOfConversation>,
) -> Result<Created<LeadDetail>, Error> {
    let LeadOfConversation { pipeline_id, stage_id, origin, potential_value } = input;
    let transaction = context.begin(&caller).await?;
    let (client, stage, open): (Client, Option<Stage>, _) = try_join3(
        transaction.one(CLIENT, &[&id]),
        transaction.first(PLACE_FOR_NEW, &[&pipeline_id, &stage_id]),
        transaction.first(OPEN_LEAD, &[&id]),
    )
    .await?;
    let stage = stage.ok_or(NO_SUCH_STAGE)?;
    if let Some(Open { id }) = open {
        let lead: LeadDetail = transaction.one(DETAIL, &[&id]).await?;
        return Err(LEAD_EXISTS.with_current(&lead));
    }
    let data = LeadData {
        name: client.name,
        phone: client.phone,
        email: client.email,
        origin: Some(origin.unwrap_or_else(|| "whatsapp".to_owned())),
        closer_id: Some(caller.user_id),
        potential_value,
        custom_fields: changed(&Value::Null, Map::new()),
        client_id: Some(client.id),
        ..LeadData::default()
    };
    let new_id = context.new_id();
    let stages = [stage.id];
    let (_, (), detail): (_, _, LeadDetail) = try_join3(
        transaction.query(HOLD_STAGES, &[&stages.as_slice()]),
        data.add(&transaction, new_id, stage.id),
        rescored(&transaction, &[new_id], context.now(), transaction.one(DETAIL, &[&new_id])),
    )
    .await?;
    detail.lead.tell(&transaction, caller.company_id, &LeadCreated { lead: &detail.lead });
    transaction.audit(new_id, &Value::Null, &detail.lead);
    transaction.commit(Created(detail)).await
}
