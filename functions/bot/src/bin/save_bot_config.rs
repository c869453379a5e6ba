//! PUT /bot/config/{key} — the company's own words in place of what is built in.

use bot::config::{BotConfig, BotConfigUpdated, Key, OTHERS, ROW, Row};
use futures_util::future::try_join;
use shared::{
    error::{FieldProblem, INVALID, NOT_FOUND, refuse},
    prelude::*,
};

const ROUTE: Route = Route::put("/bot/config/{key}").or(&["PUT /bot/config"]).fails(&[NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewValue {
    /// The key, where the path has none.
    #[garde(skip)]
    key: Option<Key>,
    /// A text, or a list of words. Left out, it stays; so does what is built in.
    #[garde(skip)]
    value: Option<Value>,
    #[garde(length(chars, max = 200))]
    description: Option<String>,
    /// Without it, what is built in counts.
    #[garde(skip)]
    is_active: Option<bool>,
}

const SAVE: &str = "
    insert into bot_config (key, value, description, is_active)
    values ($1, $2, $3, $4)
    on conflict (company_id, key) do update
       set value = excluded.value, description = excluded.description, is_active = excluded.is_active, updated_at = now()
    returning key, value, description, is_active";

pub fn main() {
    serve(&ROUTE, save_bot_config);
}

async fn save_bot_config(
    context: Context,
    caller: Supervisor,
    path: Option<Path<String>>,
    Json(input): Json<NewValue>,
) -> Result<Json<BotConfig>, Error> {
    let transaction = context.begin(&caller).await?;
    let key = match path {
        Some(Path(key)) => {
            let key = key.parse().map_err(|_| NOT_FOUND)?;
            refuse(input.key.filter(|other| *other != key).map(|_| {
                let (portuguese, english) = ("O endereço e o corpo têm chaves diferentes.", "Path and body have different keys.");
                FieldProblem::new("key", "two_values", portuguese, english)
            }))?;
            key
        }
        None => input.key.ok_or(NOT_FOUND)?,
    };
    let (row, others): (Option<Row>, Vec<Row>) =
        try_join(transaction.first(ROW, &[&key.as_str()]), transaction.all(OTHERS, &[&key.as_str()])).await?;
    let current = BotConfig::told(key, row.as_ref());
    let value = match input.value {
        Some(value) => {
            let value = key.take(&value).ok_or_else(|| {
                let (portuguese, english) = key.rule();
                INVALID.in_fields(vec![FieldProblem::new("value", "not_of_key", portuguese, english)])
            })?;
            refuse(key.clash(&value, &others).map(|word| {
                let portuguese = format!("A palavra {word} já faz outra coisa.");
                let english = format!("The word {word} does something else already.");
                FieldProblem::new("value", "used_elsewhere", &portuguese, &english)
            }))?;
            value
        }
        None => row.as_ref().map_or_else(|| key.built_in(), |row| row.value.clone()),
    };
    let description = input.description.or_else(|| row.as_ref().and_then(|row| row.description.clone()));
    let is_active = input.is_active.unwrap_or_else(|| row.as_ref().is_none_or(|row| row.is_active));
    let saved: Row = transaction.one(SAVE, &[&key.as_str(), &value, &description, &is_active]).await?;
    let saved = BotConfig::told(key, Some(&saved));
    transaction.tell_staff(&BotConfigUpdated { key });
    transaction.audit(key.as_str(), &current, &saved);
    transaction.commit(Json(saved)).await
}
