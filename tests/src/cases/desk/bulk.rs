//! One thing done to many conversations: each is judged by itself, and told as if it was done to it alone.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use futures_util::future::{join_all, join3};
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::Person, company::text, each, sandbox::fresh_number};
use uuid::Uuid;

const BULK: &str = "/conversations/bulk";

async fn company(stack: &Stack) -> Company {
    let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![3])];
    stack.company(Wanted { students: 0, agents: 3, departments, ..Wanted::default() }).await
}

/// So many conversations that wait.
async fn waiting(company: &Company, count: usize) -> Vec<String> {
    each(0..count, |_| async {
        let client = fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        company.admin.conversation_id_of(&client).await
    })
    .await
}

async fn ask(person: &Person, ids: &[String], action: Value) -> Answer {
    let mut body = action;
    body["conversation_ids"] = json!(ids);
    person.api.post(BULK, body).await
}

/// What became of each, in their order.
async fn change(person: &Person, ids: &[String], action: Value) -> Vec<String> {
    let body = ask(person, ids, action).await.expect(200);
    let rows = body["data"].as_array().cloned().unwrap_or_default();
    assert!(rows.iter().map(|row| text(&row["conversation_id"])).eq(ids.iter().map(String::as_str)), "{rows:?}");
    rows.iter().map(|row| text(if row["code"].is_null() { &row["outcome"] } else { &row["code"] }).to_owned()).collect()
}

pub async fn each_is_judged_by_itself_and_told_as_if_alone(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let [agent, colleague, elsewhere] = &company.agents[..] else { panic!("three agents") };
    let ids = waiting(&company, 5).await;
    agent.take_over(&ids[0]).await;
    colleague.take_over(&ids[1]).await;
    company.supervisor.transfer(&ids[2], json!({"to_department_id": company.departments[1].1})).await;
    agent.take_over(&ids[3]).await;
    agent.close(&ids[3]).await;
    let mut socket = colleague.socket().await;
    let outcomes = change(agent, &ids, json!({"close": {"reason": "fim do dia"}})).await;
    assert_eq!(outcomes, ["done", "not_holder", "not_found", "conversation_closed", "done"]);
    assert_eq!(change(agent, &ids[..1], json!({"close": {}})).await, ["conversation_closed"], "again it is closed already");
    for id in [&ids[0], &ids[4]] {
        let is_of = |frame: &Value| frame["type"] == "conversation.closed" && frame["data"]["conversation"]["id"] == id.as_str();
        let told = socket.frame("the end of it", is_of).await;
        assert_eq!(told["data"]["by_user_id"], json!(agent.id));
        let line = colleague.thread(id).await.pop().unwrap_or_default();
        assert_eq!((text(&line["body"]), text(&line["payload"]["act"])), ("Conversa encerrada. Motivo: fim do dia", "closed"));
        assert_eq!(text(&colleague.conversation(id).await["close_reason"]), "fim do dia");
    }
    let audit = "select count(*) from audit_log where company_id = $1 and action = 'change_conversations' and target = any ($2)";
    let changed = vec![ids[0].clone(), ids[4].clone()];
    let row = stack.database().await.query_one(audit, &[&company.id, &changed]).await.expect("the audit trail");
    assert_eq!(row.get::<_, i64>(0), 2);
    // What goes out of the caller's sight is done whole all the same.
    let moved = waiting(&company, 3).await;
    agent.take_over(&moved[0]).await;
    let to = json!({"assign": {"to_department_id": company.departments[1].1, "reason": "boleto"}});
    assert_eq!(change(agent, &moved, to.clone()).await, ["done"; 3]);
    assert_eq!(ask(agent, &moved, to).await.problem(404), "not_found", "they are out of sight");
    for id in &moved {
        agent.api.get(&format!("/conversations/{id}")).await.expect(404);
        let line = elsewhere.thread(id).await.pop().unwrap_or_default();
        assert_eq!(text(&line["body"]), "Conversa transferida para Financeiro. Motivo: boleto");
        assert_eq!(elsewhere.conversation(id).await["assignee_id"], Value::Null);
    }
    let nobody = json!({"assign": {}});
    assert_eq!(ask(elsewhere, &moved, nobody.clone()).await.problem(403), "forbidden");
    assert_eq!(change(&company.supervisor, &moved, nobody).await, ["unchanged"; 3]);
    let mut receiver = elsewhere.socket().await;
    let to = json!({"assign": {"to_user_id": elsewhere.id}});
    assert_eq!(change(&company.supervisor, &moved, to.clone()).await, ["done"; 3]);
    assert_eq!(change(&company.supervisor, &moved, to).await, ["unchanged"; 3]);
    receiver.of_type("conversation.assigned").await;
    assert_eq!(ask(agent, &moved, json!({"assign": {"to_user_id": Uuid::new_v4()}})).await.problem(422), "invalid_target");
}

pub async fn tags_priority_and_reading_of_many(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let ids = waiting(&company, 3).await;
    let full: Vec<String> = (0..19).map(|number| format!("etiqueta {number}")).collect();
    agent.api.call(reqwest::Method::PUT, &format!("/conversations/{}", ids[0]), Some(json!({"tags": full}))).await.expect(200);
    agent
        .api
        .call(reqwest::Method::PUT, &format!("/conversations/{}", ids[1]), Some(json!({"tags": ["Matrícula"]})))
        .await
        .expect(200);
    let two = json!({"add_tags": ["matricula", "VIP"]});
    assert_eq!(change(agent, &ids, two.clone()).await, ["too_many_tags", "done", "done"]);
    assert_eq!(change(agent, &ids, two).await, ["too_many_tags", "unchanged", "unchanged"]);
    for id in &ids[1..] {
        assert_eq!(agent.conversation(id).await["tags"], json!(["Matrícula", "VIP"]), "spelled as the catalogue does, each once");
    }
    assert_eq!(change(agent, &ids, json!({"remove_tags": ["vip", "nenhuma"]})).await, ["unchanged", "done", "done"]);
    assert_eq!(agent.conversation(&ids[2]).await["tags"], json!(["Matrícula"]));
    assert_eq!(change(agent, &ids, json!({"priority": "high"})).await, ["done"; 3]);
    assert_eq!(change(agent, &ids, json!({"priority": "high"})).await, ["unchanged"; 3]);
    let unread = async |wanted: i64| {
        for id in &ids {
            assert_eq!(agent.conversation(id).await["unread"], wanted);
        }
    };
    assert_eq!(change(agent, &ids, json!({"read": true})).await, ["done"; 3]);
    unread(0).await;
    assert_eq!(change(agent, &ids, json!({"read": true})).await, ["unchanged"; 3]);
    assert_eq!(change(agent, &ids, json!({"read": false})).await, ["done"; 3]);
    unread(1).await;
    assert_eq!(change(agent, &ids, json!({"read": false})).await, ["unchanged"; 3]);
    for body in [json!({}), json!({"close": {}, "read": true}), json!({"add_tags": []}), json!({"priority": "huge"})] {
        ask(agent, &ids, body).await.expect(422);
    }
    let twice = [ids[0].clone(), ids[0].clone()];
    ask(agent, &twice, json!({"read": true})).await.expect(422);
    ask(agent, &[], json!({"read": true})).await.expect(422);
    let many: Vec<String> = (0..501).map(|_| Uuid::new_v4().to_string()).collect();
    ask(agent, &many, json!({"read": true})).await.expect(422);
    let most = [&many[2..], &ids[..1]].concat();
    let outcomes = change(agent, &most, json!({"priority": "urgent"})).await;
    assert_eq!((outcomes[498].as_str(), outcomes[499].as_str()), ("not_found", "done"));
    assert_eq!(ask(agent, &many[1..], json!({"read": true})).await.problem(404), "not_found");
}

pub async fn crowds_change_the_same_in_any_order(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let ids = waiting(&company, 12).await;
    let mut numbers = Vec::new();
    for id in &ids {
        numbers.push(text(&company.admin.conversation(id).await["client_phone"]).to_owned());
    }
    let database = stack.database().await;
    let retries = "select coalesce(sum(deadlocks), 0)::bigint from pg_stat_database";
    let before: i64 = database.query_one(retries, &[]).await.expect("a count").get(0);
    let mixed = each(0..24, |index| {
        let mut order = ids.clone();
        order.rotate_left(index % ids.len());
        if index % 2 == 0 {
            order.reverse();
        }
        let (person, action) = match index % 6 {
            0 => (&company.supervisor, json!({"assign": {"to_user_id": company.agents[index % 2].id}})),
            1 => (agent, json!({"add_tags": ["a", "b", format!("c{index}")]})),
            2 => (agent, json!({"read": true})),
            3 => (agent, json!({"remove_tags": ["b"]})),
            4 => (&company.supervisor, json!({"assign": {}})),
            _ => (agent, json!({"priority": if index % 4 == 1 { "high" } else { "low" }})),
        };
        async move { ask(person, &order, action).await.expect(200) }
    });
    let writes = join_all(numbers.iter().rev().map(|number| company.phone.receive_text(number, "mais uma")));
    let paths: Vec<String> = ids.iter().map(|id| format!("/conversations/{id}/takeover")).collect();
    let takes = join_all(paths.iter().map(|path| async { agent.api.post(path, json!({})).await.status }));
    let (_, _, taken) = join3(mixed, writes, takes).await;
    assert!(taken.iter().all(|status| matches!(status, 200 | 409)), "{taken:?}");
    let after: i64 = database.query_one(retries, &[]).await.expect("a count").get(0);
    assert_eq!(after, before, "nobody waits for another in a circle");
    // Then one thing for all, by two at once: each row is closed by one of them.
    let (first, second) = futures_util::future::join(
        change(&company.supervisor, &ids, json!({"close": {}})),
        change(&company.admin, &ids, json!({"close": {}})),
    )
    .await;
    for (one, other) in first.iter().zip(&second) {
        let mut both = [one.as_str(), other.as_str()];
        both.sort_unstable();
        assert_eq!(both, ["conversation_closed", "done"]);
    }
    let closings =
        "select conversation_id, count(*) from messages where company_id = $1 and payload ->> 'act' = 'closed' group by 1";
    let rows = database.query(closings, &[&company.id]).await.expect("the lines");
    let lines: BTreeMap<Uuid, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(lines.len(), ids.len());
    assert!(lines.values().all(|count| *count == 1), "{lines:?}");
}

pub async fn five_hundred_are_changed_in_one_request(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let fill = "
        with client as (
            insert into clients (id, company_id, name)
            select gen_random_uuid(), $1, 'Cliente ' || number from generate_series(1, 500) number
            returning id
        )
        insert into conversations (id, company_id, client_id, channel_account_id, mode, inbound_count)
        select gen_random_uuid(), $1, client.id, $2, 'human', 1 from client
        returning id::text";
    let database = stack.database().await;
    let rows = database.query(fill, &[&company.id, &company.channel_account_id]).await.expect("five hundred");
    let ids: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let actions = [
        json!({"assign": {"to_user_id": company.agents[0].id}}),
        json!({"add_tags": ["lote"]}),
        json!({"priority": "low"}),
        json!({"read": true}),
        json!({"close": {"reason": "limpeza"}}),
    ];
    for action in actions {
        let started = Instant::now();
        let outcomes = change(&company.supervisor, &ids, action.clone()).await;
        println!("500 × {action}: {} ms", started.elapsed().as_millis());
        assert!(outcomes.iter().all(|outcome| outcome == "done"), "{outcomes:?}");
    }
    let counts = "
        select (select count(*) from messages where company_id = $1 and kind = 'system'),
               (select count(*) from events where company_id = $1 and type = 'conversation.closed')";
    let row = database.query_one(counts, &[&company.id]).await.expect("the counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (1000, 500));
}
