//! A working day of two agents, a supervisor and an admin, with sixty clients on two numbers of the Cloud API, one behind an Evolution API
//! server and the flows of BotConversa, and the cloud killed in the middle of it: at its end every message is accounted for, and everybody's inbox is what the database says they may see.

mod accounts;
mod ledger;
mod lines;
mod people;
mod screen;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream};
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::text,
    desk::{PDF, media},
    eventually,
    sandbox::fresh_number,
};

use self::{
    ledger::{Inbound, Ledger},
    lines::Line,
    people::Worker,
};
use super::faults::{dispatch, let_leases_pass, let_webhooks_wait, unfinished};

const CLIENTS: usize = 60;
const LINES: usize = 4;
/// The line that tells of words only.
const FLOW: usize = 3;
const HOURS: usize = 5;
/// In whose middle the cloud is killed.
const HOUR_OF_THE_KILL: usize = 2;
/// How often what was not answered is sent again.
const TRIES: usize = 3;
/// Messages of clients that are answered in that hour before it is.
const UNTIL_THE_KILL: usize = 50;

/// Long enough for every worker to be called again, short enough to wait for.
const OPTIONS: &[&str] = &["--parameter", "UnknownOutcomeSeconds=6", "--max-processes", "120", "--no-throttle"];

pub async fn every_message_is_accounted_for(outside: Arc<Stack>) {
    let directory = std::env::current_dir().expect("a folder").join(".local/tests-day");
    let _ = std::fs::remove_dir_all(&directory);
    let stack = start(&directory, &outside).await;
    let mut day = Day::begin(&stack, &outside).await;
    day.pass(0).await;
    day.fetch_templates().await;
    for hour in 1..HOUR_OF_THE_KILL {
        day.close_windows(&stack, hour).await;
        day.pass(hour).await;
    }
    // Files that clients have sent are in the bucket: WhatsApp's sandbox forgets them when it is killed.
    day.settle(&stack).await;
    day.ledger.expect_the_end();
    let killer = async {
        let before = day.ledger.received().len();
        eventually("the middle of the hour", || async { (day.ledger.received().len() >= before + UNTIL_THE_KILL).then_some(()) })
            .await;
        stack.kill().await;
    };
    tokio::join!(day.pass(HOUR_OF_THE_KILL), killer);

    let stack = start(&directory, &outside).await;
    day.go_on(&stack).await;
    day.repeat_what_was_not_answered().await;
    day.settle(&stack).await;
    join_all(day.lines.iter().map(Line::tell_statuses)).await;
    for hour in HOUR_OF_THE_KILL + 1..HOURS {
        day.close_windows(&stack, hour).await;
        day.pass(hour).await;
    }
    day.settle(&stack).await;

    accounts::of_what_clients_wrote(&stack, &day).await;
    accounts::of_what_staff_wrote(&stack, &day).await;
    accounts::of_what_clients_have(&stack, &day).await;
    accounts::of_conversations(&stack, &day).await;
    accounts::of_what_the_admin_was_told(&stack, &day).await;
    for worker in &day.workers {
        accounts::of_an_inbox(&stack, &day, worker).await;
    }
    stack.stop().await;
}

async fn start(directory: &Path, outside: &Stack) -> Stack {
    let binaries = std::env::current_exe().expect("a path").parent().map(PathBuf::from).expect("a folder");
    let accounts = format!("BotConversaUrl={}", lines::botconversa_url(outside));
    let options: Vec<&str> = OPTIONS.iter().copied().chain(["--parameter", &accounts]).collect();
    Stack::start_kept(directory, &binaries, &options).await.expect("a stack starts")
}

/// The company, who works there, who writes to it, and what has become of all that.
pub struct Day {
    company: Company,
    /// The second's clients wait for one agent, those of the others for both.
    lines: Vec<Line>,
    /// The admin first.
    workers: Vec<Worker>,
    clients: Vec<String>,
    ledger: Arc<Ledger>,
}

impl Day {
    async fn begin(stack: &Stack, outside: &Arc<Stack>) -> Self {
        let departments = vec![("Atendimento", vec![1, 2]), ("Financeiro", vec![2])];
        let company = stack.company(Wanted { students: 1, departments, takeover_text: None, ..Wanted::default() }).await;
        let second = company.admin.connect_number(stack, &company.departments[1].1.to_string()).await;
        for phone in [&company.phone, &second] {
            // An account of its own, which has templates.
            let settings = json!({"phone_number_id": phone.number_id, "waba_id": format!("79{}", phone.number_id)});
            stack.control("POST", "/sandbox/whatsapp/settings", Some(settings)).await;
        }
        let ledger = Arc::new(Ledger::default());
        let people = [&company.admin, &company.supervisor, &company.agents[0], &company.agents[1]];
        let mut workers = Vec::new();
        for person in people {
            workers.push(Worker::begin(&company, person, Arc::clone(&ledger)).await);
        }
        let instance = Line::instance(outside, &company, &fresh_number()).await;
        let clients: Vec<String> = (0..CLIENTS).map(|_| old_account()).collect();
        let flow = Line::flow(outside, &company, &clients).await;
        let lines = vec![Line::Number(company.phone.clone()), Line::Number(second), instance, flow];
        Self { company, lines, workers, clients, ledger }
    }

    /// The numbers are in accounts, as messages have proved.
    async fn fetch_templates(&self) {
        let synced = self.company.supervisor.api.post("/whatsapp/templates/sync", json!({})).await.expect(200);
        assert_eq!(rows(&synced).len(), 2, "{synced}");
        assert!(rows(&synced).iter().all(|account| account["total"].as_i64() > Some(0)), "{synced}");
    }

    /// The silent ones have written too long ago.
    async fn close_windows(&self, stack: &Stack, hour: usize) {
        let silent = self.clients.iter().enumerate().filter(|(number, _)| is_silent(*number, hour));
        let silent: Vec<&str> = silent.map(|(_, client)| client.as_str()).collect();
        let sql = "update conversations set window_expires_at = now() - interval '1 second'
                    where company_id = $1 and ended_at is null
                      and channel_account_id in (select id from channel_accounts where company_id = $1 and kind = 'whatsapp_cloud')
                      and client_id in (select client_id from client_identities
                                         where company_id = $1 and kind = 'phone' and value = any ($2))";
        stack.database().await.execute(sql, &[&self.company.id, &silent]).await.expect("windows close");
    }

    /// An hour: clients write in a crowd while everybody works.
    async fn pass(&self, hour: usize) {
        let [admin, supervisor, first, second] = &self.workers[..] else { panic!("four people work") };
        let clients = stream::iter(self.written_in(hour)).map(|inbound| self.receive(inbound)).buffer_unordered(8);
        tokio::join!(
            clients.collect::<Vec<()>>(),
            admin.administer(hour),
            supervisor.supervise(hour),
            first.serve(hour),
            second.serve(hour),
        );
    }

    /// Each client writes twice to one line, and every sixth to another one too: words mostly, but also pictures and places. After the
    /// first hour some are silent.
    fn written_in(&self, hour: usize) -> Vec<Inbound> {
        let mut written = Vec::new();
        for (number, client) in self.clients.iter().enumerate().filter(|(number, _)| !is_silent(*number, hour)) {
            for turn in 0..if number % 6 == 0 { 3 } else { 2 } {
                let words = format!("hora {hour} cliente {number} vez {turn}");
                let line = (number + turn / 2) % LINES;
                let content = match (number + hour * 7 + turn) % 15 {
                    _ if line == FLOW => json!({"text": words}),
                    3 if hour != HOUR_OF_THE_KILL => media("application/pdf", PDF, json!({"caption": words})),
                    7 => json!({"location": {"latitude": -23.55, "longitude": -46.63, "name": words}}),
                    _ => json!({"text": words}),
                };
                // An old account, without the ninth digit.
                let from = if number % 10 == 9 && turn == 1 { without_ninth_digit(client) } else { client.clone() };
                written.push(Inbound { line, from, id: format!("wamid.{}.{hour}.{number}.{turn}", self.company.slug), content });
            }
        }
        // In no order of clients.
        written.sort_by_key(|inbound| inbound.id.bytes().rev().collect::<Vec<u8>>());
        written
    }

    async fn receive(&self, inbound: Inbound) {
        let line = &self.lines[inbound.line];
        if line.was_received(&inbound).await {
            self.ledger.receive(line.name_of(&inbound));
        } else {
            self.ledger.leave_inbound(inbound);
        }
    }

    /// Everybody finds the cloud that was started again.
    async fn go_on(&mut self, stack: &Stack) {
        for worker in &mut self.workers {
            let token = worker.person.api.token.clone().expect("somebody signed in");
            worker.person.api = stack.api().with_token(token);
            worker.watch();
        }
        for line in &mut self.lines {
            line.go_on(stack, &self.company).await;
        }
    }

    /// As providers and front ends do: the same again, until it is answered.
    async fn repeat_what_was_not_answered(&self) {
        let (mut inbound, mut sends) = self.ledger.take_unanswered();
        assert!(!inbound.is_empty(), "the kill met no webhook");
        for _ in 0..TRIES {
            join_all(inbound.into_iter().map(|inbound| self.receive(inbound))).await;
            for (sender, message) in sends {
                let worker = self.workers.iter().find(|worker| worker.person.id == sender).expect("somebody who works here");
                worker.send(message).await;
            }
            (inbound, sends) = self.ledger.take_unanswered();
        }
        assert!(inbound.is_empty() && sends.is_empty(), "{inbound:?} {sends:?}");
        self.ledger.expect_no_end();
    }

    /// Until no job is left.
    async fn settle(&self, stack: &Stack) {
        for _ in 0..60 {
            let unapplied = let_webhooks_wait(stack, &self.company).await;
            if unapplied == 0 && unfinished(stack, &self.company).await == 0 {
                return;
            }
            for queue in ["AutomationQueue", "BotQueue", "DeliveryQueue", "MediaQueue", "TimerQueue"] {
                let_leases_pass(stack, &self.company, queue).await;
            }
            dispatch(stack, &self.company).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let left = "select jsonb_agg(to_jsonb(jobs)) from jobs where company_id = $1 and finished_at is null";
        let left: Value = stack.database().await.query_one(left, &[&self.company.id]).await.expect("what is left").get(0);
        panic!("jobs are left: {left}");
    }
}

fn is_silent(client: usize, hour: usize) -> bool {
    hour > 0 && client % 5 == hour
}

/// A mobile that was one before it had its ninth digit: what follows that is no land line.
fn old_account() -> String {
    let number = fresh_number();
    format!("{}8{}", &number[..5], &number[6..])
}

fn without_ninth_digit(client: &str) -> String {
    format!("{}{}", &client[..4], &client[5..])
}

fn rows(body: &Value) -> Vec<Value> {
    body["data"].as_array().cloned().unwrap_or_default()
}

fn id_of(row: &Value) -> String {
    text(&row["id"]).to_owned()
}
