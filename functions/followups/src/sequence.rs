//! A sequence: for whom it is, its steps, and when these may run.

use shared::prelude::*;
use tokio_postgres::types::Json as Jsonb;

use crate::{
    criteria::Criteria,
    shown::{ShownCriteria, ShownStep},
    step::Step,
    window::{DayOfWeek, END, Hours, START},
};

pub const NAME_TAKEN: Problem =
    Problem::new(409, "name_taken", "Já existe uma sequência com este nome.", "A sequence with this name exists already.");
pub const UNKNOWN_CHANNEL: Problem = Problem::new(422, "unknown_channel", "Número não encontrado.", "Number not found.");

/// The columns of `Sequence`, from a relation named `followup_sequences`.
#[macro_export]
macro_rules! sequence_columns {
    () => {
        "followup_sequences.id, followup_sequences.name, followup_sequences.description, followup_sequences.is_active,
           followup_sequences.criteria, followup_sequences.steps, followup_sequences.window_start, followup_sequences.window_end,
           followup_sequences.weekdays, followup_sequences.pause_weekends, followup_sequences.pause_holidays, followup_sequences.max_per_day,
           followup_sequences.channel_account_id, followup_sequences.version, followup_sequences.created_at, followup_sequences.updated_at"
    };
}

/// One that is there.
pub const SEQUENCE: &str =
    concat!("select ", sequence_columns!(), " from followup_sequences where id = $1 and deleted_at is null");

/// The same, held until the transaction ends.
pub const LOCKED_SEQUENCE: &str = concat!(
    "select ",
    sequence_columns!(),
    " from followup_sequences where id = $1 and deleted_at is null for no key update of followup_sequences"
);

/// Steps as they are stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Steps(pub Vec<Step>);

impl From<Jsonb<Self>> for Steps {
    fn from(Jsonb(steps): Jsonb<Self>) -> Self {
        steps
    }
}

impl From<Jsonb<Self>> for Criteria {
    fn from(Jsonb(criteria): Jsonb<Self>) -> Self {
        criteria
    }
}

impl Steps {
    /// How long each waits after the one before.
    pub fn delays(&self) -> impl Iterator<Item = i32> {
        self.0.iter().map(|step| step.delay_minutes)
    }
}

/// A sequence.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "FollowupSequence")]
pub struct Sequence {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    /// Whether leads are taken in, and steps run.
    pub is_active: bool,
    #[from_row(from = "Jsonb<Criteria>")]
    #[schemars(with = "ShownCriteria")]
    pub criteria: Criteria,
    #[from_row(from = "Jsonb<Steps>")]
    #[schemars(with = "Vec<ShownStep>")]
    pub steps: Steps,
    /// `HH:MM` where the lead is; both ends count, to the minute.
    pub window_start: String,
    pub window_end: String,
    pub weekdays: Vec<DayOfWeek>,
    pub pause_weekends: bool,
    /// Whether the nation's holidays, the optional ones that the company keeps, and its own are gone round.
    pub pause_holidays: bool,
    /// Messages and e-mails that a lead gets on a day of theirs, of all sequences together.
    pub max_per_day: i32,
    /// The number that it writes from; null is the one that the client was last talked to on, else the company's only one.
    pub channel_account_id: Option<Uuid>,
    pub version: i32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Versioned for Sequence {
    fn version(&self) -> i32 {
        self.version
    }
}

impl Sequence {
    /// When its steps may run.
    #[must_use]
    pub fn hours(&self) -> Hours {
        hours(&self.window_start, &self.window_end, &self.weekdays, self.pause_weekends, self.pause_holidays)
    }
}

/// Hours as their columns say them; what cannot be read is the usual.
#[must_use]
pub fn hours(start: &str, end: &str, weekdays: &[DayOfWeek], pause_weekends: bool, pause_holidays: bool) -> Hours {
    let minute = |text: &str, otherwise| serde_json::from_value(json!(text)).unwrap_or(otherwise);
    Hours {
        window_start: minute(start, START),
        window_end: minute(end, END),
        weekdays: weekdays.to_vec(),
        pause_weekends,
        pause_holidays,
    }
}

/// There is a new sequence.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SequenceCreated<'sequence> {
    pub sequence: &'sequence Sequence,
}

event!(SequenceCreated<'_> = "followup_sequence.created");

/// Something of a sequence changed, or it runs, or it does not any more.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SequenceUpdated<'sequence> {
    pub sequence: &'sequence Sequence,
}

event!(SequenceUpdated<'_> = "followup_sequence.updated");

/// A sequence is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SequenceDeleted {
    pub sequence_id: Uuid,
}

event!(SequenceDeleted = "followup_sequence.deleted");
