//! What an import did, taken back.

use clients::import::run::Undone;
use futures_util::future::{try_join, try_join_all};
use scores::rescored;
use shared::prelude::*;
use tokio_postgres::types::ToSql;

use crate::{HOLD_LEADS, LEADS, Lead, LeadData, parted};

const LEFT: &str = "
    select lead_id, before, after
      from lead_import_rows
     where import_id = $1 and not is_undone
     order by lead_id
     limit $2";

#[derive(FromRow)]
struct Left {
    lead_id: Uuid,
    before: Option<Value>,
    after: Option<Value>,
}

/// Who was made by it and with whom nobody has done anything since goes from the board. What the other CRM calls it is free again.
const REMOVE: &str = "
    update leads
       set deleted_at = now(), crm_id = null, version = version + 1, updated_at = now()
     where id = any ($1) and deleted_at is null and merged_into_id is null and replied_at is null
       and not exists (select from lead_changes
                        where lead_changes.company_id = leads.company_id and lead_changes.lead_id = leads.id and by_id is not null)
       and not exists (select from lead_interactions
                        where lead_interactions.company_id = leads.company_id and lead_interactions.lead_id = leads.id and source <> 'import')
       and not exists (select from tasks where tasks.company_id = leads.company_id and tasks.lead_id = leads.id)
       and not exists (select from followup_executions
                        where followup_executions.company_id = leads.company_id and followup_executions.lead_id = leads.id)";

const NOTE: &str = "update lead_import_rows set is_undone = true where import_id = $1 and lead_id = any ($2)";

const COUNT: &str = "update lead_imports set removed = removed + $2, restored = restored + $3, kept = kept + $4 where id = $1";

/// Takes back what it did to the next ones: of whom it changed, what nobody has changed since is as it was.
///
/// # Errors
/// As the database fails.
pub async fn take_back(context: &Context, transaction: &Transaction, import: Uuid, most: i32) -> Result<Undone, Error> {
    let left: Vec<Left> = transaction.all(LEFT, &[&import, &i64::from(most)]).await?;
    let ids: Vec<Uuid> = left.iter().map(|row| row.lead_id).collect();
    let (_, leads): (_, Vec<Lead>) = try_join(transaction.query(HOLD_LEADS, &[&ids]), transaction.all(LEADS, &[&ids])).await?;
    let made: Vec<Uuid> = left.iter().filter(|row| row.before.is_none()).map(|row| row.lead_id).collect();
    let mut back: Vec<(Uuid, LeadData)> = Vec::new();
    let mut restored = 0_i32;
    for Left { lead_id, before, after } in &left {
        let (Some(before), Some(after)) = (data(before.as_ref()), data(after.as_ref())) else { continue };
        let Some(lead) = leads.iter().find(|lead| lead.id == *lead_id) else { continue };
        let mut now = parted(lead, &before, &after);
        if now.name == after.name {
            now.name.clone_from(&before.name);
        }
        // It may be somebody else's by now, or be called so by a CRM that was told of it.
        if before.crm_id.is_some() {
            now.crm_id.clone_from(&lead.crm_id);
        }
        restored += i32::from(LeadData { crm_id: before.crm_id.clone(), ..now.clone() } == before);
        if now != LeadData::from(lead.clone()) {
            back.push((*lead_id, now));
        }
    }
    let saved = try_join_all(back.iter().map(|(id, data)| data.save(transaction, *id)));
    let (removed, _) = try_join(transaction.execute(REMOVE, &[&made]), saved).await?;
    let removed = i32::try_from(removed).unwrap_or(i32::MAX);
    let kept = count(left.len()) - removed - restored;
    let changed: Vec<Uuid> = back.iter().map(|(id, _)| *id).collect();
    let noted = async {
        let of_rows: [&(dyn ToSql + Sync); 2] = [&import, &ids];
        let counted: [&(dyn ToSql + Sync); 4] = [&import, &removed, &restored, &kept];
        try_join(transaction.execute(NOTE, &of_rows), transaction.execute(COUNT, &counted)).await
    };
    rescored(transaction, &changed, context.now(), noted).await?;
    Ok(Undone { taken: count(left.len()), kept })
}

fn data(kept: Option<&Value>) -> Option<LeadData> {
    serde_json::from_value(kept?.clone()).ok()
}

fn count(items: usize) -> i32 {
    i32::try_from(items).unwrap_or(i32::MAX)
}
