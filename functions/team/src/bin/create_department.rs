//! POST /departments — a new department, with its first members.

use shared::{
    error::{FieldProblem, INVALID},
    prelude::*,
    visible,
};
use team::{DEPARTMENT_NAME_TAKEN, Department, DepartmentCreated};

const ROUTE: Route = Route::post("/departments").fails(&[DEPARTMENT_NAME_TAKEN]);

const ACTIVE_STAFF: &str = "
    select user_id from memberships
     where user_id = any($1) and status = 'active' and role <> 'student'";

/// No row when the name is taken.
const CREATE_DEPARTMENT: &str = "
    with created as (
        insert into departments (id, name, description)
        values ($1, $2, $3)
        on conflict (company_id, app.look(name)) do nothing
        returning *
    ), joined as (
        insert into department_members (department_id, user_id)
        select created.id, member from created, unnest($4::uuid[]) member
    )
    select id, name, description, created_at, version, $4 as member_ids, cardinality($4) as member_count, 0::bigint as waiting_count
      from created";

const DEPARTMENT_WITH_NAME: &str = "
    select id, name, description, created_at, version, members.ids as member_ids, cardinality(members.ids) as member_count,
           (select count(*) from conversations where department_id = departments.id and status = 'pending') as waiting_count
      from departments
      cross join lateral (
           select array(select user_id from department_members where department_id = departments.id order by user_id) as ids) members
     where app.look(name) = app.look($1)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewDepartment {
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    name: String,
    #[garde(length(chars, max = 500))]
    description: Option<String>,
    /// Active staff of this company.
    #[garde(length(max = 200))]
    #[serde(default)]
    member_ids: Vec<Uuid>,
}

#[derive(FromRow)]
struct Person {
    user_id: Uuid,
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
    let description = input.description.filter(|description| !description.is_empty());
    let created = transaction.first(CREATE_DEPARTMENT, &[&context.new_id(), &input.name, &description, &members]).await?;
    let Some(department) = created else {
        let current: Option<Department> = transaction.first(DEPARTMENT_WITH_NAME, &[&input.name]).await?;
        return Err(DEPARTMENT_NAME_TAKEN.with_current(&current));
    };
    let event = DepartmentCreated { department: &department };
    transaction.emit(Event::new(Topic::Company(caller.company_id), Audience::staff(), &event));
    transaction.audit(department.id, &Value::Null, &department);
    transaction.commit(Created(department)).await
}

/// The members asked for, each once; refused when one is no active staff of this company.
async fn active_staff(transaction: &Transaction, wanted: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let people: Vec<Person> = transaction.all(ACTIVE_STAFF, &[&wanted]).await?;
    let found: Vec<Uuid> = people.into_iter().map(|person| person.user_id).collect();
    let missing = team::positions_missing(wanted, &found).into_iter().map(|position| {
        let (portuguese, english) = ("Não é da equipe ativa desta empresa.", "Not an active member of this company's staff.");
        FieldProblem::new(format!("member_ids[{position}]"), "not_active_staff", portuguese, english)
    });
    let missing: Vec<FieldProblem> = missing.collect();
    if missing.is_empty() { Ok(found) } else { Err(INVALID.in_fields(missing)) }
}
