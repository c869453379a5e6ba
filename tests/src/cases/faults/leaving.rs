//! A member who leaves while the function that sees to it is killed.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use tests::{Stack, Wanted};

use super::{kill, until_blocked};
use crate::cases::contract::sample::conversation;

pub async fn a_removal_killed_in_the_middle_has_not_happened(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = company.agents[0].clone();
    let id = conversation(&stack, &company).await;
    agent.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
    let database = stack.database().await;
    database.batch_execute("begin").await.expect("a transaction");
    let hold = "select from conversations where id = $1::text::uuid for update";
    database.query_one(hold, &[&id]).await.expect("the conversation is held");
    let path = format!("/companies/{}/members/{}", company.id, agent.id);
    let leaving = {
        let (api, path) = (company.admin.api.clone(), path.clone());
        tokio::spawn(async move { api.call(Method::DELETE, &path, None).await })
    };
    until_blocked(&stack, 1).await;
    kill(&stack, "RemoveCompanyMember").await;
    database.batch_execute("rollback").await.expect("the conversation is let go");
    assert!(leaving.await.expect("an answer").status >= 500);
    agent.api.get("/auth/me").await.expect(200);
    assert_eq!(company.admin.conversation(&id).await["assignee_id"], json!(agent.id));
    company.admin.api.call(Method::DELETE, &path, None).await.expect(204);
    assert_eq!(agent.api.get("/auth/me").await.problem(401), "session_revoked");
    assert_eq!(company.admin.conversation(&id).await["status"], "pending");
}
