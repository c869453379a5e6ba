//! What holds whoever comes and goes: nothing is given twice, nothing is forgotten, nobody holds more than they may.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use tests::{Company, Socket, Stack, Wanted, eventually, sandbox::fresh_number};
use uuid::Uuid;

use super::assigning::{automatic, given_to, held, put, show, sockets};

/// What is the case at any moment, whoever comes and goes.
pub struct Watch {
    database: tokio_postgres::Client,
    company: Uuid,
}

/// Holders of more than they may in any of their departments: what they may grows in one after the other.
const OVER_CAPACITY: &str = "
    select users.name, held.count, most.capacity
      from (select member.user_id, max(coalesce(member.capacity, departments.capacity)) as capacity
              from department_members member
              join departments on departments.id = member.department_id
             where member.company_id = $1 and departments.assignment <> 'manual'
             group by member.user_id) most
      join users on users.id = most.user_id
     cross join lateral (select count(*)::integer as count from conversations
                          where conversations.company_id = $1 and assignee_id = most.user_id and status = 'active') held
     where held.count > most.capacity";

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
    let mut sockets = sockets(&company.agents).await;
    for socket in &mut sockets {
        // Whoever was away a moment ago still is.
        show(socket, "online").await;
    }
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
        let mut chance = Chance::new(seed.wrapping_add(100));
        for _ in 0..40 {
            company.phone.receive_text(&fresh_number(), "Oi").await;
            chance.pause().await;
        }
    };
    let growing = async {
        let mut chance = Chance::new(seed.wrapping_add(200));
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
