//! What is new of leads is told to the CRM. Before one is made there, it is written down that it was asked for: whoever comes after a death looks for it.

use std::{collections::HashSet, time::Duration};

use integrations::crm_kinds::CrmKind;
use jiff::SignedDuration;
use shared::prelude::*;

use super::{
    call::Stop,
    connection::{Connection, Told},
    hubspot::Entry,
    merge::news,
    records::{Subject, same_contact},
    values::{Values, of_lead},
};

/// Leads that are looked at together.
pub const AT_ONCE: i64 = 100;

/// No further record is begun after this long: the rest is another page.
const SPELL: Duration = Duration::from_secs(8);

/// Times that a record is tried.
const TRIES: i32 = 5;

/// From this attempt on it is told of alone: of those in a batch one may be what the CRM cannot take.
const ALONE_FROM: i32 = 2;

/// So long a record may be there and not yet be found.
const INDEXED_AFTER: SignedDuration = SignedDuration::from_secs(15);

/// Those of whom the CRM does not know the newest.
const NEXT: &str = "
    select leads.id, leads.version, record.crm_id, leads.crm_id as said_id, coalesce(record.agreed, '{}') as agreed, coalesce(record.lead_version, 0) as told_version,
           coalesce(record.attempts, 0) as attempts, record.asked_at,
           jsonb_build_object('name', leads.name, 'email', leads.email, 'phone', leads.phone, 'company', leads.organisation,
                              'job_title', leads.job_title, 'origin', leads.origin, 'campaign', leads.campaign,
                              'potential_value', leads.potential_value::text, 'temperature', leads.temperature, 'score', leads.score,
                              'status', leads.status, 'custom_fields', leads.custom_fields) as said,
           array(select field from crm_conflicts
                  where crm_conflicts.company_id = leads.company_id and crm_conflicts.lead_id = leads.id
                    and resolved_at is null and field is not null) as asked_about
      from leads
      left join crm_records record on record.company_id = leads.company_id and record.lead_id = leads.id
     where leads.deleted_at is null and leads.merged_into_id is null and ($1::uuid is null or leads.id > $1)
       and record.gone_at is null and record.lead_version is distinct from leads.version
     order by leads.id
     limit $2";

/// Who of them has the e-mail of another lead that the CRM knows: told of, they would write over that one's record.
const TWINS: &str = "
    select leads.id
      from leads
     where leads.id = any ($1)
       and exists (select from leads twin
                     join crm_records record on record.company_id = twin.company_id and record.lead_id = twin.id
                    where twin.company_id = leads.company_id and twin.email = leads.email and twin.id <> leads.id
                      and twin.deleted_at is null and record.crm_id is not null and record.gone_at is null)";

/// They are asked for now, of those of whom nothing is known there.
const ASKED: &str = "
    insert into crm_records (lead_id, asked_at)
    select id, now() from unnest($1::uuid[]) id
    on conflict (company_id, lead_id) do update set asked_at = coalesce(crm_records.asked_at, now())";

/// One is asked for once more.
const ASKED_AGAIN: &str = "update crm_records set asked_at = now() where lead_id = $1 and crm_id is null";

/// No row where the record is another lead's. What somebody has chosen meanwhile stays, and is told next.
const KEEP: &str = "
    insert into crm_records as record (lead_id, crm_id, agreed, lead_version, pushed_at)
    select $1, $2, $3, $4, now()
     where not exists (select from crm_records other where other.crm_id = $2 and other.lead_id <> $1)
    on conflict (company_id, lead_id) do update
       set crm_id = excluded.crm_id, agreed = record.agreed || excluded.agreed, asked_at = null, attempts = 0, refused = null, pushed_at = now(),
           lead_version = case when record.lead_version = $5 then excluded.lead_version else record.lead_version end
    returning lead_id";

/// What the CRM calls it is shown, unless that is another's.
const NOTE_ID: &str = "
    update leads
       set crm_id = $2
     where id = $1 and crm_id is distinct from $2
       and not exists (select from leads other where other.crm_id = $2 and other.id <> $1 and other.merged_into_id is null)";

const REFUSE: &str = "
    insert into crm_records as record (lead_id, lead_version, refused)
    values ($1, $2, $3)
    on conflict (company_id, lead_id) do update
       set lead_version = excluded.lead_version, refused = excluded.refused, asked_at = null, attempts = 0";

/// Nothing of it is new.
const NOTHING_NEW: &str = "update crm_records set lead_version = $2, attempts = 0 where lead_id = $1 and lead_version = $3";

const FAILED: &str = "
    insert into crm_records as record (lead_id, attempts)
    select id, 1 from unnest($1::uuid[]) id
    on conflict (company_id, lead_id) do update set attempts = record.attempts + 1";

/// Those that have failed too often wait until they change or somebody wants it.
const GIVE_UP: &str = "
    update crm_records record
       set refused = $2, lead_version = leads.version, attempts = 0, asked_at = null
      from leads
     where record.lead_id = any ($1) and record.attempts >= $3 and leads.company_id = record.company_id and leads.id = record.lead_id";

/// It is gone there: people say what becomes of it.
pub const GONE: &str = "
    with gone as (
        update crm_records
           set gone_at = now(), asked_at = null
         where crm_id = any ($1) and gone_at is null and archived_at is null
           and exists (select from leads where leads.company_id = crm_records.company_id and leads.id = lead_id and leads.deleted_at is null)
        returning company_id, lead_id, crm_id
    )
    insert into crm_conflicts (company_id, lead_id, crm_id, kind)
    select company_id, lead_id, crm_id, 'deleted' from gone
    on conflict do nothing
    returning lead_id";

#[derive(FromRow)]
struct Row {
    id: Uuid,
    version: i32,
    crm_id: Option<String>,
    said_id: Option<String>,
    agreed: Value,
    told_version: i32,
    attempts: i32,
    asked_at: Option<Timestamp>,
    said: Value,
    asked_about: Vec<String>,
}

/// A lead of which something is to be told.
struct ToTell {
    id: Uuid,
    version: i32,
    crm_id: Option<String>,
    attempts: i32,
    asked_at: Option<Timestamp>,
    told_version: i32,
    whole: Values,
    news: Values,
}

/// What a page came to.
#[derive(Debug, Default)]
pub struct Pushed {
    pub looked_at: usize,
    pub made: usize,
    pub changed: usize,
    pub refused: usize,
    pub conflicts: usize,
    pub last: Option<Uuid>,
    /// Why it did not get to its end.
    pub stop: Option<Stop>,
}

/// Tells of the next leads; each is kept as soon as the CRM has answered, so what a killed worker leaves is at most one call.
///
/// # Errors
/// Those of the database.
pub async fn push(context: &Context, crm: &Connection, after: Option<Uuid>) -> Result<Pushed, Error> {
    let transaction = context.begin_system(crm.company_id).await?;
    let rows: Vec<Row> = transaction.all(NEXT, &[&after, &AT_ONCE]).await?;
    let mut pushed = Pushed { looked_at: rows.len(), last: rows.last().map(|row| row.id), ..Pushed::default() };
    let mut to_tell = Vec::new();
    for row in rows {
        let agreed: Values = serde_json::from_value(row.agreed.clone()).unwrap_or_default();
        let whole = of_lead(&row.said, &crm.fields);
        let news = news(&agreed, &whole, &row.asked_about);
        if row.crm_id.is_some() && news.is_empty() {
            transaction.execute(NOTHING_NEW, &[&row.id, &row.version, &row.told_version]).await?;
            continue;
        }
        // Who has said an id means that record.
        let crm_id = row.crm_id.or(row.said_id.filter(|_| row.asked_at.is_none()));
        let (id, version, told_version) = (row.id, row.version, row.told_version);
        let (attempts, asked_at) = (row.attempts, row.asked_at);
        to_tell.push(ToTell { id, version, crm_id, attempts, asked_at, told_version, whole, news });
    }
    let unknown: Vec<Uuid> = to_tell.iter().filter(|lead| lead.crm_id.is_none()).map(|lead| lead.id).collect();
    if !unknown.is_empty() {
        transaction.execute(ASKED, &[&unknown]).await?;
    }
    transaction.commit_quietly().await?;
    let mut push = Push { context, crm, pushed: &mut pushed, begun: context.elapsed() };
    if let Err(stop) = push.all(&to_tell).await? {
        pushed.stop = Some(stop);
    }
    Ok(pushed)
}

struct Push<'a> {
    context: &'a Context,
    crm: &'a Connection,
    pushed: &'a mut Pushed,
    begun: Duration,
}

type Stopped = Result<(), Stop>;

impl Push<'_> {
    async fn all(&mut self, leads: &[ToTell]) -> Result<Stopped, Error> {
        let mut together = self.together(leads);
        if !together.is_empty() {
            let ids: Vec<Uuid> = together.iter().map(|(lead, _)| lead.id).collect();
            let twins = self.twins(&ids).await?;
            together.retain(|(lead, _)| !twins.contains(&lead.id));
        }
        let mut done: HashSet<Uuid> = HashSet::new();
        if !together.is_empty() {
            let entries: Vec<Entry<'_>> =
                together.iter().map(|(lead, email)| Entry { lead_id: lead.id, email, values: &lead.whole }).collect();
            match self.crm.upsert(self.context, &entries).await {
                Ok(told) => {
                    // A batch that is refused as a whole says of none which it was.
                    let is_refused = told.len() > 1 && told.iter().all(|(_, told)| matches!(told, Told::Refused(_)));
                    for (id, told) in told.into_iter().filter(|_| !is_refused) {
                        let lead = together.iter().find(|(lead, _)| lead.id == id).map(|(lead, _)| *lead);
                        if let Some(lead) = lead {
                            self.keep(lead, told).await?;
                            done.insert(id);
                        }
                    }
                }
                Err(stop) => {
                    let ids: Vec<Uuid> = together.iter().map(|(lead, _)| lead.id).collect();
                    self.failed(&ids, &stop).await?;
                    return Ok(Err(stop));
                }
            }
        }
        let mut before = None;
        for lead in leads {
            if before.is_some() && self.context.elapsed().saturating_sub(self.begun) > SPELL {
                self.pushed.last = before;
                break;
            }
            before = Some(lead.id);
            if done.contains(&lead.id) {
                continue;
            }
            if lead.crm_id.is_none() && lead.asked_at.is_some() {
                if let Some(after) = self.wait_for(lead) {
                    return Ok(Err(Stop::Wait { after }));
                }
                self.asked_again(lead).await?;
            }
            let is_twin = lead.crm_id.is_none() && self.is_known_by_email() && !self.twins(&[lead.id]).await?.is_empty();
            let told = if is_twin { Ok(same_contact("e-mail")) } else { self.one(lead).await };
            match told {
                Ok(told) => self.keep(lead, told).await?,
                Err(stop) if self.failed(&[lead.id], &stop).await? > 0 => self.pushed.refused += 1,
                Err(stop) => return Ok(Err(stop)),
            }
        }
        Ok(Ok(()))
    }

    async fn twins(&self, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        let transaction = self.context.begin_system(self.crm.company_id).await?;
        Ok(transaction.query(TWINS, &[&ids]).await?.iter().map(|row| row.get("id")).collect())
    }

    /// Those that HubSpot takes in one call: with an e-mail, each once.
    fn together<'b>(&self, leads: &'b [ToTell]) -> Vec<(&'b ToTell, &'b str)> {
        if !self.is_known_by_email() {
            return Vec::new();
        }
        let mut seen = HashSet::new();
        let new = leads.iter().filter(|lead| lead.crm_id.is_none() && lead.attempts < ALONE_FROM);
        new.filter_map(|lead| Some((lead, lead.whole.get("email")?.as_deref()?)))
            .filter(|(_, email)| seen.insert(*email))
            .collect()
    }

    /// Whether an e-mail is there once.
    fn is_known_by_email(&self) -> bool {
        self.crm.kind == CrmKind::HubSpot && self.crm.their_name("email") == Some("email")
    }

    /// Until what was asked for before is found, where it must be looked for.
    fn wait_for(&self, lead: &ToTell) -> Option<Duration> {
        let has_email = lead.whole.get("email").is_some_and(Option::is_some);
        if !self.crm.tells() || self.is_known_by_email() && has_email {
            return None;
        }
        let found_from = lead.asked_at?.checked_add(INDEXED_AFTER).ok()?;
        found_from.duration_since(self.context.now()).try_into().ok().filter(|wait| *wait > Duration::ZERO)
    }

    async fn asked_again(&self, lead: &ToTell) -> Result<(), Error> {
        let transaction = self.context.begin_system(self.crm.company_id).await?;
        transaction.execute(ASKED_AGAIN, &[&lead.id]).await?;
        transaction.commit_quietly().await
    }

    async fn one(&self, lead: &ToTell) -> Result<Told, Stop> {
        let subject = Subject { lead_id: lead.id, version: lead.version, whole: &lead.whole };
        if let Some(crm_id) = &lead.crm_id {
            return self.crm.change(self.context, crm_id, subject, &lead.news).await;
        }
        let email = lead.whole.get("email").and_then(Option::as_deref);
        if let (Some(email), true) = (email, self.is_known_by_email()) {
            let entry = Entry { lead_id: lead.id, email, values: &lead.whole };
            let told = self.crm.upsert(self.context, &[entry]).await?;
            return told
                .into_iter()
                .next()
                .map(|(_, told)| told)
                .ok_or_else(|| Stop::Unknown { reason: "the answer names nobody".into() });
        }
        self.crm.make(self.context, subject, lead.asked_at.is_some()).await
    }

    async fn keep(&mut self, lead: &ToTell, told: Told) -> Result<(), Error> {
        let transaction = self.context.begin_system(self.crm.company_id).await?;
        match told {
            Told::Kept(crm_id) => {
                let agreed = if lead.crm_id.is_some() { &lead.news } else { &lead.whole };
                let kept =
                    transaction.query(KEEP, &[&lead.id, &crm_id, &json!(agreed), &lead.version, &lead.told_version]).await?;
                if kept.is_empty() {
                    let reason = format!("same_contact: {crm_id}");
                    transaction.execute(REFUSE, &[&lead.id, &lead.version, &reason]).await?;
                    self.pushed.refused += 1;
                } else {
                    transaction.execute(NOTE_ID, &[&lead.id, &crm_id]).await?;
                    *(if lead.crm_id.is_some() { &mut self.pushed.changed } else { &mut self.pushed.made }) += 1;
                }
            }
            Told::Refused(reason) => {
                transaction.execute(REFUSE, &[&lead.id, &lead.version, &reason]).await?;
                self.pushed.refused += 1;
            }
            Told::Gone => {
                let ids: Vec<&str> = lead.crm_id.as_deref().into_iter().collect();
                let gone = transaction.query(GONE, &[&ids]).await?;
                self.pushed.conflicts += gone.len();
                if gone.is_empty() {
                    // An id that somebody has said and that is nobody's.
                    transaction.execute(REFUSE, &[&lead.id, &lead.version, &"there is no such record"]).await?;
                    self.pushed.refused += 1;
                }
            }
        }
        transaction.commit_quietly().await
    }

    /// What may be the record's own fault is counted; answers of how many it was enough.
    async fn failed(&self, ids: &[Uuid], stop: &Stop) -> Result<u64, Error> {
        let Stop::Unknown { reason } = stop else { return Ok(0) };
        let transaction = self.context.begin_system(self.crm.company_id).await?;
        transaction.execute(FAILED, &[&ids]).await?;
        let given_up = transaction.execute(GIVE_UP, &[&ids, reason, &TRIES]).await?;
        transaction.commit_quietly().await?;
        Ok(given_up)
    }
}
