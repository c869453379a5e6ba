//! PUT /leads/{id} — changes what is given of a lead; lists are given whole.

use futures_util::future::{try_join, try_join3};
use leads::{CRM_ID_TAKEN, DETAIL, HOLD_LEADS, LeadData, LeadDetail, lead_form};
use scores::rescored;
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    prelude::*,
    visible,
};

const ROUTE: Route =
    Route::put("/leads/{id}").or(&["PATCH /leads/{id}"]).fails(&[NOT_FOUND, CRM_ID_TAKEN, STALE.showing::<LeadDetail>()]);

lead_form! {
    LeadChanges {
        #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
        #[schemars(regex(pattern = VISIBLE))]
        name: Option<String>,
    }
}

pub fn main() {
    serve(&ROUTE, update_lead);
}

async fn update_lead(
    context: Context,
    caller: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<LeadChanges>,
) -> Result<Json<LeadDetail>, Error> {
    let transaction = context.begin(&caller).await?;
    let (ids, name) = ([id], input.name.clone());
    let given = input.fields();
    let (_, current, named): (_, LeadDetail, _) = try_join3(
        transaction.query(HOLD_LEADS, &[&ids.as_slice()]),
        transaction.one(DETAIL, &[&id]),
        given.named(&transaction),
    )
    .await?;
    if_match.check(&current)?;
    let LeadDetail { lead: was, .. } = &current;
    let before = LeadData::from(was.clone());
    let name = name.unwrap_or_else(|| before.name.clone());
    let custom_fields = given.custom_fields.clone();
    let mut data = given.applied_to(LeadData { name, ..before.clone() });
    named.settle(&mut data, &before, was.pipeline_id, custom_fields.as_ref())?;
    if data == before {
        return transaction.commit(Json(current)).await;
    }
    let ((), detail): (_, LeadDetail) = try_join(
        data.save(&transaction, id),
        rescored(&transaction, &ids, context.now(), transaction.one(DETAIL, &[&id])),
    )
    .await?;
    detail.lead.tell_changed(&transaction, caller.company_id, was);
    transaction.audit(id, was, &detail.lead);
    transaction.commit(Json(detail)).await
}
