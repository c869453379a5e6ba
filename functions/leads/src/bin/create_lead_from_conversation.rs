//! POST /conversations/{id}/lead — makes a lead of a conversation's client, who may have none open yet.

use futures_util::future::try_join3;
use leads::{DETAIL, LEAD_CLIENT, LeadClient, LeadCreated, LeadDetail, NO_SUCH_STAGE, OPEN_LEAD, OpenLead, PLACE_FOR_NEW, Stage};
use shared::{error::NOT_FOUND, money::Money, prelude::*};

const LEAD_EXISTS: Problem =
    Problem::new(409, "lead_exists", "Este cliente já tem um lead aberto.", "This client has an open lead already.")
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
    let (client, stage, open): (LeadClient, Option<Stage>, Option<OpenLead>) = try_join3(
        transaction.one(LEAD_CLIENT, &[&id]),
        transaction.first(PLACE_FOR_NEW, &[&pipeline_id, &stage_id]),
        transaction.first(OPEN_LEAD, &[&id]),
    )
    .await?;
    let stage = stage.ok_or(NO_SUCH_STAGE)?;
    if let Some(OpenLead { id }) = open {
        let lead: Option<LeadDetail> = transaction.first(DETAIL, &[&id]).await?;
        return Err(lead.map_or_else(|| LEAD_EXISTS.into(), |lead| LEAD_EXISTS.with_current(&lead)));
    }
    let data = client.lead(origin, Some(caller.user_id), potential_value);
    let new_id = context.new_id();
    let detail: LeadDetail = data.begin(&context, &transaction, (new_id, stage.id), transaction.one(DETAIL, &[&new_id])).await?;
    detail.lead.tell(&transaction, caller.company_id, &LeadCreated { lead: &detail.lead });
    transaction.audit(new_id, &Value::Null, &detail.lead);
    transaction.commit(Created(detail)).await
}
