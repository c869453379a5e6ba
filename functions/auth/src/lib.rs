//! Sessions: sign-up, login, token rotation, the active company.

mod company_slug;
mod destination;
pub mod device;
pub mod guard;
pub mod notices;
pub mod password;
pub mod qr;
mod recovery_codes;
pub mod refresh_token;
mod revocation;
pub mod second_factor;
mod sign_in;
pub mod totp;

pub use destination::{Destination, default_company};
pub use revocation::{END_FAMILY, END_OWN_LOGINS, EndedSession, Revocation, RevocationReason, SessionRevoked};
use shared::{
    prelude::*,
    token::{self, ACCESS_TOKEN_LIFE, Claims},
};
pub use sign_in::{NewSession, SignedIn, SignedInUser, sign_in};

pub const CREDENTIALS_WRONG: Problem =
    Problem::new(401, "credentials_wrong", "E-mail ou senha incorretos.", "Wrong e-mail or password.");
pub const PENDING_APPROVAL: Problem =
    Problem::new(403, "pending_approval", "Seu cadastro ainda aguarda aprovação.", "Your sign-up still awaits approval.");
pub const NO_COMPANY: Problem = Problem::new(
    403,
    "no_active_company",
    "Sua conta não está ativa em nenhuma empresa.",
    "Your account is not active in any company.",
);
pub const REFRESH_TOKEN_INVALID: Problem =
    Problem::new(401, "refresh_token_invalid", "A sessão expirou. Entre novamente.", "The session has expired. Sign in again.");

pub const ME: &str = "
    select users.id, users.name, users.email, memberships.role, '/storage/download/' || memberships.avatar_file_id as avatar_url,
           memberships.phone, memberships.position, users.locale, users.time_zone, companies.id as company_id, companies.name as company_name, companies.slug as company_slug,
           companies.feature_flags,
           exists (select from second_factors where user_id = users.id and enabled_at is not null) as two_factor_enabled,
           memberships.role = any (companies.two_factor_policy) as two_factor_required,
           array(select department_id from department_members where user_id = users.id) as department_ids
      from users
      join memberships on memberships.user_id = users.id and memberships.company_id = app.company_id()
      join companies on companies.id = memberships.company_id
     where users.id = app.user_id()";

/// The caller as the front ends show them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Me {
    #[serde(flatten)]
    pub profile: Profile,
    /// What the role may do, such as `conversations:assign`.
    pub permissions: Vec<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema, FromRow)]
pub struct Profile {
    #[from_row(flatten)]
    #[serde(flatten)]
    pub user: SignedInUser,
    pub phone: Option<String>,
    pub position: Option<String>,
    pub locale: String,
    pub time_zone: String,
    #[from_row(flatten)]
    pub company: Company,
    pub department_ids: Vec<Uuid>,
    #[schemars(with = "Map<String, Value>")]
    pub feature_flags: Value,
    pub two_factor_enabled: bool,
    /// The company asks this role for it: without it, nothing but its set-up is in reach.
    pub two_factor_required: bool,
}

/// A company as its members see it.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Company {
    #[from_row(rename = "company_id")]
    pub id: Uuid,
    #[from_row(rename = "company_name")]
    pub name: String,
    #[from_row(rename = "company_slug")]
    pub slug: String,
}

/// What a role may do, for front ends to show or hide. The functions decide by themselves.
pub fn permissions(role: Role) -> Vec<&'static str> {
    const STUDENT: [&str; 2] = ["own_conversations:read", "files:upload"];
    const AGENT: [&str; 5] =
        ["conversations:read", "conversations:take_over", "conversations:transfer", "messages:send", "files:upload"];
    const SUPERVISOR: [&str; 3] = ["conversations:assign", "departments:manage", "reports:read"];
    const ADMIN: [&str; 3] = ["integrations:manage", "users:manage", "company:manage"];
    match role {
        Role::Student => STUDENT.to_vec(),
        Role::Agent => AGENT.to_vec(),
        Role::Supervisor => [&AGENT[..], &SUPERVISOR].concat(),
        Role::Admin => [&AGENT[..], &SUPERVISOR, &ADMIN].concat(),
    }
}

/// A fresh pair of tokens.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TokenPair {
    pub access_token: String,
    pub refresh_token: String,
    /// Seconds the access token lives.
    pub expires_in: i64,
}

impl TokenPair {
    /// A new access token for this session, with a refresh token stored already.
    #[must_use]
    pub fn new(context: &Context, identity: &Identity, refresh_token: String) -> Self {
        let Identity { user_id, company_id, role, session_id } = *identity;
        let exp = context.now().as_second() + ACCESS_TOKEN_LIFE;
        let claims = Claims { sub: user_id, cid: company_id, role, sid: session_id, exp };
        let access_token = token::sign(&context.secrets().token_keys, &claims);
        Self { access_token, refresh_token, expires_in: ACCESS_TOKEN_LIFE }
    }
}

/// A person found by e-mail, once for each company; the active memberships first.
#[derive(Debug, FromRow)]
pub struct Candidate {
    pub user_id: Uuid,
    pub name: String,
    pub password_hash: String,
    pub company_id: Option<Uuid>,
    pub company_name: Option<String>,
    pub company_slug: Option<String>,
    pub role: Option<Role>,
    pub status: Option<String>,
    pub has_second_factor: bool,
    pub avatar_url: Option<String>,
}

impl Candidate {
    /// Neither a member nor waiting to be one.
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        !matches!(self.status.as_deref(), Some("active" | "pending_approval"))
    }
}

/// Somebody has signed up for the company and waits to be let in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserAwaitingApproval {
    pub user_id: Uuid,
    pub name: String,
    pub email: String,
}

event!(UserAwaitingApproval = "user.awaiting_approval");

pub const MY_COMPANIES: &str = "
    select id, name, slug, role, id = app.company_id() as is_active, is_primary
      from app.companies_of_user()";

/// A company the caller may enter.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct MyCompany {
    pub id: Uuid,
    pub name: String,
    pub slug: String,
    /// The caller's role there.
    pub role: Role,
    /// Whether this session is for it.
    pub is_active: bool,
    /// Whether a login that names no company enters it: the one they have chosen for that, else the one they have belonged to longest.
    pub is_primary: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_the_one_below_it_may() {
        let [agent, supervisor, admin] = [Role::Agent, Role::Supervisor, Role::Admin].map(permissions);
        assert!(agent.iter().all(|permission| supervisor.contains(permission)));
        assert!(supervisor.iter().all(|permission| admin.contains(permission)));
        assert!(!permissions(Role::Student).contains(&"conversations:read"));
    }
}
