//! PUT /knowledge/synonyms — the words that mean the same in this company from now on, all of them.

use futures_util::future::try_join;
use knowledge::synonyms::{Group, KnowledgeSynonyms, KnowledgeSynonymsUpdated, Row, phrases};
use shared::{error::STALE, prelude::*};

const ROUTE: Route = Route::put("/knowledge/synonyms").fails(&[STALE.showing::<KnowledgeSynonyms>()]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSynonyms {
    #[garde(length(max = 200), dive)]
    groups: Vec<Group>,
}

const ENSURE_ROW: &str = "insert into knowledge_synonyms (company_id) values (app.company_id()) on conflict do nothing";

/// Nobody else saves them meanwhile.
const LOCKED: &str = "select groups, version from knowledge_synonyms for update";

const SAVE: &str = "update knowledge_synonyms set groups = $1, phrases = $2, version = version + 1";

pub fn main() {
    serve(&ROUTE, save_knowledge_synonyms);
}

async fn save_knowledge_synonyms(
    context: Context,
    caller: Supervisor,
    if_match: IfMatch,
    Json(NewSynonyms { groups }): Json<NewSynonyms>,
) -> Result<Json<KnowledgeSynonyms>, Error> {
    let transaction = context.begin(&caller).await?;
    let (_, row) = try_join(transaction.execute(ENSURE_ROW, &[]), transaction.first::<Row>(LOCKED, &[])).await?;
    let current = KnowledgeSynonyms::from(row);
    if_match.check(&current)?;
    if groups == current.groups {
        return transaction.commit(Json(current)).await;
    }
    let phrases = Value::Object(phrases(&groups));
    transaction.execute(SAVE, &[&json!(groups), &phrases]).await?;
    let saved = KnowledgeSynonyms { groups, version: current.version + 1 };
    transaction.tell_staff(&KnowledgeSynonymsUpdated { version: saved.version });
    transaction.audit(caller.company_id, &current, &saved);
    transaction.commit(Json(saved)).await
}
