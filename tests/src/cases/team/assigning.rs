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

async fn put(company: &Company, path: &str, changes: Value) -> Answer {
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
async fn held(stack: &Stack, company: &Company) -> Vec<i64> {
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

async fn show(socket: &mut Socket, status: &str) {
    socket.send(json!({"action": "setPresence", "status": status})).await;
    socket.frame("the presence set", |frame| frame["type"] == "presence" && frame["status"] == status).await;
}

async fn sockets(agents: &[Person]) -> Vec<Socket> {
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
async fn given_to(stack: &Stack, company: &Company, agent: usize) -> Vec<String> {
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

/// What is the case at any moment, whoever comes and goes.
pub struct Watch {
    database: tokio_postgres::Client,
    company: Uuid,
}

/// Holders of more than they may.
const OVER_CAPACITY: &str = "
    select users.name, held.count, coalesce(member.capacity, departments.capacity)
      from department_members member
      join departments on departments.id = member.department_id
      join users on users.id = member.user_id
     cross join lateral (select count(*)::integer as count from conversations
                          where conversations.company_id = $1 and assignee_id = member.user_id and status = 'active') held
     where member.company_id = $1 and departments.assignment <> 'manual'
       and held.count > coalesce(member.capacity, departments.capacity)";

/// Conversations that could be given and are not.
const FORGOTTEN: &str = "
    select conversations.id, users.name
      from conversations
      join departments on departments.id = conversations.department_id and departments.assignment <> 'manual'
      join department_members member on member.department_id = departments.id
      join users on users.id = member.user_id
     where conversations.company_id = $1 and conversations.status = 'pending'
       and exists (select from presence_leases where presence_leases.company_id = $1 and user_id = member.user_id
                                                 and status = 'online' and lease_until > now())
       and (select count(*) from conversations held
             where held.company_id = $1 and held.assignee_id = member.user_id and held.status = 'active')
           < coalesce(member.capacity, departments.capacity)";

/// Rows of history that do not follow from the one before, or give what somebody holds.
const GIVEN_TWICE: &str = "
    select conversation_id
      from (select conversation_id, by_user_id, from_user_id, to_user_id,
                   lag(to_user_id) over (partition by conversation_id order by at, id) as before
              from conversation_transfers
             where company_id = $1) steps
     where before is distinct from from_user_id
        or by_user_id is null and to_user_id is not null and from_user_id is not null";

/// Acts of the department, as rows, lines of the thread and events.
const TOLD: &str = "
    select (select count(*) from conversation_transfers
             where company_id = $1 and by_user_id is null and to_user_id is not null),
           (select count(*) from messages where company_id = $1 and sender_type = 'system' and payload ->> 'act' = 'assigned'),
           (select count(*) from events
             where company_id = $1 and type = 'conversation.assigned' and topic like 'company:%' and data ->> 'by_user_id' is null)";

impl Watch {
    pub async fn of(stack: &Stack, company: &Company) -> Self {
        Self { database: stack.database().await, company: company.id }
    }

    async fn rows(&self, sql: &str) -> Vec<tokio_postgres::Row> {
        self.database.query(sql, &[&self.company]).await.expect("the database answers")
    }

    pub async fn nobody_is_over_capacity(&self) {
        let over: Vec<(String, i32, i32)> =
            self.rows(OVER_CAPACITY).await.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        assert!(over.is_empty(), "{over:?}");
    }

    /// Nothing waits for whom it could be given to, once all jobs are done.
    pub async fn nothing_is_forgotten(&self) {
        eventually("no job of the department's left", || async {
            let left = "select from jobs where company_id = $1 and queue = 'automation' and finished_at is null";
            self.rows(left).await.is_empty().then_some(())
        })
        .await;
        let forgotten: Vec<(Uuid, String)> = self.rows(FORGOTTEN).await.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert!(forgotten.is_empty(), "{forgotten:?}");
    }

    pub async fn nothing_is_given_twice(&self) {
        let twice: Vec<Uuid> = self.rows(GIVEN_TWICE).await.iter().map(|row| row.get(0)).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let told = self.rows(TOLD).await;
        let [rows, lines, events]: [i64; 3] = [0, 1, 2].map(|column| told[0].get(column));
        assert_eq!((rows, rows), (lines, events), "each act leaves a row, a line and an event");
    }

    pub async fn waiting(&self) -> i64 {
        self.rows("select count(*) from conversations where company_id = $1 and status = 'pending'").await[0].get(0)
    }
}

/// Numbers that look like chance and are the same for the same seed.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A seed that nobody chose.
    pub fn seed() -> u64 {
        let (seed, _) = Uuid::new_v4().as_u64_pair();
        println!("seed {seed}");
        seed
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    pub fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let index = self.below(choices.len().try_into().expect("a few"));
        &choices[usize::try_from(index).expect("a few")]
    }

    pub async fn pause(&mut self) {
        tokio::time::sleep(Duration::from_millis(self.below(60))).await;
    }
}

/// An agent comes and goes, shows one thing or another, closes and passes on what they hold.
pub async fn come_and_go(stack: &Stack, company: &Company, agent: usize, seed: u64, steps: usize) -> Option<Socket> {
    let person = &company.agents[agent];
    let mut chance = Chance::new(seed ^ person.id.as_u64_pair().1);
    let mut open: Option<Socket> = None;
    for _ in 0..steps {
        match (chance.below(8), open.take()) {
            (0 | 1, Some(socket)) => socket.close().await,
            (2, Some(mut socket)) => {
                let status: &&str = chance.of(&["away", "busy", "break"]);
                show(&mut socket, status).await;
                open = Some(socket);
            }
            (3, Some(mut socket)) => {
                show(&mut socket, "online").await;
                open = Some(socket);
            }
            (_, Some(socket)) => {
                let mine = given_to(stack, company, agent).await;
                if let Some(id) = mine.first() {
                    // Somebody may have been faster: both are as they should be.
                    let target = json!({"to_department_id": chance.of(&company.departments).1});
                    let answer = match chance.below(3) {
                        0 => person.api.post(&format!("/conversations/{id}/transfer"), target).await,
                        _ => person.api.post(&format!("/conversations/{id}/close"), json!({})).await,
                    };
                    assert!([200, 409].contains(&answer.status), "{}", answer.body);
                }
                open = Some(socket);
            }
            (_, None) => open = Some(person.socket().await),
        }
        chance.pause().await;
    }
    open
}

/// Two departments with the same agents, each with a capacity of their own that only grows.
pub async fn scene(stack: &Stack, agents: usize, seed: u64) -> Company {
    let everybody: Vec<usize> = (1..=agents).collect();
    let departments = vec![("Atendimento", everybody.clone()), ("Financeiro", everybody)];
    let company = stack.company(Wanted { agents, students: 0, departments, ..Wanted::default() }).await;
    let mut chance = Chance::new(seed);
    let capacities: Vec<u64> = company.agents.iter().map(|_| 1 + chance.below(3)).collect();
    for (assignment, (_, department)) in ["round_robin", "least_busy"].into_iter().zip(&company.departments) {
        let path = format!("/departments/{department}");
        for (agent, capacity) in company.agents.iter().zip(&capacities) {
            let member = json!({"user_id": agent.id, "capacity": capacity});
            company.supervisor.api.post(&format!("{path}/members"), member).await.expect(201);
        }
        put(&company, &path, json!({"assignment": assignment})).await.expect(200);
    }
    company
}

/// All are online with room for everything: nothing is left.
pub async fn let_everybody_in(stack: &Stack, company: &Company) {
    let _sockets = sockets(&company.agents).await;
    for (_, department) in &company.departments {
        put(company, &format!("/departments/{department}"), json!({"capacity": 200})).await.expect(200);
        for agent in &company.agents {
            let member = json!({"user_id": agent.id, "capacity": null});
            company.supervisor.api.post(&format!("/departments/{department}/members"), member).await.expect(201);
        }
    }
    let watch = Watch::of(stack, company).await;
    eventually("everything given", || async { (watch.waiting().await == 0).then_some(()) }).await;
    watch.nothing_is_given_twice().await;
}

pub async fn none_is_given_twice_and_none_forgotten(stack: Arc<Stack>) {
    let seed = Chance::seed();
    let company = scene(&stack, 4, seed).await;
    let watch = Watch::of(&stack, &company).await;
    let clients = async {
        let mut chance = Chance::new(seed ^ 100);
        for _ in 0..40 {
            company.phone.receive_text(&fresh_number(), "Oi").await;
            chance.pause().await;
        }
    };
    let growing = async {
        let mut chance = Chance::new(seed ^ 200);
        for round in 3..6 {
            tokio::time::sleep(Duration::from_millis(400)).await;
            let agent = chance.of(&company.agents);
            for (_, department) in &company.departments {
                let member = json!({"user_id": agent.id, "capacity": round});
                company.supervisor.api.post(&format!("/departments/{department}/members"), member).await.expect(201);
            }
        }
    };
    let watching = async {
        for _ in 0..60 {
            watch.nobody_is_over_capacity().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let agents = join_all((0..4).map(|agent| come_and_go(&stack, &company, agent, seed, 30)));
    let (open, (), (), ()) = futures_util::future::join4(agents, clients, growing, watching).await;
    watch.nothing_is_forgotten().await;
    watch.nothing_is_given_twice().await;
    watch.nobody_is_over_capacity().await;
    drop(open);
    let_everybody_in(&stack, &company).await;
}

/// As many as a school has after a weekend, and its agents come in one after the other.
pub async fn a_crowd_that_waits_is_given_to_a_crowd_that_comes(stack: Arc<Stack>) {
    const WAITING: i64 = 400;
    let company = automatic(&stack, 6, "least_busy", 200).await;
    let fill = "
        with client as (
            insert into clients (id, company_id, name)
            select gen_random_uuid(), $1, 'Cliente ' || number from generate_series(1, $4::bigint) number
            returning id
        )
        insert into conversations (id, company_id, client_id, channel_account_id, department_id, mode, pending_since)
        select gen_random_uuid(), $1, id, $2, $3, 'human', now() - random() * interval '1 hour' from client";
    let database = stack.database().await;
    let (channel, department) = (company.channel_account_id, company.departments[0].1);
    database.execute(fill, &[&company.id, &channel, &department, &WAITING]).await.expect("a crowd");
    let _sockets = sockets(&company.agents).await;
    let watch = Watch::of(&stack, &company).await;
    eventually("everybody served", || async { (watch.waiting().await == 0).then_some(()) }).await;
    watch.nothing_is_given_twice().await;
    assert_eq!(held(&stack, &company).await.iter().sum::<i64>(), WAITING);
    let jobs = "select count(*) from jobs where company_id = $1 and queue = 'automation'";
    let jobs: i64 = database.query_one(jobs, &[&company.id]).await.expect("a count").get(0);
    assert!(jobs < WAITING / 4, "{jobs} jobs for {WAITING} conversations");
    // Who waited longest was served first, as far as one transaction goes.
    let order = "
        select extract(epoch from first_pending_at)::double precision
          from conversation_transfers
          join conversations on conversations.id = conversation_id
         where conversation_transfers.company_id = $1
         order by conversation_transfers.at";
    let rows = database.query(order, &[&company.id]).await.expect("rows");
    let since: Vec<f64> = rows.iter().map(|row| row.get(0)).collect();
    let batches: Vec<&[f64]> = since.chunks(20).collect();
    for two in batches.windows(2) {
        let latest = two[0].iter().copied().fold(f64::MIN, f64::max);
        let earliest = two[1].iter().copied().fold(f64::MAX, f64::min);
        assert!(latest <= earliest, "{latest} was served before {earliest}");
    }
}
