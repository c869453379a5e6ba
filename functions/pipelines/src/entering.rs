//! What a lead sets off that has entered a stage: each automation once, in one transaction with what is noted of it.

use followups::{
    acting::{Asked, Done, Recipient, begin, is_whose_it_was},
    enrol::{Audience, Said},
    execution::LogOutcome,
    last_channel, reach_columns,
    sequence::{SEQUENCE, Sequence},
    step::{StepKind, Words},
};
use futures_util::future::{try_join, try_join3};
use jiff::SignedDuration;
use leads::{Automation, HOLD_LEADS, LEAD, Lead};
use scores::seen_by;
use shared::{closed_set, error::INTERNAL, prelude::*};
use tokio_postgres::types::Json as Jsonb;

closed_set! {
    /// What came of it.
    pub AutomationOutcome {
        Done = "done",
        /// It could not be sent: somebody has a task.
        Task = "task",
        /// There was nothing to do any more, or nobody to do it for.
        Skipped = "skipped",
        Failed = "failed",
    }
}

/// The payload of the job that does them.
#[derive(Deserialize)]
struct RunStageAutomation {
    entry_id: Uuid,
}

/// Those of an entry that are still to be done, in the stage's order.
const PENDING: &str = "select place from lead_automations where entry_id = $1 and outcome is null order by place";

#[derive(FromRow)]
struct Pending {
    place: i32,
}

/// One that is still to be done, held: no two workers do it.
const HOLD: &str = "select from lead_automations where entry_id = $1 and place = $2 and outcome is null for no key update";

const HOLD_CLIENT: &str = "select from clients where id = $1 for no key update";

const LOOK: &str = concat!(
    "select automations.automation, entries.left_at is null as stands, entries.entered_at, entries.stage_name,
           leads.deleted_at is null as is_there, leads.id as lead_id, leads.name, leads.email, leads.phone, leads.client_id, leads.closer_id,
           leads.sdr_id, pipelines.department_id, automations.automation ->> 'kind' as kind, ",
    reach_columns!(),
    ",
           coalesce((automations.automation ->> 'channel_account_id')::uuid, ",
    last_channel!(),
    ") as channel_account_id,
           app.first_there(array[leads.closer_id, leads.sdr_id, entries.by_id]) as holder_id
      from lead_automations automations
      join lead_stages entries on entries.company_id = automations.company_id and entries.id = automations.entry_id
      join leads on leads.company_id = automations.company_id and leads.id = automations.lead_id
      join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id
      left join clients on clients.company_id = leads.company_id and clients.id = leads.client_id
     where automations.entry_id = $1 and automations.place = $2"
);

struct Wanted(Automation);

impl From<Jsonb<Automation>> for Wanted {
    fn from(Jsonb(automation): Jsonb<Automation>) -> Self {
        Self(automation)
    }
}

/// All that is known of an automation that is to be done.
#[derive(FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "as the row has them")]
struct Look {
    #[from_row(from = "Jsonb<Automation>")]
    automation: Wanted,
    /// The lead has not left the stage.
    stands: bool,
    entered_at: Timestamp,
    stage_name: String,
    is_there: bool,
    closer_id: Option<Uuid>,
    sdr_id: Option<Uuid>,
    department_id: Option<Uuid>,
    kind: String,
    has_opted_out: bool,
    is_blocked: bool,
    has_refused: bool,
    #[from_row(flatten)]
    to: Recipient,
}

impl Look {
    /// Why it is not done. Nothing is for a lead that is gone; of who has left the stage, what was for people of the company.
    fn refusal(&self) -> Option<&'static str> {
        let is_message = matches!(self.automation.0, Automation::Message { .. });
        let is_for_them = is_message || matches!(self.automation.0, Automation::Sequence { .. });
        match () {
            () if !self.is_there => Some("lead_deleted"),
            () if is_for_them && !self.stands => Some("moved_on"),
            () if is_message && self.has_opted_out => Some("unsubscribed"),
            () if is_message && self.is_blocked => Some("client_blocked"),
            () if is_message && self.to.phone.is_none() && self.to.client_id.is_none() => Some("no_phone"),
            () if is_message && self.has_refused => Some("no_consent"),
            () => None,
        }
    }
}

/// What was done, and what of it is known.
#[derive(Default)]
struct Noted {
    reason: Option<String>,
    message_id: Option<Uuid>,
    task_id: Option<Uuid>,
    execution_id: Option<Uuid>,
}

type Came = (AutomationOutcome, Noted);

fn skipped(reason: impl ToString) -> Came {
    (AutomationOutcome::Skipped, Noted { reason: Some(reason.to_string()), ..Noted::default() })
}

fn done(noted: Noted) -> Came {
    (AutomationOutcome::Done, noted)
}

fn came_of(Done { outcome, reason, message_id, task_id, .. }: Done) -> Came {
    let outcome = match outcome {
        LogOutcome::Task => AutomationOutcome::Task,
        LogOutcome::Skipped => AutomationOutcome::Skipped,
        _ => AutomationOutcome::Done,
    };
    (outcome, Noted { reason, message_id, task_id, execution_id: None })
}

/// Does a job of an entry. What fails is done again with the job, and keeps none of the others from being done.
///
/// # Errors
/// The first of what failed.
pub async fn run_entry(context: &Context, job: &Claimed) -> Result<Outcome, Error> {
    let RunStageAutomation { entry_id } = job.read()?;
    let lookup = context.begin_system(job.company_id).await?;
    let pending: Vec<Pending> = lookup.all(PENDING, &[&entry_id]).await?;
    lookup.commit_quietly().await?;
    let mut failed = None;
    for Pending { place } in pending {
        if let Err(error) = run_one(context, job.company_id, entry_id, place).await {
            failed = failed.or(Some(error));
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let transaction = context.begin_system(job.company_id).await?;
    job.finish(&transaction);
    transaction.commit_quietly().await?;
    Ok(Outcome::Done)
}

const NOTE: &str = "
    update lead_automations
       set outcome = $3, reason = $4, message_id = $5, task_id = $6, execution_id = $7, at = clock_timestamp()
     where entry_id = $1 and place = $2 and outcome is null";

/// Holds the automation, the client with their conversation, and the lead, in this order.
async fn run_one(context: &Context, company_id: Uuid, entry_id: Uuid, place: i32) -> Result<(), Error> {
    let transaction = context.begin_system(company_id).await?;
    let (held, before) =
        try_join(transaction.query(HOLD, &[&entry_id, &place]), transaction.first::<Look>(LOOK, &[&entry_id, &place])).await?;
    let (Some(_), Some(before)) = (held.first(), before) else { return Ok(()) };
    transaction.savepoint();
    let begun = if matches!(before.automation.0, Automation::Message { .. }) && before.refusal().is_none() {
        Some(begin(context, &transaction, &before.to).await?)
    } else {
        transaction.query(HOLD_CLIENT, &[&before.to.client_id]).await?;
        None
    };
    let leads = [before.to.lead_id];
    let (_, mut look): (_, Look) =
        try_join(transaction.query(HOLD_LEADS, &[&leads.as_slice()]), transaction.one(LOOK, &[&entry_id, &place])).await?;
    let refusal = look.refusal();
    if refusal.is_none() && !is_whose_it_was(begun.as_ref(), before.to.client_id, look.to.client_id) {
        return Err(INTERNAL.caused_by("a lead became another client's while it was looked at"));
    }
    // Whom it has just been made is forgotten with what was begun.
    look.to.client_id = before.to.client_id;
    let (outcome, noted) = if let Some(reason) = refusal {
        transaction.rollback_to_savepoint(transaction.mark());
        skipped(reason)
    } else {
        let cause = format!("stage:{entry_id}:{place}");
        let entered = Entered { context, transaction: &transaction, company_id, look: &look, cause };
        match (&look.automation.0, begun) {
            (Automation::Message { body, template, .. }, Some(begun)) => {
                let words = Words { subject: None, body: body.clone(), template: template.clone() };
                came_of(entered.asked(&look.to, StepKind::Whatsapp, &words, A_DAY).write(context, &transaction, begun).await?)
            }
            (automation, _) => entered.act(automation).await?,
        }
    };
    let Noted { reason, message_id, task_id, execution_id } = noted;
    let code = outcome.as_str();
    transaction.execute(NOTE, &[&entry_id, &place, &code, &reason, &message_id, &task_id, &execution_id]).await?;
    let audience = seen_by(look.department_id, look.closer_id, look.sdr_id);
    let payload = LeadAutomated { lead_id: look.to.lead_id, automation: look.kind, outcome, reason };
    transaction.emit(Event::new(Topic::Company(company_id), audience, &payload));
    transaction.commit_quietly().await
}

/// Something was done by itself for a lead that has entered a stage, or could not be: its history has it.
#[derive(Debug, Serialize, JsonSchema)]
struct LeadAutomated {
    lead_id: Uuid,
    /// Its kind.
    automation: String,
    outcome: AutomationOutcome,
    reason: Option<String>,
}

event!(LeadAutomated = "lead.automated");

/// Until somebody is to have done what could not be sent.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Somebody who works here still.
const IS_THERE: &str = "select app.first_there(array[$1::uuid]) = $1 as is_there";

const ASSIGN: &str = "
    update leads
       set closer_id = coalesce(leads.closer_id, wanted.closer_id), sdr_id = coalesce(leads.sdr_id, wanted.sdr_id), version = version + 1, updated_at = now()
      from (select (select user_id from memberships where user_id = $2 and status = 'active' and role <> 'student') as closer_id,
                   (select user_id from memberships where user_id = $3 and status = 'active' and role <> 'student') as sdr_id) wanted
     where leads.id = $1 and (leads.closer_id is null and wanted.closer_id is not null or leads.sdr_id is null and wanted.sdr_id is not null)";

/// Tells whoever of them works here still; how many they are.
const TELL: &str = "
    with told as (
        select count(*) as people, coalesce(jsonb_agg(user_id), '[]') as ids
          from memberships where user_id = any ($1) and status = 'active' and role <> 'student'
    )
    select people,
           case when people > 0 then app.notify(jsonb_build_object(
               'type', 'lead_entered_stage', 'people', ids, 'cause', $2::text, 'group_key', $2::text, 'lead_id', $3::uuid, 'source_id', $3::uuid,
               'facts', jsonb_strip_nulls(jsonb_build_object('stage', $4::text, 'text', nullif($5::text, ''))))) end::text
      from told";

const HOLD_SEQUENCE: &str = "select from followup_sequences where id = $1 for share";

const EXECUTION: &str = "
    select id from followup_executions where sequence_id = $1 and lead_id = $2 and finished_at is null";

/// An automation that is to be done for a lead, all of which is held.
struct Entered<'run> {
    context: &'run Context,
    transaction: &'run Transaction,
    company_id: Uuid,
    look: &'run Look,
    cause: String,
}

impl Entered<'_> {
    fn asked<'asked>(&self, to: &'asked Recipient, kind: StepKind, words: &'asked Words, due: SignedDuration) -> Asked<'asked> {
        let due_at = self.look.entered_at.saturating_add(due).unwrap_or(self.look.entered_at);
        let begins = "Conversa iniciada pela automação da etapa.";
        Asked { company_id: self.company_id, cause: self.cause.clone(), to, kind, words, begins, due_at }
    }

    async fn act(&self, automation: &Automation) -> Result<Came, Error> {
        match automation {
            Automation::Assign { closer_id, sdr_id } => self.assign(*closer_id, *sdr_id).await,
            Automation::Task { title, notes, due_in_days, due_in_hours, owner_id } => {
                let hours = i64::from(*due_in_days) * 24 + i64::from(*due_in_hours);
                let words = Words { subject: Some(title.clone()), body: Some(notes.clone()), template: None };
                self.task(*owner_id, &words, SignedDuration::from_hours(hours)).await
            }
            Automation::Notify { closer, sdr, user_ids, text } => {
                let of_lead = [self.look.closer_id.filter(|_| *closer), self.look.sdr_id.filter(|_| *sdr)];
                let people: Vec<Uuid> = of_lead.into_iter().flatten().chain(user_ids.iter().copied()).collect();
                let stage = &self.look.stage_name;
                let rows = self.transaction.query(TELL, &[&people, &self.cause, &self.look.to.lead_id, stage, text]).await?;
                let told: i64 = rows.first().map_or(0, |row| row.get("people"));
                Ok(if told == 0 { skipped("nobody") } else { done(Noted::default()) })
            }
            Automation::Sequence { sequence_id, again } => self.take_in(*sequence_id, *again).await,
            // Begun by whoever asks.
            Automation::Message { .. } => Err(INTERNAL.caused_by("a message without a conversation")),
        }
    }

    async fn assign(&self, closer_id: Option<Uuid>, sdr_id: Option<Uuid>) -> Result<Came, Error> {
        let id = self.look.to.lead_id;
        let (before, changed, lead): (Lead, u64, Lead) = try_join3(
            self.transaction.one(LEAD, &[&id]),
            self.transaction.execute(ASSIGN, &[&id, &closer_id, &sdr_id]),
            self.transaction.one(LEAD, &[&id]),
        )
        .await?;
        if changed > 0 {
            lead.tell_changed(self.transaction, self.company_id, &before);
            return Ok(done(Noted::default()));
        }
        let is_given = closer_id.is_none_or(|_| before.closer_id.is_some()) && sdr_id.is_none_or(|_| before.sdr_id.is_some());
        Ok(skipped(if is_given { "given_already" } else { "user_gone" }))
    }

    async fn task(&self, owner_id: Option<Uuid>, words: &Words, due: SignedDuration) -> Result<Came, Error> {
        let mut to = self.look.to.clone();
        if let Some(owner) = owner_id {
            let rows = self.transaction.query(IS_THERE, &[&owner]).await?;
            if !rows.first().is_some_and(|row| row.get("is_there")) {
                return Ok(skipped("user_gone"));
            }
            to.holder_id = owner;
        }
        let Done { task_id, .. } =
            self.asked(&to, StepKind::Task, words, due).mail_or_task(self.context, self.transaction).await?;
        Ok(done(Noted { task_id, ..Noted::default() }))
    }

    async fn take_in(&self, sequence_id: Uuid, again: bool) -> Result<Came, Error> {
        let (_, sequence): (_, Option<Sequence>) =
            try_join(self.transaction.query(HOLD_SEQUENCE, &[&sequence_id]), self.transaction.first(SEQUENCE, &[&sequence_id]))
                .await?;
        let Some(sequence) = sequence else { return Ok(skipped("sequence_gone")) };
        if !sequence.is_active {
            return Ok(skipped("sequence_paused"));
        }
        let lead_id = self.look.to.lead_id;
        let audience = Audience { again, lead_ids: Some(vec![lead_id]), ..Audience::of(&sequence) };
        let (lead, said) = try_join(audience.first(self.transaction, 1), Said::read(self.transaction)).await?;
        if lead.is_empty() {
            return Ok(skipped(if self.look.has_opted_out { "unsubscribed" } else { "not_taken_in" }));
        }
        match audience.enroll(self.context, self.transaction, &said, (&lead, true)).await {
            Ok(_) => {}
            Err(error) if error.problem().status == 422 => return Ok(skipped(error.problem().code)),
            Err(error) => return Err(error),
        }
        let rows = self.transaction.query(EXECUTION, &[&sequence_id, &lead_id]).await?;
        Ok(done(Noted { execution_id: rows.first().map(|row| row.get("id")), ..Noted::default() }))
    }
}

const GIVE_UP: &str = "
    update lead_automations set outcome = 'failed', reason = 'gave_up', at = clock_timestamp() where entry_id = $1 and outcome is null";

/// What could not be done for a reason of our own says so.
///
/// # Errors
/// Those of the database.
pub async fn give_up_entry(job: &Claimed, transaction: &Transaction) -> Result<(), Error> {
    let RunStageAutomation { entry_id } = job.read()?;
    transaction.execute(GIVE_UP, &[&entry_id]).await.map(drop)
}
