//! Functions killed in the middle of what they do to knowledge.

use std::{fmt::Write as _, sync::Arc};

use serde_json::json;
use tests::{Stack, company::text, eventually};

use super::{company, imported::import};
use crate::cases::{
    faults::{kill, let_leases_pass},
    jobs::progress_when,
    upload,
};

/// Every row once, whenever its worker died; and cancelled in the middle, what was counted is what there is.
pub async fn an_import_whose_worker_is_killed_goes_on_where_it_was(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let mut content = "titulo;resposta\n".to_owned();
    for row in 0..1_500 {
        writeln!(content, "Artigo número {row};{}", "palavra diferente ".repeat(20)).expect("it is written");
    }
    let file = upload::table(&stack, &company.supervisor, "a.csv", "text/csv", content.as_bytes()).await;
    let job = import(&company, json!({"file_id": file})).await;
    let id = text(&job["id"]).to_owned();
    let database = stack.database().await;
    for least in [25_i64, 300, 700] {
        let done = "select done from job_progress where id = $1::text::uuid and done >= $2 and finished_at is null";
        eventually("some pages", || async { database.query_opt(done, &[&id, &least]).await.expect("an answer") }).await;
        kill(&stack, "ImportKnowledgeFile").await;
        let_leases_pass(&stack, &company, "KnowledgeQueue").await;
    }
    let done = progress_when(&company, &id, "done").await;
    assert_eq!((&done["done"], &done["result"]["made"], &done["failed"]), (&json!(1500), &json!(1500), &json!(0)));
    let count = "select count(*), count(distinct title) from knowledge_articles where company_id = $1";
    let row = database.query_one(count, &[&company.id]).await.expect("a count");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1_500, 1_500));

    let more = content.replace("Artigo número", "Outro número");
    let file = upload::table(&stack, &company.supervisor, "b.csv", "text/csv", more.as_bytes()).await;
    let job = import(&company, json!({"file_id": file})).await;
    let id = text(&job["id"]).to_owned();
    let begun = "select done from job_progress where id = $1::text::uuid and done >= 25 and finished_at is null";
    eventually("a page", || async { database.query_opt(begun, &[&id]).await.expect("an answer") }).await;
    company.supervisor.api.post(&format!("/jobs/{id}/cancel"), json!({})).await;
    let ended = progress_when(&company, &id, "cancelled").await;
    let made: i64 = database.query_one(count, &[&company.id]).await.expect("a count").get(0);
    assert_eq!(ended["result"]["made"], json!(made - 1_500));
    assert!(made < 3_000, "it was cancelled");
}
