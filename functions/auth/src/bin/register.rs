//! POST /auth/register — signs a person up, with a company of their own or to await approval in one that exists.

use auth::{company_slug, password};
use shared::{
    error::{FieldProblem, INVALID},
    prelude::*,
    rule, visible,
};

const ROUTE: Route = Route::post("/auth/register");

/// Only met on the way: another slug is tried.
const SLUG_TAKEN: Problem = Problem::new(409, "slug_taken", "Este endereço já existe.", "This slug is taken.");

const SLUGS_TRIED: usize = 4;

const REGISTER: &str = "select app.register($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as outcome";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Register {
    #[garde(length(chars, min = 1, max = 120), custom(visible))]
    name: String,
    #[garde(email, length(max = 254))]
    email: String,
    #[garde(length(chars, min = 10, max = 128), custom(password::hard_to_guess(&self.email, &self.name)))]
    password: String,
    /// The person's own new company, whose admin they become. Either this or `company_slug`.
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)), custom(or_slug(self.company_slug.as_ref())))]
    company_name: Option<String>,
    /// The company to join once it approves.
    #[garde(length(chars, min = 1, max = 80), custom(not_both(self.company_name.as_ref())))]
    company_slug: Option<String>,
}

/// The same whether the e-mail was known or not.
#[derive(Debug, Serialize, JsonSchema)]
struct Registered {
    /// `check_your_login`: whoever owns the e-mail can sign in.
    status: &'static str,
    /// Whether the company must approve before a first login.
    awaits_approval: bool,
}

#[derive(FromRow)]
struct Registration {
    outcome: String,
}

fn main() {
    serve(&ROUTE, register);
}

async fn register(context: Context, _: Anyone, Json(input): Json<Register>) -> Result<Accepted<Registered>, Error> {
    // Also for a known e-mail, so that the answer takes as long; with nothing held open meanwhile.
    let hash = password::hash(&input.password)?;
    let first_slug = company_slug::from_name(input.company_name.as_deref().unwrap_or_default());
    let mut registered = sign_up(&context, &input, &hash, &first_slug).await;
    for _ in 1..SLUGS_TRIED {
        if !registered.as_ref().is_err_and(|error| error.problem() == SLUG_TAKEN) {
            break;
        }
        registered = sign_up(&context, &input, &hash, &company_slug::with_random_ending(&first_slug)).await;
    }
    registered
}

async fn sign_up(context: &Context, input: &Register, hash: &str, new_slug: &str) -> Result<Accepted<Registered>, Error> {
    let Register { name, email, company_name, company_slug, .. } = input;
    let existing_slug = company_slug.as_ref().map(|slug| slug.to_lowercase());
    let transaction = context.begin_nobody().await?;
    let (person, company, origin) = (context.new_id(), context.new_id(), context.origin());
    let registration: Registration = transaction
        .one(
            REGISTER,
            &[
                &person,
                email,
                name,
                &hash,
                &company,
                company_name,
                &new_slug,
                &existing_slug,
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
    let awaits_approval = existing_slug.is_some();
    transaction.commit(Accepted(Registered { status: "check_your_login", awaits_approval })).await
}

fn or_slug(slug: Option<&String>) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |name, ()| match (name, slug) {
        (None, None) => {
            Err(rule("required", "Informe company_name ou company_slug.", "Give either company_name or company_slug."))
        }
        _ => Ok(()),
    }
}

fn not_both(name: Option<&String>) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |slug, ()| match (slug, name) {
        (Some(_), Some(_)) => {
            Err(rule("exclusive", "Não combine com company_name.", "This does not go together with company_name."))
        }
        _ => Ok(()),
    }
}
