//! GET /users — the people of the company, by name, with where they work and whether they are online.

use shared::prelude::*;

const ROUTE: Route = Route::get("/users");

const USERS: &str = "
    select users.id, users.name, users.email, users.position, memberships.role,
           memberships.status = 'active' as is_active,
           departments.list as departments,
           online.is_online,
           count(*) over () as total
      from memberships
      join users on users.id = memberships.user_id
      cross join lateral (
           select coalesce(jsonb_agg(jsonb_build_object('id', departments.id, 'name', departments.name) order by departments.name),
                           '[]') as list
             from department_members
             join departments on departments.id = department_members.department_id
            where department_members.user_id = memberships.user_id) departments
      cross join lateral (
           select exists (
               select from presence_leases
                where presence_leases.user_id = memberships.user_id and lease_until > now()) as is_online) online
     where memberships.status = case when $1::boolean then 'active' else 'inactive' end
       and ($2::text[] is null or memberships.role = any($2))
       and ($3::uuid[] is null or exists (
               select from department_members
                where department_members.user_id = memberships.user_id and department_id = any($3)))
       and ($4::boolean is null or online.is_online = $4)
       and ($5::text is null
            or position(nullif(app.spaced($5), '') in app.searchable(users.name)) > 0
            or position(lower($5) in users.email) > 0)
     order by app.fold(users.name), users.id
     limit $6
    offset $7";

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// `admin`, `supervisor`, `agent`, `student`.
    #[garde(skip)]
    role: Option<CommaSeparated<Role>>,
    /// Members of any of these.
    #[garde(skip)]
    department_id: Option<CommaSeparated<Uuid>>,
    #[garde(skip)]
    online: Option<bool>,
    /// `false`: those deactivated. Who awaits approval is in neither list.
    #[garde(skip)]
    active: Option<bool>,
    /// Part of the name or e-mail, whatever its case, accents and signs.
    #[garde(length(chars, max = 120))]
    search: Option<String>,
    #[garde(range(min = 1, max = 1_000_000))]
    page: Option<u32>,
    #[garde(range(min = 1, max = 100))]
    limit: Option<u32>,
}

/// A person in a list.
#[derive(Debug, Serialize, JsonSchema, FromRow)]
struct UserRow {
    id: Uuid,
    name: String,
    email: String,
    position: Option<String>,
    role: Role,
    is_active: bool,
    is_online: bool,
    #[schemars(with = "Vec<DepartmentName>")]
    departments: Value,
    #[serde(skip)]
    total: i64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct DepartmentName {
    id: Uuid,
    name: String,
}

pub fn main() {
    serve(&ROUTE, list_users);
}

async fn list_users(context: Context, caller: Staff, Query(filters): Query<Filters>) -> Result<NumberedPage<UserRow>, Error> {
    let roles = filters.role.map(|roles| roles.0.iter().map(|role| role.as_str()).collect::<Vec<_>>());
    let roles = roles.filter(|roles| !roles.is_empty());
    let departments = filters.department_id.map(|ids| ids.0).filter(|ids| !ids.is_empty());
    let search = filters.search.filter(|search| !search.trim().is_empty()).map(|search| search.trim().to_owned());
    let active = filters.active.unwrap_or(true);
    let (page, limit) = (filters.page.unwrap_or(1), filters.limit.unwrap_or(50));
    let (rows, offset) = (i64::from(limit), Pagination::offset(page, limit));
    let transaction = context.begin(&caller).await?;
    let data: Vec<UserRow> =
        transaction.all(USERS, &[&active, &roles, &departments, &filters.online, &search, &rows, &offset]).await?;
    let total = if data.is_empty() && page > 1 {
        // Beyond the last page no row says how many there are.
        let first = transaction.first(USERS, &[&active, &roles, &departments, &filters.online, &search, &1_i64, &0_i64]).await?;
        first.map_or(0, |user: UserRow| user.total)
    } else {
        data.first().map_or(0, |user| user.total)
    };
    Ok(NumberedPage { data, pagination: Pagination::new(page, limit, total) })
}
