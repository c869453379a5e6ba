//! PUT /lead-fields — the company's own fields of leads from now on. What leads have in a field that goes stays with them.

use clients::fields::FieldsRow;
use futures_util::future::try_join3;
use scores::fields::{LeadField, LeadFields, LeadFieldsUpdated, plain};
use shared::{
    error::{FieldProblem, STALE, refuse},
    prelude::*,
};

const ROUTE: Route = Route::put("/lead-fields").fails(&[STALE.showing::<LeadFields>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewLeadFields {
    /// All of them, in the order of forms.
    #[garde(length(max = 50), dive)]
    fields: Vec<LeadField>,
}

const ENSURE_ROW: &str = "insert into lead_fields (company_id) values (app.company_id()) on conflict do nothing";

/// Nobody else saves them meanwhile.
const LOCKED: &str = "select fields, kinds, version from lead_fields for update";

const SAVE: &str = "update lead_fields set fields = $1, kinds = $2, version = version + 1";

const PIPELINES: &str = "select id from pipelines where archived_at is null";

#[derive(FromRow)]
struct Known {
    id: Uuid,
}

pub fn main() {
    serve(&ROUTE, save_lead_fields);
}

async fn save_lead_fields(
    context: Context,
    caller: Supervisor,
    if_match: IfMatch,
    Json(NewLeadFields { fields }): Json<NewLeadFields>,
) -> Result<Json<LeadFields>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, row, pipelines) = try_join3(
        transaction.execute(ENSURE_ROW, &[]),
        transaction.one::<FieldsRow>(LOCKED, &[]),
        transaction.all::<Known>(PIPELINES, &[]),
    )
    .await?;
    let current = LeadFields::from(&row);
    if_match.check(&current)?;
    if fields == current.fields {
        return transaction.commit(Json(current)).await;
    }
    let of_pipelines = plain(&fields);
    let mut problems = row.problems(&of_pipelines);
    for (place, field) in fields.iter().enumerate() {
        let is_known = |id: &Uuid| pipelines.iter().any(|pipeline| pipeline.id == *id);
        // What was there before may stay, whatever became of it.
        let was = current.fields.iter().find(|before| before.key == field.key);
        let was_there = |id: &Uuid| was.is_some_and(|before| before.pipeline_ids.contains(id));
        if let Some(at) = field.pipeline_ids.iter().position(|id| !is_known(id) && !was_there(id)) {
            let (portuguese, english) = ("Funil não encontrado.", "There is no such pipeline.");
            problems.push(FieldProblem::new(format!("fields[{place}].pipeline_ids[{at}]"), "unknown_pipeline", portuguese, english));
        }
    }
    refuse(problems)?;
    transaction.execute(SAVE, &[&json!(fields), &row.kinds_with(&of_pipelines)]).await?;
    let saved = LeadFields { fields, version: current.version + 1 };
    transaction.tell_staff(&LeadFieldsUpdated { fields: &saved.fields, version: saved.version });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}
