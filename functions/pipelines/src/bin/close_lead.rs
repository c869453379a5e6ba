//! POST /leads/{id}/close — ends a lead as won or lost, in the first such stage of its pipeline.

use futures_util::future::{try_join, try_join4};
use leads::{
    CloseOutcome, Closing, HOLD_END_OF_PIPELINE, HOLD_LEADS, LEAD, Lead, MISSING_FIELDS, STAGE_AT_THE_END, Stage, enter, missing_fields,
};
use shared::{VISIBLE, error::NOT_FOUND, money::Money, prelude::*, visible};

const ROUTE: Route = Route::post("/leads/{id}/close").fails(&[NOT_FOUND, MISSING_FIELDS]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CloseLead")]
struct Close {
    #[garde(skip)]
    outcome: CloseOutcome,
    /// Why.
    #[garde(length(chars, min = 1, max = 500), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    reason: Option<String>,
    /// What it was won for; what it might bring where nothing is said.
    #[garde(skip)]
    value: Option<Money>,
}

pub fn main() {
    serve(&ROUTE, close_lead);
}

async fn close_lead(context: Context, caller: Staff, Path(id): Path<Uuid>, Json(input): Json<Close>) -> Result<Json<Lead>, Error> {
    let Close { outcome, reason, value } = input;
    let transaction = context.begin(&caller).await?;
    let (ids, kind) = ([id], outcome.as_str());
    let (_, _, current, stage): (_, _, Lead, Stage) = try_join4(
        transaction.query(HOLD_END_OF_PIPELINE, &[&id, &kind]),
        transaction.query(HOLD_LEADS, &[&ids.as_slice()]),
        transaction.one(LEAD, &[&id]),
        transaction.one(STAGE_AT_THE_END, &[&id, &kind]),
    )
    .await?;
    if current.deleted_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    // Said twice, it is one end.
    if current.status.as_str() == kind {
        return transaction.commit(Json(current)).await;
    }
    let value = value.or(current.potential_value).filter(|_| outcome == CloseOutcome::Won);
    let closing = Closing { reason, value };
    let missing = missing_fields(&stage, &current, &closing);
    if !missing.is_empty() {
        return Err(MISSING_FIELDS.in_fields(missing));
    }
    let entering = enter(&transaction, caller.company_id, &current, &stage, (None, None), &closing);
    let (_, lead): (_, Lead) = try_join(entering, transaction.one(LEAD, &[&id])).await?;
    lead.tell_changed(&transaction, caller.company_id, &current);
    transaction.audit(id, &current, &lead);
    transaction.commit(Json(lead)).await
}
