//! PUT /pipelines/{id} — changes what is given of a pipeline: its name, whose it is, and whether new leads come in by it.

use futures_util::future::{try_join, try_join3};
use pipelines::{IS_DEFAULT, LOCKED_PIPELINE, PIPELINE, PIPELINE_NAME_TAKEN, Pipeline, PipelineUpdated, UNKNOWN_DEPARTMENT};
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    prelude::*,
    visible,
};
use team::given::Given;

const ROUTE: Route = Route::put("/pipelines/{id}").or(&["PATCH /pipelines/{id}"]).fails(&[
    NOT_FOUND,
    IS_DEFAULT,
    PIPELINE_NAME_TAKEN,
    UNKNOWN_DEPARTMENT,
    STALE.showing::<Pipeline>(),
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PipelineChanges {
    #[garde(length(chars, min = 1, max = 80), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    /// Whose it is; null: all staff's.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(with = "Option<Uuid>")]
    department_id: Given<Uuid>,
    /// New leads come in by it, and no more by the one before. Another one is made the first to end it.
    #[garde(skip)]
    is_default: Option<bool>,
}

/// One at a time makes another one the first.
const LOCK_DEFAULT: &str = "select from pipelines where is_default order by id for no key update";

const NO_DEFAULT: &str = "update pipelines set is_default = false, version = version + 1, updated_at = now() where is_default and id <> $1 and $2";

const SAVE: &str = "
    update pipelines set name = $2, department_id = $3, is_default = $4, version = version + 1, updated_at = now() where id = $1";

pub fn main() {
    serve(&ROUTE, update_pipeline);
}

async fn update_pipeline(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<PipelineChanges>,
) -> Result<Json<Pipeline>, Error> {
    let PipelineChanges { name, department_id, is_default } = input;
    let transaction = context.begin(&caller).await?;
    let (_, _, current): (_, _, Pipeline) = try_join3(
        transaction.query(LOCK_DEFAULT, &[]),
        transaction.query(LOCKED_PIPELINE, &[&id]),
        transaction.one(PIPELINE, &[&id]),
    )
    .await?;
    if_match.check(&current)?;
    let name = name.unwrap_or_else(|| current.name.clone());
    let department_id = department_id.after(current.department_id);
    let is_default = is_default.unwrap_or(current.is_default);
    if (&name, department_id, is_default) == (&current.name, current.department_id, current.is_default) {
        return transaction.commit(Json(current)).await;
    }
    if current.is_default && (!is_default || department_id.is_some()) || is_default && department_id.is_some() {
        return Err(IS_DEFAULT.into());
    }
    let (_, saved) = try_join(
        transaction.execute(NO_DEFAULT, &[&id, &is_default]),
        async {
            transaction
                .execute(SAVE, &[&id, &name, &department_id, &is_default])
                .await
                .on_constraint("pipelines_name", PIPELINE_NAME_TAKEN)
                .on_constraint("pipelines_company_id_department_id_fkey", UNKNOWN_DEPARTMENT)?;
            transaction.one::<Pipeline>(PIPELINE, &[&id]).await
        },
    )
    .await?;
    let audience = current.audience().or(saved.audience());
    transaction.emit(Event::new(Topic::Company(caller.company_id), audience, &PipelineUpdated { pipeline: &saved }));
    transaction.audit(id, &current, &saved);
    transaction.commit(Json(saved)).await
}
