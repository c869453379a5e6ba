//! POST /departments — a new department, with its first members.

use shared::{
    VISIBLE,
    error::{FieldProblem, refuse},
    prelude::*,
    visible,
};
use team::{Assignment, DEPARTMENT_NAME_TAKEN, DEPARTMENT_WITH_NAME, Department, DepartmentCreated};

const ROUTE: Route = Route::post("/departments").fails(&[DEPARTMENT_NAME_TAKEN]);

const ACTIVE_STAFF: &str = "
    select user_id from memberships
     where user_id = any($1) and status = 'active' and role <> 'student'";

/// No row when the name is taken.
const CREATE_DEPARTMENT: &str = "
    with created as (
        insert into departments (id, name, description, assignment, capacity)
        values ($1, $2, $3, coalesce($5, 'manual'), coalesce($6, 5))
        on conflict (company_id, app.look(name)) where deleted_at is null do nothing
        returning *
    ), joined as (
        insert into department_members (department_id, user_id)
        select created.id, member from created, unnest($4::uuid[]) member
    )
    select id, name, description, created_at, version, $4 as member_ids, cardinality($4) as member_count, 0::bigint as waiting_count,
           assignment, capacity, '[]'::jsonb as member_capacities
      from created";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewDepartment {
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    #[garde(length(chars, max = 500))]
    description: Option<String>,
    /// Active staff of this company.
    #[garde(length(max = 200))]
    #[serde(default)]
    member_ids: Vec<Uuid>,
    /// `manual` without it.
    #[garde(skip)]
    assignment: Option<Assignment>,
    /// 5 without it.
    #[garde(range(min = 1, max = 200))]
    capacity: Option<i32>,
}

pub fn main() {
    serve(&ROUTE, create_department);
}

async fn create_department(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<NewDepartment>,
) -> Result<Created<Department>, Error> {
    let transaction = context.begin(&caller).await?;
    let members = active_staff(&transaction, &input.member_ids).await?;
    let description = input.description.as_ref().filter(|description| !description.is_empty());
    let assignment = input.assignment.map(Assignment::as_str);
    let NewDepartment { name, capacity, .. } = &input;
    let created =
        transaction.first(CREATE_DEPARTMENT, &[&context.new_id(), name, &description, &members, &assignment, capacity]).await?;
    let Some(department) = created else {
        let current: Option<Department> = transaction.first(DEPARTMENT_WITH_NAME, &[&input.name]).await?;
        return Err(DEPARTMENT_NAME_TAKEN.with_current(&current));
    };
    for member in &members {
        transaction.look_anew(*member);
    }
    transaction.tell_staff(&DepartmentCreated { department: &department });
    transaction.audit(department.id, &Value::Null, &department);
    transaction.commit(Created(department)).await
}

/// The members asked for, each once; refused when one is no active staff of this company.
async fn active_staff(transaction: &Transaction, wanted: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let people = transaction.query(ACTIVE_STAFF, &[&wanted]).await?;
    let found: Vec<Uuid> = people.iter().map(|person| person.get("user_id")).collect();
    let missing = team::positions_missing(wanted, &found)
        .into_iter()
        .map(|position| FieldProblem::not_active_staff(format!("member_ids[{position}]")));
    refuse(missing)?;
    Ok(found)
}
