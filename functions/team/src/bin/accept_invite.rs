//! POST /team/accept-invite/{token} — joins the company that an invite is for: with the password of the account that its address has, or
//! with a name and a new password. Whoever has joined signs in as always, with their second factor if they have one.

use auth::{
    CREDENTIALS_WRONG,
    guard::{self, TOO_MANY_FAILURES},
    password,
};
use futures_util::future::join3;
use shared::{
    VISIBLE,
    error::{FieldProblem, INVALID, WRONG_COMPANY},
    prelude::*,
    visible,
};
use team::{
    invite::{FIND_INVITE, FoundInvite, INVITE, INVITE_GONE, Invite, InviteUpdated, id_of},
    user::{USER, User, UserUpdated},
};

const IS_MEMBER: Problem =
    Problem::new(409, "is_member", "Você já faz parte desta empresa.", "You belong to this company already.");
const ACCOUNT_CHANGED: Problem = Problem::new(
    409,
    "account_changed",
    "A conta deste e-mail acabou de mudar. Abra o convite de novo.",
    "The account of this address has just changed. Open the invite again.",
);

const ROUTE: Route = Route::post("/team/accept-invite/{token}").fails(&[
    INVITE_GONE,
    CREDENTIALS_WRONG,
    TOO_MANY_FAILURES,
    WRONG_COMPANY,
    IS_MEMBER,
    ACCOUNT_CHANGED,
]);

const ACCEPT_INVITE: &str = "select company_id, feed_cursor, outcome from app.accept_invite($1, $2, $3, $4, $5)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    /// Of who has no account yet; the name in the invite when none is given.
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    /// The account's own, or a new one of ten characters at least.
    #[garde(length(chars, min = 1, max = 128))]
    password: String,
}

/// Who has joined what.
#[derive(Debug, Serialize, JsonSchema)]
struct Joined {
    user_id: Uuid,
    company_id: Uuid,
    company_name: String,
    email: String,
    role: Role,
}

/// What the database is told: a new account, or the password that was right.
struct Credentials {
    name: Option<String>,
    hash: Option<String>,
    proved_hash: Option<String>,
}

pub fn main() {
    serve(&ROUTE, accept_invite);
}

async fn accept_invite(
    context: Context,
    _: Anyone,
    Path(token): Path<String>,
    Json(input): Json<Acceptance>,
) -> Result<Created<Joined>, Error> {
    let id = id_of(&context, &token)?;
    let lookup = context.begin_nobody().await?;
    let found: FoundInvite = lookup.one(FIND_INVITE, &[&id]).await?;
    // Hashing takes long: nothing is held open meanwhile.
    lookup.commit_quietly().await?;
    found.expect_open()?;
    context.is_for(found.company_id)?;
    let Credentials { name, hash, proved_hash } = credentials(&context, &found, input).await?;
    let person = found.person.unwrap_or_else(|| context.new_id());
    let transaction = context.begin_nobody().await?;
    let (entered, user, invite) = join3(
        transaction.enter_with(ACCEPT_INVITE, &[&id, &person, &name, &hash, &proved_hash]),
        transaction.one::<User>(USER, &[&person]),
        transaction.one::<Invite>(INVITE, &[&id]),
    )
    .await;
    match entered?.ok_or(INVITE_GONE)?.get("outcome") {
        "done" => {}
        "member" => return Err(IS_MEMBER.into()),
        "changed" => return Err(ACCOUNT_CHANGED.into()),
        _ => return Err(INVITE_GONE.into()),
    }
    let (user, invite) = (user?, invite?);
    transaction.tell_staff(&UserUpdated { user: &user });
    transaction.tell_staff(&InviteUpdated { invite: &invite });
    transaction.audit(person, &Value::Null, &json!({"invite_id": id, "role": user.role}));
    let FoundInvite { company_id, company_name, email, .. } = found;
    transaction.commit(Created(Joined { user_id: person, company_id, company_name, email, role: user.role })).await
}

async fn credentials(context: &Context, found: &FoundInvite, input: Acceptance) -> Result<Credentials, Error> {
    if let Some(known) = &found.password_hash {
        guard::expect_failure(context, &found.email).await?;
        if !password::is_right(&input.password, Some(known)) {
            return Err(CREDENTIALS_WRONG.into());
        }
        guard::take_back_failure(context, &found.email).await;
        return Ok(Credentials { name: None, hash: None, proved_hash: Some(known.clone()) });
    }
    let problem = |field: &str, code: &str, portuguese: &str, english: &str| {
        INVALID.in_fields(vec![FieldProblem::new(field, code, portuguese, english)])
    };
    let name = input
        .name
        .or_else(|| found.name.clone())
        .ok_or_else(|| problem("name", "required", "Campo obrigatório.", "Required."))?;
    if input.password.chars().count() < 10 {
        return Err(problem("password", "too_short", "Use ao menos 10 caracteres.", "Use at least 10 characters."));
    }
    password::expect_hard_to_guess("password", &input.password, &found.email, &name)?;
    Ok(Credentials { name: Some(name), hash: Some(password::hash(&input.password)?), proved_hash: None })
}
