//! GET /clients/export — the clients that a list with these filters shows, as a file: redirects to a URL that works for five minutes.

use clients::{
    Client,
    export::{ExportFormat, Separator, Sheet, hand_out, header, row},
    fields,
    found::FOUND,
};
use conversations::search::numbers;
use futures_util::future::try_join3;
use shared::prelude::*;

const ROUTE: Route = Route::get("/clients/export").fails(&[TOO_MANY_CLIENTS]).needs(Privilege::Files);

const TOO_MANY_CLIENTS: Problem = Problem::new(
    422,
    "too_many_clients",
    "São mais de 100.000 clientes. Use os filtros.",
    "There are more than 100,000 clients. Use the filters.",
);

/// Clients of a file, at most: what is written well within the time that an answer may take.
const MOST: usize = 100_000;

/// Clients that are read at a time.
const FULL: usize = 1_000;
const PAGE: i64 = 1_000;

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// `csv` when it is not given.
    #[garde(skip)]
    format: Option<ExportFormat>,
    /// `;` when it is not given.
    #[garde(skip)]
    separator: Option<Separator>,
    /// As of the list.
    #[garde(length(chars, max = 200))]
    search: Option<String>,
    #[garde(length(chars, max = 40))]
    tag: Option<String>,
    /// `true`: those that were deleted.
    #[garde(skip)]
    archived: Option<bool>,
    #[garde(skip)]
    blocked: Option<bool>,
}

/// In which the columns are named.
const LANGUAGE: &str = "select locale from companies";

#[derive(FromRow)]
struct Language {
    locale: Locale,
}

pub fn main() {
    serve(&ROUTE, export_clients);
}

async fn export_clients(context: Context, caller: SteppedUp<Supervisor>, Query(wish): Query<Wish>) -> Result<Redirect, Error> {
    let Wish { format, separator, search, tag, archived, blocked } = wish;
    let format = format.unwrap_or(ExportFormat::Csv);
    let mut sheet = Sheet::of(format, separator)?;
    let phones = search.as_deref().map(numbers).unwrap_or_default();
    let transaction = context.begin(&caller).await?;
    let read = async |at: Option<Timestamp>, after: Option<Uuid>| {
        transaction.all::<Client>(FOUND, &[&search, &phones, &tag, &archived, &false, &at, &after, &PAGE, &blocked]).await
    };
    let (fields, Language { locale }, mut page) =
        try_join3(fields::read(&transaction), transaction.one(LANGUAGE, &[]), read(None, None)).await?;
    sheet.push(&header(locale, &fields))?;
    let mut count = 0;
    loop {
        count += page.len();
        if count > MOST {
            return Err(TOO_MANY_CLIENTS.into());
        }
        for client in &page {
            sheet.push(&row(locale, &fields, client))?;
        }
        let Some(last) = page.last().filter(|_| page.len() == FULL) else { break };
        page = read(Some(last.created_at), Some(last.id)).await?;
    }
    let name = format!("clientes-{}", &context.now().to_string()[..10]);
    hand_out(&context, transaction, caller.company_id, (sheet, format), (name, format!("clients:{count}"))).await
}
