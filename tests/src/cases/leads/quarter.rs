//! A quarter of sales: three closers, two thousand leads out of a spreadsheet, sequences, replies, sales, losses, and something killed each month.
//! At its end everything that is told is what its facts come to.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use futures_util::future::{join_all, join3};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    eventually,
    sandbox::fresh_number,
};
use uuid::Uuid;

use super::{
    imported::{import, imported},
    path, pipeline, quarter_mentees, stage,
};
use crate::cases::{
    faults::{kill, let_leases_pass},
    upload,
};

const LEADS: usize = 2_000;
/// A twentieth of the leads, and who writes.
const TAKEN_IN: i64 = 112;
/// Of each closer, each month.
const ACTS: usize = 40;

/// Thirty days pass for everything of sales. Nothing of it is anybody's doing.
const A_MONTH_PASSES: &str = "
    begin;
    alter table leads disable trigger user;
    alter table tasks disable trigger user;
    alter table followup_executions disable trigger user;
    alter table jobs disable trigger user;
    update leads
       set created_at = created_at - interval '30 days', updated_at = updated_at - interval '30 days', entered_at = entered_at - interval '30 days',
           closed_at = closed_at - interval '30 days', last_contact_at = last_contact_at - interval '30 days',
           replied_at = replied_at - interval '30 days', quick_reply_at = quick_reply_at - interval '30 days', scored_at = '-infinity'
     where company_id = '$1';
    update lead_stages set entered_at = entered_at - interval '30 days', left_at = left_at - interval '30 days' where company_id = '$1';
    update lead_interactions set at = at - interval '30 days', created_at = created_at - interval '30 days', day = day - 30 where company_id = '$1';
    update lead_changes set at = at - interval '30 days' where company_id = '$1';
    update followup_executions
       set started_at = started_at - interval '30 days', next_run_at = next_run_at - interval '30 days',
           responded_at = responded_at - interval '30 days', finished_at = finished_at - interval '30 days'
     where company_id = '$1';
    update followup_logs set at = at - interval '30 days' where company_id = '$1';
    update tasks set due_at = due_at - interval '30 days', created_at = created_at - interval '30 days' where company_id = '$1';
    update jobs set run_at = run_at - interval '30 days' where company_id = '$1' and finished_at is null;
    alter table leads enable trigger user;
    alter table tasks enable trigger user;
    alter table followup_executions enable trigger user;
    alter table jobs enable trigger user;
    commit;";

/// What the closers know themselves of their leads.
#[derive(Clone, Default)]
struct Known {
    status: String,
    value: u64,
    interactions: i64,
}

/// The same acts each time it runs.
pub struct Dice(u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % sides
    }
}

/// What is asked for again when the function died before it answered.
pub async fn surely(person: &Person, path: &str, body: Value) -> Value {
    let key = Uuid::now_v7().to_string();
    let api = person.api.with_header("idempotency-key", &key);
    for _ in 0..20 {
        let answer = api.call(Method::POST, path, Some(body.clone())).await;
        if answer.status < 500 {
            assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.body);
            return answer.body.clone();
        }
    }
    panic!("{path} is never answered");
}

/// A month of a closer, on leads that are theirs alone.
async fn month(closer: &Person, stages: &[String], mut dice: Dice, ids: &[String], known: &mut BTreeMap<String, Known>) {
    for _ in 0..ACTS {
        let id = &ids[dice.roll(ids.len())];
        let lead = known.entry(id.clone()).or_insert_with(|| Known { status: "open".to_owned(), ..Known::default() });
        let is_open = lead.status == "open";
        match dice.roll(10) {
            0..4 => drop(surely(closer, &format!("/leads/{id}/move"), json!({"stage_id": stages[dice.roll(4)]})).await),
            4..7 => {
                let did = json!({"type": "call", "summary": "Falei", "result": "contacted"});
                surely(closer, &format!("/leads/{id}/interactions"), did).await;
                lead.interactions += 1;
                continue;
            }
            7 if is_open => {
                lead.value = 100 * (1 + dice.roll(90) as u64);
                let won = json!({"outcome": "won", "value": format!("{}.00", lead.value)});
                surely(closer, &format!("/leads/{id}/close"), won).await;
                "won".clone_into(&mut lead.status);
                continue;
            }
            8 if is_open => {
                let reason = ["Preço", "Prazo"][dice.roll(2)];
                surely(closer, &format!("/leads/{id}/close"), json!({"outcome": "lost", "reason": reason})).await;
                "lost".clone_into(&mut lead.status);
                continue;
            }
            _ => continue,
        }
        *lead = Known { status: "open".to_owned(), value: 0, interactions: lead.interactions };
    }
}

pub async fn a_quarter_ends_as_its_facts_say(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 3, students: 0, ..Wanted::default() }).await;
    let board = pipeline(&company.admin).await;
    let stages = ["new", "contacted", "proposal", "negotiation"].map(|key| stage(&board, key));
    come_in(&stack, &company).await;
    let sequence = json!({
        "name": "Retomada", "is_active": true, "confirm": true, "criteria": {"tags": ["retomar"]}, "window_start": "00:00", "window_end": "23:59",
        "pause_weekends": false, "pause_holidays": false, "max_per_day": 50,
        "steps": [{"kind": "task", "subject": "Ligar"}, {"kind": "whatsapp", "body": "Ainda?", "delay_minutes": 20_000}],
    });
    company.supervisor.api.post("/followups/sequences", sequence).await.expect(201);
    settle(&stack, &company).await;
    let writers = writers(&company).await;
    eventually("all taken in who are to be", || async {
        stack.control("POST", "/fire/EnrollDueLeads", None).await;
        (taken_in(&stack, &company).await == TAKEN_IN).then_some(())
    })
    .await;
    let mut books: Vec<BTreeMap<String, Known>> = vec![BTreeMap::new(); 3];
    let mut own = Vec::new();
    for closer in &company.agents {
        own.push(leads_of(&stack, &company, closer).await);
    }
    let mut mentored = quarter_mentees::begin(&company).await;
    let mut dice = Dice(9);
    for round in 0..3_u64 {
        let months = company
            .agents
            .iter()
            .zip(&own)
            .zip(books.iter_mut())
            .zip(0..)
            .map(|(((closer, ids), book), number)| month(closer, &stages, Dice(1_000 * round + number), ids, book));
        let killed = ["MoveLead", "RunSequenceStep", "AddLeadInteraction"][usize::try_from(round).unwrap_or_default()];
        let replies = async {
            for phone in &writers[usize::try_from(4 * round).unwrap_or_default()..][..4] {
                company.phone.receive_text(phone, "Pensei melhor").await;
            }
            kill(&stack, killed).await;
        };
        let mentees = quarter_mentees::next_month(&stack, &company, &mut mentored, &mut dice);
        join3(join_all(months), replies, mentees).await;
        stack
            .database()
            .await
            .batch_execute(&A_MONTH_PASSES.replace("$1", &company.id.to_string()))
            .await
            .expect("a month passes");
        let_leases_pass(&stack, &company, "FollowupQueue").await;
        stack.control("POST", "/fire/DispatchDueJobs", None).await;
        stack.control("POST", "/fire/EnrollDueLeads", None).await;
    }
    settle(&stack, &company).await;
    what_is_told_is_what_was_done(&company, &books).await;
    stages_are_without_a_gap(&stack, &company).await;
    each_step_is_once_and_none_follows_a_reply(&stack, &company).await;
    scores_are_those_from_scratch(&stack, &company).await;
    quarter_mentees::are_told_as_they_were(&company, &mentored).await;
}

/// A third each is a closer's, by name or by e-mail.
async fn come_in(stack: &Stack, company: &Company) {
    let mut table = String::from("Nome;E-mail;Responsável;Etapa;Valor;Etiquetas\n");
    let names: Vec<String> = {
        let mut names = Vec::new();
        for agent in &company.agents {
            names.push(text(&agent.api.get("/auth/me").await.expect(200)["email"]).to_owned());
        }
        names
    };
    for number in 0..LEADS {
        let stage = ["Novo", "Contatado", "Proposta"][number % 3];
        let tag = if number % 20 == 0 { "retomar" } else { "" };
        writeln!(table, "Lead {number};lead.{number}@exemplo.com.br;{};{stage};{};{tag}", names[number % 3], number % 50 * 100)
            .expect("a line");
    }
    let file = upload::table(stack, &company.supervisor, "leads.csv", "text/csv", table.as_bytes()).await;
    let import = imported(company, &import(company, json!({"file_id": file})).await).await;
    assert_eq!((&import["made"], &import["failed"]), (&json!(LEADS), &json!(0)), "{}", import["errors"]);
}

/// Clients who have just written, and are leads in the sequence.
async fn writers(company: &Company) -> Vec<String> {
    let mut phones = Vec::new();
    for _ in 0..12 {
        let phone = fresh_number();
        company.phone.receive_text(&phone, "Quero saber mais").await;
        let client = company.admin.conversation_of(&phone).await["client_id"].clone();
        let lead = json!({"name": "Quem escreve", "phone": phone, "client_id": client, "tags": ["retomar"]});
        company.supervisor.api.post("/leads", lead).await.expect(201);
        phones.push(phone);
    }
    phones
}

async fn leads_of(stack: &Stack, company: &Company, closer: &Person) -> Vec<String> {
    let own = "select id::text from leads where company_id = $1 and closer_id = $2 order by name limit 60";
    let rows = stack.database().await.query(own, &[&company.id, &closer.id]).await.expect("leads");
    rows.iter().map(|row| row.get(0)).collect()
}

/// All that is due has been done, and all scores are of now.
async fn settle(stack: &Stack, company: &Company) {
    let open = "
        select (select count(*) from jobs where company_id = $1 and finished_at is null and run_at <= now()),
               (select count(*) from leads where company_id = $1 and status = 'open' and deleted_at is null and scored_at = '-infinity')";
    // What was committed and not sent is sent for it after some minutes.
    let left_behind =
        "update jobs set dispatched_at = dispatched_at - interval '1 minute' where company_id = $1 and finished_at is null";
    let database = stack.database().await;
    eventually("all that is due done", || async {
        database.execute(left_behind, &[&company.id]).await.expect("a minute passes");
        let_leases_pass(stack, company, "FollowupQueue").await;
        stack.control("POST", "/fire/DispatchDueJobs", None).await;
        stack.control("POST", "/fire/RescoreStaleLeads", None).await;
        let row = database.query_one(open, &[&company.id]).await.expect("counts");
        (row.get::<_, i64>(0) == 0 && row.get::<_, i64>(1) == 0).then_some(())
    })
    .await;
}

async fn what_is_told_is_what_was_done(company: &Company, books: &[BTreeMap<String, Known>]) {
    let known: Vec<(&String, &Known)> = books.iter().flatten().collect();
    let count = |status: &str| known.iter().filter(|(_, lead)| lead.status == status).count();
    let value: u64 = known.iter().map(|(_, lead)| lead.value).sum();
    let told = company.supervisor.api.get("/leads/performance?period=120").await.expect(200);
    let metrics = &told["metrics"];
    assert_eq!((&metrics["won"], &metrics["lost"]), (&json!(count("won")), &json!(count("lost"))), "{metrics}");
    assert_eq!(metrics["open"], json!(LEADS + 12 - count("won") - count("lost")));
    assert_eq!(text(&metrics["value_won"]), format!("{value}.00"));
    assert!(count("won") > 0 && count("lost") > 0, "there is something to count");
    let sold: u64 = told["topClosers"].as_array().into_iter().flatten().filter_map(|row| row["won"].as_u64()).sum();
    assert_eq!(sold, count("won") as u64);
    for (id, lead) in known {
        let now = company.supervisor.api.get(&path(&json!({"id": id}))).await.expect(200);
        assert_eq!(
            (text(&now["status"]), &now["interactions_count"]),
            (lead.status.as_str(), &json!(lead.interactions)),
            "{now}"
        );
    }
}

/// Each lead is in one stage at any time, and in the one that it says.
async fn stages_are_without_a_gap(stack: &Stack, company: &Company) {
    let wrong = "
        select count(*) from (
            select lead_id, left_at, lead(entered_at) over (partition by lead_id order by entered_at, left_at nulls last) as next_entered,
                   stage_id, (select leads.stage_id from leads where leads.id = lead_id) as now
              from lead_stages where company_id = $1) rows
         where left_at is distinct from next_entered or left_at is null and stage_id <> now";
    let gaps: i64 = stack.database().await.query_one(wrong, &[&company.id]).await.expect("a count").get(0);
    assert_eq!(gaps, 0);
    let times = "
        select round((avg(extract(epoch from left_at - entered_at)) / 86400)::numeric, 1)::float8, count(*)
          from lead_stages where company_id = $1 and left_at is not null and stage_name = 'Novo' and left_at > now() - interval '120 days'";
    let row = stack.database().await.query_one(times, &[&company.id]).await.expect("times");
    let told = company.supervisor.api.get("/leads/performance?period=120").await.expect(200);
    let of_new =
        told["stage_times"].as_array().into_iter().flatten().find(|row| row["stage"] == "Novo").cloned().expect("times of it");
    assert_eq!((of_new["average_days"].as_f64(), of_new["count"].as_i64()), (row.get(0), row.get(1)));
}

async fn taken_in(stack: &Stack, company: &Company) -> i64 {
    let count = "select count(*) from followup_executions where company_id = $1";
    stack.database().await.query_one(count, &[&company.id]).await.expect("a count").get(0)
}

async fn each_step_is_once_and_none_follows_a_reply(stack: &Stack, company: &Company) {
    let database = stack.database().await;
    let count = async |what: &str| -> i64 { database.query_one(what, &[&company.id]).await.expect("a count").get(0) };
    assert_eq!(taken_in(stack, company).await, TAKEN_IN);
    let first = "select count(*) from followup_logs where company_id = $1 and step = 0 and outcome in ('sent', 'task')";
    let tasks = "select count(*) from tasks where company_id = $1 and title = 'Ligar'";
    let (first, tasks) = (count(first).await, count(tasks).await);
    assert!(first == tasks && first >= 100, "each once: {first} steps, {tasks} tasks");
    let passed_over = "
        select count(*) from followup_executions executions
         where company_id = $1 and status not in ('responded', 'cancelled')
           and not exists (select from followup_logs logs where logs.execution_id = executions.id and logs.step = 0)";
    assert_eq!(count(passed_over).await, 0);
    for status in ["responded", "cancelled"] {
        let ended = "select count(*) from followup_executions where company_id = $1 and status = $2";
        let ended: i64 = database.query_one(ended, &[&company.id, &status]).await.expect("a count").get(0);
        assert!(ended > 0, "some are {status}");
    }
    let after = "
        select count(*)
          from followup_executions executions
          join followup_logs logs on logs.company_id = executions.company_id and logs.execution_id = executions.id
         where executions.company_id = $1 and executions.status = 'responded' and logs.outcome = 'sent' and logs.at > executions.responded_at";
    assert_eq!(count(after).await, 0);
    let going = "
        select count(*)
          from followup_executions executions join leads on leads.id = executions.lead_id
         where executions.company_id = $1 and executions.finished_at is null and (leads.status <> 'open' or leads.replied_at > executions.started_at)";
    assert_eq!(count(going).await, 0, "whoever wrote or was closed goes no further");
}

/// Figures that were made step by step are those that are made of the facts at once.
async fn scores_are_those_from_scratch(stack: &Stack, company: &Company) {
    let figures = "
        select id, score, temperature, qualification_score from leads where company_id = $1 and status = 'open' and deleted_at is null order by id";
    let database = stack.database().await;
    let read = async || -> Vec<(Uuid, i32, String, i32)> {
        let rows = database.query(figures, &[&company.id]).await.expect("figures");
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
    };
    let before = read().await;
    let anew = "update leads set scored_at = '-infinity', score = 99, temperature = 'hot', qualification_score = 1 where company_id = $1 and status = 'open'";
    database.execute(anew, &[&company.id]).await.expect("they are to be made anew");
    settle(stack, company).await;
    assert!(before.len() > 1_000 && before == read().await, "as from scratch");
}
