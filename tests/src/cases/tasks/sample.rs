//! What sample events of tasks are about.

use serde_json::json;
use tests::{Company, company::text};
use uuid::Uuid;

use crate::cases::contract::sample::in_an_hour;

/// One that comes again every week, about a client.
pub async fn task(company: &Company) -> String {
    let client = json!({"name": format!("Ana {}", Uuid::now_v7().simple())});
    let client = company.admin.api.post("/clients", client).await.expect(201);
    let task = json!({"kind": "call", "title": "Ligar para a Ana", "due_at": in_an_hour(), "recurrence": "weekly", "client_id": client["id"]});
    text(&company.admin.api.post("/tasks", task).await.expect(201)["id"]).to_owned()
}
