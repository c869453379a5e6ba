//! Notes, which staff write and nobody else ever gets.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person, company::text, eventually};
use tokio_postgres::Client;
use uuid::Uuid;

use super::contract::sample;
use crate::Case;

pub fn cases() -> Vec<(&'static str, Case)> {
    use self as notes;
    cases! {
        notes::{
            a_note_is_written_found_pinned_and_taken_away,
            a_note_names_a_client_a_conversation_or_both_that_belong_together,
            only_its_author_or_a_supervisor_changes_a_note,
            of_two_who_change_a_note_one_is_told_what_the_other_wrote,
            what_a_note_said_before_is_shown_to_who_sees_it,
            notes_follow_two_clients_who_are_joined_and_go_back_when_that_is_undone,
            a_note_written_while_two_clients_are_joined_is_on_the_one_who_stays,
            who_is_mentioned_is_told_if_and_only_if_they_see_the_conversation,
            who_is_mentioned_is_told_where_they_see_the_note,
            who_does_not_see_a_conversation_sees_no_note_on_it,
            nobody_but_staff_ever_gets_a_note,
        };
    }
}

async fn write(person: &Person, note: Value) -> Value {
    person.api.post("/notes", note).await.expect(201)
}

async fn found(person: &Person, query: &str) -> Vec<String> {
    let list = person.api.get(&format!("/notes?{query}")).await.expect(200);
    list["data"].as_array().into_iter().flatten().map(|note| text(&note["id"]).to_owned()).collect()
}

fn path_of(note: &Value) -> String {
    format!("/notes/{}", text(&note["id"]))
}

pub async fn a_note_is_written_found_pinned_and_taken_away(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let (_, conversation) = company.served().await;
    let agent = &company.agents[0];
    let client = agent.conversation(&conversation).await["client_id"].clone();
    let first = write(agent, json!({"conversation_id": conversation, "text": "Promoção de **100%** só_hoje"})).await;
    let second = write(agent, json!({"client_id": client, "text": "Ligar às 9h", "is_pinned": true})).await;
    assert_eq!((&first["client_id"], &second["conversation_id"]), (&client, &Value::Null));
    let (first_id, second_id) = (text(&first["id"]).to_owned(), text(&second["id"]).to_owned());
    let of_client = format!("client_id={}", text(&client));
    assert_eq!(found(agent, &of_client).await, [second_id.clone(), first_id.clone()]);
    assert_eq!(found(agent, &format!("conversation_id={conversation}")).await, [first_id.as_str()]);
    assert_eq!(found(agent, &format!("{of_client}&pinned=true")).await, [second_id]);
    // Accents do not matter, signs part words, and nothing stands for anything else.
    for (words, hits) in [("PROMOCAO", 1), ("100%25", 1), ("s%C3%B3_hoje", 1), ("1%255", 0), ("p_omo", 0), ("%5C", 0)] {
        assert_eq!(found(agent, &format!("search={words}")).await.len(), hits, "{words}");
    }
    let path = path_of(&first);
    let changed = agent.api.call(Method::PUT, &path, Some(json!({"text": "Sem promoção"}))).await.expect(200);
    assert_eq!((&changed["version"], &changed["is_pinned"]), (&json!(2), &json!(false)));
    let id: Uuid = first_id.parse().expect("an id");
    let database = stack.database().await;
    let before = database.query_one("select version, text, replaced_by_id from note_revisions where note_id = $1", &[&id]).await;
    let before = before.expect("what it said before");
    assert_eq!((before.get(0), before.get(1), before.get(2)), (1, text(&first["text"]), agent.id));
    agent.api.call(Method::DELETE, &path, None).await.expect(204);
    assert_eq!(found(agent, &format!("conversation_id={conversation}")).await, [""; 0]);
    agent.api.call(Method::PUT, &path, Some(json!({"text": "De novo"}))).await.expect(404);
    let kept = database.query_one("select deleted_by_id from notes where id = $1 and deleted_at is not null", &[&id]).await;
    assert_eq!(kept.expect("its row stays").get::<_, Uuid>(0), agent.id);
}

pub async fn a_note_names_a_client_a_conversation_or_both_that_belong_together(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let (mine, other) = (sample::conversation(&stack, &company).await, sample::conversation(&stack, &company).await);
    let client = agent.conversation(&mine).await["client_id"].clone();
    write(agent, json!({"conversation_id": mine, "client_id": client, "text": "Os dois"})).await;
    let strange = Uuid::now_v7();
    for (note, field, code) in [
        (json!({"text": "x"}), "client_id", "required"),
        (json!({"text": "x", "client_id": strange}), "client_id", "not_found"),
        (json!({"text": "x", "conversation_id": strange}), "conversation_id", "not_found"),
        (json!({"text": "x", "conversation_id": other, "client_id": client}), "client_id", "not_of_conversation"),
        (json!({"text": "", "client_id": client}), "text", "required"),
        (json!({"text": "x".repeat(10_001), "client_id": client}), "text", "too_long"),
        (
            json!({"text": "x", "client_id": client, "mention_ids": [company.students[0].id]}),
            "mention_ids[0]",
            "not_active_staff",
        ),
    ] {
        let refused = agent.api.post("/notes", note).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), (field, code));
    }
    assert_eq!(found(agent, "").await.len(), 1);
}

pub async fn only_its_author_or_a_supervisor_changes_a_note(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let conversation = sample::conversation(&stack, &company).await;
    let note = write(&company.agents[0], json!({"conversation_id": conversation, "text": "Minha"})).await;
    let other = &company.agents[1].api;
    let refused = other.call(Method::PUT, &path_of(&note), Some(json!({"text": "Tua"}))).await;
    assert_eq!(refused.problem(403), "not_author");
    assert_eq!(other.call(Method::DELETE, &path_of(&note), None).await.problem(403), "not_author");
    company.supervisor.api.call(Method::PUT, &path_of(&note), Some(json!({"text": "Nossa"}))).await.expect(200);
    company.supervisor.api.call(Method::DELETE, &path_of(&note), None).await.expect(204);
}

pub async fn of_two_who_change_a_note_one_is_told_what_the_other_wrote(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let conversation = sample::conversation(&stack, &company).await;
    let note = write(&company.agents[0], json!({"conversation_id": conversation, "text": "Antes"})).await;
    let change = async |person: &Person, words: &str| {
        let api = person.api.with_header("if-match", "1");
        api.call(Method::PUT, &path_of(&note), Some(json!({"text": words}))).await
    };
    let (one, other) = tokio::join!(change(&company.agents[0], "Um"), change(&company.supervisor, "Outro"));
    let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
    let (mut won, lost) = (won.expect(200), lost.expect(409));
    // Only whoever wrote it learns whom it does not reach.
    won.as_object_mut().and_then(|note| note.remove("not_told_ids"));
    assert_eq!((text(&lost["code"]), &lost["current"]), ("stale_version", &won));
}

pub async fn what_a_note_said_before_is_shown_to_who_sees_it(stack: Arc<Stack>) {
    let (company, conversation) = apart(&stack).await;
    let [inside, outside] = &company.agents[..] else { panic!("two agents") };
    let note = write(inside, json!({"conversation_id": conversation, "text": "Um"})).await;
    let path = format!("{}/revisions", path_of(&note));
    for (person, change) in [
        (inside, json!({"text": "Dois"})),
        // Pinned only, it says what it said.
        (inside, json!({"is_pinned": true})),
        (&company.supervisor, json!({"text": "Três"})),
    ] {
        person.api.call(Method::PUT, &path_of(&note), Some(change)).await.expect(200);
    }
    let before = inside.api.get(&path).await.expect(200);
    let before: Vec<_> = before["data"].as_array().expect("revisions").iter().collect();
    let said: Vec<_> = before.iter().map(|row| (text(&row["text"]), row["version"].as_i64(), &row["replaced_by_id"])).collect();
    assert_eq!(said, [("Um", Some(1), &json!(inside.id)), ("Dois", Some(3), &json!(company.supervisor.id))]);
    outside.api.get(&path).await.expect(404);
    let list = format!("/clients/{}/notes", text(&note["client_id"]));
    assert_eq!(inside.api.get(&list).await.expect(200)["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(outside.api.get(&list).await.expect(200)["data"], json!([]));
    inside.api.get(&format!("/clients/{}/notes", Uuid::now_v7())).await.expect(404);
    inside.api.call(Method::DELETE, &path_of(&note), None).await.expect(204);
    inside.api.get(&path).await.expect(404);
}

/// Where a note is: its client and its conversation.
async fn place(stack: &Stack, note: &Value) -> (Uuid, Option<Uuid>) {
    let id: Uuid = text(&note["id"]).parse().expect("an id");
    let row = stack.database().await.query_one("select client_id, conversation_id from notes where id = $1", &[&id]).await;
    let row = row.expect("a note");
    (row.get(0), row.get(1))
}

/// Marks rows as parts of others, or as parts of none any more, as joining and its undoing do.
async fn join(database: &Client, table: &str, moves: &[(Uuid, Option<Uuid>)]) {
    let sql = format!(
        "update {table} set merged_into_id = $2::uuid{} where id = $1",
        if table == "conversations" { ", ended_at = case when $2::uuid is not null then now() end" } else { "" }
    );
    for (id, into) in moves {
        database.execute(&sql, &[id, into]).await.expect("a change");
    }
}

pub async fn notes_follow_two_clients_who_are_joined_and_go_back_when_that_is_undone(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let mut places = Vec::new();
    let mut notes = Vec::new();
    // The third becomes part of the second, and that part of the first.
    for number in 0..3 {
        let conversation = sample::conversation(&stack, &company).await;
        let client = agent.conversation(&conversation).await["client_id"].clone();
        notes.push(write(agent, json!({"client_id": client, "text": format!("Sobre {number}")})).await);
        notes.push(write(agent, json!({"conversation_id": conversation, "text": format!("Em {number}")})).await);
        let id = |value: &Value| text(value).parse::<Uuid>().expect("an id");
        places.push((id(&client), conversation.parse::<Uuid>().expect("an id")));
    }
    let [first, second, third] = places[..] else { panic!("three") };
    let where_all_are = async || {
        let mut all = Vec::new();
        for note in &notes {
            all.push(place(&stack, note).await);
        }
        all
    };
    let at = |(client, conversation): (Uuid, Uuid)| [(client, None), (client, Some(conversation))];
    let apart = [at(first), at(second), at(third)].concat();
    assert_eq!(where_all_are().await, apart);
    let conversation_goes = "update conversations set client_id = $2 where id = $1";
    let database = stack.database().await;
    let of_company = "select set_config('app.company_id', $1, false)";
    database.execute(of_company, &[&company.id.to_string()]).await.expect("as one of the company");
    // Its open conversation becomes part of the other's.
    join(&database, "conversations", &[(third.1, Some(second.1))]).await;
    database.execute(conversation_goes, &[&third.1, &second.0]).await.expect("its conversation goes along");
    join(&database, "clients", &[(third.0, Some(second.0))]).await;
    let joined = [at(first), at(second), at(second)].concat();
    assert_eq!(where_all_are().await, joined);
    let later = write(agent, json!({"client_id": second.0, "text": "Sobre os dois"})).await;
    // Here the conversation stays one, and only its client is another; who has none open yet.
    let end = "update conversations set ended_at = now() where id = $1";
    database.execute(end, &[&first.1]).await.expect("it is closed");
    database.execute(conversation_goes, &[&second.1, &first.0]).await.expect("its conversation goes along");
    database.execute(conversation_goes, &[&third.1, &first.0]).await.expect("its conversation goes along");
    join(&database, "clients", &[(third.0, Some(first.0)), (second.0, Some(first.0))]).await;
    let all_one = [at(first), at((first.0, second.1)), at((first.0, second.1))].concat();
    assert_eq!(where_all_are().await, all_one);
    let last = write(agent, json!({"client_id": first.0, "text": "Sobre os três"})).await;
    // And back.
    database.execute(conversation_goes, &[&second.1, &second.0]).await.expect("its conversation goes back");
    database.execute(conversation_goes, &[&third.1, &second.0]).await.expect("its conversation goes back");
    join(&database, "clients", &[(second.0, None), (third.0, Some(second.0))]).await;
    assert_eq!(where_all_are().await, joined);
    assert_eq!(place(&stack, &later).await, (second.0, None));
    join(&database, "clients", &[(third.0, None)]).await;
    database.execute(conversation_goes, &[&third.1, &third.0]).await.expect("its conversation goes back");
    join(&database, "conversations", &[(third.1, None)]).await;
    assert_eq!(where_all_are().await, apart);
    // What was written of both stays with whom it was written of.
    assert_eq!((place(&stack, &later).await.0, place(&stack, &last).await.0), (second.0, first.0));
}

pub async fn a_note_written_while_two_clients_are_joined_is_on_the_one_who_stays(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let agent = &company.agents[0];
    let (gone, kept) = (sample::conversation(&stack, &company).await, sample::conversation(&stack, &company).await);
    let client_of =
        async |conversation: &str| -> Uuid { text(&agent.conversation(conversation).await["client_id"]).parse().expect("an id") };
    let (gone_client, kept_client) = (client_of(&gone).await, client_of(&kept).await);
    let (gone_id, kept_id): (Uuid, Uuid) = (gone.parse().expect("an id"), kept.parse().expect("an id"));
    let mut database = stack.database().await;
    let joining = database.transaction().await.expect("a transaction");
    let end = "update conversations set merged_into_id = $2, ended_at = now() where id = $1";
    joining.execute("update clients set merged_into_id = $2 where id = $1", &[&gone_client, &kept_client]).await.expect("joined");
    joining.execute(end, &[&gone_id, &kept_id]).await.expect("joined");
    let both = async {
        tokio::join!(
            write(agent, json!({"client_id": gone_client, "text": "Sobre quem"})),
            write(agent, json!({"conversation_id": gone, "text": "Onde"})),
        )
    };
    let commit = async {
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        joining.commit().await.expect("they are one");
    };
    let ((on_client, in_conversation), ()) = tokio::join!(both, commit);
    assert_eq!(place(&stack, &on_client).await, (kept_client, None));
    assert_eq!(place(&stack, &in_conversation).await, (kept_client, Some(kept_id)));
    // As it was answered, too.
    assert_eq!(in_conversation["conversation_id"], json!(kept_id));
}

/// Whoever is told of a mention and whoever sees the conversation are the same people, however a company lets its agents see.
pub async fn who_is_mentioned_is_told_if_and_only_if_they_see_the_conversation(stack: Arc<Stack>) {
    for visibility in ["company", "department", "own"] {
        let (company, conversation) = apart(&stack).await;
        let people: Vec<&Person> = company.agents.iter().chain([&company.admin]).collect();
        let sql = "update companies set agent_visibility = $2 where id = $1";
        stack.database().await.execute(sql, &[&company.id, &visibility]).await.expect("another visibility");
        for holder in [None, Some(&company.agents[0]), Some(&company.agents[1]), Some(&company.supervisor)] {
            if let Some(holder) = holder {
                company.admin.transfer(&conversation, json!({"to_user_id": holder.id})).await;
            }
            let mut heads = Vec::new();
            for person in &people {
                heads.push(person.head().await);
            }
            let mention_ids: Vec<Uuid> = people.iter().map(|person| person.id).collect();
            let note = json!({"conversation_id": conversation, "text": "Vejam", "mention_ids": mention_ids});
            let supervisor_head = company.supervisor.head().await;
            let note = write(&company.supervisor, note).await;
            // What one of them is told of a transaction all may be.
            eventually("the note in the feed", || async {
                let told = company.supervisor.events_after(&supervisor_head).await;
                told.iter().any(|event| event["data"]["note"]["id"] == note["id"]).then_some(())
            })
            .await;
            for (person, head) in people.iter().zip(&heads) {
                let sees = person.api.get(&format!("/conversations/{conversation}")).await.status == 200;
                let is_mention = |event: &Value| event["type"] == "note.mentioned" && event["data"]["note"]["id"] == note["id"];
                let is_told = person.events_after(head).await.iter().any(is_mention);
                assert_eq!(is_told, sees, "{visibility}, held by {:?}: {}", holder.map(|holder| holder.id), person.id);
            }
        }
    }
}

/// Two departments of one agent each, and a conversation that waits in the first.
async fn apart(stack: &Stack) -> (Company, String) {
    let departments = vec![("Atendimento", vec![1]), ("Financeiro", vec![2])];
    let company = stack.company(Wanted { departments, ..Wanted::default() }).await;
    let conversation = sample::conversation(stack, &company).await;
    (company, conversation)
}

pub async fn who_is_mentioned_is_told_where_they_see_the_note(stack: Arc<Stack>) {
    let (company, conversation) = apart(&stack).await;
    let [inside, outside] = &company.agents[..] else { panic!("two agents") };
    let (inside_head, outside_head) = (inside.head().await, outside.head().await);
    let mentions = json!([inside.id, outside.id]);
    let note = json!({"conversation_id": conversation, "text": "Vejam isto", "mention_ids": mentions});
    let note = write(&company.supervisor, note).await;
    assert_eq!(note["not_told_ids"], json!([outside.id]));
    let is_mention = |event: &Value| event["type"] == "note.mentioned" && event["data"]["note"]["id"] == note["id"];
    eventually("the mention", || async { inside.events_after(&inside_head).await.iter().any(is_mention).then_some(()) }).await;
    assert!(outside.events_after(&outside_head).await.iter().all(|event| event["data"]["note"]["id"] != note["id"]));
    // A mention that was there before is not told again.
    let head = inside.head().await;
    let changed = json!({"text": "Vejam só", "mention_ids": mentions});
    let changed = company.supervisor.api.call(Method::PUT, &path_of(&note), Some(changed)).await.expect(200);
    assert_eq!(changed["not_told_ids"], json!([]));
    let told = inside.told_after(&head).await;
    assert!(told.iter().any(|event| event["type"] == "note.updated") && !told.iter().any(is_mention), "{told:?}");
}

pub async fn who_does_not_see_a_conversation_sees_no_note_on_it(stack: Arc<Stack>) {
    let (company, conversation) = apart(&stack).await;
    let [inside, outside] = &company.agents[..] else { panic!("two agents") };
    let note = write(inside, json!({"conversation_id": conversation, "text": "Só nossa"})).await;
    let client = text(&note["client_id"]).to_owned();
    for query in [format!("conversation_id={conversation}"), format!("client_id={client}"), "search=nossa".to_owned()] {
        assert_eq!(found(inside, &query).await.len(), 1, "{query}");
        assert_eq!(found(outside, &query).await.len(), 0, "{query}");
    }
    outside.api.call(Method::PUT, &path_of(&note), Some(json!({"text": "x"}))).await.expect(404);
    outside.api.call(Method::DELETE, &path_of(&note), None).await.expect(404);
}

/// A word that is nowhere but in a note, looked for in all that a student and the client are given.
pub async fn nobody_but_staff_ever_gets_a_note(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let student = &company.students[0];
    let (_, conversation) = company.served().await;
    let agent = &company.agents[0];
    let client: Uuid = text(&agent.conversation(&conversation).await["client_id"]).parse().expect("an id");
    let of_student = "update memberships set client_id = $3 where company_id = $1 and user_id = $2";
    let database = stack.database().await;
    database.execute(of_student, &[&company.id, &student.id, &client]).await.expect("the student is the client");
    let mut socket = student.socket().await;
    let mut colleague = company.supervisor.socket().await;
    let head = student.head().await;
    let canary = format!("canario{}", Uuid::new_v4().simple());
    let note =
        write(agent, json!({"conversation_id": conversation, "text": canary, "mention_ids": [company.supervisor.id]})).await;
    write(agent, json!({"client_id": client, "text": canary})).await;
    agent.api.call(Method::PUT, &path_of(&note), Some(json!({"text": format!("{canary}!")}))).await.expect(200);
    agent.say(&conversation, "Até logo").await;
    company.phone.sent_at_least(1).await;
    // Whoever may see it does: the search below could find it.
    assert!(colleague.of_type("note.created").await.to_string().contains(&canary));
    for operation in stack.openapi.operations().into_iter().filter(|operation| operation.method == "GET") {
        let path = operation.path.replace("{id}", &conversation);
        let of_client = format!("{path}?conversation_id={conversation}&client_id={client}");
        let (of_note, on_client) = (text(&note["id"]), client.to_string());
        let with = |id: &str| operation.path.replace("{id}", id);
        for path in [path, of_client, with(of_note), with(&on_client)] {
            let answer = student.api.get(&path).await;
            assert!(!answer.body.to_string().contains(&canary), "{path}");
        }
    }
    for (method, path) in [(Method::PUT, path_of(&note)), (Method::DELETE, path_of(&note))] {
        let body = (method == Method::PUT).then(|| json!({"text": "x"}));
        student.api.call(method, &path, body).await.expect(403);
    }
    let events = student.events_after(&head).await;
    assert!(!json!(events).to_string().contains(&canary));
    assert!(socket.drain().await.iter().all(|frame| !frame.to_string().contains(&canary)));
    assert!(!json!(company.phone.sent().await).to_string().contains(&canary));
    // The role that the database lends a student has no right to them at all.
    for table in ["notes", "note_revisions"] {
        let may =
            "select has_table_privilege('app_student', $1, 'select') or has_any_column_privilege('app_student', $1, 'select')";
        assert!(!database.query_one(may, &[&table]).await.expect("an answer").get::<_, bool>(0), "{table}");
    }
}
