//! GET /clients — clients, newest first; found by name, part of a phone, e-mail or document, and by tag.

use clients::{Client, found::FOUND};
use conversations::search::numbers;
use shared::prelude::*;

const ROUTE: Route = Route::get("/clients");

#[derive(Deserialize, Validate, JsonSchema)]
struct Filters {
    /// A name or a part of it, whatever its accents; four digits or more of a phone in any writing; an e-mail; a CPF or CNPJ, or
    /// how it begins.
    #[garde(length(chars, max = 200))]
    search: Option<String>,
    #[garde(length(chars, max = 40))]
    tag: Option<String>,
    /// `true`: those that were deleted.
    #[garde(skip)]
    archived: Option<bool>,
    /// `true`: those who are blocked; `false`: the others.
    #[garde(skip)]
    blocked: Option<bool>,
}

pub fn main() {
    serve(&ROUTE, list_clients);
}

async fn list_clients(context: Context, caller: Staff, asked: List<Filters>) -> Result<Page<Client>, Error> {
    let List { filters: Filters { search, tag, archived, blocked }, order, at, id, wanted } = &asked;
    let [search, tag] = [search, tag].map(|text| text.as_ref().filter(|text| !text.is_empty()));
    let phones = search.map(|text| numbers(text)).unwrap_or_default();
    let transaction = context.begin(&caller).await?;
    let is_oldest_first = *order == Order::Asc;
    let rows = transaction.all(FOUND, &[&search, &phones, &tag, archived, &is_oldest_first, at, id, wanted, blocked]).await?;
    Ok(asked.page(rows, |client: &Client| (client.created_at, client.id)))
}
