//! GET /leads/export — the leads that a list with these filters shows, as a file: redirects to a URL that works for five minutes.

use clients::export::{ExportFormat, Separator, Sheet, hand_out};
use futures_util::future::try_join4;
use leads::{export, lead_filters};
use scores::fields;
use shared::prelude::*;

const ROUTE: Route = Route::get("/leads/export").fails(&[TOO_MANY_LEADS]).needs(Privilege::Files);

const TOO_MANY_LEADS: Problem = Problem::new(
    422,
    "too_many_leads",
    "São mais de 100.000 leads. Use os filtros.",
    "There are more than 100,000 leads. Use the filters.",
);

/// Leads of a file, at most: what is written well within the time that an answer may take.
const MOST: usize = 100_000;

/// Leads that are read at a time.
const FULL: usize = 1_000;
const PAGE: i64 = 1_000;

lead_filters! {
    /// Which leads, and how they are written down.
    LeadExport {
        /// `csv` when it is not given.
        #[garde(skip)]
        format: Option<ExportFormat>,
        /// `;` when it is not given.
        #[garde(skip)]
        separator: Option<Separator>,
    }
}

/// In which the columns are named.
const LANGUAGE: &str = "select locale from companies";

#[derive(FromRow)]
struct Language {
    locale: Locale,
}

pub fn main() {
    serve(&ROUTE, export_leads);
}

async fn export_leads(
    context: Context,
    caller: SteppedUp<Supervisor>,
    Query(wish): Query<LeadExport>,
) -> Result<Redirect, Error> {
    let format = wish.format.unwrap_or(ExportFormat::Csv);
    let mut sheet = Sheet::of(format, wish.separator)?;
    let asked = wish.asked(caller.user_id);
    let transaction = context.begin(&caller).await?;
    let (own, people, Language { locale }, mut page) = try_join4(
        fields::read(&transaction),
        export::people(&transaction),
        transaction.one(LANGUAGE, &[]),
        asked.next(&transaction, None, PAGE),
    )
    .await?;
    sheet.push(&export::header(locale, &own.fields))?;
    let mut count = 0;
    loop {
        count += page.len();
        if count > MOST {
            return Err(TOO_MANY_LEADS.into());
        }
        for lead in &page {
            sheet.push(&export::row(locale, &own.fields, &people, lead))?;
        }
        let Some(last) = page.last().filter(|_| page.len() == FULL) else { break };
        page = asked.next(&transaction, Some(last), PAGE).await?;
    }
    let name = format!("leads-{}", &context.now().to_string()[..10]);
    hand_out(&context, transaction, caller.company_id, (sheet, format), (name, format!("leads:{count}"))).await
}
