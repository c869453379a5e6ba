//! POST /setup/config — saves what is given and leaves the rest as it is. Secrets are sealed, and never shown again.

use companies::{Company, CompanyUpdated, company_columns};
use futures_util::future::try_join;
use setup::{
    CompanySetup, Setup, SetupRow, SetupUpdated,
    ai::{AiSetup, SetupAiInput},
    defaults::ENSURE_ROW,
    mail::{self, SetupMailInput},
    setup_columns,
};
use shared::{
    VISIBLE,
    ai::SECRET,
    error::{FieldProblem, STALE, refuse},
    known_zone,
    outside::{self, Refusal},
    parameters,
    prelude::*,
    visible,
};

const ROUTE: Route = Route::post("/setup/config").fails(&[STALE.showing::<Setup>()]);

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetupInput {
    #[garde(dive)]
    company: Option<SetupCompanyInput>,
    /// Scheme, host and port, such as `https://app.exemplo.com.br`; empty for none.
    #[garde(length(max = 200))]
    front_end_origin: Option<String>,
    #[garde(dive)]
    ai: Option<SetupAiInput>,
    #[garde(dive)]
    mail: Option<SetupMailInput>,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetupCompanyInput {
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    /// IANA name.
    #[garde(inner(custom(known_zone)))]
    time_zone: Option<String>,
    #[garde(skip)]
    locale: Option<Locale>,
    #[garde(length(chars, min = 1, max = 40), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    coin_name: Option<String>,
}

/// Nobody else saves it meanwhile.
const LOCKED: &str = concat!(
    "select ",
    setup_columns!(),
    " from company_setup join companies on companies.id = company_setup.company_id
      where company_setup.company_id = app.company_id()
        for update"
);

const SAVE: &str = "
    update company_setup
       set ai_base_url = $1, ai_model = $2, ai_key_hint = $3, version = version + 1
     where company_id = app.company_id()";

const SAVE_COMPANY: &str = concat!(
    "update companies
        set name = $1, time_zone = $2, locale = $3, coin_name = $4, front_end_url = $5, version = version + 1
      where id = app.company_id()
     returning ",
    company_columns!()
);

pub fn main() {
    serve(&ROUTE, save_setup);
}

async fn save_setup(
    context: Context,
    caller: SteppedUp<Admin>,
    _: IdempotencyKey,
    if_match: IfMatch,
    Json(input): Json<SetupInput>,
) -> Result<Json<Setup>, Error> {
    refuse(problems(&input).await)?;
    let transaction = context.begin(&caller).await?;
    let (_, row) = try_join(transaction.execute(ENSURE_ROW, &[]), transaction.one::<SetupRow>(LOCKED, &[])).await?;
    let current = Setup::from(row);
    if_match.check(&current)?;
    let address_missing = input.ai.as_ref().and_then(|ai| ai.address_missing(current.ai.as_ref()));
    let key_missing = input.ai.as_ref().and_then(|ai| ai.key_missing(current.ai.as_ref()));
    let password_missing = input.mail.as_ref().and_then(|mail| mail.password_missing(current.mail.as_ref()));
    refuse([address_missing, key_missing, password_missing].into_iter().flatten())?;
    let api_key = input.ai.as_ref().and_then(|ai| ai.api_key.clone());
    let password = input.mail.as_ref().and_then(|mail| mail.password.clone());
    let mut saved = merged(&current, input);
    if saved == current && api_key.is_none() && password.is_none() {
        return transaction.commit(Json(current)).await;
    }
    saved.version += 1;
    match (&saved.ai, api_key) {
        (None, _) => SECRET.forget(&transaction),
        (Some(_), Some(api_key)) => SECRET.keep(&context, &transaction, caller.company_id, api_key.as_bytes()),
        (Some(_), None) => {}
    }
    let (base_url, model, hint) = match saved.ai.clone() {
        Some(AiSetup { base_url, model, api_key }) => (Some(base_url), Some(model), api_key),
        None => (None, None, None),
    };
    transaction.defer(SAVE, parameters![base_url, model, hint]);
    if saved.mail != current.mail || password.is_some() {
        mail::save(&context, &transaction, caller.company_id, saved.mail.clone(), password);
    }
    if saved.company != current.company || saved.front_end_origin != current.front_end_origin {
        let CompanySetup { name, time_zone, locale, coin_name } = &saved.company;
        let company: Company =
            transaction.one(SAVE_COMPANY, &[name, time_zone, locale, coin_name, &saved.front_end_origin]).await?;
        transaction.tell_staff(&CompanyUpdated { company: &company });
    }
    transaction.tell_staff(&SetupUpdated { version: saved.version });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}

/// What is saved once the input is.
fn merged(current: &Setup, SetupInput { company, front_end_origin, ai, mail }: SetupInput) -> Setup {
    let mut saved = current.clone();
    if let Some(SetupCompanyInput { name, time_zone, locale, coin_name }) = company {
        let of = &mut saved.company;
        of.name = name.unwrap_or_else(|| of.name.clone());
        of.time_zone = time_zone.unwrap_or_else(|| of.time_zone.clone());
        of.locale = locale.map_or_else(|| of.locale.clone(), |locale| locale.as_str().to_owned());
        of.coin_name = coin_name.unwrap_or_else(|| of.coin_name.clone());
    }
    if let Some(origin) = front_end_origin {
        saved.front_end_origin = Some(origin.trim_end_matches('/').to_owned()).filter(|origin| !origin.is_empty());
    }
    if let Some(ai) = ai {
        saved.ai = ai.into_setup(current.ai.as_ref());
    }
    if let Some(mail) = mail {
        saved.mail = mail.into_setup();
    }
    saved
}

/// Addresses that are none, are not encrypted or not public, and what is missing beside them. What a name stands for is judged again whenever
/// it is called.
async fn problems(input: &SetupInput) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if let Some(ai) = &input.ai {
        problems.extend(ai.problems().await);
    }
    if let Some(origin) = input.front_end_origin.as_deref().filter(|origin| !origin.is_empty()) {
        let refusal = match outside::check_url(origin).await {
            Ok(url) if url.path() != "/" || url.query().is_some() => Some(Refusal::Malformed),
            Ok(_) => None,
            Err(refusal) => Some(refusal),
        };
        problems.extend(refusal.map(|refusal| refusal.in_field("front_end_origin")));
    }
    if let Some(mail) = &input.mail {
        problems.extend(mail.problems().await);
    }
    problems
}
