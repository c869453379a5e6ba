//! Finding people among a million, and the whole history of one, over HTTP.

use anyhow::Result;
use tests::{Company, Stack, Wanted};

use crate::{lists::Caller, report::Report};

const SEARCH_AIM: f64 = 50.0;
const HISTORY_AIM: f64 = 20.0;

/// Entries of the longest history.
const ENTRIES: u32 = 10_000;

/// Names of a hundred first and ten times ten second names; of each client a mobile, of every second one an e-mail, of every fifth a CPF,
/// of every thousandth a tag.
const CLIENTS: &str = "
    insert into clients (id, company_id, name, email, document, tags, created_at)
    select pg_temp.bench_id(at), $1,
           (array['Ana', 'Bruno', 'Carla', 'Davi', 'Elisa', 'Fábio', 'Gabriela', 'Heitor', 'Íris', 'João'])[1 + number % 10] || ' ' ||
           (array['Maria', 'José', 'Lúcia', 'Antônio', 'Rita', 'Paulo', 'Inês', 'Caio', 'Vera', 'Otávio'])[1 + number / 10 % 10] || ' ' ||
           (array['Almeida', 'Barros', 'Cardoso', 'Dantas', 'Esteves', 'Farias', 'Gomes', 'Henriques', 'Izidoro', 'Junqueira'])[1 + number / 100 % 10]
           || ' ' || substr(md5(number::text), 1, 6),
           case when number % 2 = 0 then 'cliente' || number || '@exemplo.com' end,
           case when number % 5 = 0 then (70000000000 + number)::text end,
           case when number % 1000 = 0 then array['bolsista'] else '{}' end, at
      from generate_series(0, $2 - 1) number
      cross join lateral (select now() - number * interval '1 minute' as at) time;
    insert into client_identities (company_id, client_id, kind, value, address)
    select $1, id, 'phone', value, value
      from (select id, '55119' || (30000000 + row_number() over (order by created_at desc)) as value from clients where company_id = $1) numbered;
    insert into client_identities (company_id, client_id, kind, value, address)
    select $1, id, 'email', email, email from clients where company_id = $1 and email is not null;";

/// A client of years: a conversation for every fourth entry, notes for the others.
const HISTORY: &str = "
    insert into conversations (id, company_id, client_id, channel_account_id, mode, last_message_at, started_at, ended_at)
    select pg_temp.bench_id(at), $1, $2, $3, 'human', at, at, at + interval '10 minutes'
      from generate_series(1, $4, 4) number cross join lateral (select now() - number * interval '3 hours' as at) time;
    insert into notes (id, company_id, client_id, author_id, text, created_at)
    select pg_temp.bench_id(at), $1, $2, $5, 'Ligou de novo.', at
      from generate_series(1, $4) number cross join lateral (select now() - number * interval '3 hours' as at) time
     where number % 4 <> 1;";

pub async fn run(stack: &Stack, clients: u32, report: &mut Report) -> Result<()> {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let old = fill(stack, &company, clients).await?;
    let caller = Caller::of(stack, &company.agents[0]);
    let asked = [
        "",
        "search=Gabriela",
        "search=gabriela antonio gomes",
        "search=maria almeida 3f",
        "search=otavio junqueira c4ca42",
        "search=c4ca42",
        "search=Zacarias",
        "search=(11) 93012-3456",
        "search=30123456",
        "search=3012345",
        "search=cliente4242@exemplo.com",
        "search=cliente4242",
        "search=700.000.999-95",
        "search=70000099",
        "search=An",
        "tag=bolsista",
        "tag=bolsista&search=Gabriela",
        "tag=nenhuma",
        "archived=true",
    ];
    for query in asked {
        let path = format!("/clients?{query}");
        report.add(caller.measure("clients", format!("of {clients}: {query}"), &path).await?.aim(SEARCH_AIM));
    }
    let mut path = format!("/clients/{old}/history?limit=50");
    report.add(caller.measure("clients", format!("history of {ENTRIES} entries"), &path).await?.aim(HISTORY_AIM));
    for _ in 0..ENTRIES / 100 {
        let page = caller.get(&path).await?;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/clients/{old}/history?limit=50&cursor={cursor}");
    }
    report.add(caller.measure("clients", "the middle of it".to_owned(), &path).await?.aim(HISTORY_AIM));
    Ok(())
}

/// Answers the client with the long history.
async fn fill(stack: &Stack, company: &Company, clients: u32) -> Result<uuid::Uuid> {
    let database = stack.database().await;
    database.batch_execute(crate::desk::ID).await?;
    let id = format!("'{}'::uuid", company.id);
    database.batch_execute(&CLIENTS.replace("$1", &id).replace("$2", &clients.to_string())).await?;
    let newest = "select id from clients where company_id = $1 order by created_at desc limit 1";
    let old: uuid::Uuid = database.query_one(newest, &[&company.id]).await?.get(0);
    let history = HISTORY
        .replace("$1", &id)
        .replace("$2", &format!("'{old}'::uuid"))
        .replace("$3", &format!("'{}'::uuid", company.channel_account_id))
        .replace("$4", &ENTRIES.to_string())
        .replace("$5", &format!("'{}'::uuid", company.admin.id));
    database.batch_execute(&history).await?;
    for table in ["clients", "client_identities", "conversations", "notes"] {
        database.batch_execute(&format!("vacuum analyze {table}")).await?;
    }
    Ok(old)
}
