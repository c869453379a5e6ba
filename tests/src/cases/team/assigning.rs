//! Departments that give what waits in them to their agents.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Socket, Stack, Wanted, company::Person, company::text, eventually, sandbox::fresh_number, soon};
use uuid::Uuid;

/// A company whose first department has all of its agents and gives by itself.
pub async fn automatic(stack: &Stack, agents: usize, assignment: &str, capacity: usize) -> Company {
    let departments = vec![("Atendimento", (1..=agents).collect()), ("Financeiro", vec![])];
    let company = stack.company(Wanted { agents, students: 0, departments, ..Wanted::default() }).await;
    change(&company, json!({"assignment": assignment, "capacity": capacity})).await;
    company
}

pub async fn put(company: &Company, path: &str, changes: Value) -> Answer {
    company.supervisor.api.call(Method::PUT, path, Some(changes)).await
}

async fn remove(company: &Company, path: &str) -> Answer {
    company.supervisor.api.call(Method::DELETE, path, None).await
}

/// Changes the first department.
async fn change(company: &Company, changes: Value) -> Value {
    let path = format!("/departments/{}", company.departments[0].1);
    put(company, &path, changes).await.expect(200)
}

/// A new client writes. Answers the conversation's id.
pub async fn write(company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.admin.conversation_id_of(&client).await
}

/// Who holds it, once somebody does.
async fn holder(stack: &Stack, id: &str) -> String {
    let (database, id): (_, Uuid) = (stack.database().await, id.parse().expect("an id"));
    let holder = "select assignee_id from conversations where id = $1 and status = 'active'";
    eventually("somebody to hold the conversation", || async {
        let row = database.query_opt(holder, &[&id]).await.expect("the database answers")?;
        Some(row.get::<_, Uuid>(0).to_string())
    })
    .await
}

/// How many open conversations each agent holds, in the order of the agents.
pub async fn held(stack: &Stack, company: &Company) -> Vec<i64> {
    let count = "select count(*) from conversations where company_id = $1 and assignee_id = $2 and status = 'active'";
    let database = stack.database().await;
    let mut held = Vec::new();
    for agent in &company.agents {
        held.push(database.query_one(count, &[&company.id, &agent.id]).await.expect("a count").get(0));
    }
    held
}

async fn until_held(stack: &Stack, company: &Company, expected: &[i64]) {
    for _ in 0..200 {
        if held(stack, company).await == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(held(stack, company).await, expected);
    soon().await;
    assert_eq!(held(stack, company).await, expected, "and it stays so");
}

pub async fn show(socket: &mut Socket, status: &str) {
    socket.send(json!({"action": "setPresence", "status": status})).await;
    socket.frame("the presence set", |frame| frame["type"] == "presence" && frame["status"] == status).await;
}

pub async fn sockets(agents: &[Person]) -> Vec<Socket> {
    join_all(agents.iter().map(Person::socket)).await
}

pub async fn what_waits_is_given_to_who_is_online(stack: Arc<Stack>) {
    let company = automatic(&stack, 2, "round_robin", 5).await;
    let agent = &company.agents[1];
    let mut socket = agent.socket().await;
    let head = agent.head().await;
    let id = write(&company).await;
    let own = format!("user:{}", agent.id);
    let told = socket
        .frame("the conversation given", |frame| frame["type"] == "conversation.assigned" && frame["topic"] == own.as_str())
        .await;
    assert_eq!((&told["data"]["conversation"]["id"], &told["data"]["by_user_id"]), (&json!(id), &Value::Null));
    let conversation = agent.conversation(&id).await;
    assert_eq!((text(&conversation["status"]), &conversation["assignee_id"]), ("active", &json!(agent.id)));
    assert_eq!(conversation["pending_since"], Value::Null);
    let rows = agent.api.get(&format!("/conversations/{id}/transfers")).await.expect(200);
    assert_eq!(rows["data"].as_array().map(Vec::len), Some(1), "{rows}");
    let row = &rows["data"][0];
    assert_eq!((&row["from_user_id"], &row["to_user_id"]), (&Value::Null, &json!(agent.id)));
    assert_eq!(
        (&row["from_department_id"], &row["to_department_id"]),
        (&conversation["department_id"], &conversation["department_id"])
    );
    let thread = agent.thread(&id).await;
    let acts: Vec<(&str, &str)> =
        thread.iter().map(|message| (text(&message["sender_type"]), text(&message["payload"]["act"]))).collect();
    assert_eq!(acts, [("client", ""), ("system", "assigned")]);
    // The inbox of everybody who saw it waiting is told.
    let inbox = format!("company:{}", company.id);
    let events = agent.events_after(&head).await;
    let assigned = |event: &&Value| event["type"] == "conversation.assigned" && event["topic"] == inbox.as_str();
    assert_eq!(events.iter().filter(assigned).count(), 1);
    // Sent to by its holder as any other, and taken over by nobody else.
    agent.say(&id, "Bom dia!").await;
    let refused = company.agents[0].api.post(&format!("/conversations/{id}/takeover"), json!({})).await;
    assert_eq!(refused.problem(409), "already_taken");
}

/// The company's words are said by who takes a conversation over; whom one is given to has done nothing yet.
pub async fn client_hears_nothing_until_somebody_answers(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1])];
    let wanted = Wanted { agents: 1, students: 0, departments, takeover_text: None, ..Wanted::default() };
    let company = stack.company(wanted).await;
    change(&company, json!({"assignment": "least_busy"})).await;
    let _socket = company.agents[0].socket().await;
    let id = write(&company).await;
    holder(&stack, &id).await;
    soon().await;
    assert!(company.phone.sent().await.is_empty());
    let conversation = company.agents[0].conversation(&id).await;
    assert_eq!((&conversation["unread"], &conversation["first_human_at"]), (&json!(1), &Value::Null));
    company.agents[0].say(&id, "Bom dia!").await;
    assert_eq!(company.phone.sent_at_least(1).await.len(), 1);
    assert!(company.agents[0].conversation(&id).await["first_human_at"].is_string());
}

pub async fn what_came_before_anybody_was_online_is_given_to_who_comes(stack: Arc<Stack>) {
    let company = automatic(&stack, 2, "least_busy", 3).await;
    for _ in 0..4 {
        write(&company).await;
    }
    until_held(&stack, &company, &[0, 0]).await;
    let mut first = company.agents[0].socket().await;
    until_held(&stack, &company, &[3, 0]).await;
    show(&mut first, "away").await;
    let mut second = company.agents[1].socket().await;
    until_held(&stack, &company, &[3, 1]).await;
    // Neither who is away, busy or on a break, nor who has left.
    for status in ["busy", "away", "break"] {
        show(&mut second, status).await;
        write(&company).await;
    }
    until_held(&stack, &company, &[3, 1]).await;
    show(&mut second, "online").await;
    until_held(&stack, &company, &[3, 3]).await;
    first.close().await;
    second.close().await;
    company.agents[0].close(&given_to(&stack, &company, 0).await[0]).await;
    until_held(&stack, &company, &[2, 3]).await;
}

/// The open conversations that an agent holds.
pub async fn given_to(stack: &Stack, company: &Company, agent: usize) -> Vec<String> {
    let sql = "select id from conversations where company_id = $1 and assignee_id = $2 and status = 'active' order by id";
    let rows = stack.database().await.query(sql, &[&company.id, &company.agents[agent].id]).await.expect("rows");
    rows.iter().map(|row| row.get::<_, Uuid>(0).to_string()).collect()
}

/// A lease that has run out and that nobody has swept: who renews it comes back.
pub async fn who_was_unheard_for_a_while_comes_back_with_a_ping(stack: Arc<Stack>) {
    let company = automatic(&stack, 1, "round_robin", 3).await;
    let mut socket = company.agents[0].socket().await;
    let lapse = "update presence_leases set lease_until = now() - interval '1 second' where company_id = $1";
    stack.database().await.execute(lapse, &[&company.id]).await.expect("the lease lapses");
    let id = write(&company).await;
    until_held(&stack, &company, &[0]).await;
    socket.send(json!({"action": "ping"})).await;
    socket.of_type("pong").await;
    assert_eq!(holder(&stack, &id).await, company.agents[0].id.to_string());
}

pub async fn nobody_is_given_more_than_their_capacity(stack: Arc<Stack>) {
    let company = automatic(&stack, 2, "round_robin", 1).await;
    let path = format!("/departments/{}/members", company.departments[0].1);
    let set = async |agent: usize, capacity: Value| {
        let body = json!({"user_id": company.agents[agent].id, "capacity": capacity});
        company.supervisor.api.post(&path, body).await.expect(201)
    };
    set(1, json!(0)).await;
    let _sockets = sockets(&company.agents).await;
    for _ in 0..9 {
        write(&company).await;
    }
    until_held(&stack, &company, &[1, 0]).await;
    set(1, json!(2)).await;
    until_held(&stack, &company, &[1, 2]).await;
    change(&company, json!({"capacity": 3})).await;
    until_held(&stack, &company, &[3, 2]).await;
    // What an agent takes over counts; nobody is kept from taking over.
    let waiting = company.agents[0].api.get("/conversations?category=pending").await.expect(200);
    company.agents[0].take_over(text(&waiting["data"][0]["id"])).await;
    until_held(&stack, &company, &[4, 2]).await;
    company.agents[0].close(&given_to(&stack, &company, 0).await[0]).await;
    until_held(&stack, &company, &[3, 2]).await;
    // A place that becomes free is filled, by closing and by passing on.
    company.agents[1].close(&given_to(&stack, &company, 1).await[0]).await;
    until_held(&stack, &company, &[3, 2]).await;
    let passed_on = given_to(&stack, &company, 1).await.remove(0);
    company.agents[1].transfer(&passed_on, json!({"to_user_id": company.supervisor.id})).await;
    until_held(&stack, &company, &[3, 2]).await;
    set(1, Value::Null).await;
    until_held(&stack, &company, &[3, 3]).await;
}

pub async fn round_robin_goes_to_whom_was_given_one_the_longest_ago(stack: Arc<Stack>) {
    let company = automatic(&stack, 3, "round_robin", 50).await;
    let _sockets = sockets(&company.agents).await;
    let mut turns = Vec::new();
    for _ in 0..9 {
        let id = write(&company).await;
        turns.push(holder(&stack, &id).await);
    }
    let first: BTreeSet<&String> = turns[..3].iter().collect();
    assert_eq!(first.len(), 3, "{turns:?}");
    assert!(turns.iter().zip(&turns[3..]).all(|(one, later)| one == later), "{turns:?}");
    // Who has fewer is not before their turn.
    company.agents[0].close(&given_to(&stack, &company, 0).await[0]).await;
    company.agents[0].close(&given_to(&stack, &company, 0).await[0]).await;
    let id = write(&company).await;
    assert_eq!(holder(&stack, &id).await, turns[0]);
}

/// A crowd that waits is dealt out in one go, as it would be one by one.
pub async fn many_at_once_are_dealt_out_evenly(stack: Arc<Stack>) {
    for assignment in ["round_robin", "least_busy"] {
        let company = automatic(&stack, 3, "manual", 50).await;
        let _sockets = sockets(&company.agents).await;
        for _ in 0..3 {
            let id = write(&company).await;
            company.agents[2].take_over(&id).await;
        }
        let mut waiting = Vec::new();
        for _ in 0..9 {
            waiting.push(write(&company).await);
        }
        until_held(&stack, &company, &[0, 0, 3]).await;
        let none = "select count(*) from jobs where company_id = $1 and queue = 'automation'";
        let jobs: i64 = stack.database().await.query_one(none, &[&company.id]).await.expect("a count").get(0);
        assert_eq!(jobs, 0, "a manual department costs no job");
        change(&company, json!({"assignment": assignment})).await;
        let expected = if assignment == "round_robin" { [3, 3, 6] } else { [4, 4, 4] };
        until_held(&stack, &company, &expected).await;
        let order = "
            select conversation_id from conversation_transfers
             where company_id = $1 and by_user_id is null order by at, id";
        let rows = stack.database().await.query(order, &[&company.id]).await.expect("rows");
        let given: BTreeSet<String> = rows.iter().map(|row| row.get::<_, Uuid>(0).to_string()).collect();
        assert_eq!(given, waiting.into_iter().collect(), "{assignment}: each once");
        assert_eq!(rows.len(), 9);
    }
}

pub async fn least_busy_goes_to_who_holds_the_fewest(stack: Arc<Stack>) {
    let company = automatic(&stack, 3, "least_busy", 50).await;
    // What is held of other departments counts too.
    for agent in [0, 0, 1] {
        let id = write(&company).await;
        company.supervisor.transfer(&id, json!({"to_department_id": company.departments[1].1})).await;
        company.supervisor.transfer(&id, json!({"to_user_id": company.agents[agent].id})).await;
    }
    let _sockets = sockets(&company.agents).await;
    let mut turns = Vec::new();
    for _ in 0..4 {
        let id = write(&company).await;
        turns.push(holder(&stack, &id).await);
    }
    let [two, one, none] = [0, 1, 2].map(|agent| company.agents[agent].id.to_string());
    assert_eq!(turns[0], none);
    // Of those who hold as many, whom was given one the longest ago: one of them never was.
    assert_eq!(turns[1..3], [one.clone(), none.clone()]);
    // All hold two, and to one of them nothing was ever given.
    assert_eq!(turns[3], two);
}

pub async fn every_way_to_wait_leads_to_somebody(stack: Arc<Stack>) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { students: 0, bot: true, departments, ..Wanted::default() }).await;
    change(&company, json!({"assignment": "round_robin"})).await;
    let second = company.departments[1].1;
    let path = format!("/departments/{second}");
    put(&company, &path, json!({"assignment": "least_busy"})).await.expect(200);
    let _sockets = sockets(&company.agents).await;
    let [first_agent, second_agent] = &company.agents[..] else { panic!("two agents") };
    // From the bot.
    let client = fresh_number();
    company.phone.receive_text(&client, "Oi").await;
    company.phone.sent_at_least(1).await;
    company.phone.receive(&client, json!({"button_reply": {"id": "human", "title": "Falar com atendente"}})).await;
    let id = company.admin.conversation_id_of(&client).await;
    assert_eq!(holder(&stack, &id).await, first_agent.id.to_string());
    // To another department.
    first_agent.transfer(&id, json!({"to_department_id": second})).await;
    assert_eq!(holder(&stack, &id).await, second_agent.id.to_string());
    // Closed while it waited in a department that gives nothing, and reopened in one that does.
    put(&company, &path, json!({"assignment": "manual"})).await.expect(200);
    second_agent.transfer(&id, json!({"to_department_id": second})).await;
    company.supervisor.close(&id).await;
    put(&company, &path, json!({"assignment": "round_robin"})).await.expect(200);
    company.phone.receive_text(&client, "Mais uma coisa").await;
    assert_eq!(holder(&stack, &id).await, second_agent.id.to_string());
    // From a department that goes.
    let id = {
        put(&company, &path, json!({"assignment": "manual"})).await.expect(200);
        first_agent.api.post(&format!("/conversations/{id}/transfer"), json!({})).await.problem(422);
        second_agent.transfer(&id, json!({"to_department_id": second})).await;
        let refused = remove(&company, &path).await;
        assert_eq!(refused.problem(409), "department_in_use");
        remove(&company, &format!("{path}?move_to={}", company.departments[0].1)).await.expect(204);
        id
    };
    assert_eq!(holder(&stack, &id).await, first_agent.id.to_string());
}

pub async fn who_joins_a_department_is_given_what_waits_in_it(stack: Arc<Stack>) {
    let company = automatic(&stack, 1, "round_robin", 5).await;
    let path = format!("/departments/{}/members", company.departments[0].1);
    remove(&company, &format!("{path}/{}", company.agents[0].id)).await.expect(204);
    let _socket = company.agents[0].socket().await;
    let _admin = company.admin.socket().await;
    let id = write(&company).await;
    until_held(&stack, &company, &[0]).await;
    company.supervisor.api.post(&path, json!({"user_id": company.agents[0].id})).await.expect(201);
    assert_eq!(holder(&stack, &id).await, company.agents[0].id.to_string());
}

pub async fn what_somebody_held_who_leaves_is_given_to_another(stack: Arc<Stack>) {
    let company = automatic(&stack, 2, "least_busy", 3).await;
    let _leaver = company.agents[0].socket().await;
    for _ in 0..2 {
        write(&company).await;
    }
    until_held(&stack, &company, &[2, 0]).await;
    let _stayer = company.agents[1].socket().await;
    let path = format!("/admin/deactivate-user/{}", company.agents[0].id);
    company.admin.api.post(&path, json!({})).await.expect(200);
    until_held(&stack, &company, &[0, 2]).await;
}

/// A client who writes again soon comes back to who served them, if they are still there.
pub async fn what_is_reopened_goes_to_nobody_who_has_left(stack: Arc<Stack>) {
    let company = automatic(&stack, 2, "manual", 5).await;
    let mut clients = Vec::new();
    for agent in 0..2 {
        let client = fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        let id = company.admin.conversation_id_of(&client).await;
        company.agents[agent].take_over(&id).await;
        company.agents[agent].close(&id).await;
        clients.push((client, id));
    }
    let path = format!("/admin/deactivate-user/{}", company.agents[0].id);
    company.admin.api.post(&path, json!({})).await.expect(200);
    for (client, _) in &clients {
        company.phone.receive_text(client, "Mais uma coisa").await;
    }
    let left = company.admin.conversation(&clients[0].1).await;
    assert_eq!((text(&left["status"]), &left["assignee_id"]), ("pending", &Value::Null));
    assert!(left["pending_since"].is_string());
    let stayed = company.admin.conversation(&clients[1].1).await;
    assert_eq!((text(&stayed["status"]), &stayed["assignee_id"]), ("active", &json!(company.agents[1].id)));
    // And whoever is there is given what waits.
    let _socket = company.agents[1].socket().await;
    change(&company, json!({"assignment": "round_robin"})).await;
    assert_eq!(holder(&stack, &clients[0].1).await, company.agents[1].id.to_string());
}
