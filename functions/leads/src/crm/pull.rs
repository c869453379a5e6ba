//! What has changed in the CRM is taken: a page in one transaction, so that nothing of it counts twice.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join3;
use scores::rescored;
use shared::prelude::*;

use super::{
    connection::{Connection, Theirs},
    merge::{Clash, merge},
    push::GONE,
    values::{Values, of_lead},
};
use crate::{HOLD_LEADS, HOLD_STAGES, LEAD, LEADS, Lead, LeadCreated, LeadData, PLACE_FOR_NEW, Stage};

/// Whose the records are: by what is kept of each, by what somebody has said its id is, or by the e-mail or phone of a lead that the CRM does not
/// know yet. Of several the first.
const WHOSE: &str = "
    select distinct on (theirs.crm_id) theirs.crm_id, leads.id, leads.deleted_at is not null as is_deleted
      from unnest($1::text[], $2::text[], $3::text[]) theirs (crm_id, email, phone)
      left join crm_records mapped on mapped.crm_id = theirs.crm_id
     cross join lateral (
           select mapped.lead_id as id, 0 as place where mapped.lead_id is not null
           union all
           select id, 1 from leads where leads.crm_id = theirs.crm_id and merged_into_id is null
           union all
           select id, 2 from leads where leads.email = theirs.email and deleted_at is null
           union all
           select id, 3 from leads where leads.phone = theirs.phone and deleted_at is null) found
      join leads on leads.id = found.id
      left join crm_records record on record.lead_id = leads.id
     where record.crm_id is null or record.crm_id = theirs.crm_id
     order by theirs.crm_id, found.place, leads.created_at, leads.id";

/// What both last said, read once the leads are held: people who choose hold them, too.
const AGREED: &str = "select lead_id, agreed from crm_records where lead_id = any ($1)";

/// What both say from now on; the lead is looked at once more, for what it is to be told.
const KEEP: &str = "
    insert into crm_records as record (lead_id, crm_id, agreed)
    values ($1, $2, $3)
    on conflict (company_id, lead_id) do update set crm_id = excluded.crm_id, agreed = excluded.agreed, asked_at = null";

const NOTE_ID: &str = "
    update leads
       set crm_id = $2
     where id = $1 and crm_id is distinct from $2
       and not exists (select from leads other where other.crm_id = $2 and other.id <> $1 and other.merged_into_id is null)";

/// The newest of what they say counts.
const ASK: &str = "
    insert into crm_conflicts as conflict (lead_id, crm_id, kind, field, agreed, ours, theirs)
    values ($1, $2, 'field', $3, $4, $5, $6)
    on conflict (company_id, lead_id, coalesce(field, '')) where resolved_at is null do update
       set ours = excluded.ours, theirs = excluded.theirs
    returning (xmax = 0) as is_new";

/// What people were asked about and both say alike again, or only one has changed.
const SAME_AGAIN: &str = "
    update crm_conflicts
       set resolution = 'same', resolved_at = now()
     where lead_id = $1 and kind = 'field' and resolved_at is null and not (field = any ($2))";

#[derive(FromRow)]
struct Whose {
    crm_id: String,
    id: Uuid,
    is_deleted: bool,
}

/// Ids that somebody has said of a lead.
const SAID: &str = "select crm_id from leads where crm_id = any ($1) and merged_into_id is null";

#[derive(FromRow)]
struct Said {
    crm_id: String,
}

#[derive(FromRow)]
struct Agreed {
    lead_id: Uuid,
    agreed: Value,
}

#[derive(FromRow)]
struct Asked {
    is_new: bool,
}

/// What a page came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pulled {
    pub made: usize,
    pub changed: usize,
    pub conflicts: usize,
    /// Records of nobody that say too little to make a lead of.
    pub skipped: usize,
}

/// Takes a page of records within a transaction.
///
/// # Errors
/// Those of the database.
pub async fn take(context: &Context, transaction: &Transaction, crm: &Connection, page: &[Theirs]) -> Result<Pulled, Error> {
    let mut pulled = Pulled::default();
    let (gone, there): (Vec<&Theirs>, Vec<&Theirs>) = page.iter().partition(|record| record.is_deleted);
    if !gone.is_empty() {
        let ids: Vec<&str> = gone.iter().map(|record| record.crm_id.as_str()).collect();
        pulled.conflicts += transaction.query(GONE, &[&ids]).await?.len();
    }
    if there.is_empty() {
        return Ok(pulled);
    }
    let none: Option<Uuid> = None;
    let page_ids: Vec<&str> = there.iter().map(|record| record.crm_id.as_str()).collect();
    let (whose, stage, said): (_, Option<Stage>, Vec<Said>) = try_join3(
        whose(transaction, &there),
        transaction.first(PLACE_FOR_NEW, &[&none, &none]),
        transaction.all(SAID, &[&page_ids]),
    )
    .await?;
    let said = said.into_iter().map(|said| said.crm_id).collect();
    if let Some(stage) = &stage
        && there.iter().any(|record| !whose.contains_key(&record.crm_id))
    {
        transaction.query(HOLD_STAGES, &[&[stage.id].as_slice()]).await?;
    }
    let mut ids: Vec<Uuid> = whose.values().filter(|whose| !whose.is_deleted).map(|whose| whose.id).collect();
    ids.sort_unstable();
    let (_, leads, agreed): (_, Vec<Lead>, Vec<Agreed>) = try_join3(
        transaction.query(HOLD_LEADS, &[&ids.as_slice()]),
        transaction.all(LEADS, &[&ids.as_slice()]),
        transaction.all(AGREED, &[&ids.as_slice()]),
    )
    .await?;
    let mut agreed: HashMap<Uuid, Value> = agreed.into_iter().map(|row| (row.lead_id, row.agreed)).collect();
    let leads: HashMap<Uuid, Lead> = leads.into_iter().map(|lead| (lead.id, lead)).collect();
    let mut take = Take { context, transaction, crm, pulled: &mut pulled, changed: Vec::new(), taken: HashSet::new(), said };
    for record in there {
        match whose.get(&record.crm_id) {
            Some(whose) if whose.is_deleted => {}
            Some(whose) => {
                if let Some(lead) = leads.get(&whose.id) {
                    take.known(record, lead, agreed.remove(&whose.id)).await?;
                }
            }
            None => take.make(record, stage.as_ref()).await?,
        }
    }
    let changed = take.changed;
    tell(context, transaction, crm.company_id, (&changed, &leads)).await?;
    Ok(pulled)
}

async fn whose(transaction: &Transaction, there: &[&Theirs]) -> Result<HashMap<String, Whose>, Error> {
    let ids: Vec<&str> = there.iter().map(|record| record.crm_id.as_str()).collect();
    let of =
        |field: &str| -> Vec<Option<String>> { there.iter().map(|record| record.values.get(field).cloned().flatten()).collect() };
    let rows: Vec<Whose> = transaction.all(WHOSE, &[&ids, &of("email"), &of("phone")]).await?;
    Ok(rows.into_iter().map(|whose| (whose.crm_id.clone(), whose)).collect())
}

/// Tells of those that were changed, with their scores made anew.
async fn tell(
    context: &Context,
    transaction: &Transaction,
    company_id: Uuid,
    (changed, before): (&[Uuid], &HashMap<Uuid, Lead>),
) -> Result<(), Error> {
    if changed.is_empty() {
        return Ok(());
    }
    let after: Vec<Lead> = rescored(transaction, changed, context.now(), transaction.all(LEADS, &[&changed])).await?;
    for lead in &after {
        if let Some(was) = before.get(&lead.id) {
            lead.tell_changed(transaction, company_id, was);
        }
    }
    Ok(())
}

struct Take<'a> {
    context: &'a Context,
    transaction: &'a Transaction,
    crm: &'a Connection,
    pulled: &'a mut Pulled,
    changed: Vec<Uuid>,
    /// Leads that a record of this page is already.
    taken: HashSet<Uuid>,
    /// Ids that some lead has been given.
    said: HashSet<String>,
}

impl Take<'_> {
    async fn known(&mut self, record: &Theirs, lead: &Lead, agreed: Option<Value>) -> Result<(), Error> {
        // The same person twice there: the first is the lead, the other is nobody until they part.
        if !self.taken.insert(lead.id) {
            self.pulled.skipped += 1;
            return Ok(());
        }
        let agreed: Values = agreed.and_then(|agreed| serde_json::from_value(agreed).ok()).unwrap_or_default();
        let data = LeadData::from(lead.clone());
        let ours = of_lead(&json!(data), &self.crm.fields);
        let merged = merge(&agreed, &ours, &record.values);
        if !merged.taken.is_empty() {
            with(data, &merged.taken).save(self.transaction, lead.id).await?;
            self.changed.push(lead.id);
            self.pulled.changed += 1;
        }
        self.transaction.execute(KEEP, &[&lead.id, &record.crm_id, &json!(merged.agreed)]).await?;
        if lead.crm_id.as_deref() != Some(&record.crm_id) {
            self.transaction.execute(NOTE_ID, &[&lead.id, &record.crm_id]).await?;
        }
        let open: Vec<&str> = merged.clashes.iter().map(|clash| clash.field.as_str()).collect();
        self.transaction.execute(SAME_AGAIN, &[&lead.id, &open]).await?;
        for Clash { field, agreed, ours, theirs } in &merged.clashes {
            let asked: Asked = self.transaction.one(ASK, &[&lead.id, &record.crm_id, field, agreed, ours, theirs]).await?;
            self.pulled.conflicts += usize::from(asked.is_new);
        }
        Ok(())
    }

    /// A lead of somebody whom only the CRM knew.
    async fn make(&mut self, record: &Theirs, stage: Option<&Stage>) -> Result<(), Error> {
        let named = record.values.get("name").cloned().flatten();
        let other = ["email", "phone"].iter().find_map(|field| record.values.get(*field).cloned().flatten());
        let (Some(stage), Some(name)) = (stage, named.or(other)) else {
            self.pulled.skipped += 1;
            return Ok(());
        };
        // What somebody has given to another lead stays there.
        let crm_id = Some(record.crm_id.clone()).filter(|id| !self.said.contains(id));
        let empty = LeadData { name, custom_fields: json!({}), crm_id, ..LeadData::default() };
        let data = LeadData { origin: Some("crm".to_owned()), ..empty };
        let id = self.context.new_id();
        let data = with(data, &record.values);
        let lead: Lead = data.begin(self.context, self.transaction, (id, stage.id), self.transaction.one(LEAD, &[&id])).await?;
        let mut agreed = record.values.clone();
        agreed.insert("name".to_owned(), Some(lead.name.clone()));
        self.transaction.execute(KEEP, &[&id, &record.crm_id, &json!(agreed)]).await?;
        lead.tell(self.transaction, self.crm.company_id, &LeadCreated { lead: &lead });
        self.pulled.made += 1;
        Ok(())
    }
}

/// A lead with what they say of it.
#[must_use]
pub fn with(mut data: LeadData, said: &Values) -> LeadData {
    for (field, value) in said {
        let value = value.clone();
        match (field.as_str(), value) {
            ("name", Some(name)) => data.name = name,
            ("email", value) => data.email = value,
            ("phone", value) => data.phone = value,
            ("company", value) => data.company = value,
            ("job_title", value) => data.job_title = value,
            ("origin", value) => data.origin = value,
            ("campaign", value) => data.campaign = value,
            ("potential_value", value) => data.potential_value = value.and_then(|text| text.parse().ok()),
            _ => {}
        }
    }
    data
}
