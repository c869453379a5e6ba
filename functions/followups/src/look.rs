//! All that is known of an execution when it is looked at, in one statement.

use shared::prelude::*;
use tokio_postgres::types::Json as Jsonb;

use crate::{
    acting::Recipient,
    enrol::Said,
    execution::ExecutionStatus,
    judging::{Facts, Lead},
    last_channel, reach_columns,
    sequence::{Steps, hours},
    step::Step,
    window::{DayOfWeek, zone_of},
};

const LOOK: &str = concat!(
    "select executions.status, executions.current_step, executions.attempt, executions.next_run_at, executions.job_id,
           executions.lead_id,
           sequences.is_active and sequences.deleted_at is null as is_running, sequences.steps, sequences.window_start,
           sequences.window_end, sequences.weekdays, sequences.pause_weekends, sequences.pause_holidays, sequences.max_per_day,
           leads.status = 'open' and leads.deleted_at is null as is_open, leads.name, leads.email, leads.phone, leads.client_id,
           app.zone_said_of(leads) as zone,
           app.meets(leads, coalesce(sequences.steps -> executions.current_step -> 'condition', '{}')) as meets_condition,
           ",
    reach_columns!(),
    ",
           coalesce(sequences.channel_account_id, ",
    last_channel!(),
    ") as channel_account_id,
           app.first_there(array[leads.closer_id, leads.sdr_id, executions.enrolled_by, sequences.created_by_id]) as holder_id,
           app.followup_holidays() as said,
           array(select logs.at
                   from followup_executions others
                   join followup_logs logs on logs.company_id = others.company_id and logs.execution_id = others.id
                  where others.company_id = leads.company_id and others.lead_id = leads.id and logs.outcome = 'sent'
                    and logs.at > now() - interval '48 hours') as sent
      from followup_executions executions
      join followup_sequences sequences on sequences.company_id = executions.company_id and sequences.id = executions.sequence_id
      join leads on leads.company_id = executions.company_id and leads.id = executions.lead_id
      left join clients on clients.company_id = leads.company_id and clients.id = leads.client_id
     where executions.id = $1"
);

/// All that is known of an execution.
#[derive(FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "as the row has them")]
pub struct Look {
    status: ExecutionStatus,
    pub current_step: i32,
    pub attempt: i32,
    pub next_run_at: Option<Timestamp>,
    pub job_id: Option<Uuid>,
    is_running: bool,
    #[from_row(from = "Jsonb<Steps>")]
    pub steps: Steps,
    window_start: String,
    window_end: String,
    weekdays: Vec<DayOfWeek>,
    pause_weekends: bool,
    pause_holidays: bool,
    max_per_day: i32,
    is_open: bool,
    zone: Option<String>,
    has_opted_out: bool,
    meets_condition: bool,
    is_blocked: bool,
    has_refused: bool,
    #[from_row(flatten)]
    pub to: Recipient,
    #[from_row(from = "Jsonb<Said>")]
    said: Said,
    sent: Vec<Timestamp>,
}

impl Look {
    /// # Errors
    /// Those of the database.
    pub async fn read(transaction: &Transaction, id: Uuid) -> Result<Option<Self>, Error> {
        transaction.first(LOOK, &[&id]).await
    }

    /// The present step's.
    pub fn place(&self) -> usize {
        usize::try_from(self.current_step).unwrap_or(usize::MAX)
    }

    /// The present one; `None` at the end.
    pub fn step(&self) -> Option<&Step> {
        self.steps.0.get(self.place())
    }

    /// As they are judged.
    pub fn facts(&self) -> Facts {
        Facts {
            status: self.status,
            next_run_at: self.next_run_at,
            is_running: self.is_running,
            step: self.step().cloned(),
            lead: Lead {
                is_open: self.is_open,
                has_opted_out: self.has_opted_out,
                meets_condition: self.meets_condition,
                has_email: self.to.email.is_some(),
                is_reachable: self.to.phone.is_some() || self.to.client_id.is_some(),
                is_blocked: self.is_blocked,
                has_refused: self.has_refused,
            },
            sent: self.sent.clone(),
            max_per_day: self.max_per_day,
            hours: hours(&self.window_start, &self.window_end, &self.weekdays, self.pause_weekends, self.pause_holidays),
            holidays: self.said.holidays(),
            zone: zone_of(self.zone.as_deref(), &self.said.time_zone).0,
        }
    }
}
