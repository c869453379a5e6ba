//! Sales: a board of ten thousand cards and fifty people who move them, lists and figures of half a million leads, and a sequence that a tenth of
//! them is taken into.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
};
use uuid::Uuid;

use crate::{
    desk::ID,
    lists::Caller,
    report::{Figure, Report, Times},
};

const CARDS: u32 = 10_000;
const MOVERS: usize = 50;
const LEADS: u32 = 500_000;
const TAKEN_IN: i64 = 50_000;

const BOARD_AIM: f64 = 30.0;
const MOVE_AIM: f64 = 15.0;
const LIST_AIM: f64 = 30.0;
const FIGURES_AIM: f64 = 300.0;
const ENROL_AIM: f64 = 10_000.0;

/// Leads of a year, newest last: four of five are open; every tenth has the tag of the sequence; each was in one stage before and had one call.
const FILL: &str = "
    alter table leads disable trigger user;
    insert into leads (id, company_id, pipeline_id, stage_id, furthest_stage_id, rank, status, name, email, phone, organisation, origin, campaign,
                       closer_id, potential_value, tags, score, temperature, scored_by, entered_at, closed_at, close_reason, value, created_at)
    select pg_temp.bench_id(at), $1, stages.pipeline_id, stages.id, stages.id, 20000000 + number, stages.kind,
           (array['Ana', 'Bia', 'Caio', 'Davi', 'Eva', 'Gabriela', 'Hugo', 'Iara'])[1 + number % 8] || ' '
               || (array['Alves', 'Barros', 'Costa', 'Dias', 'Gomes', 'Lima', 'Moura', 'Souza', 'Prado'])[1 + number % 9] || ' ' || number,
           'lead' || number || '@exemplo.com', '5511' || (900000000 + number), 'Colégio ' || number % 500,
           (array['instagram', 'google', 'indicação', 'evento'])[1 + number % 4], case when number % 3 = 0 then 'Volta às aulas' end,
           case when number % 5 > 0 then people.ids[1 + number % cardinality(people.ids)] end, number % 900 * 10,
           case when number % 10 = 0 and stages.kind = 'open' then array['fila'] when number % 7 = 0 then array['bolsista'] else '{}' end,
           number % 101, (array['cold', 'warm', 'hot'])[1 + number % 101 / 34], 0, at + interval '1 day',
           case when stages.kind <> 'open' then at + interval '1 day' end,
           case when stages.kind = 'lost' then (array['Preço', 'Prazo', 'Sem resposta'])[1 + number % 3] end,
           case when stages.kind = 'won' then number % 900 * 10 end, at
      from generate_series(1, $2) number
     cross join lateral (select now() - (1 + $2 - number) * interval '360 days' / $2 as at) time
      join (select *, row_number() over (order by position) - 1 as place from stages where company_id = $1) stages
        on stages.place = case when number % 5 > 0 then number % 4 else 5 + number % 2 end
     cross join (select array_agg(user_id) as ids from memberships where company_id = $1 and role <> 'student') people;
    alter table leads enable trigger user;
    insert into lead_stages (company_id, lead_id, pipeline_id, stage_id, stage_name, stage_kind, entered_at, left_at)
    select $1, leads.id, leads.pipeline_id, first.id, first.name, first.kind, leads.created_at, leads.entered_at
      from leads join stages first on first.company_id = $1 and first.pipeline_id = leads.pipeline_id and first.position = 0
     where leads.company_id = $1
    union all
    select $1, leads.id, leads.pipeline_id, stages.id, stages.name, stages.kind, leads.entered_at, null
      from leads join stages on stages.id = leads.stage_id
     where leads.company_id = $1;
    insert into lead_interactions (id, company_id, lead_id, author_id, type, summary, result, at)
    select gen_random_uuid(), $1, id, closer_id, 'call', 'Ligação', 'contacted', entered_at from leads where company_id = $1;";

pub async fn run(stack: &Stack, report: &mut Report) -> Result<()> {
    board(stack, report).await?;
    let company = stack.company(Wanted { agents: 3, students: 0, ..Wanted::default() }).await;
    fill(stack, &company, LEADS).await?;
    lists(stack, &company, report).await?;
    followups(stack, &company, report).await
}

async fn fill(stack: &Stack, company: &Company, leads: u32) -> Result<()> {
    let database = stack.database().await;
    let start = Instant::now();
    database.batch_execute(ID).await?;
    let statements = FILL.replace("$1", &format!("'{}'::uuid", company.id)).replace("$2", &leads.to_string());
    database.batch_execute(&statements).await?;
    for table in ["leads", "lead_stages", "lead_interactions"] {
        database.batch_execute(&format!("vacuum analyze {table}")).await?;
    }
    eprintln!("({leads} leads were made in {} s)", start.elapsed().as_secs());
    Ok(())
}

async fn board(stack: &Stack, report: &mut Report) -> Result<()> {
    let company = stack.company(Wanted { agents: MOVERS, students: 0, ..Wanted::default() }).await;
    fill(stack, &company, CARDS).await?;
    let pipeline = company.admin.api.get("/pipelines").await.expect(200)["data"][0].clone();
    for (role, person) in [("agent", &company.agents[0]), ("supervisor", &company.supervisor)] {
        let path = format!("/pipelines/{}/board", text(&pipeline["id"]));
        let figure = Caller::of(stack, person).measure("sales", format!("{role}: board of {CARDS} cards"), &path).await?;
        report.add(figure.aim(BOARD_AIM));
    }
    let open: Vec<String> =
        pipeline["stages"].as_array().into_iter().flatten().map(|stage| text(&stage["id"]).to_owned()).take(4).collect();
    let cards = "select id from leads where company_id = $1 and status = 'open' order by id limit 1000";
    let cards: Vec<Uuid> = stack.database().await.query(cards, &[&company.id]).await?.iter().map(|row| row.get(0)).collect();
    let movers = company.agents.iter().enumerate().map(|(number, person)| {
        // Each has some cards that nobody else has, and all have the columns.
        let own: Vec<Uuid> = cards.iter().skip(number).step_by(MOVERS).copied().collect();
        mover(person, own, &open)
    });
    let start = Instant::now();
    let mut times = Times::default();
    for time in join_all(movers).await.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten() {
        times.add(time);
    }
    let a_second = times.len() * 1_000 / u64::try_from(start.elapsed().as_millis().max(1))?;
    report.add(
        Figure::new("sales", format!("{MOVERS} people move cards, one a second each"), &times)
            .aim(MOVE_AIM)
            .with("a_second", a_second),
    );
    Ok(())
}

/// Twelve moves, one a second.
async fn mover(person: &Person, cards: Vec<Uuid>, stages: &[String]) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    for (turn, card) in cards.iter().cycle().take(12).enumerate() {
        let to = json!({"stage_id": stages[(turn + card.as_u128() as usize % 4) % stages.len()]});
        let start = Instant::now();
        let answer = person.api.call(Method::POST, &format!("/leads/{card}/move"), Some(to)).await;
        let took = start.elapsed();
        ensure!(answer.status == 200, "{} {}", answer.status, answer.body);
        times.push(took);
        tokio::time::sleep(Duration::from_secs(1).saturating_sub(took)).await;
    }
    Ok(times)
}

async fn lists(stack: &Stack, company: &Company, report: &mut Report) -> Result<()> {
    let asked = [
        "",
        "status=open",
        "status=won,lost",
        "status=proposal",
        "temperature=hot",
        "closer=me",
        "closer=none",
        "origin=instagram",
        "campaign=Volta às aulas",
        "tag=bolsista",
        "search=Gabriela",
        "search=Gomes 4",
        "search=lead4242@",
        "score_min=90",
        "value_min=8500",
        "inactive_days=180",
        "page=500",
    ];
    for (role, person) in [("agent", &company.agents[0]), ("supervisor", &company.supervisor)] {
        let caller = Caller::of(stack, person);
        for query in asked {
            let what = format!("{role}: of {LEADS} leads: {query}");
            report.add(caller.measure("sales", what, &format!("/leads?{query}")).await?.aim(LIST_AIM));
        }
        let figure = caller.measure("sales", format!("{role}: figures of a year"), "/leads/performance?period=365").await?;
        report.add(figure.aim(FIGURES_AIM));
    }
    Ok(())
}

/// Fifty thousand at once, and what their first step does.
async fn followups(stack: &Stack, company: &Company, report: &mut Report) -> Result<()> {
    let sequence = json!({
        "name": "Volta às aulas", "is_active": true, "confirm": true, "criteria": {"tags": ["fila"]},
        "steps": [{"kind": "task", "subject": "Ligar"}], "window_start": "00:00", "window_end": "23:59", "pause_weekends": false,
        "pause_holidays": false, "max_per_day": 50,
    });
    let start = Instant::now();
    let answer = company.supervisor.api.post("/followups/sequences", sequence).await;
    ensure!(answer.status == 201, "{} {}", answer.status, answer.body);
    let database = stack.database().await;
    let count = async |what: &str| -> Result<i64> { Ok(database.query_one(what, &[&company.id]).await?.get(0)) };
    let taken_in = "select count(*) from followup_executions where company_id = $1";
    loop {
        let taken_in = count(taken_in).await?;
        if taken_in >= TAKEN_IN {
            ensure!(taken_in == TAKEN_IN, "{taken_in} are taken in");
            break;
        }
        ensure!(start.elapsed() < Duration::from_mins(5), "{taken_in} are taken in after five minutes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut times = Times::default();
    times.add(start.elapsed());
    report.add(Figure::new("sales", format!("{TAKEN_IN} leads are taken into a sequence"), &times).aim(ENROL_AIM));
    let done = "select count(*) from followup_logs where company_id = $1 and step = 0";
    let (before, start) = (count(done).await?, Instant::now());
    tokio::time::sleep(Duration::from_mins(1)).await;
    let steps = count(done).await? - before;
    let mut times = Times::default();
    times.add(start.elapsed());
    let tasks = count("select count(*) from tasks where company_id = $1").await?;
    let all = count(done).await?;
    ensure!(tasks >= all - 100 && tasks <= all + 100, "{tasks} tasks of {all} steps");
    let figure = Figure::new("sales", "steps of a minute that is full of them", &times);
    report.add(figure.with("steps", json!(steps)).with("aim_steps", Value::from(1_000)));
    Ok(())
}
