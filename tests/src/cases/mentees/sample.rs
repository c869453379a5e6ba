//! What sample events of mentees are about.

use serde_json::{Value, json};
use tests::{Company, company::text};

/// The value of a placeholder in a function's sample.
pub async fn value(company: &Company, placeholder: &str) -> String {
    match placeholder {
        "mentee_token" => {
            begin(company, company.students[0].id.to_string()).await;
            company.students[0].api.token.clone().unwrap_or_default()
        }
        _ => mentee(company).await,
    }
}

/// One of whom three months are told, and what they think.
pub async fn mentee(company: &Company) -> String {
    let client = json!({"name": "Ana Lima"});
    let client = company.admin.api.post("/clients", client).await.expect(201);
    let id = begin(company, text(&client["id"]).to_owned()).await;
    for (month, revenue) in [(1, "10000"), (2, "12000"), (3, "9000")] {
        let told = json!({"year": 2026, "month": month, "revenue": revenue, "notes": "Contado na reunião"});
        company.admin.api.post(&format!("/mentees/{id}/evolution"), told).await.expect(200);
    }
    let feedback = json!({"overall": 8, "nps": 9, "text": "Ajudou muito"});
    company.admin.api.post(&format!("/mentees/{id}/feedback"), feedback).await.expect(201);
    id
}

/// The client is mentored from now on, if they were not.
async fn begin(company: &Company, client: String) -> String {
    let mentee = json!({"client_id": client, "mentor_id": company.agents[0].id, "entry_month": "2026-01"});
    let begun = company.admin.api.post("/mentees", mentee).await;
    let row: &Value = if begun.status == 409 { &begun.body["current"] } else { &begun.body };
    text(&row["id"]).to_owned()
}
