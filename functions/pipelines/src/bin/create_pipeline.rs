//! POST /pipelines — a new pipeline, with the stages that are given or those that every company begins with.

use pipelines::{
    NewStage, PIPELINE, PIPELINE_NAME_TAKEN, Pipeline, PipelineCreated, UNKNOWN_DEPARTMENT, add_stages, unknown_to_automations,
    usual_stages,
};
use shared::{VISIBLE, error::refuse, prelude::*, visible};

const ROUTE: Route = Route::post("/pipelines").fails(&[PIPELINE_NAME_TAKEN, UNKNOWN_DEPARTMENT]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPipeline {
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// Whose it is; all staff's where nothing is said.
    #[garde(skip)]
    department_id: Option<Uuid>,
    /// From left to right, one won and one lost at least among them.
    #[garde(length(min = 1, max = 30), dive)]
    #[schemars(length(min = 1, max = 30))]
    stages: Option<Vec<NewStage>>,
}

const CREATE: &str = "insert into pipelines (id, name, department_id) values ($1, $2, $3)";

pub fn main() {
    serve(&ROUTE, create_pipeline);
}

async fn create_pipeline(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<NewPipeline>,
) -> Result<Created<Pipeline>, Error> {
    let NewPipeline { name, department_id, stages } = input;
    let stages = stages.unwrap_or_else(usual_stages);
    refuse(pipelines::problems(&stages))?;
    let transaction = context.begin(&caller).await?;
    refuse(unknown_to_automations(&transaction, &[], &stages).await?)?;
    let id = context.new_id();
    transaction
        .execute(CREATE, &[&id, &name, &department_id])
        .await
        .on_constraint("pipelines_name", PIPELINE_NAME_TAKEN)
        .on_constraint("pipelines_company_id_department_id_fkey", UNKNOWN_DEPARTMENT)?;
    add_stages(&context, &transaction, id, &stages).await?;
    let pipeline: Pipeline = transaction.one(PIPELINE, &[&id]).await?;
    pipeline.tell(&transaction, caller.company_id, &PipelineCreated { pipeline: &pipeline });
    transaction.audit(id, &Value::Null, &pipeline);
    transaction.commit(Created(pipeline)).await
}
