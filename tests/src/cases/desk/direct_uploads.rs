//! Files in the request itself: as a form, as bytes of their own type; and what is refused, with nothing left of it.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company, Stack, Wanted,
    company::{Person, text},
    desk::{PDF, PNG, docx, voice_note},
};

const BOUNDARY: &str = "----balcao";

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 2, students: 1, agent_visibility: "own", ..Wanted::default() }).await
}

/// A part of a form: its name with what follows it in its header, its type, its content.
type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content_type, content) in parts {
        let content_type = content_type.map(|kind| format!("content-type: {kind}\r\n")).unwrap_or_default();
        let head = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name={name}\r\n{content_type}\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

async fn post_form(person: &Person, parts: &[Part<'_>]) -> Answer {
    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    person.api.send(Method::POST, "/storage/upload", Some((&content_type, form(parts)))).await
}

async fn post_bytes(person: &Person, query: &str, content_type: &str, bytes: &[u8]) -> Answer {
    let path = format!("/storage/upload?{query}");
    person.api.send(Method::POST, &path, Some((content_type, bytes.to_vec()))).await
}

/// Rows and objects that are due to go.
async fn left(stack: &Stack, company: &Company) -> (i64, i64) {
    let counts =
        "select (select count(*) from files where company_id = $1), (select count(*) from object_removals where company_id = $1)";
    let row = stack.database().await.query_one(counts, &[&company.id]).await.expect("counts");
    (row.get(0), row.get(1))
}

pub async fn file_comes_as_a_form_or_as_bytes(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let (agent, colleague) = (&company.agents[0], &company.agents[1]);
    let note = voice_note(4);
    let by_form = post_form(
        agent,
        &[
            ("purpose", None, b"document"),
            ("file; filename=\"nota fiscal.pdf\"", Some("application/pdf"), PDF),
            ("conversation_id", None, id.as_bytes()),
        ],
    )
    .await
    .expect(201);
    assert_eq!((&by_form["purpose"], &by_form["conversation_id"]), (&json!("document"), &json!(id)));
    let by_name = post_form(agent, &[("file; filename=\"x\"", None, PNG), ("name", None, b"planta.png")]).await.expect(201);
    let by_bytes = post_bytes(agent, "name=voz.ogg", "audio/ogg; codecs=opus", &note).await.expect(201);
    let nameless = post_bytes(agent, "", "application/octet-stream", PNG).await.expect(201);
    for (file, name, mime_type, bytes) in [
        (&by_form, "nota fiscal.pdf", "application/pdf", PDF),
        (&by_name, "planta.png", "image/png", PNG),
        (&by_bytes, "voz.ogg", "audio/ogg", &note),
        (&nameless, "arquivo", "image/png", PNG),
    ] {
        let told = [&file["name"], &file["mime_type"], &file["status"]].map(text);
        assert_eq!(told, [name, mime_type, "ready"]);
        let file_id = text(&file["id"]);
        assert_eq!((text(&file["key"]), text(&file["url"])), (file_id, format!("/storage/download/{file_id}").as_str()));
        assert_eq!(agent.download(file_id).await.0, bytes);
        // The conversation is not the colleague's, nor is what was not sent.
        colleague.api.get(&format!("/storage/download/{file_id}")).await.expect(404);
    }
    assert_eq!((&by_name["width"], &by_name["height"], &by_bytes["duration_ms"]), (&json!(256), &json!(128), &json!(4000)));
    let message =
        json!({"conversation_id": id, "client_message_id": "v", "kind": "audio", "voice": true, "file_id": by_bytes["id"]});
    let message = agent.api.post("/messages", message).await.expect(201);
    agent.message_with_status(&message, "read").await;
    // A student has files of their own.
    let own = post_bytes(&company.students[0], "name=a.png", "image/png", PNG).await.expect(201);
    agent.api.get(&format!("/storage/download/{}", text(&own["id"]))).await.expect(404);
    // What a row keeps is not due to go.
    let due = "select count(*) from object_removals join files using (company_id, storage_key) where company_id = $1";
    let row = stack.database().await.query_one(due, &[&company.id]).await.expect("a count");
    assert_eq!(row.get::<_, i64>(0), 0);
}

pub async fn direct_upload_is_what_its_bytes_are(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let page = b"<!doctype html><script>alert(1)</script>";
    for (query, content_type, bytes, status, code) in [
        ("name=a.png", "image/png", &page[..], 422, "type_mismatch"),
        ("name=a.txt", "text/plain", page, 422, "type_mismatch"),
        ("name=a.png", "image/png", PDF, 422, "type_mismatch"),
        ("name=a.png", "image/png", b"MZ\x90\0\x03\0\0\0 a program", 422, "type_mismatch"),
        ("", "application/octet-stream", b"MZ\x90\0\x03\0\0\0 a program", 422, "type_mismatch"),
        ("name=a.html", "text/html", page, 415, "unsupported_media_type"),
        ("name=a.svg", "image/svg+xml", b"<svg/>", 415, "unsupported_media_type"),
        ("name=a.png", "application/json", b"{}", 415, "unsupported_media_type"),
        (
            "name=a.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            &docx("run.js"),
            422,
            "unsafe_content",
        ),
    ] {
        assert_eq!(post_bytes(agent, query, content_type, bytes).await.problem(status), code, "{query} {content_type}");
    }
    for (query, bytes, field, code) in [
        ("name=a.exe", PNG, "name", "not_allowed"),
        ("name=a%E2%80%8B.png", PNG, "name", "hidden_characters"),
        ("name=a.png", b"", "file", "required"),
        ("name=a.png&purpose=spam", PNG, "purpose", "unknown_value"),
        ("name=a.png&conversation_id=x", PNG, "conversation_id", "invalid_type"),
    ] {
        let refused = post_bytes(agent, query, "image/png", bytes).await.expect(422);
        assert_eq!([&refused["errors"][0]["field"], &refused["errors"][0]["code"]].map(text), [field, code], "{refused}");
    }
    let refused = post_bytes(agent, "name=a.pdf&purpose=avatar", "application/pdf", PDF).await.expect(422);
    assert_eq!([&refused["errors"][0]["field"], &refused["errors"][0]["code"]].map(text), ["purpose", "no_picture"]);
    let elsewhere = format!("name=a.png&conversation_id={}", company.id);
    assert_eq!(post_bytes(agent, &elsewhere, "image/png", PNG).await.problem(404), "not_found");
    assert_eq!(left(&stack, &company).await, (0, 0), "nothing is left of what was refused");
    // The gateway makes text of what is called so: that it was another alphabet's is told, and not kept damaged.
    let latin = b"nome;telefone\nJo\xe3o;11987654321\n";
    let refused = post_bytes(agent, "name=clientes.csv", "text/csv", latin).await;
    assert_eq!(refused.problem(422), "not_utf8");
    for file in [
        post_bytes(agent, "name=clientes.csv", "application/octet-stream", latin).await,
        post_form(agent, &[("\"file\"; filename=\"clientes.csv\"", Some("text/csv"), latin)]).await,
    ] {
        assert_eq!(file.expect(201)["size"], latin.len());
    }
}

pub async fn unreadable_forms_and_other_companies_are_refused(stack: Arc<Stack>) {
    let (company, other) = (company(&stack).await, company(&stack).await);
    let agent = &company.agents[0];
    for (content_type, body) in [
        ("multipart/form-data", form(&[("file", None, PDF)])),
        ("multipart/form-data; boundary=other", form(&[("file", None, PDF)])),
        ("multipart/form-data; boundary=----balcao", PDF.to_vec()),
        ("multipart/form-data; boundary=----balcao", form(&[("file", None, PDF)])[..60].to_vec()),
        ("multipart/form-data; boundary=----balcao", form(&[("name", None, b"\xff\xfe"), ("file", None, PDF)])),
    ] {
        let answer = agent.api.send(Method::POST, "/storage/upload", Some((content_type, body))).await;
        assert_eq!(answer.problem(400), "malformed_form");
    }
    let twice = post_form(agent, &[("file", None, PDF), ("file", None, PDF)]).await.expect(422);
    assert_eq!([&twice["errors"][0]["field"], &twice["errors"][0]["code"]].map(text), ["file", "repeated"]);
    let without = post_form(agent, &[("name", None, b"a.pdf")]).await.expect(422);
    assert_eq!([&without["errors"][0]["field"], &without["errors"][0]["code"]].map(text), ["file", "required"]);
    let foreign = other.id.to_string();
    let parts: [Part<'_>; 2] = [("company_id", None, foreign.as_bytes()), ("file; filename=\"a.pdf\"", None, PDF)];
    assert_eq!(post_form(agent, &parts).await.problem(403), "wrong_company");
    assert_eq!(left(&stack, &company).await, (0, 0));
}

pub async fn files_over_four_megabytes_go_another_way(stack: Arc<Stack>) {
    const LARGEST: usize = 4 * 1024 * 1024;
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let document = |size: usize| [PDF, &vec![b' '; size - PDF.len() - 8], b"\n%%EOF\r\n"].concat();
    let fits = document(LARGEST);
    assert_eq!(post_bytes(agent, "name=a.pdf", "application/pdf", &fits).await.expect(201)["size"], LARGEST);
    let by_form = post_form(agent, &[("file; filename=\"a.pdf\"", Some("application/pdf"), &fits)]).await.expect(201);
    assert_eq!(agent.download(text(&by_form["id"])).await.0.len(), LARGEST);
    let larger = document(LARGEST + 1);
    assert_eq!(post_bytes(agent, "name=a.pdf", "application/pdf", &larger).await.problem(413), "payload_too_large");
    assert_eq!(post_form(agent, &[("file", None, &larger)]).await.problem(413), "payload_too_large");
    // A sticker is smaller still.
    let sticker = [tests::desk::WEBP, &vec![0; 600 * 1024]].concat();
    assert_eq!(post_bytes(agent, "name=a.webp", "image/webp", &sticker).await.problem(422), "type_mismatch");
    assert_eq!(left(&stack, &company).await.0, 2);
}

pub async fn many_direct_uploads_at_once_are_files_of_their_own(stack: Arc<Stack>) {
    let (one, other) = (company(&stack).await, company(&stack).await);
    let people: Vec<&Person> =
        [&one, &other].into_iter().flat_map(|company| [&company.agents[0], &company.students[0], &company.admin]).collect();
    let uploads = (0..24).map(|number| {
        let person = people[number % people.len()];
        async move {
            let words = format!("arquivo de número {number}");
            let name = format!("name=nota-{number}.txt");
            let file: Value = match number % 2 {
                0 => post_bytes(person, &name, "text/plain", words.as_bytes()).await,
                _ => post_form(person, &[("file; filename=\"nota.txt\"", Some("text/plain"), words.as_bytes())]).await,
            }
            .expect(201);
            assert_eq!(person.download(text(&file["id"])).await.0, words.as_bytes());
            text(&file["id"]).to_owned()
        }
    });
    let ids: BTreeSet<String> = join_all(uploads).await.into_iter().collect();
    assert_eq!(ids.len(), 24);
    for id in &ids {
        let path = format!("/storage/download/{id}");
        let seen = join_all(people.iter().map(|person| person.api.get(&path))).await;
        let readers = seen.iter().filter(|answer| answer.status == 302).count();
        // Its owner, and the admin of their company where that is not them.
        assert!((1..=2).contains(&readers), "{id} is read by {readers}");
    }
    assert_eq!((left(&stack, &one).await.0, left(&stack, &other).await.0), (12, 12));
}
