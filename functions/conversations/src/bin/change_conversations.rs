//! POST /conversations/bulk — does one thing to many conversations, each judged by itself.

use std::collections::BTreeMap;

use conversations::{
    BulkAction, BulkHeld, BulkOutcome, Destination, HOLD_RECEIVER, INVALID_TARGET, LOCK_MANY, Priority, describe_only_one,
    may_assign, named_twice, only_one,
};
use futures_util::future::try_join3;
use shared::{
    VISIBLE,
    error::{NOT_FOUND, refuse},
    prelude::*,
    rule, visible,
};

const ROUTE: Route = Route::post("/conversations/bulk").fails(&[INVALID_TARGET, NOT_FOUND]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = one_action)]
struct ChangeConversations {
    /// Each of them once.
    #[garde(length(min = 1, max = 500), custom(one_of_these(self)))]
    #[schemars(extend("uniqueItems" = true))]
    conversation_ids: Vec<Uuid>,
    /// As `POST /conversations/{id}/close`.
    #[garde(dive)]
    close: Option<Close>,
    /// To a user, a department, or neither: back to their queue, which is a supervisor's to do.
    #[garde(dive)]
    assign: Option<Assign>,
    #[garde(length(min = 1, max = 20), inner(inner(length(chars, min = 1, max = 40), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    add_tags: Option<Vec<String>>,
    #[garde(length(min = 1, max = 20), inner(inner(length(chars, min = 1, max = 40), custom(visible))))]
    #[schemars(inner(length(min = 1, max = 40), regex(pattern = VISIBLE)))]
    remove_tags: Option<Vec<String>>,
    #[garde(skip)]
    priority: Option<Priority>,
    /// Read to the end, or its client's last message unread again.
    #[garde(skip)]
    read: Option<bool>,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BulkClose")]
struct Close {
    #[garde(length(chars, max = 200))]
    reason: Option<String>,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "BulkAssign", transform = at_most_one)]
struct Assign {
    #[garde(custom(not_both(&self.to_department_id)))]
    to_user_id: Option<Uuid>,
    #[garde(skip)]
    to_department_id: Option<Uuid>,
    #[garde(length(chars, max = 500))]
    reason: Option<String>,
}

/// What became of one conversation.
#[derive(Serialize, JsonSchema)]
struct Changed {
    conversation_id: Uuid,
    /// `unchanged` when it is as wanted already.
    outcome: BulkOutcome,
    /// Why it was refused: the code that the route for one would have answered.
    code: Option<&'static str>,
    detail: Option<&'static str>,
}

/// In the order asked for.
#[derive(Serialize, JsonSchema)]
struct ChangedAll {
    data: Vec<Changed>,
}

pub fn main() {
    serve(&ROUTE, change_conversations);
}

async fn change_conversations(
    context: Context,
    agent: Staff,
    Json(input): Json<ChangeConversations>,
) -> Result<Json<ChangedAll>, Error> {
    let ids = input.conversation_ids.clone();
    refuse(named_twice(&ids))?;
    let mut action = input.action();
    let transaction = context.begin(&agent).await?;
    let tags = action.tags().to_vec();
    let locked = async { transaction.all(LOCK_MANY, &[&ids, &tags]).await };
    let rows: Vec<BulkHeld> = match &mut action {
        BulkAction::Assign { to, name } => {
            may_assign(&agent, to)?;
            let receiver = to.user_id;
            let held = async { transaction.query(HOLD_RECEIVER, &[&receiver]).await };
            let (_, rows, found) = try_join3(held, locked, to.name(&transaction)).await?;
            if found.is_none() {
                return Err(INVALID_TARGET.into());
            }
            *name = found;
            rows
        }
        _ => locked.await?,
    };
    // As the route for one.
    if rows.is_empty() {
        return Err(NOT_FOUND.into());
    }
    let judged: BTreeMap<Uuid, Result<bool, Problem>> = rows.iter().map(|row| (row.held.id, action.judge(&agent, row))).collect();
    let changing: Vec<_> = rows.iter().map(|row| &row.held).filter(|held| judged[&held.id] == Ok(true)).collect();
    if !changing.is_empty() {
        action.apply(&context, &transaction, &agent, &changing).await?;
    }
    let language = context.origin().language;
    let became = ids.into_iter().map(|conversation_id| {
        let (outcome, problem) = match judged.get(&conversation_id).copied().unwrap_or(Err(NOT_FOUND)) {
            Ok(is_changed) => (if is_changed { BulkOutcome::Done } else { BulkOutcome::Unchanged }, None),
            Err(problem) => (BulkOutcome::Refused, Some(problem)),
        };
        let detail = problem.map(|problem| language.pick(problem.portuguese, problem.english));
        Changed { conversation_id, outcome, code: problem.map(|problem| problem.code), detail }
    });
    transaction.commit(Json(ChangedAll { data: became.collect() })).await
}

impl ChangeConversations {
    fn count(&self) -> usize {
        let given = [
            self.close.is_some(),
            self.assign.is_some(),
            self.add_tags.is_some(),
            self.remove_tags.is_some(),
            self.priority.is_some(),
            self.read.is_some(),
        ];
        given.into_iter().filter(|is_given| *is_given).count()
    }

    /// The one that is given.
    fn action(self) -> BulkAction {
        let Self { close, assign, add_tags, remove_tags, priority, read, .. } = self;
        let assign = assign.map(|Assign { to_user_id, to_department_id, reason }| BulkAction::Assign {
            to: Destination { user_id: to_user_id, department_id: to_department_id, reason },
            name: None,
        });
        assign
            .or(close.map(|Close { reason }| BulkAction::Close { reason }))
            .or(add_tags.map(BulkAction::AddTags))
            .or(remove_tags.map(BulkAction::RemoveTags))
            .or(priority.map(BulkAction::Priority))
            .unwrap_or(BulkAction::Read(read.unwrap_or_default()))
    }
}

fn one_of_these(input: &ChangeConversations) -> impl FnOnce(&Vec<Uuid>, &()) -> garde::Result {
    let count = input.count();
    move |_, ()| only_one(count)
}

fn not_both(department: &Option<Uuid>) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |user, ()| {
        if user.is_some() && department.is_some() {
            let portuguese = "Informe um usuário ou um departamento, não os dois.";
            return Err(rule("one_target", portuguese, "Give a user or a department, not both."));
        }
        Ok(())
    }
}

fn one_action(schema: &mut schemars::Schema) {
    const ACTIONS: [(&str, &str); 6] = [
        ("close", "object"),
        ("assign", "object"),
        ("add_tags", "array"),
        ("remove_tags", "array"),
        ("priority", "string"),
        ("read", "boolean"),
    ];
    describe_only_one(schema, &ACTIONS, &[]);
}

fn at_most_one(schema: &mut schemars::Schema) {
    let without = |name: &str| json!({"type": "object", "properties": {name: {"type": "null"}}});
    schema.insert("anyOf".into(), json!([without("to_user_id"), without("to_department_id")]));
}
