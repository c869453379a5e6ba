//! PUT /integrations/prices — what calls to providers cost from now on. Those that were made keep what they cost.

use futures_util::future::try_join;
use integrations::calls::{Price, Prices, PricesRow, PricesUpdated, repeated};
use shared::{
    error::{FieldProblem, STALE, refuse},
    parameters,
    prelude::*,
    rule,
};

const ROUTE: Route = Route::put("/integrations/prices").fails(&[STALE.showing::<Prices>()]);

const CURRENCY: &str = "^[A-Z]{3}$";

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPrices {
    /// Three letters, such as `BRL`.
    #[garde(custom(is_currency))]
    #[schemars(regex(pattern = CURRENCY))]
    currency: String,
    /// One for each operation that costs something; the others cost nothing.
    #[garde(length(max = 100), dive)]
    prices: Vec<Price>,
}

const ENSURE_ROW: &str = "insert into integration_prices (company_id) values (app.company_id()) on conflict do nothing";

/// Nobody else saves them meanwhile.
const LOCKED: &str = "select currency, prices, version from integration_prices where company_id = app.company_id() for update";

const SAVE: &str = "
    update integration_prices
       set currency = $1, prices = $2, version = version + 1
     where company_id = app.company_id()";

pub fn main() {
    serve(&ROUTE, save_prices);
}

async fn save_prices(
    context: Context,
    caller: Admin,
    if_match: IfMatch,
    Json(input): Json<NewPrices>,
) -> Result<Json<Prices>, Error> {
    refuse(repeated(&input.prices).into_iter().map(|position| {
        let (portuguese, english) = ("Esta operação já tem um preço.", "This operation has a price already.");
        FieldProblem::new(format!("prices[{position}].operation"), "repeated", portuguese, english)
    }))?;
    let transaction = context.begin(&caller).await?;
    let (_, row) = try_join(transaction.execute(ENSURE_ROW, &[]), transaction.one::<PricesRow>(LOCKED, &[])).await?;
    let current = Prices::from(row);
    if_match.check(&current)?;
    let NewPrices { currency, prices } = input;
    let saved = Prices { currency, prices, version: current.version + 1 };
    if (&saved.currency, &saved.prices) == (&current.currency, &current.prices) {
        return transaction.commit(Json(current)).await;
    }
    transaction.defer(SAVE, parameters![saved.currency.clone(), json!(saved.prices)]);
    transaction.tell_staff(&PricesUpdated { version: saved.version });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}

fn is_currency(text: &str, (): &()) -> garde::Result {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(rule("pattern", "Use as três letras da moeda, como BRL.", "Use the currency's three letters, such as BRL."))
}
