//! POST /users — a new person with a password, or an invite by mail for who is to choose one; supervisors bring in agents and students.

use auth::password;
use futures_util::future::try_join;
use shared::{
    VISIBLE, closed_set,
    error::{FORBIDDEN, STEP_UP_REQUIRED},
    prelude::*,
    visible,
};
use team::{
    invite::{ALREADY_INVITED, ALREADY_MEMBER, Invitation, Invite, check_departments, invite, member},
    membership::{ask_before_giving, leads},
    user::{USER, User, UserUpdated},
};

/// Their password is theirs: nobody gives them another one.
const HAS_ACCOUNT: Problem = Problem::new(
    409,
    "has_account",
    "Esta pessoa já tem uma conta com senha própria. Convide-a, sem informar uma senha.",
    "This person has an account with a password of their own. Invite them, without giving a password.",
);

const ROUTE: Route = Route::post("/users").fails(&[STEP_UP_REQUIRED, ALREADY_MEMBER, ALREADY_INVITED, HAS_ACCOUNT]);

const CREATE_USER: &str = "select app.create_user($1, $2, $3, $4, $5, $6) as outcome";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    #[garde(length(chars, min = 1, max = 120), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    #[garde(dive)]
    email: Email,
    #[garde(skip)]
    role: Role,
    /// Without one, an invite is mailed.
    #[garde(length(chars, min = 10, max = 128), inner(custom(password::hard_to_guess(&self.email, &self.name))))]
    password: Option<String>,
    /// Where they are going to work.
    #[garde(length(max = 50))]
    #[serde(default)]
    department_ids: Vec<Uuid>,
}

closed_set! {
    /// Whether somebody is in, or was mailed an invite.
    NewMemberStatus { Active = "active", Invited = "invited" }
}

/// Who was brought in.
#[derive(Debug, Serialize, JsonSchema)]
struct NewMember {
    /// Of the person; of the invite as long as they have not come.
    id: Uuid,
    name: String,
    email: String,
    role: Role,
    status: NewMemberStatus,
    user: Option<User>,
    invite: Option<Invite>,
}

#[derive(FromRow)]
struct Outcome {
    outcome: String,
}

pub fn main() {
    serve(&ROUTE, create_user);
}

async fn create_user(
    context: Context,
    caller: Supervisor,
    _: IdempotencyKey,
    Json(input): Json<NewUser>,
) -> Result<Created<NewMember>, Error> {
    let NewUser { name, email, role, password, department_ids } = input;
    ask_before_giving(&context, role);
    let Some(password) = password else {
        let transaction = context.begin(&caller).await?;
        let new = Invitation { email, name: Some(name.clone()), role, department_ids };
        let invite = invite(&context, &transaction, &caller, new).await?;
        let status = NewMemberStatus::Invited;
        let answer =
            NewMember { id: invite.id, name, email: invite.email.clone(), role, status, user: None, invite: Some(invite) };
        return transaction.commit(Created(answer)).await;
    };
    if !leads(caller.role, role) {
        return Err(FORBIDDEN.into());
    }
    let email = email.to_string();
    let hash = password::hash(&password)?;
    let id = context.new_id();
    let transaction = context.begin(&caller).await?;
    check_departments(&transaction, &department_ids).await?;
    let (made, user): (Outcome, Option<User>) = try_join(
        transaction.one(CREATE_USER, &[&id, &email, &name, &hash, &role.as_str(), &department_ids]),
        transaction.first(USER, &[&id]),
    )
    .await?;
    let user = match (made.outcome.as_str(), user) {
        ("done", Some(user)) => user,
        ("known", _) => return Err(HAS_ACCOUNT.into()),
        ("member", _) => return Err(ALREADY_MEMBER.with_current(&member(&transaction, &email).await?)),
        _ => return Err(FORBIDDEN.into()),
    };
    transaction.tell_staff(&UserUpdated { user: &user });
    transaction.audit(id, &Value::Null, &user);
    let answer = NewMember { id, name, email, role, status: NewMemberStatus::Active, user: Some(user), invite: None };
    transaction.commit(Created(answer)).await
}
