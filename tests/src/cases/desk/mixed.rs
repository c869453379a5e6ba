//! Webhooks that mix clients, statuses and changes, in any order and many at once: nothing waits for itself.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person, company::text, eventually, sandbox::fresh_number};
use uuid::Uuid;

const CLIENTS: usize = 20;
const MESSAGES_EACH: usize = 15;
const CONNECTIONS: usize = 8;
const MOST_ITEMS: usize = 12;

/// Numbers in an order that looks like none and is always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % most
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// One item of `messages` or of `statuses`.
struct Item {
    list: &'static str,
    value: Value,
}

fn wamid() -> String {
    format!("wamid.{}", Uuid::now_v7().simple())
}

fn message(client: &str, id: &str, content: Value) -> Item {
    let mut value = json!({"from": client, "id": id, "timestamp": jiff::Timestamp::now().as_second().to_string()});
    value.as_object_mut().expect("an object").extend(content.as_object().cloned().unwrap_or_default());
    Item { list: "messages", value }
}

fn words(body: &str) -> Value {
    json!({"type": "text", "text": {"body": body}})
}

fn status(id: &str, status: &str) -> Item {
    let at = jiff::Timestamp::now().as_second().to_string();
    Item { list: "statuses", value: json!({"id": id, "status": status, "timestamp": at, "recipient_id": "5511900000000"}) }
}

fn webhook(company: &Company, items: &[Item]) -> String {
    let of = |list: &str| items.iter().filter(|item| item.list == list).map(|item| item.value.clone()).collect::<Vec<_>>();
    let metadata = json!({"display_phone_number": "551140000000", "phone_number_id": company.phone.number_id});
    let value =
        json!({"messaging_product": "whatsapp", "metadata": metadata, "messages": of("messages"), "statuses": of("statuses")});
    let entry = json!({"id": "104200000000001", "changes": [{"field": "messages", "value": value}]});
    json!({"object": "whatsapp_business_account", "entry": [entry]}).to_string()
}

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

/// Posts every webhook from this many connections, each again until it is taken, as Meta does. Answers every status there was.
async fn post_all(company: &Company, webhooks: Vec<String>) -> Vec<u64> {
    let waiting = Arc::new(Mutex::new(VecDeque::from(webhooks)));
    let posted = join_all((0..CONNECTIONS).map(|connection| {
        let (phone, waiting) = (company.phone.clone(), Arc::clone(&waiting));
        tokio::spawn(async move {
            let mut statuses = Vec::new();
            loop {
                let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(raw) = next else { return statuses };
                // Some come twice at the same moment.
                let copies = if statuses.len() % CONNECTIONS == connection { 2 } else { 1 };
                for _ in 0..5 {
                    let order = json!({"raw": raw});
                    let attempts = join_all((0..copies).map(|_| phone.post("/whatsapp/webhook", order.clone()))).await;
                    let answered: Vec<u64> =
                        attempts.iter().map(|attempt| attempt["status"].as_u64().unwrap_or_default()).collect();
                    let is_taken = answered.iter().all(|status| *status == 200);
                    statuses.extend(answered);
                    if is_taken {
                        break;
                    }
                }
            }
        })
    }))
    .await;
    posted.into_iter().flat_map(|statuses| statuses.expect("the connection")).collect()
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

pub async fn batches_of_many_clients_are_all_stored_and_none_waits_for_itself(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, students: 0, ..Wanted::default() }).await;
    let clients: Vec<String> = (0..CLIENTS).map(|_| fresh_number()).collect();
    let mut dice = Dice(20);
    // Half of them have been answered before, so that there are statuses to come.
    for client in &clients[..CLIENTS / 2] {
        company.phone.receive_text(client, "Oi").await;
        let id = company.admin.conversation_id_of(client).await;
        company.agents[0].take_over(&id).await;
        company.agents[0].say(&id, "Olá").await;
    }
    let sent = company.phone.sent_at_least(CLIENTS / 2).await;
    let net = Net::before(&stack).await;
    let mut items = Vec::new();
    let mut edited = Vec::new();
    for (index, client) in clients.iter().enumerate() {
        for number in 0..MESSAGES_EACH {
            let id = wamid();
            items.push(message(client, &id, words(&format!("mensagem {index}.{number}"))));
            if number % 5 == 0 {
                let edit = json!({"original_message_id": id, "message": words("editada")});
                items.push(message(client, &wamid(), json!({"type": "edit", "edit": edit})));
                let reaction = json!({"message_id": text(&sent[index % sent.len()]["id"]), "emoji": "👍"});
                items.push(message(client, &wamid(), json!({"type": "reaction", "reaction": reaction})));
                edited.push(id);
            }
        }
    }
    for sent in &sent {
        items.extend(["sent", "delivered", "read"].map(|step| status(text(&sent["id"]), step)));
        items.push(status(&wamid(), "delivered"));
    }
    dice.shuffle(&mut items);
    let mut webhooks = Vec::new();
    while !items.is_empty() {
        let rest = items.split_off(items.len().min(1 + dice.below(MOST_ITEMS)));
        webhooks.push(webhook(&company, &std::mem::replace(&mut items, rest)));
    }
    let agents: Vec<_> =
        company.agents.iter().zip(1..).map(|(agent, seed)| tokio::spawn(work(agent.clone(), Dice(seed)))).collect();
    let statuses = post_all(&company, webhooks).await;
    for agent in agents {
        assert!(!agent.is_finished(), "an agent was answered with an error: {:?}", agent.await);
        agent.abort();
    }
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    // Whose conversation an agent has closed opens it again.
    for client in &clients {
        company.phone.receive_text(client, "tchau").await;
    }
    net.is_unused(&stack).await;

    let database = stack.database().await;
    let stored = "select count(*), count(distinct provider_id) from messages where company_id = $1 and sender_type = 'client'";
    let row = database.query_one(stored, &[&company.id]).await.expect("counts");
    let wanted = i64::try_from(CLIENTS * MESSAGES_EACH + CLIENTS / 2 + CLIENTS).expect("few");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (wanted, wanted));
    let open = "
        select count(*), count(*) filter (where open = 1), count(*) filter (where inbound = numbered and inbound = highest)
          from (select count(*) filter (where ended_at is null) as open, count(*), sum(inbound_count) as inbound,
                       sum((select count(distinct inbound_number) from messages where conversation_id = conversations.id)) as numbered,
                       sum((select max(inbound_number) from messages where conversation_id = conversations.id)) as highest
                  from conversations
                 where company_id = $1
                 group by client_id) clients";
    let row = database.query_one(open, &[&company.id]).await.expect("counts");
    let clients = i64::try_from(CLIENTS).expect("few");
    assert_eq!([0, 1, 2].map(|index| row.get::<_, i64>(index)), [clients; 3]);
    let changed = "select count(*) from messages where company_id = $1 and provider_id = any ($2) and body = 'editada'";
    let changed: i64 = database.query_one(changed, &[&company.id, &edited]).await.expect("a count").get(0);
    assert_eq!(changed, i64::try_from(edited.len()).expect("few"));
    let read = "select count(*) from messages where company_id = $1 and provider_id = any ($2) and status = 'read'";
    let ids: Vec<&str> = sent.iter().map(|sent| text(&sent["id"])).collect();
    eventually("all read", || async {
        let count: i64 = database.query_one(read, &[&company.id, &ids]).await.expect("a count").get(0);
        (count == i64::try_from(ids.len()).expect("few")).then_some(())
    })
    .await;
}

pub async fn webhooks_that_name_the_same_clients_in_opposite_order_are_all_stored(stack: Arc<Stack>) {
    const ROUNDS: usize = 5;
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let mut clients: Vec<String> = (0..10).map(|_| fresh_number()).collect();
    let net = Net::before(&stack).await;
    let mut webhooks = Vec::new();
    for _ in 0..CONNECTIONS * ROUNDS {
        clients.reverse();
        let items: Vec<Item> = clients.iter().map(|client| message(client, &wamid(), words("cruzado"))).collect();
        webhooks.push(webhook(&company, &items));
    }
    let statuses = post_all(&company, webhooks).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    net.is_unused(&stack).await;
    let count = "select count(*), count(distinct conversation_id) from messages where company_id = $1";
    let row = stack.database().await.query_one(count, &[&company.id]).await.expect("counts");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (i64::try_from(10 * CONNECTIONS * ROUNDS).expect("few"), 10));
}
