//! What people are told of by name: from its cause to the frame, of one and of two hundred; and the list of somebody who was told much.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::{
    Company, Socket, Stack, Wanted,
    company::{Person, text},
};

use crate::{
    lists::Caller,
    report::{Figure, Report, Times},
};

/// People in the company besides its agents.
const OTHERS: usize = 190;

/// All are in one channel, and each has a hundred unread and 5,000 that they have read.
const FILL: &str = "
    with people as (
        insert into users (id, email, name, password_hash)
        select gen_random_uuid(), gen_random_uuid() || '@exemplo.com', 'Pessoa ' || number, '!' from generate_series(1, $3) number
        returning id
    ) insert into memberships (company_id, user_id, role) select $1, id, 'agent' from people;
    insert into channels (id, company_id, kind, name, name_key) values ($2, $1, 'private', 'todos', 'todos');
    insert into channel_members (company_id, channel_id, user_id)
    select $1, $2, user_id from memberships where company_id = $1 and role <> 'student';
    insert into notifications (company_id, user_id, type, group_key, channel_id, on_screen, by_mail, by_push, at, created_at, read_at)
    select $1, user_id, 'chat_message', 'x' || number, $2, true, false, false, at, at, case when number > 100 then at end
      from memberships
     cross join generate_series(1, 5100) number
     cross join lateral (select now() - number * interval '20 minutes' as at) time
     where company_id = $1 and role <> 'student';";

pub async fn run(stack: &Stack, length: Duration, report: &mut Report) -> Result<()> {
    let company = stack.company(Wanted { agents: 10, students: 0, ..Wanted::default() }).await;
    let channel = uuid::Uuid::now_v7().to_string();
    let quoted = |id: &dyn ToString| format!("'{}'::uuid", id.to_string());
    let sql = FILL.replace("$1", &quoted(&company.id)).replace("$2", &quoted(&channel)).replace("$3", &OTHERS.to_string());
    let database = stack.database().await;
    database.batch_execute(&sql).await?;
    for table in ["notifications", "channel_members", "memberships"] {
        database.batch_execute(&format!("vacuum analyze {table}")).await?;
    }
    let caller = Caller::of(stack, &company.agents[0]);
    for (what, path) in [
        ("the first page of 5,100", "/notifications"),
        ("its unread", "/notifications?unread=true"),
        ("of one type", "/notifications?type=mention"),
    ] {
        report.add(caller.measure("notifications", what.to_owned(), path).await?.aim(20.0));
    }
    let reader = &company.agents[1];
    let mut socket = reader.socket().await;
    for (what, mentions, aim) in [
        ("somebody is named among 200", json!({"user_ids": [reader.id]}), 25.0),
        ("all 200 are", json!({"channel": true}), 200.0),
    ] {
        let (answers, frames) = tell(&company, &channel, &mentions, &mut socket, length).await?;
        report.add(Figure::new("notifications", format!("{what}: its answer"), &answers));
        report.add(Figure::new("notifications", format!("{what}: to the frame"), &frames).aim(aim));
    }
    let direct = company.agents[0].api.post("/direct-messages", json!({"user_ids": [reader.id]})).await;
    let direct = text(&direct.body["id"]).to_owned();
    let (answers, frames) = tell(&company, &direct, &json!({}), &mut socket, length).await?;
    report.add(Figure::new("notifications", "a direct message: its answer", &answers));
    report.add(Figure::new("notifications", "a direct message: to the frame", &frames).aim(25.0));
    Ok(())
}

/// One message a second, from when it leaves until its author is answered, and until the other is told by name.
async fn tell(
    company: &Company,
    channel: &str,
    mentions: &Value,
    socket: &mut Socket,
    length: Duration,
) -> Result<(Times, Times)> {
    let author: &Person = &company.agents[0];
    let (mut answers, mut frames) = (Times::default(), Times::default());
    let mut clock = tokio::time::interval(Duration::from_secs(1));
    let path = format!("/channels/{channel}/messages");
    for number in 0..length.as_secs() + 3 {
        clock.tick().await;
        let body = json!({"body": uuid::Uuid::now_v7().to_string(), "mentions": mentions, "confirmed": true});
        let start = Instant::now();
        let asking = async {
            let posted = author.api.post(&path, body).await;
            (posted, start.elapsed())
        };
        let hearing = async {
            let told = socket.of_type("notification.created").await;
            (told, start.elapsed())
        };
        let ((posted, answered), (_, heard)) = futures_util::future::join(asking, hearing).await;
        ensure!(posted.status == 201, "{}", posted.body);
        // The first ones start the processes.
        if number >= 3 {
            answers.add(answered);
            frames.add(heard);
        }
    }
    Ok((answers, frames))
}
