//! Notes, which staff write and nobody else ever gets.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person, company::text, eventually};
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
    assert_eq!(found(agent, &format!("conversation_id={conversation}")).await, [first_id.clone()]);
    assert_eq!(found(agent, &format!("{of_client}&pinned=true")).await, [second_id]);
    // Accents do not matter, and what stands for anything elsewhere stands for itself.
    for (words, hits) in [("PROMOCAO", 1), ("100%25", 1), ("s%C3%B3_hoje", 1), ("10%255", 0), ("p_omo", 0), ("%5C", 0)] {
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
        (json!({"text": "", "client_id": client}), "text", "too_short"),
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
    let (won, lost) = (won.expect(200), lost.expect(409));
    assert_eq!((text(&lost["code"]), &lost["current"]), ("stale_version", &won));
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
    let is_mention = |event: &Value| event["type"] == "note.mentioned" && event["data"]["note"]["id"] == note["id"];
    eventually("the mention", || async { inside.events_after(&inside_head).await.iter().any(is_mention).then_some(()) }).await;
    assert!(outside.events_after(&outside_head).await.iter().all(|event| event["data"]["note"]["id"] != note["id"]));
    // A mention that was there before is not told again.
    let head = inside.head().await;
    let changed = json!({"text": "Vejam só", "mention_ids": mentions});
    company.supervisor.api.call(Method::PUT, &path_of(&note), Some(changed)).await.expect(200);
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
        for path in [path, of_client, operation.path.replace("{id}", text(&note["id"]))] {
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
