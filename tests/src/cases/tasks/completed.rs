//! Tasks that are done, and what comes after them.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};
use tests::{Stack, Wanted, company::text, each};
use uuid::Uuid;

use super::{change, client, complete, found, make, minutes, path_of, problems, titles};

pub async fn a_task_is_done_once_and_stays_as_it_is(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let [agent, colleague] = [&company.agents[0], &company.agents[1]];
    let due = minutes(60);
    let task = make(agent, json!({"title": "Ligar", "due_at": due, "client_id": client(agent).await})).await;
    let done = complete(colleague, &task, json!({"result": "Vai pensar"})).await.expect(200);
    assert_eq!(
        (&done["completed_by"], &done["result"], &done["due_at"]),
        (&json!(colleague.id), &json!("Vai pensar"), &json!(due))
    );
    assert_eq!((&done["next"], &done["recurring"], &done["version"]), (&Value::Null, &Value::Null, &json!(2)));
    // Said again, it is the same; what says more is told that it is done.
    let head = agent.head().await;
    assert_eq!(complete(agent, &task, json!({})).await.expect(200), done);
    assert_eq!(complete(agent, &task, json!({"result": "Vai pensar"})).await.expect(200), done);
    for more in [json!({"result": "Comprou"}), json!({"next": {"title": "Ligar de novo"}})] {
        let refused = complete(agent, &task, more).await.expect(409);
        assert_eq!((text(&refused["code"]), &refused["current"]["completed_by"]), ("task_done", &json!(colleague.id)));
    }
    assert_eq!(agent.events_after(&head).await, [Value::Null; 0]);
    assert_eq!(found(agent, "").await.len(), 1);
    let strange = json!({"id": Uuid::now_v7()});
    complete(agent, &strange, json!({})).await.expect(404);
    // Without a body.
    let bare = make(agent, json!({"title": "Arrumar"})).await;
    let answer = agent.api.send(reqwest::Method::POST, &format!("{}/complete", path_of(&bare)), None).await;
    answer.expect(200);
}

pub async fn one_that_comes_again_is_there_for_the_next_time(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let zone = TimeZone::get("America/Sao_Paulo").expect("a zone");
    for (recurrence, apart) in [("daily", 1.day()), ("weekly", 1.week()), ("monthly", 1.month())] {
        let due = Timestamp::from_second(Timestamp::now().as_second() + 3600).expect("a time");
        let task =
            json!({"kind": "call", "title": recurrence, "notes": "Sempre", "due_at": due.to_string(), "recurrence": recurrence});
        let task = make(agent, task).await;
        let done = complete(agent, &task, json!({})).await.expect(200);
        let next = &done["recurring"];
        let then = zone.to_timestamp(zone.to_datetime(due) + apart).expect("a time");
        assert_eq!((text(&next["due_at"]), &next["follows_id"]), (then.to_string().as_str(), &task["id"]), "{recurrence}");
        for field in ["kind", "title", "notes", "owner_id", "recurrence"] {
            assert_eq!(next[field], task[field], "{field}");
        }
        assert_eq!((&next["completed_at"], &done["next"]), (&Value::Null, &Value::Null));
        assert_eq!(complete(agent, &task, json!({})).await.expect(200), done, "said again, the next one is the same");
        // And on.
        let third = complete(agent, next, json!({})).await.expect(200)["recurring"].clone();
        let then = zone.to_timestamp(zone.to_datetime(due) + apart + apart).expect("a time");
        assert_eq!(text(&third["due_at"]), then.to_string());
        // Taken away, it comes no more.
        agent.api.call(reqwest::Method::DELETE, &path_of(&third), None).await.expect(204);
        assert_eq!(titles(agent, "state=open").await, [""; 0], "{recurrence}");
    }
    // What was missed is not due again: the next time is to come.
    let late = make(agent, json!({"title": "tarde", "due_at": minutes(-60 * 24 * 20 - 5), "recurrence": "weekly"})).await;
    let next = complete(agent, &late, json!({})).await.expect(200)["recurring"]["due_at"].clone();
    let in_days = text(&next).parse::<Timestamp>().expect("a time").duration_since(Timestamp::now()).as_hours();
    assert!((0..=24).contains(&in_days), "three weeks later is tomorrow: {next}");
}

pub async fn what_comes_after_it_is_there_with_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let [agent, colleague] = [&company.agents[0], &company.agents[1]];
    let ana = client(agent).await;
    let task = json!({"title": "Ligar", "kind": "call", "client_id": ana, "owner_id": colleague.id, "due_at": minutes(5), "recurrence": "daily"});
    let task = make(agent, task).await;
    let due = minutes(600);
    let next = json!({"result": "Quer a proposta", "next": {"title": "Mandar a proposta", "due_at": due, "kind": "message"}});
    let done = complete(agent, &task, next).await.expect(200);
    let follow_up = &done["next"];
    assert_eq!(
        (&follow_up["title"], &follow_up["kind"], &follow_up["due_at"]),
        (&json!("Mandar a proposta"), &json!("message"), &json!(due))
    );
    assert_eq!(
        (&follow_up["client_id"], &follow_up["owner_id"], &follow_up["follows_id"]),
        (&json!(ana), &json!(colleague.id), &task["id"])
    );
    assert_eq!((&follow_up["recurrence"], &done["recurring"]["title"]), (&Value::Null, &json!("Ligar")));
    assert_eq!(found(agent, &format!("client_id={ana}")).await.len(), 3);
    assert_eq!(complete(agent, &task, json!({})).await.expect(200), done);
    let refused = complete(agent, follow_up, json!({"next": {"title": "x", "kind": "fax"}})).await.expect(422);
    assert_eq!(problems(&refused), [("next.kind", "unknown_value")]);
    // A time that is not given is none, and the kind is that of what was done.
    let done = complete(agent, follow_up, json!({"next": {"title": "Esperar"}})).await.expect(200);
    assert_eq!((&done["next"]["due_at"], &done["next"]["kind"]), (&Value::Null, &json!("message")));
}

pub async fn of_many_who_complete_it_at_once_one_does(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, ..Wanted::default() }).await;
    let ana = client(&company.admin).await;
    let people: Vec<_> = [&company.admin, &company.supervisor].into_iter().chain(&company.agents).collect();
    let task = json!({"title": "Ligar", "client_id": ana, "due_at": minutes(5), "recurrence": "daily"});
    let task = make(&company.admin, task).await;
    let how = |number: usize| json!({"result": format!("de {number}"), "next": {"title": format!("depois de {number}")}});
    // Some say what comes after it, others nothing, others change it meanwhile or take it away.
    let ask = async |number: usize| {
        let person = people[number % people.len()];
        match number % 4 {
            3 => change(person, &task, json!({"notes": format!("nota {number}")})).await,
            2 => complete(person, &task, json!({})).await,
            _ => complete(person, &task, how(number)).await,
        }
    };
    let answers = each(0..12, ask).await;
    for answer in &answers {
        assert!(answer.status == 200 || answer.body["code"] == "task_done", "{}", answer.body);
    }
    let all = found(&company.admin, &format!("client_id={ana}&order=asc")).await;
    let done: Vec<&Value> = all.iter().filter(|task| !task["completed_at"].is_null()).collect();
    let again: Vec<&Value> = all.iter().filter(|task| task["recurrence"] == "daily" && task["completed_at"].is_null()).collect();
    assert_eq!((done.len(), again.len()), (1, 1), "{all:?}");
    let result = text(&done[0]["result"]);
    let expected: Vec<String> = result.strip_prefix("de ").map(|number| format!("depois de {number}")).into_iter().collect();
    let after: Vec<&str> = all.iter().filter(|task| task["recurrence"].is_null()).map(|task| text(&task["title"])).collect();
    assert_eq!(after, expected);
}

pub async fn a_series_goes_on_from_a_time_that_was_changed(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let task = make(agent, json!({"title": "Ligar", "due_at": minutes(60), "recurrence": "daily"})).await;
    let next = complete(agent, &task, json!({})).await.expect(200)["recurring"].clone();
    let moved = Timestamp::from_second(Timestamp::now().as_second() + 7200).expect("a time");
    let changed = change(agent, &next, json!({"due_at": moved.to_string(), "recurrence": "weekly"})).await.expect(200);
    assert_eq!(text(&changed["due_at"]), moved.to_string());
    let zone = TimeZone::get("America/Sao_Paulo").expect("a zone");
    let then = zone.to_timestamp(zone.to_datetime(moved) + 1.week()).expect("a time");
    let done = complete(agent, &next, json!({})).await.expect(200);
    assert_eq!(text(&done["recurring"]["due_at"]), then.to_string());
    // No more, once it does not recur.
    change(agent, &done["recurring"], json!({"recurrence": null})).await.expect(200);
    assert_eq!(complete(agent, &done["recurring"], json!({})).await.expect(200)["recurring"], Value::Null);
}
