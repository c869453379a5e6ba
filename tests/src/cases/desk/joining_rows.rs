//! What a join moves and keeps: all rows that name a client, what it takes to undo it, and what the client's own login sees.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{Lock, Socket, Stack, company::text, desk};
use uuid::Uuid;

use super::joining::{Scene, scene, taken, two_agents};

fn id_of(row: &Value) -> Uuid {
    text(&row["id"]).parse().expect("an id")
}

/// The client of the company's student, known by the scene's user id and younger than any other.
async fn student_is_known(stack: &Stack, scene: &Scene) -> Uuid {
    let (company, database) = (&scene.company, stack.database().await);
    let student = company.students[0].id;
    let identity = "insert into client_identities (company_id, client_id, kind, value, address) values ($1, $2, 'bsuid', $3, $3)";
    database.execute(identity, &[&company.id, &student, &scene.user_id]).await.expect("an identity");
    let later = "update clients set created_at = now() + interval '1 hour' where id = $1";
    database.execute(later, &[&student]).await.expect("a later client");
    student
}

async fn undo_of(stack: &Stack, scene: &Scene) -> Value {
    let undo = "select undo from client_merges where company_id = $1";
    stack.database().await.query_one(undo, &[&scene.company.id]).await.expect("the merge").get(0)
}

const REFERENCES: &str = "
    select constraints.conrelid::regclass::text, columns.attname::text
      from pg_constraint constraints
      join pg_attribute columns on columns.attrelid = constraints.conrelid and columns.attnum = any (constraints.conkey)
     where constraints.contype = 'f' and constraints.confrelid = $1::text::regclass and columns.attname <> 'company_id'
     order by 1, 2";

/// Columns that are named as if they referenced a table and do not. What an import did to somebody is kept of who they were then.
const LOOSE: &str = "
    select table_name || '.' || column_name
      from information_schema.columns
      join information_schema.tables using (table_schema, table_name)
     where table_schema = 'public' and table_type = 'BASE TABLE' and column_name in ('client_id', 'conversation_id')
       and table_name <> 'client_import_rows'
       and not exists (
           select from pg_constraint
             join pg_attribute on attrelid = conrelid and attnum = any (conkey)
            where contype = 'f' and conrelid = table_name::text::regclass and attname = column_name)";

async fn rows_that_name(database: &tokio_postgres::Client, table: &str, column: &str, id: Uuid) -> i64 {
    let sql = format!("select count(*) from {table} where {column} = $1");
    database.query_one(&sql, &[&id]).await.expect("a count").get(0)
}

/// The table of merges names those who are gone for good: it is what is left of them.
pub async fn everything_that_names_a_client_follows(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    let company = &scene.company;
    let database = stack.database().await;
    scene.by_phone("um").await;
    let older = scene.conversations().await.remove(0);
    // The other client is a student with a login, a file, a transfer, and has been joined with somebody before.
    let student = student_is_known(&stack, &scene).await;
    let picture = json!({"from": null, "user_id": scene.user_id});
    let mut order = desk::media("image/png", desk::PNG, json!({"caption": "dois"}));
    order.as_object_mut().expect("an object").extend(picture.as_object().cloned().unwrap_or_default());
    taken(&company.phone.receive("", order).await);
    let other = scene.conversations().await.into_iter().find(|row| row["id"] != older["id"]).expect("another");
    company.supervisor.transfer(text(&other["id"]), json!({"to_user_id": company.agents[1].id})).await;
    company.supervisor.transfer(text(&older["id"]), json!({"to_user_id": company.agents[0].id})).await;
    let plan = "
        insert into scheduled_messages (id, company_id, conversation_id, author_id, body, due_at)
        values ($1, $2, $3, $4, 'Lembrete', now() + interval '1 hour')";
    let author = company.agents[1].id;
    database.execute(plan, &[&Uuid::now_v7(), &company.id, &id_of(&other), &author]).await.expect("a planned message");
    let former = "
        with client as (
            insert into clients (id, company_id, name, merged_into_id) values ($1, $2, 'Anterior', $3)
        )
        insert into conversations (id, company_id, client_id, channel_account_id, mode, ended_at, merged_into_id)
        values ($1, $2, $3, $4, 'human', now(), $5)";
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&Uuid::now_v7(), &company.id, &student, &company.channel_account_id, &id_of(&other)];
    database.execute(former, &parameters).await.expect("a former merge");

    let consent = "
        insert into client_consents (id, company_id, client_id, purpose, channel, granted, source, at, proof)
        values ($1, $2, $3, 'marketing', 'whatsapp', false, 'whatsapp_preference', now(), '{}')";
    database.execute(consent, &[&Uuid::now_v7(), &company.id, &student]).await.expect("a consent");

    let note = json!({"conversation_id": other["id"], "text": "Já é aluno"});
    company.supervisor.api.post("/notes", note).await.expect(201);
    let note = json!({"client_id": student, "text": "@você", "mention_ids": [author]});
    company.supervisor.api.post("/notes", note).await.expect(201);

    let muted = "insert into conversation_preferences (company_id, user_id, conversation_id) values ($1, $2, $3)";
    database.execute(muted, &[&company.id, &author, &id_of(&other)]).await.expect("a muted conversation");

    let document = "
        with file as (
            insert into files (id, company_id, uploaded_by, name, mime_type, size, storage_key, status, purpose)
            values ($1, $2, $4, 'a.pdf', 'application/pdf', 9, 'company/' || $2::uuid || '/' || $1::uuid, 'ready', 'document')
        )
        insert into client_files (company_id, client_id, file_id, added_by) values ($2, $3, $1, $4)";
    database.execute(document, &[&Uuid::now_v7(), &company.id, &student, &author]).await.expect("a document");

    let lead = json!({"name": "Ana", "client_id": student});
    company.supervisor.api.post("/leads", lead).await.expect(201);
    let mentored = json!({"client_id": student, "mentor_id": author});
    let mentee = company.supervisor.api.post("/mentees", mentored).await.expect(201);
    for about in [json!({"title": "Ligar", "mentee_id": mentee["id"]}), json!({"title": "Ligar", "conversation_id": other["id"]})]
    {
        company.supervisor.api.post("/tasks", about).await.expect(201);
    }

    let mut references = Vec::new();
    for (table, gone) in [("clients", student), ("conversations", id_of(&other))] {
        for row in database.query(REFERENCES, &[&table]).await.expect("references") {
            let (table, column): (String, String) = (row.get(0), row.get(1));
            // What the bot went through, what a model was asked and said, what helped, and who answered first, is counted where it did.
            if ["client_merges", "ai_runs", "bot_steps", "conversation_insights", "first_answers", "knowledge_uses"]
                .contains(&table.as_str())
            {
                continue;
            }
            let rows = rows_that_name(&database, &table, &column, gone).await;
            assert!(
                rows > 0,
                "joining clients moves {table}.{column}? Give it a line in app.join_clients or app.join_conversations, and a row here"
            );
            references.push((table, column, gone));
        }
    }
    assert!(references.len() >= 8, "{references:?}");
    scene.prove("três").await;
    for (table, column, gone) in references {
        assert_eq!(rows_that_name(&database, &table, &column, gone).await, 0, "{table}.{column}");
    }
    let loose = database.query(LOOSE, &[]).await.expect("columns");
    let loose: Vec<String> = loose.iter().map(|row| row.get(0)).collect();
    assert!(loose.is_empty(), "{loose:?}");
    let membership = "select client_id from memberships where company_id = $1 and user_id = $2";
    let client: Uuid = database.query_one(membership, &[&company.id, &student]).await.expect("a membership").get(0);
    assert_eq!(json!(client), older["client_id"]);
    let undo = undo_of(&stack, &scene).await;
    assert_eq!((&undo["memberships"], &undo["merged_client"]["id"]), (&json!([student]), &json!(student)));
    assert_eq!(undo["joined"][0]["closed"]["assignee_id"], json!(company.agents[1].id));
    assert_eq!(undo["joined"][0]["files"].as_array().map(Vec::len), Some(1), "{undo}");
}

async fn has_metadata(stack: &Stack, table: &str, id: Uuid, metadata: &Value) {
    let sql = format!("update {table} set metadata = $2 where id = $1");
    stack.database().await.execute(&sql, &[&id, metadata]).await.expect("its metadata");
}

pub async fn what_a_join_changes_is_kept_as_it_was(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    let now = jiff::Timestamp::now().as_second();
    for (words, ago) in [("1", 50), ("3", 30)] {
        let order = json!({"user_id": "BR.FIRST", "text": words, "timestamp": now - ago});
        taken(&scene.company.phone.receive(&scene.phone, order).await);
    }
    let kept = scene.conversations().await.remove(0);
    let order = json!({"from": null, "user_id": scene.user_id, "text": "2", "timestamp": now - 40});
    taken(&scene.company.phone.receive("", order).await);
    let closed = scene.conversations().await.into_iter().find(|row| row["id"] != kept["id"]).expect("another");
    scene.company.agents[0].take_over(text(&kept["id"])).await;
    scene.company.agents[1].take_over(text(&closed["id"])).await;
    let client = |row: &Value| text(&row["client_id"]).parse::<Uuid>().expect("an id");
    let (ours, theirs) = (json!({"turma": "A"}), json!({"turma": "B", "bolsa": 30}));
    for (table, winner, loser) in [("clients", client(&kept), client(&closed)), ("conversations", id_of(&kept), id_of(&closed))] {
        has_metadata(&stack, table, winner, &ours).await;
        has_metadata(&stack, table, loser, &theirs).await;
    }
    let third = scene.company.admin.thread(text(&kept["id"])).await.into_iter().find(|message| message["body"] == "3");
    let third = text(&third.expect("the third")["id"]).to_owned();
    scene.prove("4").await;
    let detail = scene.company.admin.conversation(text(&kept["id"])).await;
    let both = json!({"turma": "A", "bolsa": 30});
    assert_eq!((&detail["metadata"], &detail["client"]["metadata"]), (&both, &both));
    let undo = undo_of(&stack, &scene).await;
    let pair = &undo["joined"][0];
    assert_eq!((&undo["client"]["metadata"], &undo["merged_client"]["metadata"]), (&ours, &theirs));
    assert_eq!((&pair["kept"]["metadata"], &pair["closed"]["metadata"]), (&ours, &theirs));
    assert_eq!(pair["renumbered"], json!({third: 2}));
    assert_eq!(
        (&pair["kept_handlers"], &pair["handlers"]),
        (&json!([scene.company.agents[0].id]), &json!([scene.company.agents[1].id]))
    );
}

/// Front ends may have filled either: that must not keep a webhook from being stored.
pub async fn metadata_that_is_too_long_together_stays_apart(stack: Arc<Stack>) {
    let scene = scene(&stack, two_agents()).await;
    scene.by_phone("um").await;
    let older = scene.conversations().await.remove(0);
    scene.by_user_id("dois").await;
    let other = scene.conversations().await.into_iter().find(|row| row["id"] != older["id"]).expect("another");
    let client = |row: &Value| text(&row["client_id"]).parse::<Uuid>().expect("an id");
    let (ours, theirs) = (json!({"nota": "a".repeat(9000)}), json!({"aviso": "b".repeat(9000)}));
    for (table, winner, loser) in [("clients", client(&older), client(&other)), ("conversations", id_of(&older), id_of(&other))] {
        has_metadata(&stack, table, winner, &ours).await;
        has_metadata(&stack, table, loser, &theirs).await;
    }
    scene.prove("três").await;
    let detail = scene.company.admin.conversation(text(&scene.joined().await.0["id"])).await;
    assert_eq!((&detail["metadata"], &detail["client"]["metadata"]), (&ours, &ours));
    assert_eq!(undo_of(&stack, &scene).await["merged_client"]["metadata"], theirs);
}

/// A student's conversation that people hold, and that goes on when the student turns out to be an older client.
async fn student_scene(stack: &Stack) -> (Scene, String) {
    let scene = scene(stack, two_agents()).await;
    scene.by_phone("um").await;
    let older = scene.conversations().await.remove(0);
    student_is_known(stack, &scene).await;
    scene.by_user_id("dois").await;
    let own = scene.conversations().await.into_iter().find(|row| row["id"] != older["id"]).expect("another");
    let id = text(&own["id"]).to_owned();
    scene.company.agents[0].take_over(&id).await;
    (scene, id)
}

async fn hears(socket: &mut Socket, words: &str) {
    let told = socket.frame(words, |frame| frame["data"]["message"]["body"] == words).await;
    assert_eq!(told["type"], "message.created");
}

/// Also of the very message that joined them, and without a `ping`.
pub async fn open_socket_of_a_joined_student_hears_on(stack: Arc<Stack>) {
    let (scene, id) = student_scene(&stack).await;
    let mut socket = scene.company.students[0].socket().await;
    socket.follow(&id).await;
    scene.prove("três").await;
    assert_eq!(scene.joined().await.0["id"], json!(id));
    hears(&mut socket, "três").await;
    scene.company.agents[0].say(&id, "Bom dia!").await;
    hears(&mut socket, "Bom dia!").await;
}

/// The join comes after the handshake has read what the student may see and before anybody can find the connection.
pub async fn socket_that_opens_while_its_student_is_joined_hears_on(stack: Arc<Stack>) {
    let (scene, id) = student_scene(&stack).await;
    let (company, student) = (&scene.company, &scene.company.students[0]);
    let ticket = student.api.post("/realtime/tickets", json!({})).await.expect(201);
    let url = text(&ticket["url"]).to_owned();
    let lock = Lock::hold(&stack, &format!("presence:{}{}", company.id, student.id)).await;
    let handshake = tokio::spawn(async move { Socket::open(&url).await });
    lock.until_waited_for(1).await;
    scene.prove("três").await;
    lock.release().await;
    let mut socket = handshake.await.expect("an answer").expect("it opens");
    socket.follow(&id).await;
    company.agents[0].say(&id, "Bom dia!").await;
    hears(&mut socket, "Bom dia!").await;
}
