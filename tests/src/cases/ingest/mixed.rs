//! Webhooks that mix clients, statuses and changes, in any order and many at once: nothing waits for itself.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tests::{Company, Stack, Wanted, company::Person, company::text, eventually, sandbox::fresh_number};

use super::{
    Dice,
    adapters::{ADAPTERS, Adapter, CONNECTIONS, Content, Line, Told, Who},
};

const CLIENTS: usize = 20;
const MESSAGES_EACH: usize = 15;
const MOST_ITEMS: usize = 12;

/// What the server has written and the functions have counted until now.
struct Net {
    written: usize,
    retries: u64,
}

impl Net {
    async fn before(stack: &Stack) -> Self {
        Self { written: stack.database_log().len(), retries: stack.lock_retries().await }
    }

    /// The order of locks has carried the load, and not the net below it.
    async fn is_unused(&self, stack: &Stack) {
        let log = stack.database_log();
        let deadlocks: Vec<&str> = log[self.written..].lines().filter(|line| line.contains("deadlock detected")).collect();
        assert!(deadlocks.is_empty(), "{deadlocks:?}");
        assert_eq!(stack.lock_retries().await, self.retries);
    }
}

/// An agent who answers, takes over, reads and closes whatever there is.
async fn work(agent: Person, mut dice: Dice) {
    for round in 0.. {
        let list = agent.api.get("/conversations?category=pending,active").await.expect(200);
        let rows = list["data"].as_array().cloned().unwrap_or_default();
        if !rows.is_empty() {
            let id = text(&rows[dice.below(rows.len())]["id"]).to_owned();
            let path = |act: &str| format!("/conversations/{id}/{act}");
            let answer = match dice.below(8) {
                0 | 1 => agent.api.post(&path("takeover"), json!({})).await,
                2 => agent.api.post(&path("close"), json!({})).await,
                3 | 4 => agent.api.post(&path("read"), json!({})).await,
                _ => agent.api.post("/messages", tests::desk::text_message(&id, &format!("resposta {round}"))).await,
            };
            assert!(answer.status < 500, "{answer:?}");
        }
        // Not so often that the API would limit this person's requests.
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// What twenty clients say, change and take back, and what the business types to them, in no order; half of them were answered before, so
/// that there are statuses to come.
struct Story {
    told: Vec<Told>,
    edited: Vec<String>,
    taken_back: Vec<String>,
    /// When each message was written.
    times: Vec<(String, i64)>,
}

impl Story {
    /// As far as this line tells such things.
    fn of(line: &Line, clients: &[String], sent: &[String]) -> Self {
        let began = jiff::Timestamp::now().as_second() - 3_000;
        let mut story = Self { told: Vec::new(), edited: Vec::new(), taken_back: Vec::new(), times: Vec::new() };
        let is_told = |told: &Told| line.adapter.tells(told);
        for (index, client) in clients.iter().enumerate() {
            let who = Who::of(client);
            for number in 0..MESSAGES_EACH {
                let (id, at) = (line.fresh_id(), began + i64::try_from(100 * number + index).expect("few"));
                let words = format!("mensagem {index}.{number}");
                let said = |content: Content| Told::Said { who: who.clone(), id: id.clone(), content, at };
                let place = Some(said(Content::Place(words.clone()))).filter(|place| number % 4 == 3 && is_told(place));
                let said = place.unwrap_or_else(|| said(Content::Words(words)));
                story.times.push((line.provider_id(&said), at));
                story.told.push(said);
                let (who, target, at) = (who.clone(), id.clone(), at + 1);
                let change = match number % 5 {
                    0 => Told::Edited { who, target, words: "editada".into(), at },
                    1 => Told::TakenBack { who, target, at },
                    2 => Told::Reacted { who, target: sent.get(index % sent.len().max(1)).cloned().unwrap_or_default(), at },
                    _ => continue,
                };
                if is_told(&change) {
                    match &change {
                        Told::Edited { .. } => story.edited.push(id),
                        Told::TakenBack { .. } => story.taken_back.push(id),
                        _ => {}
                    }
                    story.told.push(change);
                }
            }
            let (id, at) = (line.fresh_id(), began + 2_000);
            let typed = Told::Typed { to: who.clone(), id: id.clone(), words: format!("do celular {index}"), at };
            if is_told(&typed) {
                story.times.push((id, at));
                story.told.push(typed);
            }
        }
        for (id, client) in sent.iter().zip(clients) {
            let to = || Who::of(client);
            story.told.extend(["sent", "delivered", "read"].map(|status| Told::Status { to: to(), id: id.clone(), status }));
            story.told.push(Told::Status { to: to(), id: line.fresh_id(), status: "delivered" });
        }
        story
    }
}

pub async fn batches_of_many_clients_are_all_stored_and_none_waits_for_itself(stack: Arc<Stack>) {
    for adapter in ADAPTERS {
        batches_are_all_stored(&stack, adapter).await;
    }
}

async fn batches_are_all_stored(stack: &Arc<Stack>, adapter: Adapter) {
    let company = stack.company(Wanted { agents: 3, students: 0, ..Wanted::default() }).await;
    let line = Line::open(stack, &company, adapter).await;
    let clients: Vec<String> = (0..CLIENTS).map(|_| fresh_number()).collect();
    let mut dice = Dice(20);
    let say = async |client: &str, words: &str| {
        let (who, at) = (Who::of(client), jiff::Timestamp::now().as_second());
        line.tell(stack, &[Told::Said { who, id: line.fresh_id(), content: Content::Words(words.into()), at }]).await;
    };
    for client in &clients[..CLIENTS / 2] {
        say(client, "Oi").await;
        let id = company.admin.conversation_id_of(client).await;
        company.agents[0].take_over(&id).await;
        company.agents[0].say(&id, "Olá").await;
    }
    let sent = line.sent_at_least(stack, CLIENTS / 2).await;
    let net = Net::before(stack).await;
    let mut story = Story::of(&line, &clients, &sent);
    dice.shuffle(&mut story.told);
    let parts = dice.parts(std::mem::take(&mut story.told), MOST_ITEMS);
    let webhooks = parts.iter().flat_map(|part| line.webhooks(part, &mut dice)).collect();
    let agents: Vec<_> =
        company.agents.iter().zip(1..).map(|(agent, seed)| tokio::spawn(work(agent.clone(), Dice(seed)))).collect();
    let statuses = line.post_all(stack, webhooks).await;
    for agent in agents {
        assert!(!agent.is_finished(), "an agent was answered with an error: {:?}", agent.await);
        agent.abort();
    }
    assert!(statuses.iter().all(|status| *status == 200), "{adapter:?}: {statuses:?}");
    // Whose conversation an agent has closed opens it again.
    for client in &clients {
        say(client, "tchau").await;
    }
    net.is_unused(stack).await;
    all_is_there(stack, &company, &line, (&story, &sent)).await;
}

/// Every message once, with its own time where that is told, and one open conversation for each client.
async fn all_is_there(stack: &Stack, company: &Company, line: &Line, (story, sent): (&Story, &[String])) {
    let database = stack.database().await;
    let few = |count: usize| i64::try_from(count).expect("few");
    let stored = "select count(*), count(distinct provider_id) from messages where company_id = $1 and sender_type = 'client'";
    let row = database.query_one(stored, &[&company.id]).await.expect("counts");
    let wanted = few(CLIENTS * MESSAGES_EACH + CLIENTS / 2 + CLIENTS);
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (wanted, wanted));
    let (ids, times): (Vec<&str>, Vec<i64>) = story.times.iter().map(|(id, at)| (id.as_str(), *at)).unzip();
    let timely = "
        select count(*), count(*) filter (where extract(epoch from messages.sent_at)::bigint = told.at or not $4)
          from unnest($2::text[], $3::bigint[]) told (id, at)
          join messages on messages.company_id = $1 and messages.provider_id = told.id";
    let row = database.query_one(timely, &[&company.id, &ids, &times, &line.adapter.tells_times()]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (few(ids.len()), few(ids.len())));
    let open = "
        select count(*), count(*) filter (where open = 1), count(*) filter (where inbound = numbered and inbound = highest)
          from (select count(*) filter (where ended_at is null) as open, count(*), sum(inbound_count) as inbound,
                       sum((select count(distinct inbound_number) from messages where conversation_id = conversations.id)) as numbered,
                       sum((select max(inbound_number) from messages where conversation_id = conversations.id)) as highest
                  from conversations
                 where company_id = $1
                 group by client_id) clients";
    let row = database.query_one(open, &[&company.id]).await.expect("counts");
    assert_eq!([0, 1, 2].map(|index| row.get::<_, i64>(index)), [few(CLIENTS); 3]);
    let changed = "select count(*) filter (where provider_id = any ($2) and body = 'editada'),
                          count(*) filter (where provider_id = any ($3) and deleted_at is not null)
                     from messages where company_id = $1";
    let row = database.query_one(changed, &[&company.id, &story.edited, &story.taken_back]).await.expect("counts");
    assert_eq!([0, 1].map(|index| row.get::<_, i64>(index)), [few(story.edited.len()), few(story.taken_back.len())]);
    let read = "select count(*) from messages where company_id = $1 and provider_id = any ($2) and status = 'read'";
    eventually("all read", || async {
        let count: i64 = database.query_one(read, &[&company.id, &sent]).await.expect("a count").get(0);
        (count == few(sent.len())).then_some(())
    })
    .await;
}

pub async fn webhooks_that_name_the_same_clients_in_opposite_order_are_all_stored(stack: Arc<Stack>) {
    const ROUNDS: usize = 5;
    for adapter in ADAPTERS {
        let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
        let line = Line::open(&stack, &company, adapter).await;
        let mut clients: Vec<String> = (0..10).map(|_| fresh_number()).collect();
        let net = Net::before(&stack).await;
        let mut webhooks = Vec::new();
        for _ in 0..CONNECTIONS * ROUNDS {
            clients.reverse();
            let at = jiff::Timestamp::now().as_second();
            let said = |client: &String| {
                let content = Content::Words("cruzado".into());
                Told::Said { who: Who::of(client), id: line.fresh_id(), content, at }
            };
            let told: Vec<Told> = clients.iter().map(said).collect();
            webhooks.extend(line.webhooks(&told, &mut Dice(1)));
        }
        let statuses = line.post_all(&stack, webhooks).await;
        assert!(statuses.iter().all(|status| *status == 200), "{adapter:?}: {statuses:?}");
        net.is_unused(&stack).await;
        let count = "select count(*), count(distinct conversation_id) from messages where company_id = $1";
        let row = stack.database().await.query_one(count, &[&company.id]).await.expect("counts");
        let wanted = i64::try_from(10 * CONNECTIONS * ROUNDS).expect("few");
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (wanted, 10), "{adapter:?}");
    }
}
