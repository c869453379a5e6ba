//! Who is taken into a sequence: one statement, and a look for each at its first step.

use std::collections::BTreeSet;

use futures_util::future::try_join;
use jiff::tz::TimeZone;
use leads::HOLD_LEADS;
use shared::{
    calendar::{Custom, NeverOpen},
    prelude::*,
};
use tokio_postgres::types::{Json as Jsonb, ToSql};

use crate::{
    criteria::Criteria,
    sequence::{Sequence, Steps},
    window::{Holidays, Hours, zone_of},
};

/// The kind of the jobs that take leads in and let paused ones go on.
pub const ENROLL_LEADS: &str = "enroll_leads";
/// The kind of the jobs that look after an execution.
pub const RUN_STEP: &str = "run_sequence_step";

/// Leads that may be taken in at once without being asked whether that is meant.
pub const MOST_AT_ONCE: i64 = 500;

pub const MANY_LEADS: Problem = Problem::new(
    409,
    "many_leads",
    "Mais de 500 leads entrariam agora. Repita com confirm: true.",
    "More than 500 leads would be taken in now. Repeat with confirm: true.",
)
.showing::<ManyLeads>();

pub const NEVER_OPEN: Problem =
    Problem::new(422, "never_open", "Não há horário aberto dentro de um ano.", "There is no open time within a year.");

/// How many would be taken in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ManyLeads {
    pub count: i64,
}

/// Leads that would be taken into the sequence `$1`: those that meet `$2`, or the named ones `$3`; who went through it before only where `$4`.
macro_rules! matching {
    ($who:literal) => {
        concat!(
            "select leads.id, leads.name, leads.created_at, app.zone_said_of(leads) as zone
           from leads
          where leads.status = 'open' and leads.deleted_at is null and leads.merged_into_id is null
            and ",
            $who,
            "
            and not app.has_opted_out(leads)
            and not exists (
                select from followup_executions before
                 where before.company_id = leads.company_id and before.sequence_id = $1 and before.lead_id = leads.id
                   and (before.finished_at is null or not $4))"
        )
    };
}

macro_rules! asked_for {
    () => {
        matching!("case when $3::uuid[] is null then app.meets(leads, $2::jsonb) else leads.id = any ($3) end")
    };
}

const COUNT: &str = concat!("select count(*) from (", asked_for!(), ") matching");

const FIRST: &str = concat!("select id, name, zone from (", asked_for!(), ") matching order by created_at, id limit $5");

/// Those of `$3` who meet what is asked still, now that they are held; `$5`: they were named.
const ENROLL: &str = concat!(
    "with matching as materialized (",
    matching!("leads.id = any ($3) and ($5 or app.meets(leads, $2::jsonb))"),
    ")
     insert into followup_executions (id, sequence_id, lead_id, rotation, next_run_at, job_id)
     select gen_random_uuid(), $1, matching.id,
            (select coalesce(max(before.rotation) + 1, 0) from followup_executions before
              where before.sequence_id = $1 and before.lead_id = matching.id),
            coalesce(zoned.at, $8), case when $9 then gen_random_uuid() end
       from matching
       left join unnest($6::text[], $7::timestamptz[]) as zoned (zone, at) on zoned.zone = matching.zone
         on conflict do nothing
     returning id, next_run_at, job_id"
);

const HOLIDAYS: &str = "select app.followup_holidays() as said";

/// What a company says of its holidays, and where its days are cut.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    pub time_zone: String,
    keeps_optional: bool,
    custom: Vec<Custom>,
}

impl From<Jsonb<Self>> for Said {
    fn from(Jsonb(said): Jsonb<Self>) -> Self {
        said
    }
}

#[derive(FromRow)]
struct SaidRow {
    #[from_row(from = "Jsonb<Said>")]
    said: Said,
}

impl Said {
    /// Reads it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(transaction: &Transaction) -> Result<Self, Error> {
        Ok(transaction.one::<SaidRow>(HOLIDAYS, &[]).await?.said)
    }

    #[must_use]
    pub fn holidays(&self) -> Holidays {
        Holidays { keeps_optional: self.keeps_optional, custom: self.custom.clone() }
    }
}

/// Of which sequence, for whom, and when its steps run.
#[derive(Clone, Debug)]
pub struct Audience {
    pub sequence_id: Uuid,
    pub criteria: Criteria,
    /// Whoever these are in place of those who meet the criteria.
    pub lead_ids: Option<Vec<Uuid>>,
    /// Also who went through it before and is not in it now.
    pub again: bool,
    pub steps: Steps,
    pub hours: Hours,
}

#[derive(FromRow)]
struct Counted {
    count: i64,
}

/// A lead that would be taken in.
#[derive(Debug, FromRow)]
pub struct Candidate {
    pub id: Uuid,
    pub name: String,
    pub zone: Option<String>,
}

#[derive(FromRow)]
struct Enrolled {
    id: Uuid,
    next_run_at: Timestamp,
    job_id: Option<Uuid>,
}

impl Audience {
    /// Of a sequence as it is: those who meet its criteria and never were in it.
    #[must_use]
    pub fn of(sequence: &Sequence) -> Self {
        Self {
            sequence_id: sequence.id,
            criteria: sequence.criteria.clone(),
            lead_ids: None,
            again: false,
            steps: sequence.steps.clone(),
            hours: sequence.hours(),
        }
    }

    /// How many they are.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count(&self, transaction: &Transaction) -> Result<i64, Error> {
        let criteria = json!(self.criteria);
        let counted: Counted = transaction.one(COUNT, &[&self.sequence_id, &criteria, &self.lead_ids, &self.again]).await?;
        Ok(counted.count)
    }

    /// The first ones of them, the oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn first(&self, transaction: &Transaction, most: i64) -> Result<Vec<Candidate>, Error> {
        let criteria = json!(self.criteria);
        transaction.all(FIRST, &[&self.sequence_id, &criteria, &self.lead_ids, &self.again, &most]).await
    }

    /// When each step would run for somebody in a zone who is taken in at this time.
    ///
    /// # Errors
    /// When there is no time for one.
    pub fn plan(&self, said: &Said, zone: &TimeZone, from: Timestamp) -> Result<Vec<Timestamp>, NeverOpen> {
        self.hours.plan(zone, &said.holidays(), from, self.steps.delays())
    }

    fn first_run(&self, said: &Said, zone: Option<&str>, now: Timestamp) -> Result<Timestamp, Error> {
        let (zone, _) = zone_of(zone, &said.time_zone);
        let delays = self.steps.delays().take(1);
        let plan = self.hours.plan(&zone, &said.holidays(), now, delays);
        plan.ok().and_then(|plan| plan.first().copied()).ok_or_else(|| NEVER_OPEN.into())
    }

    /// Takes in these first ones of them, as far as they still are; how many were. Where people do, a job of the sequence has them looked after.
    ///
    /// # Errors
    /// `NEVER_OPEN`, and those of the database.
    pub async fn enroll(
        &self,
        context: &Context,
        transaction: &Transaction,
        said: &Said,
        (candidates, is_system): (&[Candidate], bool),
    ) -> Result<i64, Error> {
        let now = context.now();
        let otherwise = self.first_run(said, None, now)?;
        let zones: Vec<&str> =
            candidates.iter().filter_map(|candidate| candidate.zone.as_deref()).collect::<BTreeSet<_>>().into_iter().collect();
        let times: Vec<Timestamp> = zones.iter().map(|zone| self.first_run(said, Some(zone), now)).collect::<Result<_, _>>()?;
        let (criteria, is_named) = (json!(self.criteria), self.lead_ids.is_some());
        let ids: Vec<Uuid> = candidates.iter().map(|candidate| candidate.id).collect();
        let entry: [&(dyn ToSql + Sync); 9] =
            [&self.sequence_id, &criteria, &ids, &self.again, &is_named, &zones, &times, &otherwise, &is_system];
        // A reply comes before or after.
        let (_, enrolled): (_, Vec<Enrolled>) =
            try_join(transaction.query(HOLD_LEADS, &[&ids]), transaction.all(ENROLL, &entry)).await?;
        let count = i64::try_from(enrolled.len()).unwrap_or(i64::MAX);
        for Enrolled { id, next_run_at, job_id } in enrolled {
            if let Some(job_id) = job_id {
                look_later(context, transaction, id, job_id, next_run_at);
            }
        }
        if count > 0 && !is_system {
            enroll_later(context, transaction, self.sequence_id);
        }
        Ok(count)
    }
}

/// Has an execution looked at when it is due, by the job that it names.
pub fn look_later(context: &Context, transaction: &Transaction, execution_id: Uuid, job_id: Uuid, at: Timestamp) {
    let payload = json!({"execution_id": execution_id});
    let mut job = Job::new(context, Queue::Followup, RUN_STEP, execution_id, payload).at(at);
    job.id = job_id;
    transaction.enqueue(job);
}

/// Has a sequence take in whoever meets its criteria, and look after who came in or was paused. A job that waits already may look before this
/// transaction is there to be seen, so another one is added.
pub fn enroll_later(context: &Context, transaction: &Transaction, sequence_id: Uuid) {
    transaction.enqueue(job_to_enroll(context, sequence_id));
}

/// The same for leads that were there before: a job that waits already finds them.
pub fn enroll_in_time(context: &Context, transaction: &Transaction, sequence_id: Uuid) {
    transaction.enqueue(job_to_enroll(context, sequence_id).unless_waiting(sequence_id));
}

fn job_to_enroll(context: &Context, sequence_id: Uuid) -> Job {
    let payload = json!({"sequence_id": sequence_id});
    Job::new(context, Queue::Followup, ENROLL_LEADS, format!("sequence:{sequence_id}"), payload)
}
