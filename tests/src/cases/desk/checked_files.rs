//! What is served and sent is what was checked, whatever becomes of the upload.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    desk::{PDF, PNG, docx, media, post_form},
    eventually,
    sandbox::fresh_number,
};

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

/// A program as long as `bytes`.
fn program_like(bytes: &[u8]) -> Vec<u8> {
    let mut program = b"MZ\x90\0\x03\0\0\0".to_vec();
    program.resize(bytes.len(), b'!');
    program
}

/// An announced and uploaded PDF: its id, and its form.
async fn uploaded(agent: &Person) -> (String, Value) {
    let announced = agent.announce("contrato.pdf", "application/pdf", PDF.len()).await.expect(201);
    let upload = announced["upload"].clone();
    assert!(post_form(&upload, &upload["fields"], PDF).await < 300);
    (text(&announced["file"]["id"]).to_owned(), upload)
}

async fn complete(agent: &Person, id: &str) -> tests::Answer {
    agent.api.post(&format!("/storage/{id}/complete"), json!({})).await
}

pub async fn replaced_upload_is_neither_served_nor_sent(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, conversation) = company.served().await;
    let agent = &company.agents[0];
    let (id, upload) = uploaded(agent).await;
    let before = complete(agent, &id).await.expect(200);
    // The form is good for a quarter of an hour.
    assert!(post_form(&upload, &upload["fields"], &program_like(PDF)).await < 300);
    assert_eq!(complete(agent, &id).await.expect(200), before);
    let (bytes, headers) = agent.download(&id).await;
    assert_eq!((bytes.as_slice(), headers["content-type"].to_str().ok()), (PDF, Some("application/pdf")));
    let message = json!({"conversation_id": conversation, "client_message_id": "f", "kind": "document", "file_id": id});
    let message = agent.api.post("/messages", message).await.expect(201);
    agent.message_with_status(&message, "read").await;
    let sent = company.phone.sent().await.remove(0);
    assert_eq!(company.phone.media(text(&sent["body"]["document"]["id"])).await, PDF);
}

pub async fn form_writes_nothing_but_its_upload(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (id, upload) = uploaded(agent).await;
    complete(agent, &id).await.expect(200);
    let kept = kept_key(&stack, &id).await;
    assert!(kept.starts_with(&format!("company/{}/{id}-", company.id)), "{kept}");
    for key in [kept.as_str(), "company/x", &format!("upload/{}/other", company.id)] {
        let mut fields = upload["fields"].clone();
        fields["key"] = json!(key);
        assert!((400..500).contains(&post_form(&upload, &fields, &program_like(PDF)).await), "{key}");
    }
    assert_eq!(agent.download(&id).await.0, PDF);
}

/// The key of a file's object.
async fn kept_key(stack: &Stack, id: &str) -> String {
    let id: uuid::Uuid = id.parse().expect("an id");
    stack.database().await.query_one("select storage_key from files where id = $1", &[&id]).await.expect("a row").get(0)
}

pub async fn completed_many_times_at_once_is_completed_once(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let (id, _) = uploaded(agent).await;
    let answers = join_all((0..8).map(|_| complete(agent, &id))).await;
    let rows: BTreeSet<String> = answers.into_iter().map(|answer| answer.expect(200).to_string()).collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(agent.download(&id).await.0, PDF);
    // The copies of those who came too late are due to go, the file's own is not.
    let database = stack.database().await;
    let due = "select count(*) filter (where storage_key = $2) as own, count(*) filter (where storage_key = $3) as upload
                 from object_removals where company_id = $1";
    let (kept, upload) = (kept_key(&stack, &id).await, format!("upload/{}/{id}", company.id));
    let row = database.query_one(due, &[&company.id, &kept, &upload]).await.expect("counts");
    assert_eq!((row.get::<_, i64>("own"), row.get::<_, i64>("upload")), (0, 1));
}

/// Whatever the check met is what is kept, if it is kept at all.
pub async fn replacement_at_the_moment_of_the_check_is_never_served_unchecked(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let program = program_like(PDF);
    for _ in 0..12 {
        let (id, upload) = uploaded(agent).await;
        let (answer, _) = join(complete(agent, &id), post_form(&upload, &upload["fields"], &program)).await;
        post_form(&upload, &upload["fields"], &program).await;
        if answer.status == 200 {
            assert_eq!(agent.download(&id).await.0, PDF);
        } else {
            assert_eq!(answer.problem(422), "type_mismatch");
            agent.api.get(&format!("/storage/download/{id}")).await.expect(410);
        }
        let status = complete(agent, &id).await.status;
        assert!([200, 422].contains(&status), "{status}");
    }
}

pub async fn documents_are_looked_into(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let document = docx("word/styles.xml");
    let id = agent.upload("contrato.docx", DOCX, &document).await;
    assert_eq!(agent.download(&id).await.0, document);
    let script = b"boa tarde\n<?php system($_GET['x']); ?>".to_vec();
    let binary = [PDF, b"\0"].concat();
    for (name, mime_type, content, code) in [
        ("contrato.docx", DOCX, docx("run.js"), "unsafe_content"),
        ("contrato.docx", DOCX, docx("word/vbaProject.bin"), "unsafe_content"),
        ("contrato.docx", DOCX, docx("payload.dat"), "type_mismatch"),
        ("contrato.docx", DOCX, document[..document.len() / 2].to_vec(), "type_mismatch"),
        ("contrato.doc", "application/msword", document.clone(), "type_mismatch"),
        ("notas.txt", "text/plain", script, "type_mismatch"),
        ("notas.txt", "text/plain", binary, "type_mismatch"),
        ("contrato.pdf", "application/pdf", PDF[..20].to_vec(), "type_mismatch"),
    ] {
        let announced = agent.announce(name, mime_type, content.len()).await.expect(201);
        post_form(&announced["upload"], &announced["upload"]["fields"], &content).await;
        let id = text(&announced["file"]["id"]);
        for _ in 0..2 {
            assert_eq!(complete(agent, id).await.problem(422), code, "{name} of {} bytes", content.len());
        }
        agent.api.get(&format!("/storage/download/{id}")).await.expect(410);
    }
    for name in ["notas.php", "notas.phtml", "planilha.xlsm", "atalho.url"] {
        agent.announce(name, "text/plain", 10).await.expect(422);
    }
}

/// Nothing a client sends is refused; what is not what it says is only ever saved.
pub async fn unsafe_files_of_clients_are_kept_and_only_ever_saved(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let page = b"<html><script>alert(1)</script></html>".to_vec();
    for (name, mime_type, content) in [
        ("pagina.html", "text/html", page.clone()),
        ("notas.txt", "text/plain", page.clone()),
        ("foto.png", "image/png", page.clone()),
        ("logo.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec()),
        ("boleto.pdf", "application/pdf", page),
        ("contrato.docx", DOCX, docx("word/vbaProject.bin")),
        ("atalho.desktop", "text/plain", b"[Desktop Entry]\nExec=calc\n".to_vec()),
        ("nota.exe", "text/plain", b"so texto".to_vec()),
    ] {
        let client = fresh_number();
        company.phone.receive(&client, media(mime_type, &content, json!({"filename": name}))).await;
        let conversation = company.admin.conversation_id_of(&client).await;
        let is_ready = |message: &Value| message["file"]["status"] == "ready";
        let message = company.admin.message_when(&conversation, name, is_ready).await;
        assert_eq!(message["file"]["mime_type"], "application/octet-stream", "{name}");
        let path = format!("/storage/download/{}?inline=true", text(&message["file"]["id"]));
        let shown = company.admin.api.get(&path).await;
        let response = reqwest::get(shown.header("location").expect("a location")).await.expect("the bucket answers");
        let headers = response.headers().clone();
        assert_eq!(headers["content-type"], "application/octet-stream", "{name}");
        assert!(headers["content-disposition"].to_str().is_ok_and(|header| header.starts_with("attachment")), "{name}");
        assert_eq!(response.bytes().await.expect("a body"), content);
    }
}

pub async fn names_with_characters_that_nobody_sees_are_refused_or_cleaned(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for hidden in ['\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{ad}', '\u{feff}', '\u{e0041}'] {
        let name = format!("boleto{hidden}fdp.pdf");
        let refused = company.agents[0].announce(&name, "application/pdf", 10).await.expect(422);
        let error = &refused["errors"][0];
        assert_eq!((text(&error["field"]), text(&error["code"])), ("name", "hidden_characters"), "{hidden:?}");
        let client = fresh_number();
        company.phone.receive(&client, media("application/pdf", PDF, json!({"filename": name}))).await;
        let conversation = company.admin.conversation_id_of(&client).await;
        assert_eq!(company.admin.thread(&conversation).await[0]["file"]["name"], "boletofdp.pdf", "{hidden:?}");
    }
}

async fn revoke(company: &Company, client: &str, target: &Value) {
    let revoke = json!({"type": "revoke", "revoke": {"original_message_id": target}});
    let received = company.phone.receive(client, json!({"message": revoke})).await;
    assert_eq!(received["status"], 200, "{received}");
}

pub async fn file_of_a_message_taken_back_is_nobodys(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let received = company.phone.receive(&client, media("image/png", PNG, json!({}))).await;
    let conversation = company.admin.conversation_id_of(&client).await;
    company.agents[0].take_over(&conversation).await;
    let is_ready = |message: &Value| message["file"]["status"] == "ready";
    let file = company.admin.message_when(&conversation, "the picture", is_ready).await["file"]["id"].clone();
    company.agents[0].download(text(&file)).await;
    revoke(&company, &client, &received["id"]).await;
    for person in [&company.agents[0], &company.supervisor, &company.admin] {
        person.api.get(&format!("/storage/download/{}", text(&file))).await.expect(404);
        assert_eq!(person.thread(&conversation).await[0]["file"], Value::Null);
    }
    // Nor is it passed on.
    let again = json!({"conversation_id": conversation, "client_message_id": "f", "kind": "image", "file_id": file});
    let refused = company.agents[0].api.post("/messages", again).await.expect(422);
    assert_eq!(refused["errors"][0]["code"], "unknown_file");
}

/// Its uploader's too, once no message with it stands any more.
pub async fn file_stays_while_another_message_with_it_stands(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let file = agent.upload("a.png", "image/png", PNG).await;
    let mut sent = Vec::new();
    for _ in 0..2 {
        let (client, conversation) = company.served().await;
        let message =
            json!({"conversation_id": conversation, "client_message_id": conversation, "kind": "image", "file_id": file});
        let message = agent.api.post("/messages", message).await.expect(201);
        agent.message_with_status(&message, "read").await;
        let accepted = company.phone.sent().await;
        let own = accepted.iter().find(|accepted| accepted["body"]["to"] == client.as_str()).expect("an accepted message");
        sent.push((client, conversation, own["id"].clone()));
    }
    for ((client, conversation, wamid), status) in sent.iter().zip([302, 404]) {
        let order = json!({"phone_number_id": company.phone.number_id, "from": client,
            "message": {"type": "revoke", "revoke": {"original_message_id": wamid}}});
        assert_eq!(company.phone.post("/whatsapp/echo", order).await["status"], 200);
        let shown = agent.thread(conversation).await.pop().expect("a message");
        assert!(shown["deleted_at"].is_string() && shown["file"].is_null(), "{shown}");
        for person in [agent, &company.admin] {
            assert_eq!(person.api.get(&format!("/storage/download/{file}")).await.status, status);
        }
    }
}

/// The file of this company, whatever its state.
async fn only_file(stack: &Stack, company: &Company) -> (uuid::Uuid, String) {
    let database = stack.database().await;
    let row = database.query_one("select id, status from files where company_id = $1", &[&company.id]).await.expect("a file");
    (row.get(0), row.get(1))
}

pub async fn file_of_a_message_taken_back_early_is_never_fetched(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let wamid = json!(format!("wamid.{}", uuid::Uuid::now_v7().simple()));
    revoke(&company, &client, &wamid).await;
    let mut picture = media("image/png", PNG, json!({}));
    picture["id"] = wamid;
    company.phone.receive(&client, picture).await;
    let jobs = "select count(*) from jobs where company_id = $1 and queue = 'media'";
    let jobs: i64 = stack.database().await.query_one(jobs, &[&company.id]).await.expect("a count").get(0);
    let (file, status) = only_file(&stack, &company).await;
    assert_eq!((jobs, status.as_str()), (0, "pending"));
    company.admin.api.get(&format!("/storage/download/{file}")).await.expect(404);
}

pub async fn file_on_its_way_when_its_message_is_taken_back_never_becomes_readable(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let client = fresh_number();
    let fault = json!({"target": "whatsapp.media", "kind": "error", "code": 130_429, "retry_after": 1, "times": 1});
    company.phone.fault(fault).await;
    let received = company.phone.receive(&client, media("image/png", PNG, json!({}))).await;
    revoke(&company, &client, &received["id"]).await;
    let done = "select count(*) from jobs where company_id = $1 and queue = 'media' and finished_at is not null";
    let database = stack.database().await;
    eventually("the job done", || async {
        (database.query_one(done, &[&company.id]).await.expect("a count").get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    let (file, status) = only_file(&stack, &company).await;
    assert_eq!(status, "pending");
    company.admin.api.get(&format!("/storage/download/{file}")).await.expect(404);
}
