//! Invites: by mail, for one address, one company and one role; good for seven days and for one use.

use futures_util::future::try_join3;
use shared::{
    VISIBLE, closed_set,
    error::{FORBIDDEN, FieldProblem, NOT_FOUND, refuse},
    links::{Link, Purpose},
    mail::{Mail, Template},
    prelude::*,
    visible,
};

use crate::{
    membership::leads,
    positions_missing,
    user::{USER, User},
};

pub const ALREADY_MEMBER: Problem = Problem::new(
    409,
    "already_member",
    "Esta pessoa já está na empresa, aguarda aprovação ou foi desativada.",
    "This person is in the company already, awaits approval, or was deactivated.",
)
.showing::<Option<User>>();
pub const ALREADY_INVITED: Problem = Problem::new(
    409,
    "already_invited",
    "Já existe um convite aberto para este e-mail.",
    "There is an open invite for this address already.",
)
.showing::<Option<Invite>>();
pub const INVITE_GONE: Problem = Problem::new(
    410,
    "invite_gone",
    "Este convite já foi usado, foi cancelado ou expirou. Peça outro.",
    "This invite was used, was revoked, or has expired. Ask for another one.",
);

closed_set! {
    /// Whether it can still be accepted, or why not.
    pub InviteState { Open = "open", Used = "used", Revoked = "revoked", Expired = "expired" }
}

/// The columns of `Invite`, from a relation named `invites`.
#[macro_export]
macro_rules! invite_columns {
    () => {
        "invites.id, invites.email, invites.name, invites.role, invites.department_ids, invites.invited_by,
           (select users.name from users where users.id = invites.invited_by) as invited_by_name,
           case when invites.used_at is not null then 'used'
                when invites.revoked_at is not null then 'revoked'
                when invites.expires_at <= now() then 'expired'
                else 'open' end as state,
           invites.created_at, invites.sent_at, invites.expires_at, invites.used_at, invites.user_id"
    };
}

/// An invite as those who lead see it. Its link is in nobody's hands but the invited person's.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct Invite {
    pub id: Uuid,
    pub email: String,
    pub name: Option<String>,
    pub role: Role,
    /// Where they are going to work.
    pub department_ids: Vec<Uuid>,
    pub invited_by: Uuid,
    pub invited_by_name: Option<String>,
    pub state: InviteState,
    pub created_at: Timestamp,
    /// When its mail was last sent.
    pub sent_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    /// Who came by it.
    pub user_id: Option<Uuid>,
}

/// There is an invite, it was sent again, revoked, or used.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InviteUpdated<'invite> {
    pub invite: &'invite Invite,
}

event!(InviteUpdated<'_> = "invite.updated");

pub const INVITE: &str = concat!("select ", invite_columns!(), " from invites where invites.id = $1");

const OPEN_INVITE: &str =
    concat!("select ", invite_columns!(), " from invites where invites.email = $1 and used_at is null and revoked_at is null");

/// One that has expired makes room for the next.
const END_EXPIRED: &str = "
    update invites set revoked_at = now()
     where email = $1 and used_at is null and revoked_at is null and expires_at <= now()";

const ADD_INVITE: &str = concat!(
    "with invites as (
        insert into invites (id, email, name, role, department_ids)
        values ($1, $2, $3, $4, $5)
        on conflict (company_id, email) where used_at is null and revoked_at is null do nothing
        returning *
    )
    select ",
    invite_columns!(),
    " from invites"
);

const KNOWN_DEPARTMENTS: &str = "select id from departments where id = any($1) and deleted_at is null";

/// Whoever is in the company with this address, was, or waits to be.
const MEMBER: &str = "
    select memberships.user_id
      from users
      join memberships on memberships.user_id = users.id
     where users.email = $1 and memberships.status <> 'removed'";

/// What the mail of an invite names besides.
pub const INVITER: &str = "
    select companies.locale, (select users.name from users where users.id = app.user_id()) as name
      from companies
     where companies.id = app.company_id()";

/// Who invites, in the company's language.
#[derive(Debug, FromRow)]
pub struct Inviter {
    pub locale: String,
    pub name: String,
}

/// Mails an invite: its link is in the mail and nowhere else.
pub fn mail_invite(transaction: &Transaction, invite: &Invite, inviter: &Inviter) {
    transaction.mail(Mail {
        template: Template::Invite,
        to: &invite.email,
        name: invite.name.as_deref().unwrap_or_default(),
        locale: &inviter.locale,
        link: Some(Link { purpose: Purpose::Invite, id: invite.id }),
        data: json!({"inviter": inviter.name, "role": invite.role}),
    });
}

/// Whom to invite, as what.
#[derive(Debug, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    #[garde(dive)]
    pub email: Email,
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    pub name: Option<String>,
    #[garde(skip)]
    pub role: Role,
    /// Where they are going to work.
    #[garde(length(max = 50))]
    #[serde(default)]
    pub department_ids: Vec<Uuid>,
}

/// Adds an invite with its mail.
///
/// # Errors
/// 403 for a role that the caller does not lead, 422 with a department that is none, 409 `already_member` and `already_invited`.
pub async fn invite(context: &Context, transaction: &Transaction, caller: &Identity, new: Invitation) -> Result<Invite, Error> {
    if !leads(caller.role, new.role) {
        return Err(FORBIDDEN.into());
    }
    let Invitation { email, name, role, department_ids } = new;
    let email = email.to_string();
    check_departments(transaction, &department_ids).await?;
    if let Some(member) = member(transaction, &email).await? {
        return Err(ALREADY_MEMBER.with_current(&Some(member)));
    }
    let id = context.new_id();
    let role = role.as_str();
    let (_, added, inviter): (_, _, Inviter) = try_join3(
        transaction.execute(END_EXPIRED, &[&email]),
        transaction.first(ADD_INVITE, &[&id, &email, &name, &role, &department_ids]),
        transaction.one(INVITER, &[]),
    )
    .await?;
    let Some(invite): Option<Invite> = added else {
        let open: Option<Invite> = transaction.first(OPEN_INVITE, &[&email]).await?;
        return Err(ALREADY_INVITED.with_current(&open));
    };
    mail_invite(transaction, &invite, &inviter);
    transaction.tell_staff(&InviteUpdated { invite: &invite });
    transaction.audit(invite.id, &Value::Null, &invite);
    Ok(invite)
}

/// Refuses departments that the company has not.
///
/// # Errors
/// 422; as `Transaction::query`.
pub async fn check_departments(transaction: &Transaction, wanted: &[Uuid]) -> Result<(), Error> {
    if wanted.is_empty() {
        return Ok(());
    }
    let known = transaction.query(KNOWN_DEPARTMENTS, &[&wanted]).await?;
    let known: Vec<Uuid> = known.iter().map(|row| row.get("id")).collect();
    refuse(positions_missing(wanted, &known).into_iter().map(|position| {
        let (portuguese, english) = ("Departamento não encontrado.", "No such department.");
        FieldProblem::new(format!("department_ids[{position}]"), "not_found", portuguese, english)
    }))
}

/// The person with this address, unless they have nothing to do with the company.
///
/// # Errors
/// As `Transaction::query`.
pub async fn member(transaction: &Transaction, email: &str) -> Result<Option<User>, Error> {
    let found = transaction.query(MEMBER, &[&email]).await?;
    match found.first() {
        Some(row) => transaction.first(USER, &[&row.get::<_, Uuid>("user_id")]).await,
        None => Ok(None),
    }
}

/// The id of the invite that a link is for.
///
/// # Errors
/// 404 when it is none of ours.
pub fn id_of(context: &Context, token: &str) -> Result<Uuid, Error> {
    let link = Link::read(Purpose::Invite, token, &context.secrets().token_keys).ok_or(NOT_FOUND)?;
    Ok(link.id)
}

pub const FIND_INVITE: &str = "
    select company_id, company_name, email, name, role, expires_at, state, inviter_name as invited_by_name, person, password_hash
      from app.find_invite($1)";

/// An invite for who holds its link, with the account that its address has.
#[derive(Debug, FromRow)]
pub struct FoundInvite {
    pub company_id: Uuid,
    pub company_name: String,
    pub email: String,
    pub name: Option<String>,
    pub role: Role,
    pub expires_at: Timestamp,
    state: InviteState,
    pub invited_by_name: String,
    pub person: Option<Uuid>,
    pub password_hash: Option<String>,
}

impl FoundInvite {
    /// # Errors
    /// 410 when it can be accepted no more.
    pub fn expect_open(&self) -> Result<(), Error> {
        if self.state == InviteState::Open { Ok(()) } else { Err(INVITE_GONE.into()) }
    }
}
