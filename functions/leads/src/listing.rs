//! Which leads are asked for, and the page of them.

use futures_util::future::try_join;
use jiff::civil::Date;
use scores::Temperature;
use shared::{money::Money, prelude::*, rule};

use crate::{Lead, lead_columns, lead_joins};

/// Rows of a page when nothing is said.
const USUAL: u32 = 20;

/// Which leads, and which page of them.
#[derive(Deserialize, Validate, JsonSchema)]
pub struct Filters {
    /// `open`, `won`, `lost`, or keys of stages.
    #[garde(inner(custom(few)))]
    #[schemars(with = "Option<String>")]
    pub status: Option<CommaSeparated<String>>,
    #[garde(skip)]
    pub temperature: Option<CommaSeparated<Temperature>>,
    /// `me`, `none`, or people.
    #[garde(inner(custom(few)))]
    #[schemars(with = "Option<String>")]
    pub closer: Option<CommaSeparated<String>>,
    /// `me`, `none`, or people.
    #[garde(inner(custom(few)))]
    #[schemars(with = "Option<String>")]
    pub sdr: Option<CommaSeparated<String>>,
    #[garde(skip)]
    pub pipeline_id: Option<Uuid>,
    #[garde(skip)]
    pub stage_id: Option<Uuid>,
    #[garde(skip)]
    pub client_id: Option<Uuid>,
    #[garde(length(chars, max = 80))]
    pub origin: Option<String>,
    #[garde(length(chars, max = 80))]
    pub campaign: Option<String>,
    #[garde(length(chars, max = 40))]
    pub tag: Option<String>,
    /// A part of the name, e-mail, company or phone, whatever the case and the accents.
    #[garde(length(chars, max = 120))]
    pub search: Option<String>,
    /// Made on this day or later, as days are where the company is.
    #[garde(skip)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub from: Option<Date>,
    /// Made on this day or before.
    #[garde(skip)]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub to: Option<Date>,
    #[garde(range(min = 0, max = 100))]
    pub score_min: Option<i32>,
    /// What they may bring, at least.
    #[garde(skip)]
    pub value_min: Option<Money>,
    /// Nothing was done with them for so many days.
    #[garde(range(min = 1, max = 3650))]
    pub inactive_days: Option<i32>,
    /// `true`: those that were deleted.
    #[garde(skip)]
    pub deleted: Option<bool>,
    #[garde(range(min = 1, max = 1_000_000))]
    pub page: Option<u32>,
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<u32>,
}

fn few(values: &CommaSeparated<String>, (): &()) -> garde::Result {
    if values.0.iter().all(|value| value.chars().count() <= 60) && values.0.len() <= 50 {
        return Ok(());
    }
    Err(rule("too_long", "Até 50 valores de até 60 caracteres.", "At most 50 values of at most 60 characters."))
}

/// A page of leads, with what they come to.
#[derive(Serialize, JsonSchema)]
pub struct LeadPage {
    pub data: Vec<Lead>,
    pub pagination: Pagination,
    pub totals: LeadTotals,
}

/// Of all pages.
#[derive(Clone, Debug, Serialize, JsonSchema, FromRow)]
pub struct LeadTotals {
    pub count: i64,
    /// What they may bring, together.
    pub potential_value: Money,
}

/// The conditions of a list; `$1` … `$17`.
macro_rules! asked_for {
    () => {
        "(leads.deleted_at is not null) = coalesce($1::boolean, false) and leads.merged_into_id is null
           and ($2::text[] is null or leads.status = any ($2) or leads.stage_id in (select id from stages where key = any ($2)))
           and ($3::text[] is null or leads.temperature = any ($3))
           and ($4::uuid[] is null or leads.closer_id = any ($4) or $5::boolean and leads.closer_id is null)
           and ($6::uuid[] is null or leads.sdr_id = any ($6) or $7::boolean and leads.sdr_id is null)
           and ($8::uuid is null or leads.pipeline_id = $8)
           and ($9::uuid is null or leads.stage_id = $9)
           and ($10::uuid is null or leads.client_id = $10)
           and ($11::text is null or leads.origin = $11)
           and ($12::text is null or leads.campaign = $12)
           and ($13::text is null or leads.tags @> array[$13])
           and ($14::text is null or leads.id = any ((select app.find_leads($14))::uuid[]))
           and ($15::date is null or leads.created_at >= $15::timestamp at time zone (select time_zone from companies where id = app.company_id()))
           and ($16::date is null
                or leads.created_at < ($16 + 1)::timestamp at time zone (select time_zone from companies where id = app.company_id()))
           and ($17::integer is null or leads.score >= $17)
           and ($18::text is null or leads.potential_value >= $18::numeric)
           and ($19::integer is null
                or coalesce(greatest(leads.last_contact_at, leads.replied_at), leads.created_at) < now() - $19 * interval '1 day')"
    };
}

const PAGE: &str = concat!(
    "with page as (select * from leads where ",
    asked_for!(),
    " order by leads.created_at desc, leads.id desc limit $20 offset $21) select ",
    lead_columns!(),
    " from page leads ",
    lead_joins!(),
    " order by leads.created_at desc, leads.id desc"
);

const TOTALS: &str = concat!(
    "select count(*), round(coalesce(sum(leads.potential_value), 0), 2)::text as potential_value from leads where ",
    asked_for!()
);

/// `me`, `none` and ids: whose, and whether also nobody's.
fn people(given: Option<&CommaSeparated<String>>, caller: Uuid) -> (Option<Vec<Uuid>>, bool) {
    let given = given.filter(|given| !given.0.is_empty());
    let has_none = given.is_some_and(|given| given.0.iter().any(|who| who == "none"));
    // What is no id is nobody's.
    let id = |who: &String| if who == "me" { Some(caller) } else { who.parse().ok() };
    (given.map(|given| given.0.iter().filter_map(id).collect()), has_none)
}

/// The page that is asked for, newest first.
///
/// # Errors
/// Those of the database.
pub async fn page(transaction: &Transaction, caller: Uuid, filters: Filters) -> Result<LeadPage, Error> {
    let text = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let status = filters.status.map(|status| status.0).filter(|status| !status.is_empty());
    let temperatures = filters.temperature.map(|all| all.0.iter().map(|one| one.as_str()).collect::<Vec<_>>());
    let temperatures = temperatures.filter(|all| !all.is_empty());
    let (closers, no_closer) = people(filters.closer.as_ref(), caller);
    let (sdrs, no_sdr) = people(filters.sdr.as_ref(), caller);
    let [origin, campaign, tag, search] = [filters.origin, filters.campaign, filters.tag, filters.search].map(text);
    let value_min = filters.value_min.map(|value| value.to_string());
    let (page, limit) = (filters.page.unwrap_or(1), filters.limit.unwrap_or(USUAL));
    let (rows, offset) = (i64::from(limit), Pagination::offset(page, limit));
    let mut parameters: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> = vec![
        &filters.deleted,
        &status,
        &temperatures,
        &closers,
        &no_closer,
        &sdrs,
        &no_sdr,
        &filters.pipeline_id,
        &filters.stage_id,
        &filters.client_id,
        &origin,
        &campaign,
        &tag,
        &search,
        &filters.from,
        &filters.to,
        &filters.score_min,
        &value_min,
        &filters.inactive_days,
    ];
    let of_all = parameters.clone();
    parameters.extend([&rows as &(dyn tokio_postgres::types::ToSql + Sync), &offset]);
    let (data, totals): (_, LeadTotals) =
        try_join(transaction.all(PAGE, &parameters), transaction.one(TOTALS, &of_all)).await?;
    Ok(LeadPage { data, pagination: Pagination::new(page, limit, totals.count), totals })
}
