//! PUT /pipelines/{id}/stages — the stages of a pipeline from now on, from left to right. Leads of one that goes are moved to the one that is named.

use std::collections::BTreeMap;

use futures_util::future::try_join5;
use leads::Stage;
use pipelines::{
    LOCKED_PIPELINE, NewStage, PIPELINE, Pipeline, PipelineUpdated, STAGES, add_stages, keep_stages, problems_of_change,
    remove_stages, unknown_to_automations,
};
use shared::{
    error::{NOT_FOUND, STALE, refuse},
    prelude::*,
};

const STAGE_IN_USE: Problem = Problem::new(
    409,
    "stage_in_use",
    "Há leads numa etapa que sai. Diga para qual etapa eles vão.",
    "There are leads in a stage that goes. Say which stage they go to.",
)
.showing::<Pipeline>();

const ROUTE: Route = Route::put("/pipelines/{id}/stages").fails(&[NOT_FOUND, STAGE_IN_USE, STALE.showing::<Pipeline>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewStages {
    /// All of them, one open, one won and one lost at least among them. One that is there already keeps its id and its kind.
    #[garde(length(min = 1, max = 30), dive)]
    #[schemars(length(min = 1, max = 30))]
    stages: Vec<NewStage>,
    /// For stages that go: the one of the same kind that their leads go to, at its foot.
    #[garde(length(max = 30))]
    #[serde(default)]
    move_leads: BTreeMap<Uuid, Uuid>,
}

const HOLD_ALL: &str = "select app.hold_stages(array(select id from stages where pipeline_id = $1))::text";

const COUNTS: &str = "select stage_id as id from leads where pipeline_id = $1 and deleted_at is null group by stage_id";

#[derive(FromRow)]
struct InUse {
    id: Uuid,
}

const NEXT_VERSION: &str = "update pipelines set version = version + 1, updated_at = now() where id = $1";

pub fn main() {
    serve(&ROUTE, save_stages);
}

async fn save_stages(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(NewStages { stages, move_leads }): Json<NewStages>,
) -> Result<Json<Pipeline>, Error> {
    refuse(pipelines::problems(&stages))?;
    let transaction = context.begin(&caller).await?;
    // New leads wait for the stages they would go to.
    let (_, _, current, before, used): (_, _, Pipeline, Vec<Stage>, Vec<InUse>) = try_join5(
        transaction.query(LOCKED_PIPELINE, &[&id]),
        transaction.query(HOLD_ALL, &[&id]),
        transaction.one(PIPELINE, &[&id]),
        transaction.all(STAGES, &[&id]),
        transaction.all(COUNTS, &[&id]),
    )
    .await?;
    if_match.check(&current)?;
    refuse(problems_of_change(&before, &stages, &move_leads))?;
    if pipelines::are_the_same(&before, &stages) {
        return transaction.commit(Json(current)).await;
    }
    refuse(unknown_to_automations(&transaction, &before, &stages).await?)?;
    let gone: Vec<&Stage> = before.iter().filter(|stage| stages.iter().all(|kept| kept.id != Some(stage.id))).collect();
    let is_used = |stage: &Stage| used.iter().any(|in_use| in_use.id == stage.id);
    if gone.iter().any(|stage| is_used(stage) && !move_leads.contains_key(&stage.id)) {
        return Err(STAGE_IN_USE.with_current(&current));
    }
    let ((), (), (), _, saved): (_, _, _, _, Pipeline) = try_join5(
        keep_stages(&transaction, &stages),
        add_stages(&context, &transaction, id, &stages),
        remove_stages(&transaction, id, &gone, &move_leads),
        transaction.execute(NEXT_VERSION, &[&id]),
        transaction.one(PIPELINE, &[&id]),
    )
    .await?;
    saved.tell(&transaction, caller.company_id, &PipelineUpdated { pipeline: &saved });
    transaction.audit(id, &current, &saved);
    transaction.commit(Json(saved)).await
}
