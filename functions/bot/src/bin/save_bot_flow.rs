//! PUT /bot/flows/{key} — keeps a flow as its draft, whatever is wrong with it; what is published goes on as it is.

use bot::stored::{BotFlow, Change, KEY, LARGEST, LOCK, find, is_key};
use futures_util::future::try_join;
use shared::{
    VISIBLE,
    error::{FieldProblem, STALE, refuse},
    prelude::*,
    visible,
};

const ROUTE: Route = Route::put("/bot/flows/{key}").fails(&[STALE.showing::<Option<BotFlow>>()]).body_limit(2 * LARGEST);

reads!(REACHABLE_INSIDE);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DrawnFlow {
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    name: String,
    /// Nodes and what holds them together; `docs/bot.md` says what there is. At most 256 KB.
    #[garde(skip)]
    definition: Map<String, Value>,
}

/// The draft takes the place of the one before.
const SAVE: &str = "
    insert into bot_flows (id, key, number, name, definition, author_id, version)
    values ($1, $2, 0, $3, $4, app.user_id(), $5)
    on conflict (company_id, key, number) do update
       set name = excluded.name, definition = excluded.definition, author_id = excluded.author_id, version = bot_flows.version + 1,
           updated_at = now(), removed_at = null";

pub fn main() {
    serve(&ROUTE, save_bot_flow);
}

async fn save_bot_flow(
    context: Context,
    caller: Supervisor,
    Path(key): Path<String>,
    if_match: IfMatch,
    Json(input): Json<DrawnFlow>,
) -> Result<Json<BotFlow>, Error> {
    let definition = Value::Object(input.definition);
    refuse(problems(&key, &definition))?;
    let transaction = context.begin(&caller).await?;
    let (_, current) = try_join(transaction.query(LOCK, &[&key]), find(&context, &transaction, &key)).await?;
    if_match.check(&current)?;
    if let Some(current) = current.as_ref().filter(|current| is_same(current, &input.name, &definition)) {
        let same = current.clone().looked_through(&context, &transaction).await?;
        return transaction.commit(Json(same)).await;
    }
    let version = current.as_ref().map_or(1, |current| current.row.version + 1);
    let id = context.new_id();
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 5] = [&id, &key, &input.name, &definition, &version];
    let (_, saved) = try_join(transaction.execute(SAVE, &row), find(&context, &transaction, &key)).await?;
    let saved = saved.ok_or(STALE)?.looked_through(&context, &transaction).await?;
    saved.tell(&transaction, Change::Saved);
    transaction.audit(&key, &current, &saved);
    transaction.commit(Json(saved)).await
}

fn is_same(current: &BotFlow, name: &str, definition: &Value) -> bool {
    current.row.name == name && definition.as_object() == Some(&current.definition)
}

fn problems(key: &str, definition: &Value) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    if !is_key(key) {
        let portuguese = "Use letras minúsculas, números, - e _, começando com letra.";
        let english = format!("Use what {KEY} matches.");
        problems.push(FieldProblem::new("key", "pattern", portuguese, &english));
    }
    if definition.to_string().len() > LARGEST {
        let (portuguese, english) = ("O fluxo passa de 256 KB.", "The flow is larger than 256 KB.");
        problems.push(FieldProblem::new("definition", "too_large", portuguese, english));
    }
    problems
}
