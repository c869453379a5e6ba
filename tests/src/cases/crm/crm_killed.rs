//! Workers killed between the CRM's work and our record of it.

use std::sync::Arc;

use serde_json::json;
use tests::{Stack, eventually};

use super::Crm;
use crate::cases::faults::{kill, let_leases_pass};

pub async fn a_killed_worker_leaves_nothing_twice(stack: Arc<Stack>) {
    let crm = Crm::connect(&stack, "pipedrive").await;
    for number in 0..6 {
        crm.lead(json!({"name": format!("Ana {number}"), "email": format!("ana{number}@exemplo.com.br")})).await;
    }
    let seeded: Vec<_> = (0..30)
        .map(|number| json!({"name": format!("Rita {number}"), "phones": [{"value": format!("+55119555000{number:02}")}]}))
        .collect();
    crm.seed(json!(seeded)).await;
    crm.control("settings", json!({"page_size": 10})).await;
    crm.fault("sort_by", json!({"kind": "timeout", "ms": 300})).await;
    let started = crm.start().await;
    eventually("some leads", || async { (crm.leads().await.len() > 10).then_some(()) }).await;
    kill(&stack, "SyncCrmRecords").await;
    let_leases_pass(&stack, &crm.company, "CrmQueue").await;
    // Between their answer and what is kept of it.
    crm.fault("emails", json!({"kind": "accept_then_timeout", "times": 1})).await;
    eventually("a person who is made", || async {
        crm.calls("POST", "/persons").await.iter().any(|call| call["status"].is_null()).then_some(())
    })
    .await;
    kill(&stack, "SyncCrmRecords").await;
    let_leases_pass(&stack, &crm.company, "CrmQueue").await;
    let progress = crm.ends(&started, "done").await;
    assert_eq!(progress["result"]["leads_made"], 30, "{progress}");
    assert_eq!((crm.records().await.len(), crm.leads().await.len()), (36, 36));
}
