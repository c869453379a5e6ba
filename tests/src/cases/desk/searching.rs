//! Search in the inbox: complete for whoever asks, at any density of what is sought, and for anything that can be typed.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;
use tests::{Company, Stack, Wanted, company::Person, company::text, sandbox::fresh_number};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

/// Three thousand conversations, three of each time. The newest 1,800 are the second department's, the others the first's; every
/// other one is closed. All speak of a boleto, every third of an anexo, every fortieth of a garantia, the oldest 500 of a contrato,
/// three of an abacaxi; every seventh client is a Gomes.
const PAST: &str = "
    with past as (
        select number, md5($1::uuid::text || 'client' || number)::uuid as client_id,
               md5($1::uuid::text || 'conversation' || number)::uuid as id,
               date_trunc('second', now()) - number / 3 * interval '1 minute' as at
          from generate_series(0, 2999) number
    ), made_clients as (
        insert into clients (id, company_id, name)
        select client_id, $1::uuid, case when number % 7 = 0 then 'Gomes ' else 'Dantas ' end || number from past
    ), made_conversations as (
        insert into conversations (id, company_id, client_id, channel_account_id, department_id, mode, last_message_at, ended_at)
        select id, $1::uuid, client_id, $2::uuid, case when number < 1800 then $4::uuid else $3::uuid end, 'human', at,
               case when number % 2 = 0 then at end
          from past
    )
    insert into messages (id, company_id, conversation_id, channel_account_id, sender_type, kind, sent_at, body)
    select md5($1::uuid::text || 'message' || number)::uuid, $1::uuid, id, $2::uuid, 'client', 'text', at,
           'Segue o boleto' || case when number % 3 = 0 then ' em anexo' else '' end
           || case when number % 40 = 0 then ' com garantia' else '' end || case when number >= 2500 then ' do contrato' else '' end
           || case when number in (7, 1500, 2998) then ' e um abacaxi' else '' end
      from past";

/// What a word finds, in order: by reading everything.
const EXPECTED: &str = "
    select conversations.id
      from conversations
      join clients on clients.id = conversations.client_id
      join messages on messages.conversation_id = conversations.id
     where conversations.company_id = $1
       and (messages.body || ' ' || clients.name) ~* ('\\m' || $2::text || '\\M')
       and ($3::uuid is null or conversations.department_id = $3)
       and ($4::text is null or conversations.status = $4)
     order by conversations.last_message_at desc, conversations.id desc";

async fn past(stack: &Stack) -> (Company, Client) {
    let departments = vec![("Vendas", vec![1]), ("Secretaria", vec![2])];
    let company = stack.company(Wanted { students: 0, departments, ..Wanted::default() }).await;
    let database = stack.database().await;
    let [first, second] = [0, 1].map(|index: usize| company.departments[index].1);
    database.execute(PAST, &[&company.id, &company.channel_account_id, &first, &second]).await.expect("the past is written");
    // As it is by itself after a minute.
    database.batch_execute("analyze clients, client_identities, conversations, messages").await.expect("the past is known");
    (company, database)
}

/// All pages, one after the other.
async fn pages(person: &Person, query: &str, limit: usize) -> Vec<Uuid> {
    let (mut found, mut path) = (Vec::new(), format!("/conversations?{query}&limit={limit}"));
    loop {
        let page = person.api.get(&path).await.expect(200);
        let rows = page["data"].as_array().expect("rows");
        found.extend(rows.iter().map(|row| text(&row["id"]).parse::<Uuid>().expect("an id")));
        let Some(cursor) = page["next_cursor"].as_str() else { return found };
        assert_eq!(rows.len(), limit, "a page with more behind it is full");
        path = format!("/conversations?{query}&limit={limit}&cursor={cursor}");
    }
}

pub async fn search_reaches_the_last_match_of_what_the_caller_sees(stack: Arc<Stack>) {
    let (company, database) = past(&stack).await;
    let first = company.departments[0].1;
    for (person, department) in [(&company.supervisor, None), (&company.agents[0], Some(first))] {
        for word in ["boleto", "anexo", "garantia", "contrato", "abacaxi", "gomes"] {
            for status in [None, Some("closed")] {
                let rows = database.query(EXPECTED, &[&company.id, &word, &department, &status]).await.expect("an answer");
                let expected: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
                assert!(!expected.is_empty(), "{word} is somewhere");
                let category = status.map_or(String::new(), |status| format!("&category={status}"));
                let found = pages(person, &format!("search={word}{category}"), 100).await;
                assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len(), "{word}{category} comes once");
                assert!(found == expected, "{word}{category}: {} of {}", found.len(), expected.len());
            }
        }
    }
}

/// How often all of a table and how many of its rows by index were read by this server process, as far as it has not reported that yet.
const READ: &str = "
    select seq_scan, idx_tup_fetch
      from pg_stat_xact_user_tables
     where relname in ('messages', 'clients')
     order by relname desc";

const SEARCH: &str = "
    select cardinality(app.find_conversations($1, '{}', array(
        select id from conversations order by last_message_at desc, id desc limit 1000), 1000, 51))";

pub async fn search_reads_no_more_messages_than_it_must(stack: Arc<Stack>) {
    let (company, database) = past(&stack).await;
    let session = "select id from sessions where user_id = $1 and company_id = $2 and revoked_at is null limit 1";
    let session: Uuid = database.query_one(session, &[&company.supervisor.id, &company.id]).await.expect("a session").get(0);
    // What many have is looked for from the newest on, what few have by index.
    for (word, most) in [("boleto", 500), ("anexo", 500), ("garantia", 500), ("abacaxi", 60), ("gomes", 60), ("nada", 50)] {
        let (mut functions, connection) =
            tokio_postgres::connect(&stack.addresses.database_url, NoTls).await.expect("the database answers");
        tokio::spawn(connection);
        let transaction = functions.transaction().await.expect("a transaction");
        let enter = "select app.enter($1, $2, 'supervisor', $3)";
        transaction.query(enter, &[&company.id, &company.supervisor.id, &session]).await.expect("the tenant is entered");
        let before = transaction.query(READ, &[]).await.expect("an answer");
        transaction.query(SEARCH, &[&word]).await.expect("an answer");
        let after = transaction.query(READ, &[]).await.expect("an answer");
        // Each client once by name, and before that those of the newest.
        for ((before, after), (table, most)) in before.iter().zip(&after).zip([("messages", most), ("clients", 4100)]) {
            let [scans, rows] = [0, 1].map(|column| after.get::<_, i64>(column) - before.get::<_, i64>(column));
            assert!(scans == 0 && rows <= most, "{word}: {rows} of 3,000 {table} read, {scans} times all");
        }
    }
}

pub async fn anything_typed_is_a_search(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, agent_visibility: "company", ..Wanted::default() }).await;
    let (agent, client) = (&company.agents[0], "5511987654321");
    company.phone.receive(client, json!({"text": "Quero 2 vias do boleto 😀 50%", "name": "João D'Ávila Conceição 🌻"})).await;
    company.phone.receive(&fresh_number(), json!({"text": "Bom dia", "name": "Zoë_\\"})).await;
    let id = agent.conversation_id_of(client).await;
    let found = [
        "j",
        "J",
        "jo",
        "d",
        "c",
        "2",
        "50",
        "d'",
        "joão d'á",
        "BOLETO 😀",
        "vias 2",
        "boleto 50%",
        "conceição 🌻",
        "ção",
        "5511987654321",
        "551187654321",
        "+55 (11) 98765-4321",
        "55 11 8765 4321",
        "(11) 8765-4321",
        "011 98765.4321",
        "8765-4321",
        "4321",
        "João 11 98765-4321",
        "  j  ",
        "%j",
    ];
    for search in found {
        let page = agent.api.get(&format!("/conversations?search={}", encoded(search))).await.expect(200);
        let ids: Vec<&str> = page["data"].as_array().expect("rows").iter().map(|row| text(&row["id"])).collect();
        assert_eq!(ids, [id.as_str()], "searching {search:?}");
    }
    let nothing = [
        "x",
        "%",
        "_",
        "\\",
        "'",
        "\"",
        "''",
        "%%",
        "\\%",
        "😀",
        "🌻",
        "-",
        "+",
        "(",
        "*",
        ":*",
        "!",
        "|",
        "& !x",
        "<->",
        "é",
        "q",
        "o%",
        "boleto 51",
        "João 2026",
        "ß",
        "漢",
        &"a".repeat(100),
        &"😀".repeat(100),
    ];
    for search in nothing {
        let page = agent.api.get(&format!("/conversations?search={}", encoded(search))).await.expect(200);
        let names: Vec<&str> = page["data"].as_array().expect("rows").iter().map(|row| text(&row["client_name"])).collect();
        assert_eq!(names, [""; 0], "searching {search:?}");
    }
    for search in ["", "%20%20%20"] {
        let page = agent.api.get(&format!("/conversations?search={search}")).await.expect(200);
        assert_eq!(page["data"].as_array().map(Vec::len), Some(2), "searching nothing");
    }
    let refused = agent.api.get(&format!("/conversations?search={}", "a".repeat(101))).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "search", "{refused}");
}

pub async fn signs_within_words_hide_nothing(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, agent_visibility: "company", ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let names = ["Ana-Clara Lima", "Ana Clara Reis", "Sinéad O'Neill", "Bia D’Ávila", "J.P. Nunes", "Rui Caldas/Financeiro"];
    let words = [
        "Escreva para maria.souza@escola.example",
        "O guarda-chuva ficou aí?",
        "Pago em 27/11/2026 ou 28.11",
        "Veja https://escola.example/matricula?curso=ingles",
        "Sou da Sant'Ana",
        "Combinado",
    ];
    let mut ids = Vec::new();
    for (name, words) in names.iter().zip(words) {
        let client = fresh_number();
        company.phone.receive(&client, json!({"text": words, "name": name})).await;
        ids.push(agent.conversation_id_of(&client).await);
    }
    for (search, expected) in [
        ("ana clara", vec![0, 1]),
        ("ana-clara", vec![0, 1]),
        ("ANA  CLARA", vec![0, 1]),
        ("anaclara", vec![0]),
        ("clara lima", vec![0]),
        ("o'neill", vec![2]),
        ("o’neill", vec![2]),
        ("o neill", vec![2]),
        ("oneill", vec![2]),
        ("neill", vec![2]),
        ("d'avila", vec![3]),
        ("davila", vec![3]),
        ("Ávila", vec![3]),
        ("j.p. nunes", vec![4]),
        ("j p nunes", vec![4]),
        ("caldas financeiro", vec![5]),
        ("caldas/fin", vec![5]),
        ("lima ana", vec![]),
        ("maria.souza@escola.example", vec![0]),
        ("maria.souza", vec![0]),
        ("souza maria", vec![0]),
        ("guarda chuva", vec![1]),
        ("guarda-chuva", vec![1]),
        ("guardachuva", vec![1]),
        ("27/11/2026", vec![2]),
        ("27-11-2026", vec![2]),
        ("28.11", vec![2]),
        ("matricula", vec![3]),
        ("escola.example matricula", vec![3]),
        ("santana", vec![4]),
        ("sant'ana", vec![4]),
    ] {
        let page = agent.api.get(&format!("/conversations?search={}", encoded(search))).await.expect(200);
        let found: BTreeSet<&str> = page["data"].as_array().expect("rows").iter().map(|row| text(&row["id"])).collect();
        assert_eq!(found, expected.iter().map(|index: &usize| ids[*index].as_str()).collect(), "searching {search:?}");
    }
    // People of the company are found alike.
    let name = "update users set name = 'Ana-Clara D''Ávila' where id = $1";
    stack.database().await.execute(name, &[&company.supervisor.id]).await.expect("a name");
    for (search, total) in [("ana clara", 1), ("ana-clara d'a", 1), ("davila", 1), ("%", 0), ("'", 0)] {
        let page = company.admin.api.get(&format!("/users?search={}", encoded(search))).await.expect(200);
        assert_eq!(page["pagination"]["total"], total, "searching {search:?}");
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
