//! What people are told on devices where no page is open.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, eventually};

use super::{
    choose, read_all,
    web_push::{fresh, opened, received, subscribe},
};
use crate::cases::faults;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, ..Wanted::default() }).await
}

/// So many pushes, once they are there, and no more than these.
async fn pushes(stack: &Stack, device: &str, wanted: usize) -> Vec<Value> {
    let enough = || async { Some(received(stack, device).await).filter(|pushes| pushes.len() >= wanted) };
    let pushes = eventually("pushes", enough).await;
    assert_eq!(pushes.len(), wanted, "{pushes:?}");
    pushes
}

/// All that was to be pushed has been, or has been found to be no news.
async fn all_done(stack: &Stack, company: &Company) {
    let sql = "select count(*) from jobs where company_id = $1 and kind = 'push_notification' and finished_at is null";
    let database = stack.database().await;
    let none = || async {
        let row = database.query_one(sql, &[&company.id]).await.expect("a count");
        (row.get::<_, i64>(0) == 0).then_some(())
    };
    eventually("nothing is to be pushed", none).await;
}

/// All jobs of pushes are done once more, as after a worker that died before it said that they are.
async fn push_again(stack: &Stack, company: &Company) {
    let again = "
        insert into jobs (id, company_id, kind, queue, lane, payload)
        select gen_random_uuid(), company_id, kind, queue, lane, payload from jobs where company_id = $1 and kind = 'push_notification'";
    stack.database().await.execute(again, &[&company.id]).await.expect("jobs");
    faults::dispatch(stack, company).await;
    all_done(stack, company).await;
}

pub async fn who_is_away_is_told_on_each_device(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (client, id) = company.served().await;
    let devices = [fresh(), fresh()];
    for device in &devices {
        subscribe(&stack, &agent.api, device).await;
    }
    company.phone.receive_text(&client, "Ainda tem vaga?").await;
    for device in &devices {
        let push = pushes(&stack, device, 1).await.remove(0);
        if let Some(told) = opened(&push["body"], None) {
            let told: Value = serde_json::from_str(text(&told["plain"])).expect("JSON");
            assert_eq!(
                (text(&told["title"]), text(&told["body"]), text(&told["type"])),
                ("Maria Teste", "Ainda tem vaga?", "message")
            );
            assert_eq!(
                (text(&told["url"]), &told["badge"], &told["sound"]),
                (format!("/inbox/{id}").as_str(), &json!(1), &json!(true))
            );
        }
    }
    // Where the company wants nothing said there, only that something was.
    let path = format!("/companies/{}", company.id);
    company.admin.api.call(Method::PUT, &path, Some(json!({"push_shows_text": false}))).await.expect(200);
    company.phone.receive_text(&client, "Canário").await;
    let push = pushes(&stack, &devices[0], 2).await.remove(1);
    if let Some(told) = opened(&push["body"], None) {
        let told: Value = serde_json::from_str(text(&told["plain"])).expect("JSON");
        assert_eq!((text(&told["title"]), &told["body"]), ("Mensagens nas minhas conversas", &Value::Null));
    }
}

pub async fn who_looks_has_read_or_wants_none_is_not(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (client, id) = company.served().await;
    let device = fresh();
    subscribe(&stack, &agent.api, &device).await;
    let screen = agent.socket().await;
    company.phone.receive_text(&client, "Está olhando").await;
    screen.close().await;
    eventually("they are away", || async {
        let people = company.admin.api.get("/users/online").await.expect(200);
        (!people.to_string().contains(&agent.id.to_string())).then_some(())
    })
    .await;
    choose(agent, json!({"types": {"message": {"web_push": false}}})).await;
    company.phone.receive_text(&client, "Não quer").await;
    choose(agent, json!({"types": {"message": {"web_push": true}}, "quiet_hours": {"from": "00:00", "until": "23:59"}})).await;
    company.phone.receive_text(&client, "Dorme").await;
    choose(agent, json!({"quiet_hours": null})).await;
    all_done(&stack, &company).await;
    assert!(received(&stack, &device).await.is_empty());
    // Read, or out of sight, when its job is done: no news any more.
    company.phone.receive_text(&client, "Passou").await;
    pushes(&stack, &device, 1).await;
    read_all(agent).await;
    push_again(&stack, &company).await;
    company.phone.receive_text(&client, "Passou de novo").await;
    pushes(&stack, &device, 2).await;
    company.supervisor.transfer(&id, json!({"to_user_id": company.agents[1].id})).await;
    push_again(&stack, &company).await;
    pushes(&stack, &device, 2).await;
}

pub async fn a_busy_push_service_is_asked_again_and_one_that_forgot_is_forgotten(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (client, _) = company.served().await;
    let [busy, gone] = [fresh(), fresh()];
    for device in [&busy, &gone] {
        subscribe(&stack, &agent.api, device).await;
    }
    stack
        .control(
            "POST",
            "/sandbox/faults",
            Some(json!({"target": "push", "to": busy, "kind": "error", "status": 503, "times": 1})),
        )
        .await;
    stack
        .control(
            "POST",
            "/sandbox/faults",
            Some(json!({"target": "push", "to": gone, "kind": "error", "status": 410, "times": 1})),
        )
        .await;
    company.phone.receive_text(&client, "Oi?").await;
    eventually("the one is forgotten", || async {
        let sql = "select count(*) from web_push_subscriptions where user_id = $1";
        let row = stack.database().await.query_one(sql, &[&agent.id]).await.expect("a count");
        (row.get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    eventually("it is put off", || async {
        let sql = "select count(*) from jobs where company_id = $1 and kind = 'push_notification' and finished_at is null and run_at > now()";
        let row = stack.database().await.query_one(sql, &[&company.id]).await.expect("a count");
        (row.get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    let now = "update jobs set run_at = now() where company_id = $1 and kind = 'push_notification' and finished_at is null";
    stack.database().await.execute(now, &[&company.id]).await.expect("its job");
    faults::let_leases_pass(&stack, &company, "NotificationQueue").await;
    pushes(&stack, &busy, 1).await;
    all_done(&stack, &company).await;
    assert_eq!((received(&stack, &busy).await.len(), received(&stack, &gone).await.len()), (1, 0));
}
