//! PUT /views/{id} — another name or other filters; what is not given stays.

use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    prelude::*,
    visible,
};
use views::{
    Filters, LOCKED, NAME_TAKEN, SUPERVISORS_ONLY, View, ViewKind, ViewUpdated, WITH_NAME, may_write, of_its_kind, view_columns,
};

const ROUTE: Route = Route::put("/views/{id}").or(&["PATCH /views/{id}"]).fails(&[
    NAME_TAKEN,
    NOT_FOUND,
    STALE.showing::<View>(),
    SUPERVISORS_ONLY,
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = of_its_kind)]
struct ViewChanges {
    #[garde(length(chars, min = 1, max = 60), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    /// What it is a list of, which stays: what `filters` are read as.
    #[garde(skip)]
    #[serde(default)]
    kind: ViewKind,
    /// All of them anew.
    #[garde(skip)]
    filters: Option<Filters>,
}

/// No row when it stays as it is, or another one has the name.
const UPDATE: &str = concat!(
    "with updated as (
        update views
           set name = coalesce($2, name), filters = coalesce($3, filters), version = version + 1, updated_at = now()
         where id = $1
           and (name, filters) is distinct from (coalesce($2, name), coalesce($3, filters))
           and not exists (
               select from views other
                where other.id <> $1 and other.owner_id is not distinct from views.owner_id and app.look(other.name) = app.look($2)
                  and other.kind = views.kind)
        returning *
    ) select ",
    view_columns!(),
    " from updated as views"
);

pub fn main() {
    serve(&ROUTE, update_view);
}

async fn update_view(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<ViewChanges>,
) -> Result<Json<View>, Error> {
    let ViewChanges { name, filters, kind } = &input;
    if let Some(filters) = filters {
        filters.read(*kind, agent.user_id, 0)?;
    }
    let transaction = context.begin(&agent).await?;
    let current: View = transaction.one(LOCKED, &[&id]).await?;
    if !may_write(current.is_shared, &agent) {
        return Err(SUPERVISORS_ONLY.into());
    }
    if filters.is_some() {
        current.is(*kind)?;
    }
    if_match.check(&current)?;
    let updated = transaction.first(UPDATE, &[&id, name, &filters.as_ref().map(|filters| json!(filters))]).await;
    let Some(view): Option<View> = updated.on_constraint("views_name_key", NAME_TAKEN)? else {
        let namesake: Option<View> = transaction.first(WITH_NAME, &[&current.is_shared, name, &current.kind.as_str()]).await?;
        return match namesake {
            Some(other) if other.id != id => Err(NAME_TAKEN.with_current(&other)),
            _ => transaction.commit(Json(current)).await,
        };
    };
    view.tell(&transaction, &agent, &ViewUpdated { view: view.clone() });
    transaction.audit(id, &current, &view);
    transaction.commit(Json(view)).await
}
