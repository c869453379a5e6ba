//! The stages of a pipeline as people draw them.

use std::collections::BTreeMap;

use futures_util::future::{try_join, try_join_all, try_join3};
use leads::{Automation, LeadStatus, Stage, may_be_required, stage_columns};
use shared::{VISIBLE, error::FieldProblem, prelude::*, rule, visible};

/// Keys of stages.
const KEY: &str = "^[a-z][a-z0-9_]{0,39}$";

/// A stage as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStage {
    /// Of one that is there already; a new one without.
    #[garde(skip)]
    #[serde(default)]
    pub id: Option<Uuid>,
    /// What filters call it: small letters, digits and `_`.
    #[garde(length(chars, max = 40), custom(well_formed))]
    #[schemars(regex(pattern = KEY))]
    pub key: String,
    #[garde(length(chars, min = 1, max = 60), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    pub name: String,
    /// Such as `#8a8f98`.
    #[garde(inner(custom(clients::tags::is_colour)))]
    #[schemars(regex(pattern = clients::tags::COLOUR))]
    #[serde(default)]
    pub colour: Option<String>,
    /// The same for as long as there is the stage.
    #[garde(skip)]
    pub kind: LeadStatus,
    /// What a lead has before it enters: fields of leads, or `custom_fields.<key>`.
    #[garde(length(max = 30), inner(custom(is_requirable)))]
    #[serde(default)]
    pub required_fields: Vec<String>,
    /// Days after which a lead here rots, if nothing is done.
    #[garde(range(min = 1, max = 365))]
    #[schemars(range(min = 1, max = 365))]
    #[serde(default)]
    pub rotting_days: Option<i32>,
    /// What is done by itself when a lead enters, in this order.
    #[garde(length(max = 10), dive)]
    #[serde(default)]
    pub automations: Vec<Automation>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn well_formed(key: &str, (): &()) -> garde::Result {
    // `open` is what all of that kind are asked for by.
    if clients::fields::is_key(key) && key != "open" {
        return Ok(());
    }
    Err(rule("pattern", "Use letras minúsculas, algarismos e _.", "Use small letters, digits and _."))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn is_requirable(field: &str, (): &()) -> garde::Result {
    if may_be_required(field) {
        return Ok(());
    }
    Err(rule("unknown_field", "Leads não têm este campo.", "Leads have no such field."))
}

/// Those that every company begins with.
#[must_use]
pub fn usual_stages() -> Vec<NewStage> {
    let stage = |(key, name, colour, kind, rotting_days): (&str, &str, &str, LeadStatus, Option<i32>)| NewStage {
        id: None,
        key: key.to_owned(),
        name: name.to_owned(),
        colour: Some(colour.to_owned()),
        kind,
        required_fields: if kind == LeadStatus::Lost { vec!["close_reason".to_owned()] } else { Vec::new() },
        rotting_days,
        automations: Vec::new(),
    };
    [
        ("new", "Novo", "#4c8dff", LeadStatus::Open, Some(3)),
        ("contacted", "Contatado", "#22b8cf", LeadStatus::Open, Some(7)),
        ("qualified", "Qualificado", "#9775fa", LeadStatus::Open, Some(7)),
        ("proposal", "Proposta", "#f5a623", LeadStatus::Open, Some(7)),
        ("negotiation", "Negociação", "#fd7e14", LeadStatus::Open, Some(14)),
        ("won", "Ganho", "#2f9e44", LeadStatus::Won, None),
        ("lost", "Perdido", "#e03131", LeadStatus::Lost, None),
    ]
    .map(stage)
    .into()
}

/// Why these cannot be a pipeline's stages.
#[must_use]
pub fn problems(stages: &[NewStage]) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    for (place, stage) in stages.iter().enumerate() {
        let before = &stages[..place];
        if before.iter().any(|other| other.key == stage.key) {
            let (portuguese, english) = ("Já há uma etapa com esta chave.", "There is a stage with this key already.");
            problems.push(FieldProblem::new(format!("stages[{place}].key"), "repeated", portuguese, english));
        }
        if stage.id.is_some() && before.iter().any(|other| other.id == stage.id) {
            let (portuguese, english) = ("Esta etapa aparece duas vezes.", "This stage is given twice.");
            problems.push(FieldProblem::new(format!("stages[{place}].id"), "repeated", portuguese, english));
        }
    }
    for (kind, portuguese, english) in [
        (LeadStatus::Open, "Falta uma etapa aberta.", "An open stage is missing."),
        (LeadStatus::Won, "Falta uma etapa de ganho.", "A stage for won leads is missing."),
        (LeadStatus::Lost, "Falta uma etapa de perda.", "A stage for lost leads is missing."),
    ] {
        if !stages.iter().any(|stage| stage.kind == kind) {
            problems.push(FieldProblem::new("stages", "kind_missing", portuguese, english));
        }
    }
    problems.extend(problems_of_automations(stages));
    problems
}

/// What is wrong with what stages do by themselves, whatever there is.
fn problems_of_automations(stages: &[NewStage]) -> Vec<FieldProblem> {
    let of = |(at, stage, automation): (String, &NewStage, &Automation)| {
        let mut problems = automation.problems(&at);
        if stage.kind != LeadStatus::Open && matches!(automation, Automation::Sequence { .. }) {
            let (portuguese, english) = ("Só leads abertos entram em sequências.", "Only open leads are taken into sequences.");
            problems.push(FieldProblem::new(format!("{at}.kind"), "not_open", portuguese, english));
        }
        problems
    };
    all_automations(stages).flat_map(of).collect()
}

/// What they do by themselves, each with its place.
pub fn all_automations(stages: &[NewStage]) -> impl Iterator<Item = (String, &NewStage, &Automation)> {
    stages.iter().enumerate().flat_map(|(place, stage)| {
        let automations = stage.automations.iter().enumerate();
        automations.map(move |(number, automation)| (format!("stages[{place}].automations[{number}]"), stage, automation))
    })
}

const ADD: &str = "
    insert into stages (id, pipeline_id, key, name, position, colour, kind, required_fields, rotting_days, automations)
    select stage.id, $1, stage.key, stage.name, stage.position, coalesce(lower(stage.colour), '#8a8f98'), stage.kind, stage.required_fields,
           stage.rotting_days, stage.automations
      from jsonb_to_recordset($2)
           as stage (id uuid, key text, name text, position integer, colour text, kind text, required_fields text[], rotting_days integer,
                     automations jsonb)";

/// Adds those that are new, each at its place.
///
/// # Errors
/// Those of the database.
pub async fn add_stages(
    context: &Context,
    transaction: &Transaction,
    pipeline_id: Uuid,
    stages: &[NewStage],
) -> Result<(), Error> {
    let rows: Vec<Value> = stages
        .iter()
        .enumerate()
        .filter(|(_, stage)| stage.id.is_none())
        .map(|(position, stage)| {
            let mut row = json!(stage);
            row["id"] = json!(context.new_id());
            row["position"] = json!(position);
            row
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    transaction.execute(ADD, &[&pipeline_id, &Value::Array(rows)]).await.map(drop)
}

/// The stages of a pipeline, from left to right.
pub const STAGES: &str =
    concat!("select ", stage_columns!(), " from stages where stages.pipeline_id = $1 order by stages.position");

/// Why these cannot follow on those that are there.
#[must_use]
pub fn problems_of_change(before: &[Stage], stages: &[NewStage], moves: &BTreeMap<Uuid, Uuid>) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    for (place, stage) in stages.iter().enumerate() {
        let Some(id) = stage.id else { continue };
        match before.iter().find(|known| known.id == id) {
            None => {
                let (portuguese, english) = ("Esta etapa não é deste funil.", "This stage is not of this pipeline.");
                problems.push(FieldProblem::new(format!("stages[{place}].id"), "unknown_stage", portuguese, english));
            }
            Some(known) if known.kind != stage.kind => {
                let (portuguese, english) =
                    ("O tipo de uma etapa não muda. Crie outra.", "The kind of a stage stays. Make another one.");
                problems.push(FieldProblem::new(format!("stages[{place}].kind"), "kind_stays", portuguese, english));
            }
            Some(_) => {}
        }
    }
    for (from, to) in moves {
        let kind = |id: &Uuid| before.iter().find(|stage| stage.id == *id).map(|stage| stage.kind);
        let is_kept = |id: &Uuid| stages.iter().any(|stage| stage.id == Some(*id));
        if kind(from).is_none() || is_kept(from) || !is_kept(to) || kind(from) != kind(to) {
            let portuguese = "Leads de uma etapa que sai vão para uma que fica, do mesmo tipo.";
            let english = "Leads of a stage that goes are moved to one of the same kind that stays.";
            problems.push(FieldProblem::new(format!("move_leads.{from}"), "unknown_stage", portuguese, english));
        }
    }
    problems
}

/// Whether they are what is there, in this order.
#[must_use]
pub fn are_the_same(before: &[Stage], stages: &[NewStage]) -> bool {
    before.len() == stages.len() && before.iter().zip(stages).all(|(before, stage)| stage.is(before))
}

impl NewStage {
    fn is(&self, known: &Stage) -> bool {
        self.id == Some(known.id)
            && (&self.key, &self.name, self.rotting_days) == (&known.key, &known.name, known.rotting_days)
            && self.colour.as_ref().is_none_or(|colour| colour.eq_ignore_ascii_case(&known.colour))
            && self.required_fields == known.required_fields
            && json!(self.automations) == known.automations
    }
}

const KEEP: &str = "
    update stages
       set key = stage.key, name = stage.name, position = stage.position, colour = coalesce(lower(stage.colour), stages.colour),
           required_fields = stage.required_fields, rotting_days = stage.rotting_days, automations = stage.automations
      from jsonb_to_recordset($1)
           as stage (id uuid, key text, name text, position integer, colour text, required_fields text[], rotting_days integer, automations jsonb)
     where stages.id = stage.id";

/// Changes those that stay, each at its place.
///
/// # Errors
/// Those of the database.
pub async fn keep_stages(transaction: &Transaction, stages: &[NewStage]) -> Result<(), Error> {
    let row = |(position, stage): (usize, &NewStage)| {
        let mut row = json!(stage);
        row["position"] = json!(position);
        row
    };
    let rows: Vec<Value> = stages.iter().enumerate().filter(|(_, stage)| stage.id.is_some()).map(row).collect();
    transaction.execute(KEEP, &[&Value::Array(rows)]).await.map(drop)
}

/// To the foot of another stage, in the order they have; those that are off the board go with them, where nobody says where to the first one of the
/// same kind that stays.
const MOVE_ALL: &str = "
    with heir as materialized (
        select coalesce($2::uuid, (select id from stages where pipeline_id = $3 and kind = $4 and id <> all ($5) order by position limit 1)) as id
    ), placed as materialized (
        select * from app.places_in((select id from heir),
                                    array(select id from leads where stage_id = $1 and deleted_at is null order by rank), false)
    )
    update leads
       set stage_id = (select id from heir),
           furthest_stage_id = case when furthest_stage_id = $1 then (select id from heir) else furthest_stage_id end,
           rank = coalesce((select place from placed where placed.id = leads.id), rank), version = version + 1,
           updated_at = now()
     where stage_id = $1";

/// Who got no further than it got as far as the one that takes its place.
const FURTHEST: &str = "
    update leads
       set furthest_stage_id = (select id from stages where pipeline_id = $2 and kind = $3 and id <> all ($4) order by position limit 1)
     where furthest_stage_id = $1 and pipeline_id = $2";

/// Nobody has moved them: the stage that takes them does nothing by itself.
const GO_ALONG: &str = "select set_config('app.stages_drawn', 'on', true)";

const REMOVE: &str = "delete from stages where id = any ($1)";

/// Removes stages whose leads go where it is said.
///
/// # Errors
/// Those of the database.
pub async fn remove_stages(
    transaction: &Transaction,
    pipeline_id: Uuid,
    gone: &[&Stage],
    moves: &BTreeMap<Uuid, Uuid>,
) -> Result<(), Error> {
    let ids: Vec<Uuid> = gone.iter().map(|stage| stage.id).collect();
    let ids = &ids;
    let moving = gone.iter().map(|stage| async move {
        let (to, kind) = (moves.get(&stage.id), stage.kind.as_str());
        try_join(
            transaction.execute(MOVE_ALL, &[&stage.id, &to, &pipeline_id, &kind, ids]),
            transaction.execute(FURTHEST, &[&stage.id, &pipeline_id, &kind, ids]),
        )
        .await
    });
    // One after the other, in one flight.
    try_join3(transaction.query(GO_ALONG, &[]), try_join_all(moving), transaction.execute(REMOVE, &[ids])).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_begins_goes_on_and_ends() {
        assert!(problems(&usual_stages()).is_empty());
        let mut twice = usual_stages();
        twice[1].key = "new".to_owned();
        assert_eq!(problems(&twice)[0].field, "stages[1].key");
        let open: Vec<NewStage> = usual_stages().into_iter().filter(|stage| stage.kind == LeadStatus::Open).collect();
        assert_eq!(problems(&open).len(), 2);
    }

    #[test]
    fn sequences_are_for_open_leads() {
        let sequence = Automation::Sequence { sequence_id: Uuid::nil(), again: false };
        let mut stages = usual_stages();
        stages[0].automations = vec![sequence.clone()];
        assert!(problems_of_automations(&stages).is_empty());
        stages[5].automations = vec![Automation::Assign { closer_id: Some(Uuid::nil()), sdr_id: None }, sequence];
        let told: Vec<(String, String)> =
            problems_of_automations(&stages).into_iter().map(|problem| (problem.field, problem.code)).collect();
        assert_eq!(told, [("stages[5].automations[1].kind".to_owned(), "not_open".to_owned())]);
    }
}
