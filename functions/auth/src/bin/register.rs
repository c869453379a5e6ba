//! POST /auth/register — signs a person up, with a company of their own or to await approval in one that exists.

use auth::{Destination, default_company, password};
use shared::{
    VISIBLE, closed_set,
    error::{FieldProblem, INVALID},
    prelude::*,
    rule, visible,
};

const ROUTE: Route = Route::post("/auth/register");

reads!(DEFAULT_COMPANY);

/// Only met on the way: another slug is tried.
const SLUG_TAKEN: Problem = Problem::new(409, "slug_taken", "Este endereço já existe.", "This slug is taken.");

const SLUGS_TRIED: usize = 4;

const REGISTER: &str = "select app.register($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as outcome";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("not" = {
    "required": ["company_name", "company_slug"],
    "properties": {"company_name": {"type": "string"}, "company_slug": {"type": "string"}},
}))]
struct Register {
    #[garde(length(chars, min = 1, max = 120), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    #[garde(dive)]
    email: Email,
    #[garde(length(chars, min = 10, max = 128), custom(password::hard_to_guess(&self.email, &self.name)))]
    password: String,
    /// The person's own new company, whose admin they become. Without this and `company_slug`: the stage's default company, founded by
    /// the first to come and joined by others once it approves; where there is none, a company named after the person.
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    company_name: Option<String>,
    /// The company to join once it approves. Either this or `company_name`.
    #[garde(length(chars, min = 1, max = 80), custom(not_both(self.company_name.as_ref())))]
    company_slug: Option<String>,
}

closed_set! {
    /// Whoever owns the e-mail can sign in.
    RegistrationStatus { CheckYourLogin = "check_your_login" }
}

/// The same whether the e-mail was known or not.
#[derive(Debug, Serialize, JsonSchema)]
struct Registered {
    status: RegistrationStatus,
    /// Whether the company must approve before a first login.
    awaits_approval: bool,
}

#[derive(FromRow)]
struct Registration {
    outcome: String,
}

pub fn main() {
    serve(&ROUTE, register);
}

async fn register(context: Context, _: Anyone, Json(input): Json<Register>) -> Result<Accepted<Registered>, Error> {
    // Also for a known e-mail, so that the answer takes as long; with nothing held open meanwhile.
    let hash = password::hash(&input.password)?;
    let default = default_company();
    let destination =
        Destination::of(input.company_name.as_deref(), input.company_slug.as_deref(), default.as_deref(), &input.name);
    let mut registered = sign_up(&context, &input, &hash, &destination).await;
    for _ in 1..SLUGS_TRIED {
        if !registered.as_ref().is_err_and(|error| error.problem() == SLUG_TAKEN) {
            break;
        }
        registered = sign_up(&context, &input, &hash, &destination.with_another_slug()).await;
    }
    registered
}

async fn sign_up(context: &Context, input: &Register, hash: &str, to: &Destination) -> Result<Accepted<Registered>, Error> {
    let transaction = context.begin_nobody().await?;
    let (person, company, origin) = (context.new_id(), context.new_id(), context.origin());
    let registration: Registration = transaction
        .one(
            REGISTER,
            &[
                &person,
                &&*input.email,
                &input.name,
                &hash,
                &company,
                &to.name,
                &to.new_slug,
                &to.existing_slug,
                &origin.user_agent,
                &origin.ip,
                &origin.request_id,
            ],
        )
        .await
        .on_constraint("companies_slug_key", SLUG_TAKEN)?;
    if registration.outcome == "unknown_company" {
        let (portuguese, english) = ("Nenhuma empresa tem este endereço.", "No company has this slug.");
        return Err(INVALID.in_fields(vec![FieldProblem::new("company_slug", "unknown_company", portuguese, english)]));
    }
    let awaits_approval = registration.outcome == "waiting";
    transaction.commit(Accepted(Registered { status: RegistrationStatus::CheckYourLogin, awaits_approval })).await
}

fn not_both(name: Option<&String>) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |slug, ()| match (slug, name) {
        (Some(_), Some(_)) => {
            Err(rule("exclusive", "Não combine com company_name.", "This does not go together with company_name."))
        }
        _ => Ok(()),
    }
}
