//! POST /leads/{id}/merge — another lead is this one from now on, with what was done with it. It can be undone for 30 days.

use futures_util::future::{try_join, try_join3, try_join5};
use leads::{CRM_ID_TAKEN, HOLD_LEADS, LEAD, LEAD_MERGE, LEADS, Lead, LeadData, LeadDeleted, LeadMerge, joined};
use scores::rescored;
use shared::{
    error::{FieldProblem, NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route = Route::post("/leads/{id}/merge").fails(&[NOT_FOUND, CRM_ID_TAKEN]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MergeLead {
    /// Which becomes this lead.
    #[garde(skip)]
    lead_id: Uuid,
}

/// What they have stands in one place only.
const TAKE: &str = "
    update leads set merged_into_id = $2, deleted_at = coalesce(deleted_at, now()), version = version + 1, updated_at = now() where id = $1";

const CONTACTS: &str = "
    update leads
       set last_contact_at = greatest(leads.last_contact_at, other.last_contact_at), replied_at = greatest(leads.replied_at, other.replied_at),
           quick_reply_at = coalesce(leads.quick_reply_at, other.quick_reply_at),
           budget_confirmed = coalesce(leads.budget_confirmed, other.budget_confirmed),
           budget_amount = coalesce(leads.budget_amount, other.budget_amount),
           authority_level = coalesce(leads.authority_level, other.authority_level), need_level = coalesce(leads.need_level, other.need_level),
           decides_by = coalesce(leads.decides_by, other.decides_by), qualification = other.qualification || leads.qualification
      from leads other
     where leads.id = $2 and other.id = $1";

/// With what was done with the one that goes, but for a day's first message that the other one has, too.
const JOIN: &str = "
    with moved as (
        update lead_interactions set lead_id = $2
         where lead_id = $3
           and not exists (select from lead_interactions own where own.lead_id = $2 and own.day = lead_interactions.day)
        returning id
    )
    insert into lead_merges (id, lead_id, merged_id, undo)
    select $1, $2, $3, $4 || jsonb_build_object('interactions', coalesce(jsonb_agg(id), '[]')) from moved";

pub fn main() {
    serve(&ROUTE, merge_leads);
}

async fn merge_leads(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    _: IdempotencyKey,
    Json(MergeLead { lead_id }): Json<MergeLead>,
) -> Result<Created<LeadMerge>, Error> {
    let transaction = context.begin(&caller).await?;
    let ids = [id, lead_id];
    let (_, stays, both): (_, Lead, Vec<Lead>) = try_join3(
        transaction.query(HOLD_LEADS, &[&ids.as_slice()]),
        transaction.one(LEAD, &[&id]),
        transaction.all(LEADS, &[&ids.as_slice()]),
    )
    .await?;
    if stays.deleted_at.is_some() {
        return Err(NOT_FOUND.into());
    }
    let (code, portuguese, english) = if lead_id == id {
        ("same_lead", "É o mesmo lead.", "This is the same lead.")
    } else {
        ("unknown_lead", "Lead não encontrado.", "Lead not found.")
    };
    let goes = both.into_iter().find(|lead| lead.id == lead_id && lead.id != id && lead.deleted_at.is_none());
    let Some(goes) = goes else {
        return Err(refuse([FieldProblem::new("lead_id", code, portuguese, english)]).err().unwrap_or_else(|| NOT_FOUND.into()));
    };
    let (before, after) = (LeadData::from(stays.clone()), joined(&stays, &goes));
    let merge_id = context.new_id();
    let undo = json!({"before": before, "after": after});
    let shown = async { try_join(transaction.one(LEAD, &[&id]), transaction.one(LEAD_MERGE, &[&merge_id])).await };
    let (_, _, (), _, (lead, merge)): (_, _, _, _, (Lead, LeadMerge)) = try_join5(
        transaction.execute(TAKE, &[&lead_id, &id]),
        transaction.execute(JOIN, &[&merge_id, &id, &lead_id, &undo]),
        after.save(&transaction, id),
        transaction.execute(CONTACTS, &[&lead_id, &id]),
        rescored(&transaction, &[id], context.now(), shown),
    )
    .await?;
    let (pipeline_id, stage_id) = (goes.pipeline_id, goes.stage_id());
    goes.tell(&transaction, caller.company_id, &LeadDeleted { lead_id, pipeline_id, stage_id, merged_into_id: Some(id) });
    lead.tell_changed(&transaction, caller.company_id, &stays);
    transaction.audit(id, &json!({"lead": stays, "merged_lead": goes}), &merge);
    transaction.commit(Created(merge)).await
}
