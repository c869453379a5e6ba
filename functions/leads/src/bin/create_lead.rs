//! POST /leads — a new lead, on top of a stage; by default the first one of the company's first pipeline.

use clients::fields::changed;
use futures_util::future::try_join;
use leads::{
    CRM_ID_TAKEN, Closing, DETAIL, LeadCreated, LeadData, LeadDetail, MISSING_FIELDS, NO_SUCH_STAGE, PLACE_FOR_NEW, Stage,
    lead_form, missing_fields,
};
use shared::{VISIBLE, prelude::*, visible};

const ROUTE: Route = Route::post("/leads").fails(&[CRM_ID_TAKEN, MISSING_FIELDS, NO_SUCH_STAGE]);

lead_form! {
    NewLead {
        #[garde(length(chars, min = 1, max = 120), custom(visible))]
        #[schemars(regex(pattern = VISIBLE))]
        name: String,
        /// The company's first one where nothing is said.
        #[garde(skip)]
        pipeline_id: Option<Uuid>,
        /// An open one of the pipeline; its first one where nothing is said.
        #[garde(skip)]
        stage_id: Option<Uuid>,
    }
}

pub fn main() {
    serve(&ROUTE, create_lead);
}

async fn create_lead(
    context: Context,
    caller: Staff,
    _: IdempotencyKey,
    Json(input): Json<NewLead>,
) -> Result<Created<LeadDetail>, Error> {
    let NewLead { pipeline_id, stage_id, .. } = input;
    let before = LeadData { name: input.name.clone(), custom_fields: changed(&Value::Null, Map::new()), ..LeadData::default() };
    let given = input.fields();
    let custom_fields = given.custom_fields.clone();
    let transaction = context.begin(&caller).await?;
    let (stage, named): (Option<Stage>, _) =
        try_join(transaction.first(PLACE_FOR_NEW, &[&pipeline_id, &stage_id]), given.named(&transaction)).await?;
    let stage = stage.ok_or(NO_SUCH_STAGE)?;
    let mut data = given.applied_to(before.clone());
    named.settle(&mut data, &before, stage.pipeline_id, custom_fields.as_ref())?;
    let id = context.new_id();
    let detail: LeadDetail = data.begin(&context, &transaction, (id, stage.id), transaction.one(DETAIL, &[&id])).await?;
    let missing = missing_fields(&stage, &detail.lead, &Closing::default());
    if !missing.is_empty() {
        return Err(MISSING_FIELDS.in_fields(missing));
    }
    detail.lead.tell(&transaction, caller.company_id, &LeadCreated { lead: &detail.lead });
    transaction.audit(id, &Value::Null, &detail.lead);
    transaction.commit(Created(detail)).await
}
