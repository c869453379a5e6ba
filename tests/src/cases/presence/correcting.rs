//! Corrections: what supervisors add and change, what is kept of it, and what is refused.

use std::sync::Arc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text};
use uuid::Uuid;

use super::intervals;
use crate::cases::snapshot;

/// So many minutes ago, at a whole second.
fn ago(minutes: i64) -> String {
    let now = Timestamp::from_second(Timestamp::now().as_second()).expect("a second");
    (now - SignedDuration::from_mins(minutes)).to_string()
}

fn interval(user_id: Uuid, from: &str, to: &str) -> Value {
    json!({"user_id": user_id, "started_at": from, "ended_at": to, "state": "online", "note": "Sem internet"})
}

async fn add(company: &Company, body: Value) -> Answer {
    company.supervisor.api.post("/productivity/intervals", body).await
}

async fn correct(company: &Company, id: &Value, body: Value) -> Answer {
    company.supervisor.api.call(Method::PUT, &format!("/productivity/intervals/{}", text(id)), Some(body)).await
}

pub async fn a_supervisor_adds_and_corrects_intervals(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let (from, to) = (ago(120), ago(60));
    let added = add(&company, interval(agent.id, &from, &to)).await.expect(201);
    assert_eq!((text(&added["started_at"]), text(&added["ended_at"]), text(&added["cause"])), (&*from, &*to, "corrected"));
    let change = json!({"state": "break", "reason": "lunch", "ended_at": ago(50), "note": "Era o almoço"});
    let changed = correct(&company, &added["id"], change.clone()).await.expect(200);
    assert_eq!((text(&changed["state"]), text(&changed["reason"]), &changed["version"]), ("break", "lunch", &json!(2)));
    // The same again is no change.
    assert_eq!(correct(&company, &added["id"], change).await.expect(200), changed);
    let back = correct(&company, &added["id"], json!({"state": "online", "note": "Não era"})).await.expect(200);
    assert_eq!(back["reason"], Value::Null);
    let shown = intervals(&company, agent).await.remove(0);
    let corrections = shown["corrections"].as_array().expect("corrections");
    let notes: Vec<&str> = corrections.iter().map(|correction| text(&correction["note"])).collect();
    assert_eq!(notes, ["Sem internet", "Era o almoço", "Não era"]);
    assert_eq!((&corrections[0]["before"], text(&corrections[1]["before"]["state"])), (&Value::Null, "online"));
    assert_eq!(
        (text(&corrections[1]["after"]["reason"]), text(&corrections[1]["by_id"])),
        ("lunch", &*company.supervisor.id.to_string())
    );
    let audited = "select count(*) from audit_log where company_id = $1 and target = $2 and after is not null";
    let id = text(&added["id"]).to_owned();
    let audited: i64 = stack.database().await.query_one(audited, &[&company.id, &id]).await.expect("rows").get(0);
    assert_eq!(audited, 3);
}

pub async fn what_is_in_the_way_is_shown(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let first = add(&company, interval(agent.id, &ago(120), &ago(60))).await.expect(201);
    for (from, to) in [(130, 110), (110, 70), (70, 50), (180, 30), (120, 60)] {
        let refused = add(&company, interval(agent.id, &ago(from), &ago(to))).await.expect(409);
        assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("overlapping", &first["id"]), "{from} to {to}");
    }
    // What touches it does not overlap, nor does somebody else's.
    let from = text(&first["ended_at"]).to_owned();
    let second = add(&company, interval(agent.id, &from, &ago(30))).await.expect(201);
    add(&company, interval(company.agents[1].id, &ago(110), &ago(70))).await.expect(201);
    let refused = correct(&company, &second["id"], json!({"started_at": ago(61), "note": "Antes"})).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["id"]), ("overlapping", &first["id"]));
    let _tab = agent.socket().await;
    let running = super::current(agent).await;
    let refused = correct(&company, &running["id"], json!({"state": "busy", "note": "x"})).await.expect(409);
    assert_eq!((text(&refused["code"]), &refused["current"]["ended_at"]), ("goes_on", &Value::Null));
}

pub async fn nonsense_is_refused_and_changes_nothing(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let agent = &company.agents[0];
    let made = add(&company, interval(agent.id, &ago(120), &ago(60))).await.expect(201);
    let before = snapshot::of_company(&stack, company.id).await;
    for (from, to, code) in [
        (ago(10), ago(20), "inverted"),
        (ago(10), ago(10), "inverted"),
        (ago(10), ago(-5), "in_the_future"),
        (ago(10), "9999-12-30T00:00:00Z".into(), "in_the_future"),
        (ago(60 * 24 * 367), ago(60 * 24 * 366), "too_long_ago"),
        ("0001-01-01T00:00:00Z".into(), ago(1), "too_long_ago"),
    ] {
        let refused = add(&company, interval(agent.id, &from, &to)).await.expect(422);
        assert_eq!(refused["errors"][0]["code"], code, "{from} {to}");
        correct(&company, &made["id"], json!({"started_at": from, "ended_at": to, "note": "x"})).await.expect(422);
    }
    for wrong in [
        json!({"started_at": "ontem"}),
        json!({"state": "offline"}),
        json!({"reason": "lunch"}),
        json!({"state": "break", "reason": "sesta"}),
        json!({"note": ""}),
        json!({"note": null}),
        json!({"cause": "connect"}),
    ] {
        let mut body = interval(agent.id, &ago(50), &ago(40));
        body.as_object_mut().expect("fields").extend(wrong.as_object().cloned().unwrap_or_default());
        assert!([400, 422].contains(&add(&company, body.clone()).await.status), "{body}");
    }
    for nobody in [other.agents[0].id, company.students[0].id, Uuid::nil()] {
        assert_eq!(add(&company, interval(nobody, &ago(50), &ago(40))).await.problem(404), "not_found");
        assert_eq!(company.supervisor.api.get(&format!("/productivity/users/{nobody}/timeline")).await.problem(404), "not_found");
    }
    let path = format!("/productivity/intervals/{}", text(&made["id"]));
    let change = Some(json!({"state": "busy", "note": "x"}));
    assert_eq!(other.supervisor.api.call(Method::PUT, &path, change.clone()).await.problem(404), "not_found");
    assert_eq!(agent.api.call(Method::PUT, &path, change).await.problem(403), "forbidden");
    assert_eq!(snapshot::of_company(&stack, company.id).await, before);
}

pub async fn of_many_who_add_at_once_one_does(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let (from, to) = (ago(100), ago(50));
    let answers = join_all((0..6).map(|_| add(&company, interval(agent.id, &from, &to)))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    assert_eq!(intervals(&company, agent).await.len(), 1);
}

pub async fn its_owner_and_who_leads_are_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agent_visibility: "company", ..Wanted::default() }).await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let (mut own, mut other, mut lead) = (agent.socket().await, colleague.socket().await, company.admin.socket().await);
    lead.send(json!({"action": "subscribe", "topic": format!("dashboard:{}", company.id)})).await;
    lead.of_type("subscribed").await;
    let mut lunch = interval(agent.id, &ago(100), &ago(50));
    lunch["state"] = json!("break");
    lunch["reason"] = json!("bathroom");
    let added = add(&company, lunch).await.expect(201);
    for socket in [&mut own, &mut lead] {
        let told = socket.of_type("presence.corrected").await;
        let expected = json!({"interval_id": added["id"], "user_id": agent.id, "started_at": added["started_at"], "ended_at": added["ended_at"]});
        assert_eq!(told["data"], expected);
    }
    let heard = other.drain().await;
    assert!(!heard.iter().any(|frame| frame["type"] == "presence.corrected"), "{heard:?}");
}
