//! POST /bot/flows/{key}/publish — conversations that begin from now on begin with the draft, or with an earlier version again. Those that are in
//! another version go on in it.

use bot::stored::{BotFlow, Change, FLOW_CHANGED, FLOW_HAS_PROBLEMS, FlowKey, LOCK, NOTHING_TO_PUBLISH, Stored, VERSION, find};
use futures_util::future::{try_join, try_join4};
use shared::{error::NOT_FOUND, prelude::*};

const ROUTE: Route =
    Route::post("/bot/flows/{key}/publish").fails(&[NOT_FOUND, NOTHING_TO_PUBLISH, FLOW_CHANGED, FLOW_HAS_PROBLEMS]);

reads!(REACHABLE_INSIDE);

#[derive(Default, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The version that is to be brought back, instead of the draft.
    #[garde(range(min = 1))]
    #[schemars(range(min = 1))]
    number: Option<i32>,
    /// The version of the flow that was seen: another one is not published.
    #[garde(skip)]
    version: Option<i32>,
}

/// Numbers are given one after the other, those of flows that were removed included.
const PUBLISH: &str = "
    insert into bot_flows (id, key, number, name, definition, published_at, author_id, restored_from, version)
    select $1, $2, (select max(number) + 1 from bot_flows where key = $2), $3, $4, now(), app.user_id(), $5, $6";

const DROP_DRAFT: &str = "delete from bot_flows where key = $1 and number = 0 and $2";

const FOLLOW: &str = "select app.follow_flow($1)";

pub fn main() {
    serve(&ROUTE, publish_bot_flow);
}

async fn publish_bot_flow(
    context: Context,
    caller: Supervisor,
    Path(FlowKey(key)): Path<FlowKey>,
    Json(wish): Json<Wish>,
) -> Result<Json<BotFlow>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, current) = try_join(transaction.query(LOCK, &[&key]), find(&context, &transaction, &key)).await?;
    let current = current.ok_or(NOT_FOUND)?;
    if wish.version.is_some_and(|version| version != current.row.version) {
        return Err(FLOW_CHANGED.with_current(&current));
    }
    let wanted = match wish.number {
        None if !current.row.has_draft => return Err(NOTHING_TO_PUBLISH.with_current(&current)),
        None => current.clone(),
        Some(number) => {
            let (stored, published): (Stored, Option<Stored>) = try_join(
                transaction.one(VERSION, &[&key, &number]),
                transaction.first(VERSION, &[&key, &current.row.published_number]),
            )
            .await?;
            if published.is_some_and(|published| published.says_as(&stored)) {
                // It is what is published.
                return transaction.commit(Json(current)).await;
            }
            stored.told(context.origin().language)
        }
    };
    let wanted = wanted.looked_through(&context, &transaction).await?;
    let definition = Value::Object(wanted.definition.clone());
    if !wanted.problems.is_empty() {
        return Err(FLOW_HAS_PROBLEMS.with_current(&wanted));
    }
    let id = context.new_id();
    let version = current.row.version + 1;
    let published: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&id, &key, &wanted.row.name, &definition, &wish.number, &version];
    let (_, _, _, saved) = try_join4(
        async {
            transaction.execute(PUBLISH, &published).await.on_constraint("bot_flows_company_id_key_number_key", FLOW_CHANGED)
        },
        transaction.execute(DROP_DRAFT, &[&key, &wish.number.is_none()]),
        transaction.query(FOLLOW, &[&id]),
        find(&context, &transaction, &key),
    )
    .await?;
    let saved = saved.ok_or(NOT_FOUND)?;
    saved.tell(&transaction, Change::Published);
    transaction.audit(&key, &current, &saved);
    transaction.commit(Json(saved)).await
}
