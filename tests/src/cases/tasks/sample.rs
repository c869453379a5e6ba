//! What sample events of tasks are about.

use serde_json::{Value, json};
use tests::{Company, company::text};

use crate::cases::contract::sample::in_an_hour;

/// The value of a placeholder in a function's sample.
pub async fn value(company: &Company, placeholder: &str) -> String {
    let task = made(company).await;
    text(&task[if placeholder == "task_id" { "id" } else { "client_id" }]).to_owned()
}

pub async fn task(company: &Company) -> String {
    value(company, "task_id").await
}

/// One that comes again every week, about a client.
async fn made(company: &Company) -> Value {
    let client = company.admin.api.post("/clients", json!({"name": "Ana Lima"})).await.expect(201);
    let task = json!({"kind": "call", "title": "Ligar para a Ana", "due_at": in_an_hour(), "recurrence": "weekly", "client_id": client["id"]});
    company.admin.api.post("/tasks", task).await.expect(201)
}
