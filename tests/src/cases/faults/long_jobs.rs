//! Long jobs whose worker dies.

use std::{fmt::Write as _, sync::Arc};

use serde_json::json;
use tests::{Stack, company::text, eventually};

use super::{kill, let_leases_pass};
use crate::cases::{
    jobs::{company, failed_jobs, progress_when},
    upload,
};

/// What a killed worker had counted it had done, and whoever comes after it does the rest.
pub async fn a_long_job_whose_worker_is_killed_goes_on_where_it_was(stack: Arc<Stack>) {
    let company = company(&stack).await;
    failed_jobs(&stack, &company, 6_000).await;
    let database = stack.database().await;
    let started = company.admin.api.post("/jobs/retry", json!({"kind": "deliver_message"})).await.expect(202);
    let done = "select done from job_progress where company_id = $1 and done > 0 and finished_at is null";
    eventually("a first page", || async { database.query_opt(done, &[&company.id]).await.expect("an answer") }).await;
    kill(&stack, "RunRepair").await;
    let_leases_pass(&stack, &company, "RepairQueue").await;
    let progress = progress_when(&company, text(&started["id"]), "done").await;
    assert_eq!((&progress["done"], &progress["total"]), (&json!(6_000), &json!(6_000)));
    let counts =
        "select count(*) filter (where failed), max(retries) from jobs where company_id = $1 and kind = 'deliver_message'";
    let row = database.query_one(counts, &[&company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i32>(1)), (0, 1));
    database
        .execute("delete from jobs where company_id = $1 and kind = 'deliver_message'", &[&company.id])
        .await
        .expect("out of the way");
}

/// Every row is a client once, and so it is counted.
pub async fn an_import_whose_worker_is_killed_makes_nobody_twice(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let mut table = String::from("Nome;E-mail;Etiquetas\n");
    for number in 0..6_000 {
        // Every tenth has nothing but a name, by which nobody is found again, and every hundredth is wrong.
        let email = match number {
            number if number % 100 == 0 => "nada".to_owned(),
            number if number % 10 == 0 => String::new(),
            number => format!("cliente.{number}@exemplo.com.br"),
        };
        writeln!(table, "Cliente {number};{email};importado").expect("a line");
    }
    let file = upload::table(&stack, &company.admin, "clientes.csv", "text/csv", table.as_bytes()).await;
    let started = company.admin.api.post("/clients/import", json!({"file_id": file})).await.expect(202);
    let id = text(&started["id"]).to_owned();
    for least in [1_i64, 2_000] {
        let done = "select done from job_progress where company_id = $1 and done >= $2 and finished_at is null";
        eventually("some pages", || async { database.query_opt(done, &[&company.id, &least]).await.expect("an answer") }).await;
        kill(&stack, "RunClientImport").await;
        let_leases_pass(&stack, &company, "ExportQueue").await;
    }
    let progress = progress_when(&company, &id, "done").await;
    assert_eq!((&progress["done"], &progress["total"], &progress["failed"]), (&json!(6_000), &json!(6_000), &json!(60)));
    let import = company.admin.api.get(&format!("/clients/imports/{id}")).await.expect(200);
    assert_eq!((&import["made"], &import["skipped"], &import["failed"]), (&json!(5_940), &json!(0), &json!(60)));
    let rows = "
        select count(*), count(distinct name), (select count(*) from client_identities where company_id = $1),
               (select count(*) from client_import_rows where company_id = $1)
          from clients where company_id = $1";
    let row = database.query_one(rows, &[&company.id]).await.expect("counts");
    let counts: Vec<i64> = (0..4).map(|column| row.get(column)).collect();
    assert_eq!(counts, [5_940, 5_940, 5_400, 5_940]);
    let undo = company.admin.api.post(&format!("/clients/imports/{id}/undo"), json!({})).await.expect(202);
    let done = "select done from job_progress where id = $1::text::uuid and done > 0 and finished_at is null";
    let undo_id = text(&undo["id"]).to_owned();
    eventually("some pages", || async { database.query_opt(done, &[&undo_id]).await.expect("an answer") }).await;
    kill(&stack, "RunClientImport").await;
    let_leases_pass(&stack, &company, "ExportQueue").await;
    let undone = progress_when(&company, &undo_id, "done").await;
    assert_eq!(undone["result"], json!({"removed": 5_940, "restored": 0, "kept": 0}));
    assert_eq!(database.query_one(rows, &[&company.id]).await.expect("counts").get::<_, i64>(0), 0);
}

/// Every row is a lead once, also of those by which nobody is found again, and so it is counted and undone.
pub async fn an_import_of_leads_whose_worker_is_killed_makes_nobody_twice(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let database = stack.database().await;
    let mut table = String::from("Nome;E-mail;Etapa\n");
    for number in 0..4_000 {
        let (email, stage) = match number {
            number if number % 100 == 0 => ("nada".to_owned(), ""),
            number if number % 10 == 0 => (String::new(), "Proposta"),
            number => (format!("lead.{number}@exemplo.com.br"), ""),
        };
        writeln!(table, "Lead {number};{email};{stage}").expect("a line");
    }
    let file = upload::table(&stack, &company.admin, "leads.csv", "text/csv", table.as_bytes()).await;
    let started = company.admin.api.post("/leads/import", json!({"file_id": file})).await.expect(202);
    let id = text(&started["id"]).to_owned();
    for least in [1_i64, 1_500] {
        let done = "select done from job_progress where company_id = $1 and done >= $2 and finished_at is null";
        eventually("some pages", || async { database.query_opt(done, &[&company.id, &least]).await.expect("an answer") }).await;
        kill(&stack, "RunLeadImport").await;
        let_leases_pass(&stack, &company, "LeadsQueue").await;
    }
    progress_when(&company, &id, "done").await;
    let import = company.admin.api.get(&format!("/leads/imports/{id}")).await.expect(200);
    assert_eq!((&import["made"], &import["skipped"], &import["failed"]), (&json!(3_960), &json!(0), &json!(40)));
    let rows = "
        select count(*), count(distinct name), count(distinct (stage_id, rank)),
               (select count(*) from lead_import_rows where company_id = $1)
          from leads where company_id = $1 and deleted_at is null";
    let row = database.query_one(rows, &[&company.id]).await.expect("counts");
    assert_eq!((0..4).map(|column| row.get(column)).collect::<Vec<i64>>(), [3_960; 4]);
    let undo = company.admin.api.post(&format!("/leads/imports/{id}/undo"), json!({})).await.expect(202);
    let done = "select done from job_progress where id = $1::text::uuid and done > 0 and finished_at is null";
    let undo_id = text(&undo["id"]).to_owned();
    eventually("some pages", || async { database.query_opt(done, &[&undo_id]).await.expect("an answer") }).await;
    kill(&stack, "RunLeadImport").await;
    let_leases_pass(&stack, &company, "LeadsQueue").await;
    let undone = progress_when(&company, &undo_id, "done").await;
    assert_eq!(undone["result"], json!({"removed": 3_960, "restored": 0, "kept": 0}));
    assert_eq!(database.query_one(rows, &[&company.id]).await.expect("counts").get::<_, i64>(0), 0);
}
