//! POST /setup/config — saves what is given and leaves the rest as it is. Secrets are sealed, and never shown again.

use futures_util::future::try_join;
use setup::{AiSetup, CompanySetup, Setup, SetupRow, SetupUpdated, ai, defaults::ENSURE_ROW, setup_columns};
use shared::{
    VISIBLE,
    error::{FieldProblem, STALE, refuse},
    known_zone,
    outside::{self, Refusal},
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

/// A language model behind an OpenAI-compatible API.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetupAiInput {
    /// Such as `https://api.groq.com/openai/v1`; null for none.
    #[garde(length(max = 300))]
    base_url: Option<String>,
    #[garde(length(chars, min = 1, max = 120), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    #[serde(default = "usual_model")]
    model: String,
    /// Never shown again. Without it, the one that is kept stays.
    #[garde(length(min = 8, max = 500))]
    api_key: Option<String>,
}

fn usual_model() -> String {
    "openai/gpt-oss-120b".to_owned()
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

const SAVE_COMPANY: &str = "
    update companies
       set name = $1, time_zone = $2, locale = $3, coin_name = $4, front_end_url = $5, version = version + 1
     where id = app.company_id()
       and (name, time_zone, locale, coin_name, front_end_url) is distinct from ($1, $2, $3, $4, $5)";

const KEEP_SECRET: &str = "
    insert into company_secrets (name, sealed) values ($1, $2)
    on conflict (company_id, name) do update set sealed = excluded.sealed";

const FORGET_SECRET: &str = "delete from company_secrets where name = $1";

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
    refuse(unreachable_addresses(&input).await)?;
    let transaction = context.begin(&caller).await?;
    let (_, row) = try_join(transaction.execute(ENSURE_ROW, &[]), transaction.one::<SetupRow>(LOCKED, &[])).await?;
    let current = Setup::from(row);
    if_match.check(&current)?;
    let api_key = input.ai.as_ref().and_then(|ai| ai.api_key.clone());
    let mut saved = merged(&current, input);
    if saved == current && api_key.is_none() {
        return transaction.commit(Json(current)).await;
    }
    saved.version += 1;
    let (base_url, model, hint) = match saved.ai.clone() {
        Some(AiSetup { base_url, model, api_key }) => (Some(base_url), Some(model), api_key),
        None => (None, None, None),
    };
    let CompanySetup { name, time_zone, locale, coin_name } = saved.company.clone();
    transaction.defer(SAVE, shared::parameters![base_url, model, hint]);
    transaction.defer(SAVE_COMPANY, shared::parameters![name, time_zone, locale, coin_name, saved.front_end_origin.clone()]);
    if saved.ai.is_none() {
        transaction.defer(FORGET_SECRET, shared::parameters![ai::SECRET]);
    } else if let Some(api_key) = api_key {
        let sealed = ai::seal(&context.secrets().encryption_keys, caller.company_id, &api_key);
        transaction.defer(KEEP_SECRET, shared::parameters![ai::SECRET, sealed]);
    }
    transaction.tell_staff(&SetupUpdated { version: saved.version });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}

/// What is saved once the input is.
fn merged(current: &Setup, SetupInput { company, front_end_origin, ai }: SetupInput) -> Setup {
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
    if let Some(SetupAiInput { base_url, model, api_key }) = ai {
        let kept = current.ai.as_ref().and_then(|ai| ai.api_key.clone());
        let hint = api_key.as_deref().map(integrations::hint).or(kept);
        saved.ai = base_url.filter(|url| !url.is_empty()).map(|base_url| AiSetup { base_url, model, api_key: hint });
    }
    saved
}

/// Addresses that are none, are not encrypted or not public. What they stand for is judged again whenever they are called.
async fn unreachable_addresses(input: &SetupInput) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let base_url = input.ai.as_ref().and_then(|ai| ai.base_url.as_deref()).filter(|url| !url.is_empty());
    let origin = input.front_end_origin.as_deref().filter(|origin| !origin.is_empty());
    for (field, url, is_origin) in [("ai.base_url", base_url, false), ("front_end_origin", origin, true)] {
        let Some(text) = url else { continue };
        let refusal = match outside::check_url(text).await {
            Ok(url) if is_origin && (url.path() != "/" || url.query().is_some()) => Refusal::Malformed,
            Ok(_) => continue,
            Err(refusal) => refusal,
        };
        let (portuguese, english) = refusal.texts();
        problems.push(FieldProblem::new(field, refusal.code(), portuguese, english));
    }
    problems
}
