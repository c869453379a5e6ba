//! Which leads are asked for, and the page of them.

use futures_util::future::try_join;
use jiff::civil::Date;
use shared::{money::Money, prelude::*, rule};
use tokio_postgres::types::ToSql;

use crate::{Lead, lead_columns, lead_joins};

/// Rows of a page when nothing is said.
const USUAL: u32 = 20;

/// Declares a query that says which leads are asked for, beside what it says of its own.
#[macro_export]
macro_rules! lead_filters {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize, garde::Validate, schemars::JsonSchema)]
        pub struct $name {
            /// `open`, `won`, `lost`, or keys of stages.
            #[garde(inner(custom($crate::listing::few)))]
            status: Option<shared::prelude::CommaSeparated<String>>,
            #[garde(skip)]
            temperature: Option<shared::prelude::CommaSeparated<scores::Temperature>>,
            /// `me`, `none`, or people.
            #[garde(inner(custom($crate::listing::few)))]
            closer: Option<shared::prelude::CommaSeparated<String>>,
            /// `me`, `none`, or people.
            #[garde(inner(custom($crate::listing::few)))]
            sdr: Option<shared::prelude::CommaSeparated<String>>,
            #[garde(skip)]
            pipeline_id: Option<uuid::Uuid>,
            #[garde(skip)]
            stage_id: Option<uuid::Uuid>,
            #[garde(skip)]
            client_id: Option<uuid::Uuid>,
            #[garde(length(chars, max = 80))]
            origin: Option<String>,
            #[garde(length(chars, max = 80))]
            campaign: Option<String>,
            #[garde(length(chars, max = 40))]
            tag: Option<String>,
            /// A part of the name, e-mail, company or phone, whatever the case and the accents.
            #[garde(length(chars, max = 120))]
            search: Option<String>,
            /// Made on this day or later, as days are where the company is.
            #[garde(skip)]
            #[schemars(with = "Option<String>", extend("format" = "date"))]
            from: Option<jiff::civil::Date>,
            /// Made on this day or before.
            #[garde(skip)]
            #[schemars(with = "Option<String>", extend("format" = "date"))]
            to: Option<jiff::civil::Date>,
            #[garde(range(min = 0, max = 100))]
            score_min: Option<i32>,
            /// What they may bring, at least.
            #[garde(skip)]
            value_min: Option<shared::money::Money>,
            /// Nothing was done with them for so many days.
            #[garde(range(min = 1, max = 3650))]
            inactive_days: Option<i32>,
            /// `true`: those that were deleted.
            #[garde(skip)]
            deleted: Option<bool>,
            $($own)*
        }

        impl $name {
            /// Which leads that is, for this caller.
            #[must_use]
            pub fn asked(self, caller: uuid::Uuid) -> $crate::listing::Asked {
                let Self { status, temperature, closer, sdr, pipeline_id, stage_id, client_id, origin, campaign, .. } = self;
                let Self { tag, search, from, to, score_min, value_min, inactive_days, deleted, .. } = self;
                let (closers, no_closer) = $crate::listing::people(closer.as_ref(), caller);
                let (sdrs, no_sdr) = $crate::listing::people(sdr.as_ref(), caller);
                let text = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
                $crate::listing::Asked {
                    status: status.map(|status| status.0).filter(|status| !status.is_empty()),
                    temperatures: temperature
                        .map(|all| all.0.iter().map(|one| one.as_str()).collect::<Vec<_>>())
                        .filter(|all| !all.is_empty()),
                    closers,
                    no_closer,
                    sdrs,
                    no_sdr,
                    pipeline_id,
                    stage_id,
                    client_id,
                    origin: text(origin),
                    campaign: text(campaign),
                    tag: text(tag),
                    search: text(search),
                    from,
                    to,
                    score_min,
                    value_min: value_min.map(|value| value.to_string()),
                    inactive_days,
                    deleted,
                }
            }
        }
    };
}

lead_filters! {
    /// What `GET /leads` may ask for.
    LeadFilters {}
}

/// Which leads.
#[derive(Debug)]
pub struct Asked {
    pub status: Option<Vec<String>>,
    pub temperatures: Option<Vec<&'static str>>,
    pub closers: Option<Vec<Uuid>>,
    pub no_closer: bool,
    pub sdrs: Option<Vec<Uuid>>,
    pub no_sdr: bool,
    pub pipeline_id: Option<Uuid>,
    pub stage_id: Option<Uuid>,
    pub client_id: Option<Uuid>,
    pub origin: Option<String>,
    pub campaign: Option<String>,
    pub tag: Option<String>,
    pub search: Option<String>,
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub score_min: Option<i32>,
    pub value_min: Option<String>,
    pub inactive_days: Option<i32>,
    pub deleted: Option<bool>,
}

/// Not more than anybody means.
///
/// # Errors
/// `too_long`.
pub fn few(values: &CommaSeparated<String>, (): &()) -> garde::Result {
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

/// Those behind the lead `$21` that was made at `$20`.
const NEXT: &str = concat!(
    "with page as (select * from leads where ",
    asked_for!(),
    " and ($20::timestamptz is null or (leads.created_at, leads.id) < ($20, $21::uuid))
       order by leads.created_at desc, leads.id desc limit $22) select ",
    lead_columns!(),
    " from page leads ",
    lead_joins!(),
    " order by leads.created_at desc, leads.id desc"
);

const TOTALS: &str = concat!(
    "select count(*), round(coalesce(sum(leads.potential_value), 0), 2)::text as potential_value from leads where ",
    asked_for!()
);

/// How many there are, up to `$20`.
const COUNT: &str = concat!("select count(*) from (select from leads where ", asked_for!(), " limit $20) few");

#[derive(FromRow)]
struct Counted {
    count: i64,
}

/// `me`, `none` and ids: whose, and whether also nobody's.
#[must_use]
pub fn people(given: Option<&CommaSeparated<String>>, caller: Uuid) -> (Option<Vec<Uuid>>, bool) {
    let given = given.filter(|given| !given.0.is_empty());
    let has_none = given.is_some_and(|given| given.0.iter().any(|who| who == "none"));
    // What is no id is nobody's.
    let id = |who: &String| if who == "me" { Some(caller) } else { who.parse().ok() };
    (given.map(|given| given.0.iter().filter_map(id).collect()), has_none)
}

impl Asked {
    fn parameters(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![
            &self.deleted,
            &self.status,
            &self.temperatures,
            &self.closers,
            &self.no_closer,
            &self.sdrs,
            &self.no_sdr,
            &self.pipeline_id,
            &self.stage_id,
            &self.client_id,
            &self.origin,
            &self.campaign,
            &self.tag,
            &self.search,
            &self.from,
            &self.to,
            &self.score_min,
            &self.value_min,
            &self.inactive_days,
        ]
    }

    /// A numbered page of them, newest first, and what all of them come to.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page(&self, transaction: &Transaction, page: Option<u32>, limit: Option<u32>) -> Result<LeadPage, Error> {
        let (page, limit) = (page.unwrap_or(1), limit.unwrap_or(USUAL));
        let (rows, offset) = (i64::from(limit), Pagination::offset(page, limit));
        let of_all = self.parameters();
        let mut of_page = of_all.clone();
        of_page.extend([&rows as &(dyn ToSql + Sync), &offset]);
        let (data, totals): (_, LeadTotals) = try_join(transaction.all(PAGE, &of_page), transaction.one(TOTALS, &of_all)).await?;
        Ok(LeadPage { data, pagination: Pagination::new(page, limit, totals.count), totals })
    }

    /// How many there are, up to as many as are wanted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count(&self, transaction: &Transaction, most: i64) -> Result<i64, Error> {
        let mut parameters = self.parameters();
        parameters.push(&most);
        transaction.one::<Counted>(COUNT, &parameters).await.map(|counted| counted.count)
    }

    /// The next ones behind a lead, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&self, transaction: &Transaction, behind: Option<&Lead>, most: i64) -> Result<Vec<Lead>, Error> {
        let (at, id) = (behind.map(|lead| lead.created_at), behind.map(|lead| lead.id));
        let mut parameters = self.parameters();
        parameters.extend([&at as &(dyn ToSql + Sync), &id, &most]);
        transaction.all(NEXT, &parameters).await
    }
}
