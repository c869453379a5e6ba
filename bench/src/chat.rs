//! The team's channels: lists and search of somebody in 500 channels with a million messages, opening a socket, and a message to 200 sockets.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
};

use crate::{
    lists::Caller,
    report::{Figure, Report, Times},
};

const AGENTS: usize = 10;
const SOCKETS: usize = 200;
/// Times that a socket is opened.
const OPENINGS: usize = 40;

/// 190 more people, all of them with the agents in one channel; and 499 channels of the first agent's with 2,000 messages each, every fifth of which
/// is an answer in a thread of the channel's first. One word is in every tenth, one in every thousandth.
const FILL: &str = "
    with people as (
        insert into users (id, email, name, password_hash)
        select gen_random_uuid(), gen_random_uuid() || '@exemplo.com', 'Pessoa ' || number, '!' from generate_series(1, 190) number
        returning id
    ) insert into memberships (company_id, user_id, role) select $1, id, 'agent' from people;
    insert into channels (id, company_id, kind, name, name_key) values ($2, $1, 'private', 'grande', 'grande');
    insert into channel_members (company_id, channel_id, user_id)
    select $1, $2, user_id from memberships where company_id = $1 and role <> 'student';
    insert into channels (id, company_id, kind, name, name_key, last_place, last_message_at)
    select pg_temp.bench_id(now() - number * interval '1 hour'), $1, 'public', 'canal ' || number, 'canal ' || number, 1600, now()
      from generate_series(1, 499) number;
    insert into channel_members (company_id, channel_id, user_id, read_place)
    select $1, id, $3, (random() * 1600)::int from channels where company_id = $1 and name like 'canal %';
    alter table chat_messages disable trigger user;
    insert into chat_messages (id, company_id, channel_id, place, is_in_channel, author_id, body, reply_count, created_at)
    select pg_temp.bench_id(at), $1, channels.id, number, true, $3,
           'Mensagem ' || number || ' sobre ' || substr(md5(random()::text), 1, 8)
           || case when number % 10 = 0 then ' do boleto' else '' end || case when number % 1000 = 0 then ' da matrícula' else '' end,
           case when number = 1 then 400 else 0 end, at
      from channels
     cross join generate_series(1, 1600) number
     cross join lateral (select now() - (1600 - number) * interval '7 minutes' - random() * interval '1 minute' as at) time
     where channels.company_id = $1 and channels.name like 'canal %';
    insert into chat_messages (id, company_id, channel_id, root_id, thread_place, is_in_channel, author_id, body, created_at)
    select pg_temp.bench_id(at), $1, root.channel_id, root.id, number, false, $3, 'Resposta ' || number, at
      from chat_messages root
     cross join generate_series(1, 400) number
     cross join lateral (select now() - (400 - number) * interval '28 minutes' - random() * interval '28 minutes' as at) time
     where root.company_id = $1 and root.place = 1 and root.reply_count = 400;
    alter table chat_messages enable trigger user;
    insert into chat_mentions (company_id, user_id, message_id, channel_id, place, way)
    select $1, $3, id, channel_id, place, 'person:' || $3 from chat_messages where company_id = $1 and place % 100 = 0;";

/// When each message left, and when its first and last frame came.
#[derive(Default)]
struct Watch {
    left: HashMap<String, (Instant, usize)>,
    first: Times,
    last: Times,
}

pub async fn run(stack: &Stack, length: Duration, report: &mut Report) -> Result<()> {
    let company = stack.company(Wanted { agents: AGENTS, students: 0, ..Wanted::default() }).await;
    let reader = &company.agents[0];
    let large = fill(stack, &company, reader).await?;
    let caller = Caller::of(stack, reader);
    let list = caller.get("/channels?search=canal 250").await?;
    let channel = text(&list["data"][0]["id"]).to_owned();
    let first = caller.get(&format!("/channels/{channel}/messages?after=0&limit=1")).await?;
    let root = text(&first["data"][0]["id"]).to_owned();
    for (what, path, aim) in [
        ("channels of somebody in 500", "/channels".to_owned(), None),
        ("unread of somebody in 500 channels", "/chat/unread".to_owned(), Some(10.0)),
        ("the newest of a channel", format!("/channels/{channel}/messages"), Some(10.0)),
        ("the middle of it", format!("/channels/{channel}/messages?around=800"), Some(10.0)),
        ("a thread of 400 answers", format!("/chat/messages/{root}/thread"), Some(10.0)),
        ("mentions", "/chat/mentions".to_owned(), None),
        ("search: a word in every tenth", "/chat/search?q=boleto".to_owned(), Some(50.0)),
        ("search: a word in every thousandth", "/chat/search?q=matricula".to_owned(), Some(50.0)),
        ("search: one that is nowhere", "/chat/search?q=zacarias".to_owned(), Some(50.0)),
        ("search: in one channel", "/chat/search?q=boleto in:\"canal 250\"".replace('"', ""), Some(50.0)),
    ] {
        let figure = caller.measure("chat", what.to_owned(), &path).await?;
        report.add(if let Some(aim) = aim { figure.aim(aim) } else { figure });
    }
    open(reader, &company.agents[1], report).await;
    tell(&company, &large, length, report).await
}

async fn fill(stack: &Stack, company: &Company, reader: &Person) -> Result<String> {
    let database = stack.database().await;
    database.batch_execute(crate::desk::ID).await?;
    let large = uuid::Uuid::now_v7().to_string();
    let quoted = |id: &dyn ToString| format!("'{}'::uuid", id.to_string());
    let sql = FILL.replace("$1", &quoted(&company.id)).replace("$2", &quoted(&large)).replace("$3", &quoted(&reader.id));
    database.batch_execute(&sql).await?;
    for table in ["channels", "channel_members", "chat_messages", "chat_mentions"] {
        database.batch_execute(&format!("vacuum analyze {table}")).await?;
    }
    Ok(large)
}

/// In turn, so that both see the same machine.
async fn open(of_many: &Person, of_few: &Person, report: &mut Report) {
    let mut times = [Times::default(), Times::default()];
    for _ in 0..OPENINGS {
        for (person, times) in [of_many, of_few].into_iter().zip(&mut times) {
            let start = Instant::now();
            let socket = person.socket().await;
            times.add(start.elapsed());
            socket.close().await;
        }
    }
    let few = times[1].at(0.95);
    report.add(Figure::new("chat", "a socket opens, of somebody in 500 channels", &times[0]).aim(few + 30.0));
    report.add(Figure::new("chat", "of somebody in two", &times[1]));
}

/// One message a second to a channel of 200 people with 200 open sockets.
async fn tell(company: &Company, channel: &str, length: Duration, report: &mut Report) -> Result<()> {
    let watch = Arc::new(Mutex::new(Watch::default()));
    let listening = (0..SOCKETS).map(|number| (&company.agents[number % AGENTS], Arc::clone(&watch)));
    let readers: Vec<_> = stream::iter(listening).map(|(agent, watch)| listen(agent, watch)).buffer_unordered(4).collect().await;
    let mut answers = Times::default();
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    let count = length.as_secs() + 3;
    for number in 0..count {
        clock.tick().await;
        // The first ones start the processes.
        if number == 3 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            *lock(&watch) = Watch::default();
            answers = Times::default();
        }
        let words = uuid::Uuid::now_v7().to_string();
        let start = Instant::now();
        lock(&watch).left.insert(words.clone(), (start, 0));
        let posted = company.agents[0].api.post(&format!("/channels/{channel}/messages"), json!({"body": words})).await;
        ensure!(posted.status == 201, "{}", posted.body);
        answers.add(start.elapsed());
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let watch = lock(&watch);
    let heard: usize = watch.left.values().map(|(_, heard)| *heard).sum();
    let untold = watch.left.len() * SOCKETS - heard;
    report.add(Figure::new("chat", "a message posted", &answers));
    report.add(Figure::new("chat", format!("its first frame, of {SOCKETS} sockets"), &watch.first).aim(20.0));
    report.add(Figure::new("chat", "its last frame", &watch.last).aim(60.0).with("missing", untold as u64));
    readers.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

async fn listen(agent: &Person, watch: Arc<Mutex<Watch>>) -> tokio::task::JoinHandle<()> {
    let mut socket = agent.socket().await;
    tokio::spawn(async move {
        while let Some(Ok(message)) = socket.stream().next().await {
            let now = Instant::now();
            let Ok(frame) = message.to_text() else { continue };
            if !frame.contains("\"chat.message_created\"") {
                continue;
            }
            let frame: Value = serde_json::from_str(frame).unwrap_or_default();
            let mut watch = lock(&watch);
            let Watch { left, first, last } = &mut *watch;
            let Some((start, heard)) = left.get_mut(text(&frame["data"]["message"]["body"])) else { continue };
            *heard += 1;
            if *heard == 1 {
                first.add(now - *start);
            }
            if *heard == SOCKETS {
                last.add(now - *start);
            }
        }
    })
}

fn lock(watch: &Mutex<Watch>) -> std::sync::MutexGuard<'_, Watch> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)
}
