//! GET /bot/flows/{key} — a flow with all that is wrong with it: its draft, what is published without one, or the version that is asked for.

use bot::stored::{BotFlow, FlowKey, Stored, VERSION, find};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route = Route::get("/bot/flows/{key}").fails(&[NOT_FOUND]);

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
struct Wish {
    /// A version that was published.
    #[garde(range(min = 1))]
    #[schemars(range(min = 1))]
    number: Option<i32>,
}

pub fn main() {
    serve(&ROUTE, get_bot_flow);
}

async fn get_bot_flow(
    context: Context,
    caller: Supervisor,
    Path(FlowKey(key)): Path<FlowKey>,
    Query(wish): Query<Wish>,
) -> Result<Json<BotFlow>, Error> {
    let transaction = context.begin(&caller).await?;
    let found = match wish.number {
        None => find(&context, &transaction, &key).await?,
        Some(number) => {
            let stored: Option<Stored> = transaction.first(VERSION, &[&key, &number]).await?;
            stored.map(|stored| stored.told(context.origin().language))
        }
    };
    found.ok_or(NOT_FOUND)?.looked_through(&context, &transaction).await.map(Json)
}
