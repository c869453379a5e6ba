//! The same content is kept once in a company, and each file that is made of it lives and goes by itself.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    desk::{PDF, PNG, media},
    sandbox::fresh_number,
};

use crate::cases::upload::is_stored;

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 1, agent_visibility: "own", ..Wanted::default() }).await
}

async fn post(person: &Person, query: &str, mime_type: &str, bytes: &[u8]) -> String {
    let path = format!("/storage/upload?{query}");
    let answer = person.api.send(Method::POST, &path, Some((mime_type, bytes.to_vec()))).await;
    text(&answer.expect(201)["id"]).to_owned()
}

async fn delete(person: &Person, file: &str) -> u16 {
    person.api.call(Method::DELETE, &format!("/storage/{file}"), None).await.status
}

/// What a file is made of.
async fn key(stack: &Stack, file: &str) -> String {
    let key = "select storage_key from files where id = $1::text::uuid";
    stack.database().await.query_one(key, &[&file]).await.expect("its row").get(0)
}

async fn keys(stack: &Stack, files: &[String]) -> BTreeSet<String> {
    join_all(files.iter().map(|file| key(stack, file))).await.into_iter().collect()
}

/// All that is due in this company goes now; answers what was.
async fn sweep(stack: &Stack, company: &Company) -> Vec<String> {
    let database = stack.database().await;
    let due = "update object_removals set due_at = now() - interval '1 minute' where company_id = $1 returning storage_key";
    let due = database.query(due, &[&company.id]).await.expect("they are due").iter().map(|row| row.get(0)).collect();
    stack.control("POST", "/fire/SweepExpired", None).await;
    let left = "select count(*) from object_removals where company_id = $1";
    assert_eq!(database.query_one(left, &[&company.id]).await.expect("a count").get::<_, i64>(0), 0);
    due
}

pub async fn same_content_is_one_object_until_its_last_file_goes(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let [one, two] = [&company.agents[0], &company.agents[1]];
    let first = post(one, "name=a.pdf", "application/pdf", PDF).await;
    let second = two.upload("b.pdf", "application/pdf", PDF).await;
    let of_student = company.students[0].upload("c.pdf", "application/pdf", PDF).await;
    let same = [first.clone(), second.clone(), of_student.clone()];
    let [kept] = <[String; 1]>::try_from(Vec::from_iter(keys(&stack, &same).await)).expect("one object");
    // Another purpose, another company or another byte is another object.
    let document = post(one, "name=a.pdf&purpose=document", "application/pdf", PDF).await;
    let foreign = post(&other.agents[0], "name=a.pdf", "application/pdf", PDF).await;
    let longer = post(one, "name=a.pdf", "application/pdf", &[PDF, b"\n%"].concat()).await;
    assert_eq!(keys(&stack, &[first.clone(), document, foreign.clone(), longer]).await.len(), 4);
    // What was copied in vain goes, and nobody sees any difference: names and readers are each file's own.
    let gone = sweep(&stack, &company).await;
    assert!(!gone.contains(&kept) && gone.iter().all(|key| !is_stored(&stack, key)), "{gone:?}");
    for (person, file, name) in [(one, &first, "a.pdf"), (two, &second, "b.pdf"), (&company.students[0], &of_student, "c.pdf")] {
        let (bytes, headers) = person.download(file).await;
        assert_eq!(bytes, PDF);
        assert!(headers["content-disposition"].to_str().expect("text").contains(name));
    }
    one.api.get(&format!("/storage/download/{second}")).await.expect(404);
    assert_eq!(delete(two, &first).await, 404);
    assert_eq!(delete(one, &first).await, 204);
    assert!(!sweep(&stack, &company).await.contains(&kept));
    assert_eq!(two.download(&second).await.0, PDF);
    assert_eq!((delete(two, &second).await, delete(&company.students[0], &of_student).await), (204, 204));
    assert!(is_stored(&stack, &kept) && sweep(&stack, &company).await.contains(&kept) && !is_stored(&stack, &kept));
    assert_eq!(other.agents[0].download(&foreign).await.0, PDF);
}

/// By form, as bytes and from clients, of two contents, by several people.
pub async fn same_content_from_everywhere_at_once_is_one_object(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let other = [PNG, b"more"].concat();
    let uploads = join_all((0..16).map(|number| {
        let person = [&company.admin, &company.agents[0], &company.agents[1], &company.students[0]][number % 4];
        let bytes = if number % 3 == 0 { &other[..] } else { PNG };
        async move {
            let file = if number % 2 == 0 {
                post(person, "name=a.png", "image/png", bytes).await
            } else {
                person.upload("a.png", "image/png", bytes).await
            };
            (number % 3 == 0, person, file)
        }
    }));
    let clients: Vec<String> = (0..4).map(|_| fresh_number()).collect();
    let received = join_all(clients.iter().map(|client| company.phone.receive(client, media("image/png", PNG, json!({})))));
    let (uploads, _) = join(uploads, received).await;
    let inbound = join_all(clients.iter().map(|client| async {
        let conversation = company.admin.conversation_id_of(client).await;
        let is_ready = |message: &Value| message["file"]["status"] == "ready";
        text(&company.admin.message_when(&conversation, "the picture", is_ready).await["file"]["id"]).to_owned()
    }))
    .await;
    let of = |is_other: bool| uploads.iter().filter(move |upload| upload.0 == is_other).map(|upload| upload.2.clone());
    let same: Vec<String> = of(false).chain(inbound.iter().cloned()).collect();
    let others: Vec<String> = of(true).collect();
    let mut kept = keys(&stack, &same).await;
    assert_eq!((same.len(), kept.len(), others.len()), (14, 1, 6), "{kept:?}");
    kept.extend(keys(&stack, &others).await);
    assert_eq!(kept.len(), 2, "{kept:?}");
    let gone = sweep(&stack, &company).await;
    assert!(gone.iter().all(|key| !is_stored(&stack, key) && !kept.contains(key)));
    for (is_other, person, file) in &uploads {
        assert_eq!(person.download(file).await.0, if *is_other { &other[..] } else { PNG });
    }
    // All that were uploaded go at once: of one content clients' files are left, of the other nothing.
    let deleted = join_all(uploads.iter().map(|(_, person, file)| delete(person, file))).await;
    assert!(deleted.iter().all(|status| *status == 204), "{deleted:?}");
    sweep(&stack, &company).await;
    let left: Vec<&String> = kept.iter().filter(|key| is_stored(&stack, key)).collect();
    assert_eq!(left, [&key(&stack, &inbound[0]).await]);
    for file in &inbound {
        assert_eq!(company.admin.download(file).await.0, PNG);
    }
}

/// Whoever uploads what somebody takes away at that moment has it.
pub async fn content_that_goes_while_it_comes_again_is_there(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let [one, two] = [&company.agents[0], &company.agents[1]];
    for round in 0..8 {
        let bytes = [PDF, format!("\n%{round}").as_bytes()].concat();
        let first = post(one, "name=a.pdf", "application/pdf", &bytes).await;
        let (gone, second) = join(delete(one, &first), post(two, "name=b.pdf", "application/pdf", &bytes)).await;
        assert_eq!(gone, 204);
        sweep(&stack, &company).await;
        assert_eq!(two.download(&second).await.0, bytes);
        assert_eq!(delete(two, &second).await, 204);
        let kept = sweep(&stack, &company).await;
        assert!(kept.iter().all(|key| !is_stored(&stack, key)));
    }
    let left = "select count(*) from files where company_id = $1";
    assert_eq!(stack.database().await.query_one(left, &[&company.id]).await.expect("a count").get::<_, i64>(0), 0);
}

/// What a client takes back is nobody's, though somebody has the same of their own; that is sent as any other.
pub async fn content_taken_back_by_a_client_stays_where_staff_have_it(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let received = company.phone.receive(&client, media("image/png", PNG, json!({}))).await;
    let conversation = company.admin.conversation_id_of(&client).await;
    let agent = &company.agents[0];
    agent.take_over(&conversation).await;
    let is_ready = |message: &Value| message["file"]["status"] == "ready";
    let theirs = agent.message_when(&conversation, "the picture", is_ready).await["file"]["id"].clone();
    let own = agent.upload("a.png", "image/png", PNG).await;
    assert_eq!(keys(&stack, &[own.clone(), text(&theirs).to_owned()]).await.len(), 1);
    let revoke = json!({"message": {"type": "revoke", "revoke": {"original_message_id": received["id"]}}});
    company.phone.receive(&client, revoke).await;
    agent.api.get(&format!("/storage/download/{}", text(&theirs))).await.expect(404);
    sweep(&stack, &company).await;
    assert_eq!(agent.download(&own).await.0, PNG);
    let message = json!({"conversation_id": conversation, "client_message_id": "own", "kind": "image", "file_id": own});
    let sent = agent.api.post("/messages", message).await.expect(201);
    agent.message_with_status(&sent, "read").await;
    agent.api.get(&format!("/storage/download/{}", text(&theirs))).await.expect(404);
}
