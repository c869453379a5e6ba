//! PUT /departments/{id} — another name, or another way of giving its conversations; what is not given stays.

use futures_util::future::try_join;
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    prelude::*,
    visible,
};
use team::{
    Assignment, DEPARTMENT, DEPARTMENT_NAME_TAKEN, DEPARTMENT_WITH_NAME, Department, DepartmentUpdated, LOCK_DEPARTMENT,
    department_columns, department_members, waiting_count,
};

const ROUTE: Route = Route::put("/departments/{id}").or(&["PATCH /departments/{id}"]).fails(&[
    NOT_FOUND,
    DEPARTMENT_NAME_TAKEN,
    STALE.showing::<Department>(),
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Changes {
    #[garde(length(chars, min = 1, max = 80), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    /// Empty takes it away.
    #[garde(length(chars, max = 500))]
    description: Option<String>,
    #[garde(skip)]
    assignment: Option<Assignment>,
    #[garde(range(min = 1, max = 200))]
    capacity: Option<i32>,
}

/// No row when it stays as it is, or another one has the name.
const UPDATE: &str = concat!(
    "with department as (
        update departments
           set name = coalesce($2, name), description = nullif(coalesce($3, description), ''),
               assignment = coalesce($4, assignment), capacity = coalesce($5, capacity), version = version + 1
         where id = $1
           and (name, description, assignment, capacity) is distinct from
               (coalesce($2, name), nullif(coalesce($3, description), ''), coalesce($4, assignment), coalesce($5, capacity))
           and not exists (
               select from departments other
                where other.id <> $1 and other.deleted_at is null and app.look(other.name) = app.look($2))
        returning *
    ) select ",
    department_columns!(),
    waiting_count!(),
    "from department ",
    department_members!()
);

pub fn main() {
    serve(&ROUTE, update_department);
}

async fn update_department(
    context: Context,
    caller: Supervisor,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<Changes>,
) -> Result<Json<Department>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, current): (_, Department) =
        try_join(transaction.query(LOCK_DEPARTMENT, &[&id]), transaction.one(DEPARTMENT, &[&id])).await?;
    if_match.check(&current)?;
    let Changes { name, description, assignment, capacity } = input;
    let assignment = assignment.map(Assignment::as_str);
    let updated = transaction.first(UPDATE, &[&id, &name, &description, &assignment, &capacity]).await;
    let Some(department): Option<Department> = updated.on_constraint("departments_name_key", DEPARTMENT_NAME_TAKEN)? else {
        let namesake: Option<Department> = match &name {
            Some(name) => transaction.first(DEPARTMENT_WITH_NAME, &[name]).await?,
            None => None,
        };
        return match namesake {
            Some(other) if other.id != id => Err(DEPARTMENT_NAME_TAKEN.with_current(&other)),
            _ => transaction.commit(Json(current)).await,
        };
    };
    transaction.tell_staff(&DepartmentUpdated { department: &department });
    transaction.audit(id, &current, &department);
    transaction.commit(Json(department)).await
}
