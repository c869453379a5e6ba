//! POST /lead-merges/{id}/undo — two leads again. What was changed or done since stays with the one that stayed.

use clients::merges::UNDONE_WITHIN;
use futures_util::future::{try_join3, try_join5};
use leads::{
    CRM_ID_TAKEN, LEAD, LEAD_MERGE, LEAD_MERGE_TOO_OLD, LEAD_MERGE_UNDONE, LEAD_MERGED_AGAIN, Lead, LeadCreated, LeadData,
    LeadMerge, RETURN, lead_columns, lead_joins, parted, stage_to_return,
};
use scores::rescored;
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::post("/lead-merges/{id}/undo").fails(&[
    NOT_FOUND,
    CRM_ID_TAKEN,
    LEAD_MERGE_TOO_OLD,
    LEAD_MERGE_UNDONE,
    LEAD_MERGED_AGAIN,
]);

const HOLD: &str = "select undo from lead_merges where id = $1 for no key update";

#[derive(FromRow)]
struct Held {
    undo: Value,
}

/// The stage that comes a card more, both leads and the merge, in the order of locks.
const HOLD_STAGE: &str =
    concat!("select app.hold_stages(array[", stage_to_return!("(select merged_id from lead_merges where id = $1)"), "])::text");

const HOLD_BOTH: &str = "
    select from leads
     where id in (select lead_id from lead_merges where id = $1 union all select merged_id from lead_merges where id = $1)
     order by id
       for no key update";

const STAYED: &str = concat!(
    "select ",
    lead_columns!(),
    " from leads ",
    lead_joins!(),
    " where leads.id = (select lead_id from lead_merges where id = $1) and leads.merged_into_id is null"
);

const MOVE_BACK: &str = "
    update lead_interactions set lead_id = $2
     where lead_id = $1 and id in (select value::uuid from jsonb_array_elements_text($3))";

const UNDONE: &str = "update lead_merges set undone_at = now(), undone_by_id = app.user_id() where id = $1";

#[derive(Deserialize)]
struct Undo {
    before: LeadData,
    after: LeadData,
    interactions: Value,
}

pub fn main() {
    serve(&ROUTE, undo_lead_merge);
}

async fn undo_lead_merge(context: Context, caller: Supervisor, Path(id): Path<Uuid>) -> Result<Json<LeadMerge>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, _, Held { undo }, merge, current): (_, _, Held, LeadMerge, Option<Lead>) = try_join5(
        transaction.query(HOLD_STAGE, &[&id]),
        transaction.query(HOLD_BOTH, &[&id]),
        transaction.one(HOLD, &[&id]),
        transaction.one(LEAD_MERGE, &[&id]),
        transaction.first(STAYED, &[&id]),
    )
    .await?;
    if merge.undone_at.is_some() {
        return Err(LEAD_MERGE_UNDONE.with_current(&merge));
    }
    if context.now().duration_since(merge.at) >= UNDONE_WITHIN {
        return Err(LEAD_MERGE_TOO_OLD.with_current(&merge));
    }
    let (stayed, merged) = (merge.lead_id, merge.merged_lead_id);
    let Some(current) = current else { return Err(LEAD_MERGED_AGAIN.with_current(&merge)) };
    let Undo { before, after, interactions } =
        serde_json::from_value(undo).map_err(|error| shared::error::INTERNAL.caused_by(format!("undo of a merge: {error}")))?;
    let returning = async { transaction.execute(RETURN, &[&merged]).await.on_constraint("leads_crm", CRM_ID_TAKEN) };
    let data = parted(&current, &before, &after);
    let shown = async {
        try_join3(transaction.one(LEAD, &[&stayed]), transaction.one(LEAD, &[&merged]), transaction.one(LEAD_MERGE, &[&id])).await
    };
    let ((), _, _, _, (kept, back, undone)): (_, _, _, _, (Lead, Lead, LeadMerge)) = try_join5(
        data.save(&transaction, stayed),
        returning,
        transaction.execute(MOVE_BACK, &[&stayed, &merged, &interactions]),
        transaction.execute(UNDONE, &[&id]),
        rescored(&transaction, &[stayed, merged], context.now(), shown),
    )
    .await?;
    kept.tell_changed(&transaction, caller.company_id, &current);
    back.tell(&transaction, caller.company_id, &LeadCreated { lead: &back });
    transaction.audit(id, &merge, &undone);
    transaction.commit(Json(undone)).await
}
