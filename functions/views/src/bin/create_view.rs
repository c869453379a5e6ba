//! POST /views — keeps filters of the inbox or of leads under a name, behind the others.

use shared::{VISIBLE, prelude::*, visible};
use views::{
    Filters, NAME_TAKEN, SUPERVISORS_ONLY, TOO_MANY, View, ViewCreated, ViewKind, WITH_NAME, may_write, of_its_kind, view_columns,
};

const ROUTE: Route = Route::post("/views").fails(&[NAME_TAKEN, SUPERVISORS_ONLY, TOO_MANY]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = of_its_kind)]
struct NewView {
    #[garde(length(chars, min = 1, max = 60), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// What it is a list of; `conversations` when it is not given.
    #[garde(skip)]
    #[serde(default)]
    kind: ViewKind,
    /// As `GET /conversations` or `GET /leads` takes them; of several values a list.
    #[garde(skip)]
    filters: Filters,
    /// For all staff.
    #[garde(skip)]
    #[serde(default)]
    is_shared: bool,
}

/// No row when the name is taken.
const CREATE: &str = concat!(
    "with views as (
        insert into views (id, owner_id, name, filters, kind)
        values ($1, case when not $2 then app.user_id() end, $3, $4, $5)
        on conflict (company_id, kind, owner_id, app.look(name)) do nothing
        returning *
    ) select ",
    view_columns!(),
    " from views"
);

pub fn main() {
    serve(&ROUTE, create_view);
}

async fn create_view(
    context: Context,
    agent: Staff,
    _: IdempotencyKey,
    Json(input): Json<NewView>,
) -> Result<Created<View>, Error> {
    let NewView { name, filters, is_shared, kind } = &input;
    filters.read(*kind, agent.user_id, 0)?;
    if !may_write(*is_shared, &agent) {
        return Err(SUPERVISORS_ONLY.into());
    }
    let id = context.new_id();
    let transaction = context.begin(&agent).await?;
    let created: Option<View> = transaction
        .first(CREATE, &[&id, is_shared, name, &json!(filters), &kind.as_str()])
        .await
        .on_constraint("views_most", TOO_MANY)?;
    let Some(view) = created else {
        let current: Option<View> = transaction.first(WITH_NAME, &[is_shared, name, &kind.as_str()]).await?;
        return Err(NAME_TAKEN.with_current(&current));
    };
    view.tell(&transaction, &agent, &ViewCreated { view: view.clone() });
    transaction.audit(id, &Value::Null, &view);
    transaction.commit(Created(view)).await
}
