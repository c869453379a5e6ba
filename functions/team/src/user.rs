//! The people of a company as lists, answers and events show them.

use shared::{closed_set, prelude::*};

/// The columns of `User`, with the joins of `user_joins`.
#[macro_export]
macro_rules! user_columns {
    () => {
        "users.id, users.name, users.email, memberships.phone, memberships.position, memberships.closer_type, memberships.role,
           memberships.status, memberships.status = 'active' as is_active, online.is_online,
           memberships.avatar_file_id, '/storage/download/' || memberships.avatar_file_id as avatar_url,
           departments.list as departments, users.locale, users.time_zone, memberships.last_login_at, memberships.created_at,
           memberships.version"
    };
}

/// What goes with `user_columns` after `from memberships`.
#[macro_export]
macro_rules! user_joins {
    () => {
        " join users on users.id = memberships.user_id
      cross join lateral (
           select coalesce(jsonb_agg(jsonb_build_object('id', departments.id, 'name', departments.name) order by departments.name),
                           '[]') as list
             from department_members
             join departments on departments.id = department_members.department_id
            where department_members.user_id = memberships.user_id) departments
      cross join lateral (
           select exists (
               select from presence_leases
                where presence_leases.user_id = memberships.user_id and lease_until > now()) as is_online) online "
    };
}

closed_set! {
    /// Whether somebody has been let in yet, is in, or is in no more: deactivated people may come back as they were, removed ones are only
    /// named by what they have left behind.
    pub MemberStatus {
        PendingApproval = "pending_approval",
        Active = "active",
        Inactive = "inactive",
        Removed = "removed",
    }
}

/// A person as the company knows them.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct User {
    pub id: Uuid,
    pub name: String,
    pub email: String,
    pub phone: Option<String>,
    pub position: Option<String>,
    /// What kind of closer, in the company's own words.
    pub closer_type: Option<String>,
    pub role: Role,
    pub status: MemberStatus,
    pub is_active: bool,
    pub is_online: bool,
    pub avatar_file_id: Option<Uuid>,
    /// Where the picture is downloaded, below the base path that the front end uses.
    pub avatar_url: Option<String>,
    #[schemars(with = "Vec<DepartmentName>")]
    pub departments: Value,
    pub locale: String,
    pub time_zone: String,
    /// In this company.
    pub last_login_at: Option<Timestamp>,
    /// Since when they belong to it.
    pub created_at: Timestamp,
    pub version: i32,
}

impl Versioned for User {
    fn version(&self) -> i32 {
        self.version
    }
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct DepartmentName {
    id: Uuid,
    name: String,
}

/// Whoever belongs to the company, or has belonged to it.
pub const USER: &str = concat!("select ", user_columns!(), " from memberships", user_joins!(), "where memberships.user_id = $1");

/// Somebody came, changed, or left: their row as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserUpdated<'user> {
    pub user: &'user User,
}

event!(UserUpdated<'_> = "user.updated");

/// The people asked for, a page of them by name.
pub const USERS: &str = concat!(
    "select ",
    user_columns!(),
    ", count(*) over () as total from memberships",
    user_joins!(),
    "where memberships.status = any($1)
       and ($2::text[] is null or memberships.role = any($2))
       and ($3::uuid[] is null or exists (
               select from department_members
                where department_members.user_id = memberships.user_id and department_id = any($3)))
       and ($4::boolean is null or online.is_online = $4)
       and ($5::text is null
            or position(nullif(app.spaced($5), '') in app.searchable(users.name)) > 0
            or position(lower($5) in users.email) > 0)
       and ($6::text[] is null or lower(memberships.closer_type) = any($6))
     order by app.fold(users.name), users.id
     limit $7
    offset $8"
);

#[derive(FromRow)]
struct Listed {
    #[from_row(flatten)]
    user: User,
    total: i64,
}

/// Which people, and which page of them.
#[derive(Deserialize, Validate, JsonSchema)]
pub struct UserFilters {
    /// `admin`, `supervisor`, `agent`, `student`.
    #[garde(skip)]
    pub role: Option<CommaSeparated<Role>>,
    /// Members of any of these.
    #[garde(skip)]
    pub department: Option<CommaSeparated<Uuid>>,
    #[garde(skip)]
    pub online: Option<bool>,
    /// Part of the name or e-mail, whatever its case, accents and signs.
    #[garde(length(chars, max = 120))]
    pub search: Option<String>,
    /// Any of these, whatever their case.
    #[garde(inner(custom(short)))]
    #[schemars(with = "Option<String>")]
    pub closer_type: Option<CommaSeparated<String>>,
    #[garde(range(min = 1, max = 1_000_000))]
    pub page: Option<u32>,
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<u32>,
}

fn short(kinds: &CommaSeparated<String>, (): &()) -> garde::Result {
    if kinds.0.iter().all(|kind| kind.chars().count() <= 60) && kinds.0.len() <= 50 {
        return Ok(());
    }
    Err(shared::rule("too_long", "Até 50 valores de até 60 caracteres.", "At most 50 values of at most 60 characters."))
}

/// A page of the people that are in one of these ways.
///
/// # Errors
/// As `Transaction::query`.
pub async fn list_users(
    transaction: &Transaction,
    statuses: &[MemberStatus],
    filters: UserFilters,
) -> Result<NumberedPage<User>, Error> {
    let statuses: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    let roles = filters.role.map(|roles| roles.0.iter().map(|role| role.as_str()).collect::<Vec<_>>());
    let roles = roles.filter(|roles| !roles.is_empty());
    let departments = filters.department.map(|ids| ids.0).filter(|ids| !ids.is_empty());
    let search = filters.search.map(|search| search.trim().to_owned()).filter(|search| !search.is_empty());
    let kinds = filters.closer_type.map(|kinds| kinds.0.iter().map(|kind| kind.to_lowercase()).collect::<Vec<_>>());
    let kinds = kinds.filter(|kinds| !kinds.is_empty());
    let (page, limit) = (filters.page.unwrap_or(1), filters.limit.unwrap_or(50));
    let read = async |rows: i64, offset: i64| -> Result<Vec<Listed>, Error> {
        transaction.all(USERS, &[&statuses, &roles, &departments, &filters.online, &search, &kinds, &rows, &offset]).await
    };
    let rows = read(i64::from(limit), Pagination::offset(page, limit)).await?;
    let total = match rows.first() {
        Some(row) => row.total,
        // Beyond the last page no row says how many there are.
        None if page > 1 => read(1, 0).await?.first().map_or(0, |row| row.total),
        None => 0,
    };
    let data = rows.into_iter().map(|row| row.user).collect();
    Ok(NumberedPage { data, pagination: Pagination::new(page, limit, total) })
}
