//! POST /conversations/{id}/transfer — to another user, or to a department where it waits again.

use conversations::{CONVERSATION_CLOSED, Conversation, Destination, INVALID_TARGET, NOT_HOLDER, lock, transfer};
use futures_util::future::try_join;
use shared::prelude::*;

const ROUTE: Route = Route::post("/conversations/{id}/transfer").or(&["/chats/{id}/transfer"]).fails(&[
    CONVERSATION_CLOSED,
    NOT_HOLDER,
    INVALID_TARGET,
]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = either_target)]
struct Transfer {
    /// Give either a user or a department.
    #[garde(custom(one_target(&self.to_department_id)))]
    to_user_id: Option<Uuid>,
    #[garde(skip)]
    to_department_id: Option<Uuid>,
    #[garde(length(chars, max = 500))]
    reason: Option<String>,
}

pub fn main() {
    serve(&ROUTE, transfer_conversation);
}

async fn transfer_conversation(
    context: Context,
    agent: Staff,
    Path(id): Path<Uuid>,
    Json(input): Json<Transfer>,
) -> Result<Json<Conversation>, Error> {
    let transaction = context.begin(&agent).await?;
    let Transfer { to_user_id, to_department_id, reason } = input;
    let to = Destination { user_id: to_user_id, department_id: to_department_id, reason };
    let (held, name) = try_join(lock(&transaction, id), to.name(&transaction)).await?;
    if held.is_closed() {
        return Err(held.refuse(&transaction, CONVERSATION_CLOSED).await);
    }
    if !held.may_be_moved_by(&agent) {
        return Err(held.refuse(&transaction, NOT_HOLDER).await);
    }
    let conversation = transfer(&context, &transaction, &agent, &held, to, name).await?;
    transaction.commit(Json(conversation)).await
}

/// As `one_target` says it, for the description.
fn either_target(schema: &mut schemars::Schema) {
    let to = |given: &str, other: &str| {
        let properties = json!({given: {"type": "string"}, other: {"type": "null"}});
        json!({"title": given, "type": "object", "required": [given], "properties": properties})
    };
    schema.insert("oneOf".into(), json!([to("to_user_id", "to_department_id"), to("to_department_id", "to_user_id")]));
}

fn one_target(department: &Option<Uuid>) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |user, ()| {
        if user.is_some() == department.is_some() {
            return Err(shared::rule(
                "one_target",
                "Informe um usuário ou um departamento, e só um dos dois.",
                "Give either a user or a department, not both.",
            ));
        }
        Ok(())
    }
}
