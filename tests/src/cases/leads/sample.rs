//! What sample events of sales are about.

use serde_json::{Value, json};
use tests::{Company, Stack, company::text};
use uuid::Uuid;

use super::{imported, lead_with, path, pipeline, stage};
use crate::cases::{contract::sample::watched_job, upload};

/// The value of a placeholder in a function's sample.
pub async fn value(stack: &Stack, company: &Company, function: &str, placeholder: &str) -> String {
    let admin = &company.admin;
    match placeholder {
        // A column is a column of the company's first pipeline.
        "pipeline_id" if ["list_stage_leads", "get_board"].contains(&function) => text(&pipeline(admin).await["id"]).to_owned(),
        "pipeline_id" => own_pipeline(company, &format!("Funil {}", Uuid::now_v7().simple())).await,
        "stage_id" => {
            let first = pipeline(admin).await;
            let stage = stage(&first, "contacted");
            if function == "list_stage_leads" {
                lead_with(admin, json!({"name": "Ana Lima", "stage_id": stage})).await;
            }
            stage
        }
        "lead_id" | "other_lead_id" => {
            let lead = worked(company).await;
            if function == "restore_lead" {
                admin.api.call(reqwest::Method::DELETE, &path(&lead), None).await.expect(204);
            }
            text(&lead["id"]).to_owned()
        }
        "lead_merge_id" => merge(company).await,
        "leaving_user_id" => {
            let person = company.agents[0].id;
            lead_with(admin, json!({"name": "De quem sai", "closer_id": person})).await;
            person.to_string()
        }
        "lead_table_id" => table(stack, company).await,
        "lead_import_id" => ended_import(stack, company).await,
        "lead_import_job_id" => import_job(stack, company).await,
        "stage_job_id" => entry(stack, company).await,
        _ => {
            worked(company).await;
            watched_job(stack, company, ("recompute_scores", "scores"), json!({"version": 0})).await
        }
    }
}

/// A pipeline without leads, with the usual stages; answers its id.
pub async fn own_pipeline(company: &Company, name: &str) -> String {
    text(&company.admin.api.post("/pipelines", json!({"name": name})).await.expect(201)["id"]).to_owned()
}

/// A lead with whom something was done.
pub async fn worked(company: &Company) -> Value {
    let admin = &company.admin;
    let number = Uuid::now_v7().as_u128() % 100_000_000;
    let fields = json!({
        "name": "Marina Prado", "email": format!("marina.{number}@escola.com.br"), "phone": format!("+55119{number:08}"),
        "company": "Colégio Horizonte", "job_title": "Coordenadora", "origin": "instagram", "campaign": "Volta às aulas",
        "closer_id": admin.id, "potential_value": "4500.00", "tags": ["curso"],
    });
    let lead = lead_with(admin, fields).await;
    let call = json!({"type": "call", "summary": "Pediu a proposta", "result": "proposal_sent", "next_step": "Ligar na sexta"});
    super::did(admin, &lead, call).await;
    lead
}

/// The job of a lead that has entered a stage, in nobody's hands yet.
async fn entry(stack: &Stack, company: &Company) -> String {
    let admin = &company.admin;
    let drawn = super::automations::automate(admin, "proposal", json!([{"kind": "task", "title": "Enviar a proposta"}])).await;
    let id: Uuid = text(&worked(company).await["id"]).parse().expect("an id");
    let enter = "
        with entry as (
            insert into lead_stages (company_id, lead_id, pipeline_id, stage_id, stage_name, stage_kind, left_at)
            select company_id, $1, pipeline_id, id, name, kind, now() from stages where id = $2
            returning company_id, id
        ), wanted as (
            insert into lead_automations (company_id, entry_id, place, lead_id, automation)
            select company_id, id, 0, $1, '{\"kind\": \"task\", \"title\": \"Enviar a proposta\", \"notes\": \"\", \"due_in_days\": 0, \"due_in_hours\": 2}' from entry
        )
        insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
        select gen_random_uuid(), company_id, 'run_stage_automation', 'stages', 'lead:' || $1::uuid, jsonb_build_object('entry_id', id), now(), 1
          from entry
        returning id";
    let stage: Uuid = stage(&drawn, "proposal").parse().expect("an id");
    let row = stack.database().await.query_one(enter, &[&id, &stage]).await.expect("a job");
    row.get::<_, Uuid>(0).to_string()
}

/// Two leads that are one; answers the merge.
pub async fn merge(company: &Company) -> String {
    let (stays, goes) = (worked(company).await, worked(company).await);
    let merged = company.admin.api.post(&format!("{}/merge", path(&stays)), json!({"lead_id": goes["id"]})).await.expect(201);
    text(&merged["id"]).to_owned()
}

/// The lists of sales, as they are asked for.
pub async fn list(company: &Company, function: &str) -> String {
    let lead = lead_with(&company.admin, json!({"name": "Ana Lima"})).await;
    match function {
        "get_lead_history" => format!("{}/history?kind=interaction", path(&lead)),
        _ => format!("{}/interactions?", path(&lead)),
    }
}

/// Something is done with the lead of a list.
pub async fn add(company: &Company, list: &str) {
    let lead = list.split('/').nth(2).unwrap_or_default();
    let note = json!({"type": "note", "summary": "Anotado", "result": "other"});
    company.admin.api.post(&format!("/leads/{lead}/interactions"), note).await.expect(201);
}

/// What of a function's is saved, and saved as something else with each name.
type Saved = (String, Value, fn(&Value, &str) -> Value);

/// Its path, what makes the row, and what changes it.
pub async fn change(company: &Company, function: &str) -> Saved {
    let named: fn(&Value, &str) -> Value = |_, name| json!({"name": name});
    match function {
        "update_lead" => (path(&worked(company).await), json!({"name": "Vendas"}), named),
        "update_pipeline" => (
            format!("/pipelines/{}", own_pipeline(company, "Vendas de cursos").await),
            json!({"name": "Vendas de cursos"}),
            named,
        ),
        "move_lead" => {
            let won = stage(&pipeline(&company.admin).await, "won");
            let changed = |same: &Value, name: &str| {
                let mut body = same.clone();
                body["reason"] = json!(name);
                body
            };
            (format!("{}/move", path(&worked(company).await)), json!({"stage_id": won}), changed)
        }
        "save_lead_qualification" => {
            let path = format!("{}/qualification", path(&worked(company).await));
            let changed = |_: &Value, name: &str| json!({"need_level": if name == "Suporte" { "low" } else { "medium" }});
            (path, json!({"need_level": "high"}), changed)
        }
        "save_lead_fields" => {
            let fields = |label: &str| json!({"fields": [{"key": "turma", "label": label, "kind": "text"}]});
            let changed = |same: &Value, name: &str| {
                let mut body = same.clone();
                body["fields"][0]["label"] = json!(name);
                body
            };
            ("/lead-fields".to_owned(), fields("Turma"), changed)
        }
        "save_lead_scoring" => {
            let mut rules = company.admin.api.get("/lead-scoring").await.expect(200)["rules"].clone();
            rules["profile"]["email"] = json!(9);
            let changed = |same: &Value, name: &str| {
                let mut body = same.clone();
                body["rules"]["profile"]["email"] = json!(9 + name.len());
                body
            };
            ("/lead-scoring".to_owned(), json!({"rules": rules}), changed)
        }
        _ => {
            let id = own_pipeline(company, "Cursos").await;
            let drawn = company.admin.api.get(&format!("/pipelines/{id}")).await.expect(200);
            let changed = |same: &Value, name: &str| {
                let mut body = same.clone();
                body["stages"][0]["name"] = json!(name);
                body
            };
            (format!("/pipelines/{id}/stages"), json!({"stages": super::stages::drawn(&drawn)}), changed)
        }
    }
}

async fn table(stack: &Stack, company: &Company) -> String {
    let number = Uuid::now_v7().as_u128() % 100_000_000;
    let content = format!("Nome;E-mail\nBia;bia.{number}@escola.com.br\n");
    upload::table(stack, &company.admin, "leads.csv", "text/csv", content.as_bytes()).await
}

/// An import that has ended.
pub async fn ended_import(stack: &Stack, company: &Company) -> String {
    let table = table(stack, company).await;
    let id = imported::import(company, json!({"file_id": table})).await;
    imported::imported(company, &id).await;
    id
}

/// A job in a lane of its own: nobody but the run works on it.
async fn import_job(stack: &Stack, company: &Company) -> String {
    let table: Uuid = table(stack, company).await.parse().expect("an id");
    let board = pipeline(&company.admin).await;
    let [board_id, stage_id] = [text(&board["id"]).to_owned(), stage(&board, "new")].map(|id| id.parse::<Uuid>().expect("an id"));
    let id = Uuid::now_v7();
    let add = "
        with progress as (
            insert into job_progress (id, company_id, kind, key, started_by) values ($1, $2, 'import_leads', $1::uuid::text, $3)
        ), import as (
            insert into lead_imports (id, company_id, file_id, file_name, on_existing, is_dry_run, pipeline_id, stage_id)
            values ($1, $2, $4, 'leads.csv', 'skip', false, $5, $6)
        )
        insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
        values ($1, $2, 'import_leads', 'leads', $1::uuid::text, jsonb_build_object('import_id', $1::uuid), now(), 1)";
    let database = stack.database().await;
    database.execute(add, &[&id, &company.id, &company.admin.id, &table, &board_id, &stage_id]).await.expect("a job");
    id.to_string()
}
