//! POST /setup/config — saves what is given and leaves the rest as it is. Secrets are sealed, and never shown again.

use companies::{Company, CompanyUpdated, company_columns};
use futures_util::future::try_join;
use setup::{
    AiSetup, CompanySetup, MailEncryption, MailSetup, Setup, SetupRow, SetupUpdated, ai, defaults::ENSURE_ROW, setup_columns,
};
use shared::{
    VISIBLE, crypto,
    email::Email,
    error::{FieldProblem, STALE, refuse},
    known_zone,
    outside::{self, Refusal},
    prelude::*,
    rule, visible,
};
use system::mail::is_certificate;

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
    /// Never shown again. Without it, the one that is kept stays, for the address that it was given for.
    #[garde(length(min = 8, max = 500))]
    api_key: Option<String>,
}

const HOST: &str = r"^[0-9A-Za-z.:-]*$";

/// A mail server of the company's own.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetupMailInput {
    /// A name such as `smtp.exemplo.com.br`; null for none: mails go by the stage's server again, and the rest is not looked at.
    #[garde(length(max = 253), inner(custom(is_host)))]
    #[schemars(inner(regex(pattern = HOST)))]
    host: Option<String>,
    #[garde(range(min = 1))]
    #[serde(default = "usual_port")]
    #[schemars(range(min = 1, max = 65_535))]
    port: u16,
    #[garde(skip)]
    #[serde(default = "usual_encryption")]
    security: MailEncryption,
    #[garde(length(chars, min = 1, max = 320), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    username: Option<String>,
    /// Never shown. Without it, the one that is kept stays, for the server, its encryption and the name that it was given for.
    #[garde(length(chars, min = 1, max = 500))]
    password: Option<String>,
    /// Who sends; needed with a host.
    #[garde(dive)]
    from_address: Option<Email>,
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    from_name: Option<String>,
    /// In PEM, who vouches for its certificate, where that is nobody whom everybody trusts.
    #[garde(length(max = 10_000))]
    authority: Option<String>,
}

fn usual_port() -> u16 {
    587
}

fn usual_encryption() -> MailEncryption {
    MailEncryption::StartTls
}

fn is_host(name: &str, (): &()) -> garde::Result {
    let is_one = name.chars().all(|sign| sign.is_ascii_alphanumeric() || ".:-".contains(sign));
    if is_one { Ok(()) } else { Err(rule("invalid_address", "Endereço inválido.", "Invalid address.")) }
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

/// No row when it stays as it is.
const SAVE_COMPANY: &str = concat!(
    "update companies
        set name = $1, time_zone = $2, locale = $3, coin_name = $4, front_end_url = $5, version = version + 1
      where id = app.company_id()
        and (name, time_zone, locale, coin_name, front_end_url) is distinct from ($1, $2, $3, $4, $5)
     returning ",
    company_columns!()
);

const SAVE_MAIL: &str = "
    insert into mail_accounts as account (host, port, security, username, sealed, from_address, from_name, authority)
    values ($1, $2, $3, $4, case when $4::text is not null then coalesce($5::bytea, (select sealed from mail_accounts)) end, $6, $7, $8)
    on conflict (company_id) do update
       set host = excluded.host, port = excluded.port, security = excluded.security, username = excluded.username,
           sealed = excluded.sealed, from_address = excluded.from_address, from_name = excluded.from_name, authority = excluded.authority,
           version = account.version + 1";

const FORGET_MAIL: &str = "delete from mail_accounts";

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
    refuse(secrets_missing(&current, &input))?;
    let api_key = input.ai.as_ref().and_then(|ai| ai.api_key.clone());
    let password = input.mail.as_ref().and_then(|mail| mail.password.clone());
    let mut saved = merged(&current, input);
    if saved == current && api_key.is_none() && password.is_none() {
        return transaction.commit(Json(current)).await;
    }
    saved.version += 1;
    save_ai(&context, &transaction, caller.company_id, &saved, api_key);
    if saved.mail != current.mail || password.is_some() {
        save_mail(&context, &transaction, caller.company_id, saved.mail.clone(), password);
    }
    if saved.company != current.company || saved.front_end_origin != current.front_end_origin {
        let CompanySetup { name, time_zone, locale, coin_name } = &saved.company;
        let updated = transaction.first(SAVE_COMPANY, &[name, time_zone, locale, coin_name, &saved.front_end_origin]).await?;
        if let Some(company) = updated {
            let company: Company = company;
            transaction.tell_staff(&CompanyUpdated { company: &company });
        }
    }
    transaction.tell_staff(&SetupUpdated { version: saved.version });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}

fn save_ai(context: &Context, transaction: &Transaction, company_id: Uuid, saved: &Setup, api_key: Option<String>) {
    let (base_url, model, hint) = match saved.ai.clone() {
        Some(AiSetup { base_url, model, api_key }) => (Some(base_url), Some(model), api_key),
        None => (None, None, None),
    };
    transaction.defer(SAVE, shared::parameters![base_url, model, hint]);
    if saved.ai.is_none() {
        transaction.defer(FORGET_SECRET, shared::parameters![ai::SECRET]);
    } else if let Some(api_key) = api_key {
        let sealed = ai::seal(&context.secrets().encryption_keys, company_id, &api_key);
        transaction.defer(KEEP_SECRET, shared::parameters![ai::SECRET, sealed]);
    }
}

fn save_mail(context: &Context, transaction: &Transaction, company_id: Uuid, mail: Option<MailSetup>, password: Option<String>) {
    let Some(MailSetup { host, port, security, username, from_address, from_name, authority }) = mail else {
        return transaction.defer(FORGET_MAIL, shared::parameters![]);
    };
    let seal = |password: String| crypto::seal(&context.secrets().encryption_keys, company_id.as_bytes(), password.as_bytes());
    let sealed = password.filter(|_| username.is_some()).map(seal);
    let row = shared::parameters![host, i32::from(port), security.as_str(), username, sealed, from_address, from_name, authority];
    transaction.defer(SAVE_MAIL, row);
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
    if let Some(SetupAiInput { base_url, model, api_key }) = ai {
        let kept = current.ai.as_ref().and_then(|ai| ai.api_key.clone());
        let hint = api_key.as_deref().map(integrations::hint).or(kept);
        saved.ai = base_url.filter(|url| !url.is_empty()).map(|base_url| AiSetup { base_url, model, api_key: hint });
    }
    if let Some(mail) = mail {
        saved.mail = mail.server();
    }
    saved
}

impl SetupMailInput {
    /// `None` where there is to be none.
    fn server(self) -> Option<MailSetup> {
        let host = self.host.filter(|host| !host.is_empty())?;
        let Self { port, security, username, from_name, authority, .. } = self;
        let from_address = self.from_address?.to_string();
        Some(MailSetup { host, port, security, username, from_address, from_name, authority })
    }
}

/// A secret goes only where it was given for: whoever may name another server is not to be told the password by it.
fn secrets_missing(current: &Setup, input: &SetupInput) -> Vec<FieldProblem> {
    let missing = |field: &str| {
        let (portuguese, english) = ("Informe de novo ao mudar o endereço.", "Give it again when the address changes.");
        FieldProblem::new(field, "required", portuguese, english)
    };
    let ai = input.ai.as_ref().zip(current.ai.as_ref()).filter(|(new, kept)| {
        let is_elsewhere = new.base_url.as_ref().is_some_and(|url| !url.is_empty() && *url != kept.base_url);
        is_elsewhere && kept.api_key.is_some() && new.api_key.is_none()
    });
    let mail = input.mail.as_ref().filter(|new| {
        let kept = current.mail.as_ref().filter(|kept| {
            new.host.as_ref() == Some(&kept.host)
                && (new.port, new.security, &new.username, &new.authority)
                    == (kept.port, kept.security, &kept.username, &kept.authority)
        });
        new.host.as_ref().is_some_and(|host| !host.is_empty())
            && new.username.is_some()
            && new.password.is_none()
            && kept.is_none()
    });
    ai.map(|_| missing("ai.api_key")).into_iter().chain(mail.map(|_| missing("mail.password"))).collect()
}

/// Addresses that are none, are not encrypted or not public. What they stand for is judged again whenever they are called.
async fn unreachable_addresses(input: &SetupInput) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut refused = |field: &str, refusal: Refusal| {
        let (portuguese, english) = refusal.texts();
        problems.push(FieldProblem::new(field, refusal.code(), portuguese, english));
    };
    let base_url = input.ai.as_ref().and_then(|ai| ai.base_url.as_deref()).filter(|url| !url.is_empty());
    let origin = input.front_end_origin.as_deref().filter(|origin| !origin.is_empty());
    for (field, url, is_origin) in [("ai.base_url", base_url, false), ("front_end_origin", origin, true)] {
        let Some(text) = url else { continue };
        match outside::check_url(text).await {
            Ok(url) if is_origin && (url.path() != "/" || url.query().is_some()) => refused(field, Refusal::Malformed),
            Ok(_) => {}
            Err(refusal) => refused(field, refusal),
        }
    }
    let Some(mail) = &input.mail else { return problems };
    let Some(host) = mail.host.as_deref().filter(|host| !host.is_empty()) else { return problems };
    if let Err(refusal) = outside::addresses(host, mail.port).await {
        refused("mail.host", refusal);
    }
    if mail.from_address.is_none() {
        let (portuguese, english) = ("Informe de que endereço os e-mails saem.", "Give the address that mails come from.");
        problems.push(FieldProblem::new("mail.from_address", "required", portuguese, english));
    }
    if mail.authority.as_deref().is_some_and(|authority| !is_certificate(authority)) {
        let (portuguese, english) = ("Não é um certificado em PEM.", "Not a certificate in PEM.");
        problems.push(FieldProblem::new("mail.authority", "invalid_certificate", portuguese, english));
    }
    problems
}
