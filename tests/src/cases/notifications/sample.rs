//! What sample events of notifications are about.

use serde_json::json;
use tests::{Company, Stack, company::text};
use uuid::Uuid;

/// The value of a placeholder in a function's sample.
pub async fn value(stack: &Stack, company: &Company, placeholder: &str) -> String {
    match placeholder {
        "notification_id" => told(stack, company).await,
        _ => job(stack, company).await,
    }
}

/// Something that the admin was told of; answers its id.
pub async fn told(stack: &Stack, company: &Company) -> String {
    let note =
        json!({"client_id": client(company).await, "text": "@admin, a Ana pediu desconto", "mention_ids": [company.admin.id]});
    let note = company.supervisor.api.post("/notes", note).await.expect(201);
    let note: Uuid = text(&note["id"]).parse().expect("an id");
    let sql = "select id from notifications where source_id = $1 and user_id = $2";
    stack.database().await.query_one(sql, &[&note, &company.admin.id]).await.expect("a row").get::<_, Uuid>(0).to_string()
}

async fn client(company: &Company) -> String {
    let client = json!({"name": format!("Ana {}", Uuid::now_v7().simple())});
    text(&company.admin.api.post("/clients", client).await.expect(201)["id"]).to_owned()
}

/// A digest that is due, in a lane of its own: nobody but the run works on it.
async fn job(stack: &Stack, company: &Company) -> String {
    told(stack, company).await;
    let id = Uuid::now_v7();
    let add = "
        insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
        values ($1, $2, 'mail_notifications', 'notification', $1::uuid::text, jsonb_build_object('user_id', $3::uuid), now(), 1)";
    stack.database().await.execute(add, &[&id, &company.id, &company.admin.id]).await.expect("a job");
    id.to_string()
}
