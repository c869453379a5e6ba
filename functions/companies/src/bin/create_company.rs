//! POST /companies — a further company of the caller's, as its admin. They enter it by `POST /auth/companies/{id}/select`.

use auth::Destination;
use companies::Company;
use shared::{VISIBLE, known_zone, prelude::*, visible};

const TOO_MANY_COMPANIES: Problem = Problem::new(
    409,
    "too_many_companies",
    "Você já criou empresas demais. Fale conosco.",
    "You have founded too many companies already. Talk to us.",
);

const ROUTE: Route = Route::post("/companies").fails(&[TOO_MANY_COMPANIES]);

/// No row when the caller has founded too many. Where the slug is taken, the other one is used.
const CREATE_COMPANY: &str = "select * from app.create_company($1, $2, $3, $4, $5, $6, $7, $8, $9)";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewCompany {
    #[garde(length(chars, min = 1, max = 120), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// `America/Sao_Paulo` when none is given.
    #[garde(inner(custom(known_zone)))]
    #[schemars(length(max = 60))]
    time_zone: Option<String>,
    #[garde(skip)]
    locale: Option<Locale>,
}

pub fn main() {
    serve(&ROUTE, create_company);
}

async fn create_company(
    context: Context,
    caller: Member,
    _: IdempotencyKey,
    Json(input): Json<NewCompany>,
) -> Result<Created<Company>, Error> {
    let NewCompany { name, time_zone, locale } = input;
    let slug = Destination::of(Some(&name), None, None, &name);
    let (id, other, origin) = (context.new_id(), slug.with_another_slug(), context.origin());
    let (zone, locale) = (time_zone.unwrap_or_else(|| "America/Sao_Paulo".to_owned()), locale.unwrap_or(Locale::Portuguese));
    let transaction = context.begin(&caller).await?;
    let made: Option<Company> = transaction
        .first(
            CREATE_COMPANY,
            &[
                &id,
                &name,
                &slug.new_slug,
                &other.new_slug,
                &zone,
                &locale.as_str(),
                &origin.user_agent,
                &origin.ip,
                &origin.request_id,
            ],
        )
        .await?;
    let company = made.ok_or(TOO_MANY_COMPANIES)?;
    transaction.audit(id, &Value::Null, &json!({"founded": company.slug}));
    transaction.commit(Created(company)).await
}
