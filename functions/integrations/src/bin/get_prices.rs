//! GET /integrations/prices — what the company pays for calls to providers.

use integrations::calls::{Prices, PricesRow};
use shared::prelude::*;

const ROUTE: Route = Route::get("/integrations/prices");

/// A row also where nothing was saved yet.
const PRICES: &str = "
    select coalesce(prices.currency, 'BRL') as currency, coalesce(prices.prices, '[]') as prices,
           coalesce(prices.message_prices, '[]') as message_prices, coalesce(prices.version, 0) as version
      from companies
      left join integration_prices prices on prices.company_id = companies.id
     where companies.id = app.company_id()";

pub fn main() {
    serve(&ROUTE, get_prices);
}

async fn get_prices(context: Context, caller: Supervisor) -> Result<Json<Prices>, Error> {
    let transaction = context.begin(&caller).await?;
    let row: PricesRow = transaction.one(PRICES, &[]).await?;
    Ok(Json(row.into()))
}
