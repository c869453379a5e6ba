//! What breaks, and that nothing is lost and nothing happens twice.

mod assigning;
mod bot;
mod delivery;
mod feed;
mod jobs;
mod kept;
mod killed;
mod leaving;
mod locks;
mod long_jobs;
mod past;
mod postgres;
mod restarts;
mod scheduling;
mod stores;
mod sweeps;

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text, eventually};

pub use self::{
    assigning::*, bot::*, delivery::*, feed::*, jobs::*, kept::*, killed::*, leaving::*, locks::*, long_jobs::*, past::*,
    postgres::*, restarts::*, scheduling::*, stores::*, sweeps::*,
};

/// A company whose first agent holds a conversation with a client.
pub struct Desk {
    pub company: Company,
    pub client: String,
    pub conversation: String,
}

impl Desk {
    pub async fn open(stack: &Stack) -> Self {
        let company = stack.company(Wanted::default()).await;
        let client = tests::sandbox::fresh_number();
        company.phone.receive_text(&client, "Oi").await;
        let conversation = conversations(&company).await.remove(0);
        let path = format!("/conversations/{conversation}/takeover");
        company.agents[0].api.post(&path, json!({})).await.expect(200);
        Self { company, client, conversation }
    }

    /// Sends a text; its `client_message_id` is the text itself.
    pub async fn send(&self, body: &str) -> Answer {
        self.company.agents[0].api.post("/messages", self.message(body)).await
    }

    pub fn message(&self, body: &str) -> Value {
        json!({"conversation_id": self.conversation, "client_message_id": body, "kind": "text", "body": body})
    }

    /// `send` in a task of its own, for calls that hang.
    pub fn begin_sending(&self, body: &str) -> tokio::task::JoinHandle<Answer> {
        let (api, message) = (self.company.agents[0].api.clone(), self.message(body));
        tokio::spawn(async move { api.post("/messages", message).await })
    }

    pub async fn messages(&self) -> Vec<Value> {
        let path = format!("/messages?conversation_id={}", self.conversation);
        let list = self.company.agents[0].api.get(&path).await.expect(200);
        list["data"].as_array().cloned().unwrap_or_default()
    }

    /// The messages with this text.
    pub async fn with_body(&self, body: &str) -> Vec<Value> {
        self.messages().await.into_iter().filter(|message| message["body"] == body).collect()
    }

    /// Waits until the one message with this text has one of these statuses.
    pub async fn until(&self, body: &str, statuses: &[&str]) -> Value {
        eventually(&format!("{body} being {statuses:?}"), || async {
            let found = self.with_body(body).await;
            assert!(found.len() <= 1, "{found:?}");
            // Not so often that the agent is over the limit of requests.
            tokio::time::sleep(Duration::from_millis(100)).await;
            found.into_iter().find(|message| statuses.contains(&text(&message["status"])))
        })
        .await
    }

    /// Texts that WhatsApp accepted, in order.
    pub async fn accepted(&self) -> Vec<String> {
        let sent = self.company.phone.sent().await;
        sent.iter().map(|sent| text(&sent["body"]["text"]["body"]).to_owned()).collect()
    }

    /// How often the feed tells of the message with this text.
    pub async fn told(&self, since: &str, body: &str) -> usize {
        let events = feed_after(&self.company, since).await;
        let tells = |event: &&Value| event["type"] == "message.created" && event["data"]["message"]["body"] == body;
        events.iter().filter(tells).count()
    }
}

/// All conversations the first agent sees, by id.
pub async fn conversations(company: &Company) -> Vec<String> {
    let list = company.agents[0].api.get("/conversations").await.expect(200);
    list["data"].as_array().into_iter().flatten().map(|row| text(&row["id"]).to_owned()).collect()
}

pub async fn feed_head(company: &Company) -> String {
    text(&company.agents[0].api.get("/events").await.expect(200)["head"]).to_owned()
}

/// Everything in the feed after a cursor.
pub async fn feed_after(company: &Company, cursor: &str) -> Vec<Value> {
    let mut after = cursor.to_owned();
    let mut events = Vec::new();
    loop {
        let page = company.agents[0].api.get(&format!("/events?after={after}")).await.expect(200);
        events.extend(page["data"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut after),
            None => return events,
        }
    }
}

pub async fn stop(stack: &Stack, service: &str) {
    stack.control("POST", &format!("/services/{service}/stop"), None).await;
}

pub async fn start(stack: &Stack, service: &str) {
    stack.control("POST", &format!("/services/{service}/start"), None).await;
}

/// Kills the processes of a function in the middle of what they do.
pub async fn kill(stack: &Stack, function: &str) {
    stack.control("POST", &format!("/functions/{function}/kill"), None).await;
}

/// Runs the dispatcher, as the clock does every minute, after the jobs of this company have waited long enough.
pub async fn dispatch(stack: &Stack, company: &Company) {
    let overdue = "update jobs set dispatched_at = dispatched_at - interval '3 minutes', run_at = least(run_at, now())
                    where company_id = $1 and finished_at is null";
    stack.database().await.execute(overdue, &[&company.id]).await.expect("jobs are overdue");
    stack.control("POST", "/fire/DispatchDueJobs", None).await;
}

/// What a worker killed in the middle of its work left behind, after leases and visibility time-outs have passed.
pub async fn let_leases_pass(stack: &Stack, company: &Company, queue: &str) {
    let lapse = "update jobs set leased_until = now() where company_id = $1 and leased_until is not null";
    stack.database().await.execute(lapse, &[&company.id]).await.expect("leases lapse");
    stack.control("POST", &format!("/queues/{queue}/give-back"), None).await;
}

/// Webhooks of this company that were kept and not applied have waited for longer than a killed function may take; answers how many.
pub async fn let_webhooks_wait(stack: &Stack, company: &Company) -> u64 {
    let late =
        "update inbound_webhooks set received_at = received_at - interval '2 minutes' where company_id = $1 and outcome is null";
    stack.database().await.execute(late, &[&company.id]).await.expect("a minute passes")
}

/// Jobs of this company that are not done.
pub async fn unfinished(stack: &Stack, company: &Company) -> i64 {
    let count = "select count(*) from jobs where company_id = $1 and finished_at is null";
    stack.database().await.query_one(count, &[&company.id]).await.expect("a count").get(0)
}

pub async fn until_all_done(stack: &Stack, company: &Company) {
    eventually("all jobs done", || async { (unfinished(stack, company).await == 0).then_some(()) }).await;
}

/// Waits until at least this many statements of the functions wait for a lock.
pub async fn until_blocked(stack: &Stack, statements: i64) {
    let blocked = "select count(*) from pg_stat_activity where application_name = 'balcao' and wait_event_type = 'Lock'";
    let database = stack.database().await;
    eventually("a statement waiting for a lock", || async {
        (database.query_one(blocked, &[]).await.expect("activity").get::<_, i64>(0) >= statements).then_some(())
    })
    .await;
}
