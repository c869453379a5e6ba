//! Stages of a pipeline, and what it takes to enter one.

use clients::fields::is_key;
use shared::{error::FieldProblem, prelude::*};

use crate::{Closing, Lead, LeadStatus, ShownAutomation};

pub const MISSING_FIELDS: Problem = Problem::new(
    422,
    "missing_fields",
    "Preencha o que esta etapa pede antes de mover o lead.",
    "Fill in what this stage asks for before the lead is moved.",
);

pub const NEIGHBOURS_MOVED: Problem = Problem::new(
    409,
    "neighbours_moved",
    "Os cartões vizinhos saíram desta etapa. Solte o cartão de novo.",
    "The neighbouring cards have left this stage. Drop the card again.",
)
.showing::<Lead>();

/// The columns of `Stage`, from a relation named `stages`.
#[macro_export]
macro_rules! stage_columns {
    () => {
        "stages.id, stages.pipeline_id, stages.key, stages.name, stages.position, stages.colour, stages.kind, stages.required_fields,
           stages.rotting_days, stages.automations"
    };
}

/// One stage that the caller sees, of a pipeline that is in use.
pub const STAGE: &str = concat!(
    "select ",
    stage_columns!(),
    " from stages join pipelines on pipelines.company_id = stages.company_id and pipelines.id = stages.pipeline_id
     where stages.id = $1 and pipelines.archived_at is null"
);

/// Before a place in them is looked for.
pub const HOLD_STAGES: &str = "select app.hold_stages($1)::text";

/// The stage of the lead `$1`, before its place there is looked for.
pub const HOLD_STAGE_OF: &str = "select app.hold_stages(array(select stage_id from leads where id = $1))::text";

/// Where a lead goes that comes back: the stage it was in, or, of a pipeline that is in use no more, where new leads go.
#[macro_export]
macro_rules! stage_to_return {
    ($lead:literal) => {
        concat!(
            "coalesce((select leads.stage_id from leads
                     join pipelines on pipelines.company_id = leads.company_id and pipelines.id = leads.pipeline_id
                    where leads.id = ",
            $lead,
            " and pipelines.archived_at is null),
                  (select first.id from stages first
                     join pipelines on pipelines.company_id = first.company_id and pipelines.id = first.pipeline_id
                    where pipelines.is_default and first.kind = 'open'
                    order by first.position
                    limit 1))"
        )
    };
}

/// That stage, before its place there is looked for.
pub const HOLD_STAGE_TO_RETURN: &str = concat!("select app.hold_stages(array[", stage_to_return!("$1"), "])::text");

/// Back on top of it.
pub const RETURN: &str = concat!(
    "with place as materialized (
        select stages.pipeline_id, stages.id, (app.rank_in(stages.id, $1, null, null)).place
          from stages
         where stages.id = ",
    stage_to_return!("$1"),
    ")
    update leads
       set deleted_at = null, merged_into_id = null, pipeline_id = place.pipeline_id, stage_id = place.id, rank = place.place,
           version = version + 1, updated_at = now()
      from place
     where leads.id = $1"
);

/// A stage.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, FromRow)]
#[schemars(rename = "PipelineStage")]
pub struct Stage {
    pub id: Uuid,
    #[serde(skip)]
    pub pipeline_id: Uuid,
    /// What filters call it.
    pub key: String,
    pub name: String,
    /// From 0, from left to right.
    pub position: i32,
    pub colour: String,
    pub kind: LeadStatus,
    /// What a lead has before it enters.
    pub required_fields: Vec<String>,
    /// Days after which a lead here rots, if nothing is done.
    pub rotting_days: Option<i32>,
    #[schemars(with = "Vec<ShownAutomation>")]
    pub automations: Value,
}

/// Fields that a stage may ask for, beside `custom_fields.<key>`.
const REQUIRABLE: [&str; 18] = [
    "email",
    "phone",
    "company",
    "job_title",
    "origin",
    "campaign",
    "closer",
    "sdr",
    "potential_value",
    "expected_close",
    "client_id",
    "budget_confirmed",
    "authority_level",
    "need_level",
    "decides_by",
    "close_reason",
    "value",
    "tags",
];

/// Whether a stage may ask for it.
#[must_use]
pub fn may_be_required(field: &str) -> bool {
    REQUIRABLE.contains(&field) || field.strip_prefix("custom_fields.").is_some_and(is_key)
}

/// What the stage asks for and the lead has not, with what comes with its move.
#[must_use]
pub fn missing_fields(stage: &Stage, lead: &Lead, closing: &Closing) -> Vec<FieldProblem> {
    lacks(stage, &serde_json::to_value(lead).unwrap_or_default(), closing)
}

/// The same of a lead as it is shown, which may be none yet.
#[must_use]
pub fn lacks(stage: &Stage, row: &Value, closing: &Closing) -> Vec<FieldProblem> {
    let has = |field: &str| {
        let value = match field.strip_prefix("custom_fields.") {
            Some(key) => row["custom_fields"].get(key),
            None => row.get(field).or_else(|| row["qualification"].get(field)),
        };
        match (field, value) {
            ("close_reason", _) if closing.reason.is_some() => true,
            ("value", _) if closing.value.is_some() => true,
            (_, None | Some(Value::Null)) => false,
            (_, Some(Value::Array(all))) => !all.is_empty(),
            (_, Some(_)) => true,
        }
    };
    let problem = |field: &String| {
        let place = if field == "close_reason" { "reason" } else { field };
        FieldProblem::new(place, "required", "Esta etapa pede este campo.", "This stage asks for this field.")
    };
    stage.required_fields.iter().filter(|field| !has(field)).map(problem).collect()
}

/// Into the stage `$2`, whose rows are held: below the card `$3` or above the card `$4`, on top where neither is given. No row where none of
/// these is there; of what is as wanted already, the version stays.
const MOVE: &str = "
    with place as materialized (select * from app.rank_in($2, $1, $3, $4))
    update leads
       set pipeline_id = target.pipeline_id, stage_id = target.id, rank = target.place, close_reason = coalesce($5, leads.close_reason),
           value = coalesce($6::text::numeric, leads.value), version = leads.version + target.step,
           updated_at = case when target.step = 1 then now() else leads.updated_at end
      from (select place.place, place.is_spread, stages.pipeline_id, stages.id,
                   ((was.stage_id, was.rank, was.close_reason, was.value)
                    is distinct from (stages.id, place.place, coalesce($5, was.close_reason), coalesce($6::text::numeric, was.value)))::integer as step
              from place
             cross join stages
             cross join leads was
              join pipelines on pipelines.company_id = stages.company_id and pipelines.id = stages.pipeline_id and pipelines.archived_at is null
             where stages.id = $2 and was.id = $1 and place.place is not null) target
     where leads.id = $1
    returning target.is_spread";

/// Moves a lead into a stage. Both are held; what the stage asks for is there. What the stage does by itself follows after the commit. False where the cards that it is to go beside are not.
///
/// # Errors
/// Those of the database.
pub async fn enter(
    transaction: &Transaction,
    company_id: Uuid,
    lead: &Lead,
    stage: &Stage,
    (below, above): (Option<Uuid>, Option<Uuid>),
    closing: &Closing,
) -> Result<bool, Error> {
    // What is open has no end yet.
    let Closing { reason, value } = if stage.kind == LeadStatus::Open { &Closing::default() } else { closing };
    let value = value.map(|value| value.to_string());
    let rows = transaction.query(MOVE, &[&lead.id, &stage.id, &below, &above, reason, &value]).await?;
    let Some(row) = rows.first() else { return Ok(false) };
    if row.get("is_spread") {
        let payload = StageSpread { pipeline_id: stage.pipeline_id, stage_id: stage.id };
        transaction.emit(Event::new(Topic::Company(company_id), Audience::staff(), &payload));
    }
    Ok(true)
}

/// The cards of a stage have other ranks, in the order they had: boards that show it read it again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StageSpread {
    pub pipeline_id: Uuid,
    pub stage_id: Uuid,
}

event!(StageSpread = "stage.spread");

pub const NO_SUCH_STAGE: Problem = Problem::new(
    422,
    "unknown_stage",
    "Esta etapa não existe neste funil, ou não recebe leads novos.",
    "There is no such stage in this pipeline, or none for new leads.",
);

/// Where a new lead goes: the open stage `$2`, or the first one of the pipeline `$1`, or of the company's first one.
pub const PLACE_FOR_NEW: &str = concat!(
    "select ",
    stage_columns!(),
    " from stages join pipelines on pipelines.company_id = stages.company_id and pipelines.id = stages.pipeline_id
     where pipelines.archived_at is null and stages.kind = 'open'
       and case when $2::uuid is not null then stages.id = $2 and ($1::uuid is null or stages.pipeline_id = $1)
                when $1 is not null then stages.pipeline_id = $1 else pipelines.is_default end
     order by stages.position
     limit 1"
);

/// The first stage `$2`, won or lost, of the pipeline of the lead `$1`.
pub const STAGE_AT_THE_END: &str = concat!(
    "select ",
    stage_columns!(),
    " from stages
     where stages.kind = $2 and stages.pipeline_id = (select pipeline_id from leads where id = $1)
     order by stages.position
     limit 1"
);

/// The same, held before a place in it is looked for.
pub const HOLD_END_OF_PIPELINE: &str = "
    select app.hold_stages(array(select id from stages where kind = $2 and pipeline_id = (select pipeline_id from leads where id = $1)))::text";
