//! PUT /companies/{id} — changes what is given of the company's settings.

use companies::{AgentVisibility, BreakKind, Company, CompanyUpdated, company_columns};
use shared::{VISIBLE, error::STALE, has_twice, known_zone, prelude::*, rule, visible};
use team::given::{Given, at_most};

const ROUTE: Route = Route::put("/companies/{id}").or(&["PATCH /companies/{id}"]).fails(&[STALE.showing::<Company>()]);

const LOCKED: &str = concat!("select ", company_columns!(), " from companies where companies.id = $1 for no key update");

/// No row when it stays as it is.
const UPDATE: &str = concat!(
    "update companies
        set name = $2, time_zone = $3, locale = $4, agent_visibility = $5, reopen_window = $6, takeover_text = $7, bot_enabled = $8,
            coin_name = $9, colour = $10, two_factor_policy = $11, idle_minutes = $12, signs_messages = $13, asks_rating = $14,
            rating_text = $15, breaks = $16, push_shows_text = $17, version = version + 1
      where id = $1
        and (name, time_zone, locale, agent_visibility, reopen_window, takeover_text, bot_enabled, coin_name, colour, two_factor_policy,
             idle_minutes, signs_messages, asks_rating, rating_text, breaks, push_shows_text)
            is distinct from ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
     returning ",
    company_columns!()
);

/// Agents with open sockets: what they see follows.
const AGENTS_ONLINE: &str = "
    select distinct presence_leases.user_id
      from presence_leases
      join memberships on memberships.user_id = presence_leases.user_id
     where memberships.role = 'agent' and lease_until > now()";

const COLOUR: &str = "^#[0-9a-fA-F]{6}$";

/// What is given changes. An empty `takeover_text` is none; the product's own comes back with null.
#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[garde(length(chars, min = 1, max = 120), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    name: Option<String>,
    #[garde(inner(custom(known_zone)))]
    #[schemars(length(max = 60))]
    time_zone: Option<String>,
    #[garde(skip)]
    locale: Option<Locale>,
    #[garde(skip)]
    agent_visibility: Option<AgentVisibility>,
    /// Seconds, 30 days at most.
    #[garde(range(min = 0, max = 2_592_000))]
    reopen_window: Option<i32>,
    #[garde(custom(at_most(2000)))]
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = 2000))]
    takeover_text: Given<String>,
    #[garde(skip)]
    signs_messages: Option<bool>,
    #[garde(skip)]
    asks_rating: Option<bool>,
    #[garde(custom(at_most(1000)))]
    #[serde(default)]
    #[schemars(with = "Option<String>", length(max = 1000))]
    rating_text: Given<String>,
    #[garde(skip)]
    bot_enabled: Option<bool>,
    #[garde(length(chars, min = 1, max = 40), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    coin_name: Option<String>,
    #[garde(inner(custom(is_colour)))]
    #[schemars(regex(pattern = COLOUR))]
    colour: Option<String>,
    /// Their members reach nothing but the set-up of a second factor as long as they have none.
    #[garde(length(max = 4))]
    two_factor_policy: Option<Vec<Role>>,
    /// Null ends no session for lack of use.
    #[garde(custom(is_idle_time))]
    #[serde(default)]
    #[schemars(with = "Option<i32>", extend("enum" = [30, 480, null]))]
    idle_minutes: Given<i32>,
    /// Whether web push carries what was said; without it, only that something was.
    #[garde(skip)]
    push_shows_text: Option<bool>,
    /// What breaks are for, all of it; each reason once.
    #[garde(length(min = 1, max = 20), dive, custom(different_reasons))]
    breaks: Option<Vec<BreakKind>>,
}

pub fn main() {
    serve(&ROUTE, update_company);
}

async fn update_company(
    context: Context,
    caller: SteppedUp<Admin>,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<Settings>,
) -> Result<Json<Company>, Error> {
    let transaction = context.begin(&caller).await?;
    let current: Company = transaction.one(LOCKED, &[&id]).await?;
    if_match.check(&current)?;
    let after = settings_after(input, &current);
    let changed: Option<Company> = transaction
        .first(
            UPDATE,
            &[
                &id,
                &after.name,
                &after.time_zone,
                &after.locale.as_str(),
                &after.agent_visibility.as_str(),
                &after.reopen_window,
                &after.takeover_text,
                &after.bot_enabled,
                &after.coin_name,
                &after.colour,
                &after.two_factor_policy.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
                &after.idle_minutes,
                &after.signs_messages,
                &after.asks_rating,
                &after.rating_text,
                &after.breaks,
                &after.push_shows_text,
            ],
        )
        .await?;
    let Some(company) = changed else { return transaction.commit(Json(current)).await };
    if company.agent_visibility != current.agent_visibility {
        for agent in transaction.query(AGENTS_ONLINE, &[]).await? {
            transaction.look_anew(agent.get("user_id"));
        }
    }
    transaction.tell_staff(&CompanyUpdated { company: &company });
    transaction.audit(id, &current, &company);
    transaction.commit(Json(company)).await
}

fn is_colour(text: &str, (): &()) -> garde::Result {
    let is_one =
        text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if is_one { Ok(()) } else { Err(rule("invalid_colour", "Use uma cor como #2563eb.", "Use a colour such as #2563eb.")) }
}

fn is_idle_time(minutes: &Given<i32>, (): &()) -> garde::Result {
    if minutes.set().is_none_or(|minutes| [30, 480].contains(minutes)) {
        Ok(())
    } else {
        Err(rule("unknown_value", "Use 30 ou 480.", "Use 30 or 480."))
    }
}

fn different_reasons(breaks: &Option<Vec<BreakKind>>, (): &()) -> garde::Result {
    let reasons: Vec<&str> = breaks.iter().flatten().map(|kind| kind.reason.as_str()).collect();
    if has_twice(&reasons) {
        return Err(rule("repeated", "Cada motivo de pausa só pode aparecer uma vez.", "Each reason may be given only once."));
    }
    Ok(())
}

fn each_once(roles: Vec<Role>) -> Vec<Role> {
    [Role::Admin, Role::Supervisor, Role::Agent, Role::Student].into_iter().filter(|role| roles.contains(role)).collect()
}

fn settings_after(given: Settings, current: &Company) -> Company {
    let current = current.clone();
    Company {
        name: given.name.unwrap_or(current.name),
        time_zone: given.time_zone.unwrap_or(current.time_zone),
        locale: given.locale.unwrap_or(current.locale),
        agent_visibility: given.agent_visibility.unwrap_or(current.agent_visibility),
        reopen_window: given.reopen_window.unwrap_or(current.reopen_window),
        takeover_text: given.takeover_text.after(current.takeover_text),
        signs_messages: given.signs_messages.unwrap_or(current.signs_messages),
        asks_rating: given.asks_rating.unwrap_or(current.asks_rating),
        rating_text: given.rating_text.after(current.rating_text),
        push_shows_text: given.push_shows_text.unwrap_or(current.push_shows_text),
        bot_enabled: given.bot_enabled.unwrap_or(current.bot_enabled),
        coin_name: given.coin_name.unwrap_or(current.coin_name),
        two_factor_policy: given.two_factor_policy.map_or(current.two_factor_policy, each_once),
        idle_minutes: given.idle_minutes.after(current.idle_minutes),
        breaks: given.breaks.map_or(current.breaks, |breaks| json!(breaks)),
        colour: given.colour.map_or(current.colour, |colour| colour.to_lowercase()),
        ..current
    }
}
