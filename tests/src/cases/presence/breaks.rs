//! Breaks: what they are for, how long they are meant to be, and who is told.

use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text};

use super::{current, execute, start_break};

pub async fn a_break_is_on_all_tabs_and_is_one(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let mut tabs = [agent.socket().await, agent.socket().await, agent.socket().await];
    let answers = join_all((0..6).map(|_| start_break(agent, "lunch"))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409], "of six who begin one at once, one does");
    let refused = answers.into_iter().find(|answer| answer.status == 409).expect("a refusal").expect(409);
    assert_eq!((text(&refused["code"]), text(&refused["current"]["reason"])), ("on_break", "lunch"));
    let leases = "select count(*) from presence_leases where user_id = $1 and status = 'break'";
    assert_eq!(stack.database().await.query_one(leases, &[&agent.id]).await.expect("a count").get::<_, i64>(0), 3);
    // A page that loads again goes on with it, and another tab changes nothing.
    let [closed, ..] = &mut tabs;
    closed.send(json!({"action": "ping"})).await;
    closed.of_type("pong").await;
    let _another = agent.socket().await;
    let shown = current(agent).await;
    assert_eq!((text(&shown["state"]), text(&shown["reason"]), &shown["limit_minutes"]), ("break", "lunch", &json!(60)));
    assert_eq!(start_break(agent, "rest").await.problem(409), "on_break");
    let answers = join_all((0..4).map(|_| agent.api.post("/productivity/breaks/end", json!({})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "it ends once");
    assert_eq!(current(agent).await["state"], "online");
}

pub async fn a_break_past_its_limit_is_shown(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let _tab = agent.socket().await;
    start_break(agent, "rest").await.expect(201);
    let long_ago =
        "update presence_intervals set started_at = started_at - interval '20 minutes' where user_id = $1 and state = 'break'";
    let apart = "update presence_intervals set started_at = started_at - interval '1 hour', ended_at = ended_at - interval '1 hour' \
                 where user_id = $1 and state <> 'break'";
    execute(&stack, apart, &[&agent.id]).await;
    execute(&stack, long_ago, &[&agent.id]).await;
    let shown = current(agent).await;
    assert!((300..330).contains(&shown["over_seconds"].as_i64().expect("seconds")), "{shown}");
    // It may have begun before midnight.
    let today = jiff::Timestamp::now().in_tz("America/Sao_Paulo").expect("a zone").date();
    let yesterday = today.yesterday().expect("a day before");
    let mine = agent.api.get(&format!("/productivity/me?by=total&from={yesterday}&to={today}")).await.expect(200);
    let rest = &mine["data"][0]["breaks"][0];
    assert_eq!((text(&rest["reason"]), &rest["count"]), ("rest", &json!(1)));
    let over = rest["over_seconds"].as_i64().expect("seconds");
    assert!((300..330).contains(&over) && rest["seconds"] == json!(over + 900), "{rest}");
}

pub async fn what_is_no_break_is_refused(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    assert_eq!(start_break(agent, "lunch").await.problem(409), "not_connected");
    assert_eq!(agent.api.post("/productivity/breaks/end", json!({})).await.problem(409), "not_on_break");
    let away = Some(json!({"status": "away"}));
    assert_eq!(agent.api.call(Method::PUT, "/presence", away).await.problem(409), "not_connected");
    let _tab = agent.socket().await;
    assert_eq!(agent.api.post("/productivity/breaks/end", json!({})).await.problem(409), "not_on_break");
    for body in
        [json!({"reason": "sesta"}), json!({"reason": ""}), json!({}), json!({"reason": 7}), json!({"reason": "x".repeat(41)})]
    {
        let refused = agent.api.post("/productivity/breaks", body.clone()).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], "reason", "{body}");
    }
    for status in ["offline", "dormindo", ""] {
        agent.api.call(Method::PUT, "/presence", Some(json!({"status": status}))).await.expect(422);
    }
    assert_eq!(current(agent).await["state"], "online");
    // Without a reason it is for something else.
    agent.api.call(Method::PUT, "/presence", Some(json!({"status": "break"}))).await.expect(200);
    assert_eq!(current(agent).await["reason"], "other");
    assert_eq!(start_break(agent, "lunch").await.problem(409), "on_break");
    let student = &company.students[0];
    for path in ["/productivity/me", "/productivity/team"] {
        assert_eq!(student.api.get(path).await.problem(403), "forbidden");
    }
    assert_eq!(start_break(student, "lunch").await.problem(403), "forbidden");
}

pub async fn a_companys_breaks_are_its_own(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let path = format!("/companies/{}", company.id);
    let save = async |breaks: Value| company.admin.api.call(Method::PUT, &path, Some(json!({"breaks": breaks}))).await;
    let kind = |reason: &str| json!({"reason": reason, "name": "Café", "limit_minutes": 5});
    save(json!([kind("coffee")])).await.expect(200);
    let agent = &company.agents[0];
    let mine = agent.api.get("/productivity/me").await.expect(200);
    assert_eq!(mine["breaks"], json!([kind("coffee")]));
    let _tab = agent.socket().await;
    start_break(agent, "lunch").await.expect(422);
    assert_eq!(start_break(agent, "coffee").await.expect(201)["limit_minutes"], 5);
    for wrong in [
        json!([]),
        json!([kind("coffee"), kind("coffee")]),
        json!([kind("Café")]),
        json!([kind("")]),
        json!([{"reason": "x", "name": "X", "limit_minutes": 0}]),
        json!([{"reason": "x", "name": "", "limit_minutes": 1}]),
        json!([{"reason": "x", "name": "X", "limit_minutes": 1, "paid": true}]),
    ] {
        save(wrong.clone()).await.expect(422);
    }
    assert_eq!(agent.api.get("/productivity/me").await.expect(200)["breaks"], json!([kind("coffee")]));
}

pub async fn colleagues_are_not_told_what_a_break_is_for(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "company", ..Wanted::default() }).await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let (_tab, mut watcher) = (agent.socket().await, colleague.socket().await);
    let head = colleague.head().await;
    start_break(agent, "bathroom").await.expect(201);
    let told = watcher.frame("the break", |frame| frame["data"]["status"] == "break").await;
    assert_eq!(told["data"], json!({"user_id": agent.id, "status": "break"}));
    let told = colleague.told_after(&head).await;
    assert!(!json!(told).to_string().contains("bathroom"), "{told:?}");
    let seen = colleague.api.get("/users/online").await.expect(200);
    assert!(!seen.to_string().contains("bathroom"), "{seen}");
    assert_eq!(colleague.api.get(&format!("/productivity/users/{}/timeline", agent.id)).await.problem(403), "forbidden");
}
