//! POST /integrations/crm/conflicts/{id}/resolve — keeps what the lead says, or takes what the CRM says; the next sync tells the CRM.

use futures_util::future::try_join;
use leads::{
    HOLD_LEADS, LEAD, Lead, LeadData, LeadDeleted,
    crm::{
        conflicts::{CONFLICT_RESOLVED, CrmConflict, CrmConflictKind, CrmConflictResolved, CrmResolution},
        pull::with,
    },
    crm_conflict_columns,
};
use scores::rescored;
use shared::{closed_set, error::NOT_FOUND, prelude::*};

const ROUTE: Route =
    Route::post("/integrations/crm/conflicts/{id}/resolve").fails(&[NOT_FOUND, CONFLICT_RESOLVED.showing::<CrmConflict>()]);

closed_set! {
    /// Whose it is to be.
    CrmChoice { Ours = "ours", Theirs = "theirs" }
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Chosen {
    #[garde(skip)]
    keep: CrmChoice,
}

const CONFLICT: &str = concat!("select ", crm_conflict_columns!(), " from crm_conflicts where crm_conflicts.id = $1");

/// As the sync holds them: the lead, then what is kept of it.
const HOLD: &str = "
    select from leads
     where id = (select lead_id from crm_conflicts where crm_conflicts.id = $1)
       for no key update";

/// From now on a difference of the field is a change of ours, or none.
const AGREE: &str = "
    update crm_records
       set agreed = agreed || jsonb_build_object($2::text, $3::text), lead_version = least(lead_version, 0) - 1
     where lead_id = $1";

/// The CRM is told of the lead as of one that it never knew.
const MAKE_ANEW: &str = "
    with anew as (
        update crm_records
           set crm_id = null, agreed = '{}', lead_version = least(lead_version, 0) - 1, gone_at = null, asked_at = null, attempts = 0, refused = null
         where lead_id = $1
    )
    update leads set crm_id = null where id = $1";

const DELETE: &str =
    "update leads set deleted_at = now(), version = version + 1, updated_at = now() where id = $1 and deleted_at is null";

const RESOLVE: &str = concat!(
    "with crm_conflicts as (
        update crm_conflicts
           set resolution = $2, resolved_at = now(), resolved_by_id = $3
         where id = $1
        returning *
    )
    select ",
    crm_conflict_columns!(),
    " from crm_conflicts"
);

pub fn main() {
    serve(&ROUTE, resolve_crm_conflict);
}

async fn resolve_crm_conflict(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    Json(Chosen { keep }): Json<Chosen>,
) -> Result<Json<CrmConflict>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, current): (_, CrmConflict) = try_join(transaction.query(HOLD, &[&id]), transaction.one(CONFLICT, &[&id])).await?;
    if current.resolution.is_some() {
        return Err(CONFLICT_RESOLVED.with_current(&current));
    }
    let resolution = match keep {
        CrmChoice::Ours => CrmResolution::Ours,
        CrmChoice::Theirs => CrmResolution::Theirs,
    };
    let choose = async {
        match (current.kind, keep) {
            (CrmConflictKind::Deleted, CrmChoice::Ours) => transaction.execute(MAKE_ANEW, &[&current.lead_id]).await.map(drop),
            (CrmConflictKind::Deleted, CrmChoice::Theirs) => delete(&transaction, caller.company_id, current.lead_id).await,
            (CrmConflictKind::Field, _) => settle(&context, &transaction, caller.company_id, (&current, keep)).await,
        }
    };
    let word = resolution.as_str();
    let ((), resolved): ((), CrmConflict) = try_join(choose, transaction.one(RESOLVE, &[&id, &word, &caller.user_id])).await?;
    transaction.tell_staff(&CrmConflictResolved { conflict_id: id, lead_id: current.lead_id, resolution });
    transaction.audit(id, &current, &resolved);
    transaction.commit(Json(resolved)).await
}

async fn settle(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    (conflict, keep): (&CrmConflict, CrmChoice),
) -> Result<(), Error> {
    let CrmConflict { lead_id, field, theirs, .. } = conflict;
    let field = field.clone().unwrap_or_default();
    if keep == CrmChoice::Ours {
        return transaction.execute(AGREE, &[lead_id, &field, theirs]).await.map(drop);
    }
    let (_, before): (_, Lead) =
        try_join(transaction.execute(AGREE, &[lead_id, &field, theirs]), transaction.one(LEAD, &[lead_id])).await?;
    let data = with(LeadData::from(before.clone()), &[(field, theirs.clone())].into());
    let ids = [*lead_id];
    let ((), lead): ((), Lead) =
        try_join(data.save(transaction, *lead_id), rescored(transaction, &ids, context.now(), transaction.one(LEAD, &[lead_id])))
            .await?;
    lead.tell_changed(transaction, company_id, &before);
    Ok(())
}

async fn delete(transaction: &Transaction, company_id: Uuid, lead_id: Uuid) -> Result<(), Error> {
    let ids = [lead_id];
    let (_, lead): (_, Lead) =
        try_join(transaction.query(HOLD_LEADS, &[&ids.as_slice()]), transaction.one(LEAD, &[&lead_id])).await?;
    if transaction.execute(DELETE, &[&lead_id]).await? > 0 {
        let (pipeline_id, stage_id) = (lead.pipeline_id, lead.stage_id());
        lead.tell(transaction, company_id, &LeadDeleted { lead_id, pipeline_id, stage_id, merged_into_id: None });
    }
    Ok(())
}
