//! PUT /conversations/{id} — another subject, priority, tags or metadata; what is not given stays.

use std::collections::BTreeSet;

use conversations::{CONVERSATION, Conversation, ConversationUpdated, Priority, emit_conversation, lock, updated_conversation};
use futures_util::future::try_join;
use shared::{
    VISIBLE,
    error::{NOT_FOUND, STALE},
    prelude::*,
    visible,
};

const ROUTE: Route = Route::put("/conversations/{id}").or(&["PATCH /conversations/{id}"]).fails(&[
    METADATA_TOO_LONG,
    NOT_FOUND,
    STALE.showing::<Conversation>(),
]);

const METADATA_TOO_LONG: Problem =
    Problem::new(422, "metadata_too_long", "Os metadados podem ter no máximo 16 KB.", "Metadata may have at most 16 KB.");

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConversationChanges {
    /// Empty takes it away.
    #[garde(length(chars, max = 200), inner(custom(visible)))]
    #[schemars(regex(pattern = VISIBLE))]
    subject: Option<String>,
    /// All of them, each once.
    #[garde(length(max = 20), inner(inner(length(chars, min = 1, max = 40), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    tags: Option<Vec<String>>,
    #[garde(skip)]
    priority: Option<Priority>,
    /// All of it, at most 16 KB.
    #[garde(skip)]
    metadata: Option<Map<String, Value>>,
}

/// No row when it stays as it is.
const UPDATE: &str = updated_conversation!(
    "
        update conversations
           set subject = nullif(coalesce($2, subject), ''), tags = coalesce($3, tags), priority = coalesce($4, priority),
               metadata = coalesce($5, metadata), version = version + 1
         where id = $1
           and (subject, tags, priority, metadata) is distinct from
               (nullif(coalesce($2, subject), ''), coalesce($3, tags), coalesce($4, priority), coalesce($5, metadata))
        returning *"
);

pub fn main() {
    serve(&ROUTE, update_conversation);
}

async fn update_conversation(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    if_match: IfMatch,
    Json(input): Json<ConversationChanges>,
) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    let (_, current): (_, Conversation) = try_join(lock(&transaction, id), transaction.one(CONVERSATION, &[&id])).await?;
    if_match.check(&current)?;
    let ConversationChanges { subject, tags, priority, metadata } = input;
    let tags: Option<Vec<String>> = tags.map(each_once);
    let priority = priority.map(Priority::as_str);
    let metadata = metadata.map(Value::Object);
    let updated = transaction.first(UPDATE, &[&id, &subject, &tags, &priority, &metadata]).await;
    let updated = updated.on_constraint("conversations_metadata_check", METADATA_TOO_LONG)?;
    let Some(conversation): Option<Conversation> = updated else {
        return transaction.commit(Json(current)).await;
    };
    emit_conversation::<ConversationUpdated>(&transaction, agent.company_id, &conversation, Some(agent.user_id), None);
    let shown = |row: &Conversation| json!({"subject": row.subject, "tags": row.tags, "priority": row.priority});
    transaction.audit(id, &shown(&current), &shown(&conversation));
    transaction.commit(Json(conversation)).await
}

/// In the order given.
fn each_once(tags: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    tags.into_iter().filter(|tag| seen.insert(tag.clone())).collect()
}
