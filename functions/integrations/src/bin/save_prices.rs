//! PUT /integrations/prices — what calls to providers cost from now on. Those that were made keep what they cost.

use futures_util::future::try_join;
use integrations::calls::{
    CURRENCY, MessagePrice, Price, Prices, PricesRow, PricesUpdated, is_currency, repeated, repeated_messages,
};
use shared::{
    error::{FieldProblem, STALE, refuse},
    parameters,
    prelude::*,
};

const ROUTE: Route = Route::put("/integrations/prices").fails(&[STALE.showing::<Prices>()]);

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
    /// What messages cost, by category, country and day; left out, they stay.
    #[garde(length(max = 1000), dive)]
    message_prices: Option<Vec<MessagePrice>>,
}

const ENSURE_ROW: &str = "insert into integration_prices (company_id) values (app.company_id()) on conflict do nothing";

/// Nobody else saves them meanwhile.
const LOCKED: &str =
    "select currency, prices, message_prices, version from integration_prices where company_id = app.company_id() for update";

const SAVE: &str = "
    update integration_prices
       set currency = $1, prices = $2, message_prices = $3, version = version + 1
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
    let operations = repeated(&input.prices).into_iter().map(|position| {
        let (portuguese, english) = ("Esta operação já tem um preço.", "This operation has a price already.");
        FieldProblem::new(format!("prices[{position}].operation"), "repeated", portuguese, english)
    });
    let messages = repeated_messages(input.message_prices.as_deref().unwrap_or_default()).into_iter().map(|position| {
        let (portuguese, english) =
            ("Esta categoria já tem um preço deste dia.", "This category has a price of this day already.");
        FieldProblem::new(format!("message_prices[{position}].valid_from"), "repeated", portuguese, english)
    });
    refuse(operations.chain(messages))?;
    let transaction = context.begin(&caller).await?;
    let (_, row) = try_join(transaction.execute(ENSURE_ROW, &[]), transaction.one::<PricesRow>(LOCKED, &[])).await?;
    let current = Prices::from(row);
    if_match.check(&current)?;
    let NewPrices { currency, prices, message_prices } = input;
    let message_prices = message_prices.unwrap_or_else(|| current.message_prices.clone());
    let saved = Prices { currency, prices, message_prices, version: current.version + 1 };
    if (Prices { version: current.version, ..saved.clone() }) == current {
        return transaction.commit(Json(current)).await;
    }
    transaction.defer(SAVE, parameters![saved.currency.clone(), json!(saved.prices), json!(saved.message_prices)]);
    transaction.tell_staff(&PricesUpdated { version: saved.version });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}
