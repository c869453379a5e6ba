//! POST /quick-replies — a quick reply of one's own, of a department or of the company.

use quick_replies::{
    QuickReply, QuickReplyCreated, QuickReplyScope, SHORTCUT, SHORTCUT_TAKEN, SUPERVISORS_ONLY, TOO_MANY, WITH_SHORTCUT,
    check_files, is_shortcut, may_write, quick_reply_columns, without_slash,
};
use shared::{
    VISIBLE,
    error::{FieldProblem, INVALID},
    files::QUARANTINED,
    prelude::*,
    visible,
};

const ROUTE: Route = Route::post("/quick-replies").fails(&[QUARANTINED, SHORTCUT_TAKEN, SUPERVISORS_ONLY, TOO_MANY]);

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = a_department_where_it_is_one)]
struct NewQuickReply {
    #[garde(skip)]
    scope: QuickReplyScope,
    /// With the scope `department`, whose it is.
    #[garde(custom(department_of(self.scope)))]
    department_id: Option<Uuid>,
    /// With or without the slash.
    #[garde(custom(is_shortcut))]
    #[schemars(regex(pattern = SHORTCUT))]
    shortcut: String,
    #[garde(length(chars, min = 1, max = 80), custom(visible))]
    #[schemars(regex(pattern = VISIBLE))]
    title: String,
    /// May have `{{client.name}}`, `{{agent.name}}` and `{{protocol}}` in it.
    #[garde(length(chars, min = 1, max = 4096))]
    text: String,
    /// Own uploads of the purpose `message` that go with it, in this order.
    #[serde(default)]
    #[garde(length(max = 5), custom(|files: &Vec<Uuid>, context| shared::each_file_once(files, context)))]
    #[schemars(extend("uniqueItems" = true))]
    file_ids: Vec<Uuid>,
}

/// Not gone before the reply is there.
const DEPARTMENT: &str = "select from departments where id = $1 and deleted_at is null for key share";

/// No row when the shortcut is taken.
const CREATE: &str = concat!(
    "with quick_replies as (
        insert into quick_replies (id, owner_id, department_id, shortcut, title, text, file_ids)
        values ($1, case when $2 = 'personal' then app.user_id() end, $3, $4, $5, $6, $7)
        on conflict on constraint quick_replies_shortcut_key do nothing
        returning *
    ) select ",
    quick_reply_columns!(),
    " from quick_replies"
);

pub fn main() {
    serve(&ROUTE, create_quick_reply);
}

async fn create_quick_reply(
    context: Context,
    agent: Staff,
    _: IdempotencyKey,
    Json(input): Json<NewQuickReply>,
) -> Result<Created<QuickReply>, Error> {
    if !may_write(input.scope, &agent) {
        return Err(SUPERVISORS_ONLY.into());
    }
    let NewQuickReply { department_id, title, text, file_ids, .. } = &input;
    let (scope, shortcut) = (input.scope.as_str(), without_slash(&input.shortcut));
    let transaction = context.begin(&agent).await?;
    if department_id.is_some() && transaction.query(DEPARTMENT, &[department_id]).await?.is_empty() {
        let (portuguese, english) = ("Departamento não encontrado.", "No such department.");
        return Err(INVALID.in_fields(vec![FieldProblem::new("department_id", "not_found", portuguese, english)]));
    }
    check_files(&transaction, file_ids).await?;
    let id = context.new_id();
    let created: Option<QuickReply> = transaction
        .first(CREATE, &[&id, &scope, department_id, &shortcut, title, text, file_ids])
        .await
        .on_constraint("quick_replies_most", TOO_MANY)?;
    let Some(reply) = created else {
        let current: Option<QuickReply> = transaction.first(WITH_SHORTCUT, &[&scope, department_id, &shortcut]).await?;
        return Err(SHORTCUT_TAKEN.with_current(&current));
    };
    reply.tell(&transaction, &agent, &QuickReplyCreated { quick_reply: reply.clone() });
    transaction.audit(id, &Value::Null, &reply);
    transaction.commit(Created(reply)).await
}

fn department_of(scope: QuickReplyScope) -> impl FnOnce(&Option<Uuid>, &()) -> garde::Result {
    move |department, ()| match (scope, department) {
        (QuickReplyScope::Department, None) => Err(shared::rule("required", "Informe o departamento.", "Give the department.")),
        (QuickReplyScope::Personal | QuickReplyScope::Company, Some(_)) => {
            let (portuguese, english) = ("Só com o escopo department.", "With the scope department only.");
            Err(shared::rule("not_together", portuguese, english))
        }
        _ => Ok(()),
    }
}

/// As `department_of` says it, for the description.
fn a_department_where_it_is_one(schema: &mut schemars::Schema) {
    let branch = |title: &str, scopes: &[&str], department: Value, required: &[&str]| {
        let properties = json!({"scope": {"enum": scopes}, "department_id": department});
        json!({"title": title, "type": "object", "required": required, "properties": properties})
    };
    let branches = json!([
        branch("of_a_department", &["department"], json!({"type": "string"}), &["scope", "department_id"]),
        branch("of_a_person_or_the_company", &["personal", "company"], json!({"type": "null"}), &["scope"]),
    ]);
    schema.insert("oneOf".into(), branches);
}
