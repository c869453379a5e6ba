//! Files of agents: announced, uploaded straight to the bucket, completed, sent; and what is refused on the way.

use std::sync::Arc;

use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::text,
    desk::{PDF, PNG, post_form, voice_note},
};

async fn company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await
}

/// Sends an uploaded file and answers what WhatsApp was sent.
async fn sent(stack: &Stack, name: &str, mime_type: &str, bytes: &[u8], more: Value) -> Value {
    let company = company(stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let file = agent.upload(name, mime_type, bytes).await;
    let mut message = json!({"conversation_id": id, "client_message_id": "f", "file_id": file});
    message.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
    let message = agent.api.post("/messages", message).await.expect(201);
    assert_eq!((&message["file"]["id"], text(&message["file"]["status"])), (&json!(file), "ready"));
    agent.message_with_status(&message, "read").await;
    let sent = company.phone.sent().await.remove(0);
    let content = &sent["body"][text(&sent["body"]["type"])];
    // WhatsApp was given the file under the type it was found to be.
    assert!(text(&content["id"]).starts_with("9001"), "{sent}");
    assert_eq!(agent.download(&file).await.0, bytes);
    sent["body"].clone()
}

pub async fn picture_goes_out_with_its_caption(stack: Arc<Stack>) {
    let body = sent(&stack, "planta.png", "image/png", PNG, json!({"kind": "image", "body": "Planta"})).await;
    assert_eq!((text(&body["type"]), text(&body["image"]["caption"])), ("image", "Planta"));
}

pub async fn voice_note_goes_out_as_one(stack: Arc<Stack>) {
    let note = voice_note(4);
    let body = sent(&stack, "voz.ogg", "audio/ogg; codecs=opus", &note, json!({"kind": "audio", "voice": true})).await;
    assert_eq!((text(&body["type"]), &body["audio"]["voice"]), ("audio", &json!(true)));
}

pub async fn document_goes_out_with_its_name(stack: Arc<Stack>) {
    let body = sent(&stack, "proposta final.pdf", "application/pdf", PDF, json!({"kind": "document", "body": "Proposta"})).await;
    let document = &body["document"];
    assert_eq!((text(&document["filename"]), text(&document["caption"])), ("proposta final.pdf", "Proposta"));
}

pub async fn names_lose_folders_and_tricks(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let cases = [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("..\\..\\windows\\boleto.pdf", "boleto.pdf"),
        ("/etc/shadow.pdf", "shadow.pdf"),
        (".htaccess", "htaccess"),
        ("...", "arquivo"),
        ("boleto.pdf. .", "boleto.pdf"),
    ];
    for (name, kept) in cases {
        let announced = company.agents[0].announce(name, "application/pdf", 10).await.expect(201);
        assert_eq!(announced["file"]["name"], kept);
        let key = format!("upload/{}/{}", company.id, text(&announced["file"]["id"]));
        assert_eq!(announced["upload"]["fields"]["key"], key);
    }
    for name in [
        "",
        &"x".repeat(1001),
        "vírus.exe",
        "página.html",
        "nul\u{0}.pdf",
        "vírus.exe\u{200b}",
        "vírus.js.",
        "vírus.bat\u{feff} ",
    ] {
        company.agents[0].announce(name, "application/pdf", 10).await.expect(422);
    }
}

pub async fn names_end_as_their_type_does(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    for name in ["a.desktop", "a.library-ms", "a.exe::$DATA", "a.txt:b.exe", "a.exe. .", "a.lnk", "a.xml", "a.txt.scr", "a.pdf"] {
        let refused = agent.announce(name, "text/plain", 10).await.expect(422);
        let error = &refused["errors"][0];
        assert_eq!((text(&error["field"]), text(&error["code"])), ("name", "not_allowed"), "{name}");
        assert!(text(&error["message"]).contains("txt"), "{error}");
    }
    for (name, mime_type, kept) in [
        ("notas.TXT", "text/plain", "notas.TXT"),
        ("lista.csv", "application/vnd.ms-excel", "lista.csv"),
        ("foto 12:30.jpeg", "image/png", "foto 12_30.jpeg"),
        ("con.png", "image/png", "_con.png"),
        ("blob", "audio/ogg; codecs=opus", "blob"),
    ] {
        let announced = agent.announce(name, mime_type, 10).await.expect(201);
        assert_eq!(announced["file"]["name"], kept);
    }
}

pub async fn forbidden_types_and_sizes_are_not_announced(stack: Arc<Stack>) {
    let company = company(&stack).await;
    for mime_type in ["text/html", "image/svg+xml", "application/x-msdownload", "", "x", "application/javascript"] {
        company.agents[0].announce("a.bin", mime_type, 10).await.expect(422);
    }
    for (mime_type, size) in [("image/png", 5 * 1024 * 1024 + 1), ("application/pdf", 100 * 1024 * 1024 + 1), ("image/png", 0)] {
        company.agents[0].announce("a", mime_type, size).await.expect(422);
    }
}

pub async fn bucket_takes_only_what_was_announced(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    let announced = agent.announce("a.png", "image/png", PNG.len()).await.expect(201);
    let (upload, fields) = (&announced["upload"], &announced["upload"]["fields"]);
    let changed = |name: &str, value: &str| {
        let mut fields = fields.clone();
        fields[name] = json!(value);
        fields
    };
    let id = text(&announced["file"]["id"]);
    let larger = [PNG, b"more"].concat();
    for (what, fields, bytes) in [
        ("larger", fields.clone(), larger.as_slice()),
        ("smaller", fields.clone(), &PNG[..10]),
        ("of another type", changed("Content-Type", "text/html"), PNG),
        ("under another key", changed("key", &format!("upload/{}/../{id}", company.id)), PNG),
    ] {
        let status = post_form(upload, &fields, bytes).await;
        assert!((400..500).contains(&status), "{what}: {status}");
    }
    let code = agent.api.post(&format!("/storage/{id}/complete"), json!({})).await.problem(409);
    assert_eq!(code, "not_uploaded");
    let status = post_form(upload, fields, PNG).await;
    assert!((200..300).contains(&status), "{status}");
    agent.api.post(&format!("/storage/{id}/complete"), json!({})).await.expect(200);
    agent.api.post(&format!("/storage/{id}/complete"), json!({})).await.expect(200);
}

pub async fn content_of_another_type_is_refused_and_removed(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let agent = &company.agents[0];
    for content in [&b"MZ\x90\0\x03\0\0\0 a program"[..], b"<html><script>alert(1)</script>", PDF] {
        let announced = agent.announce("a.png", "image/png", content.len()).await.expect(201);
        post_form(&announced["upload"], &announced["upload"]["fields"], content).await;
        let id = text(&announced["file"]["id"]);
        for _ in 0..2 {
            let code = agent.api.post(&format!("/storage/{id}/complete"), json!({})).await.problem(422);
            assert_eq!(code, "type_mismatch");
        }
        agent.api.get(&format!("/storage/download/{id}")).await.expect(410);
    }
}

pub async fn file_sent_again_elsewhere_is_seen_there_too(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 0, agent_visibility: "own", ..Wanted::default() }).await;
    let (first, second) = (&company.agents[0], &company.agents[1]);
    let file = first.upload("a.png", "image/png", PNG).await;
    let ((_, one), (_, other)) = (company.served().await, company.served().await);
    for id in [&one, &other] {
        let message = json!({"conversation_id": id, "client_message_id": id, "kind": "image", "file_id": file});
        first.api.post("/messages", message).await.expect(201);
    }
    second.api.get(&format!("/storage/download/{file}")).await.expect(404);
    first.transfer(&other, json!({"to_user_id": second.id})).await;
    let thread = second.thread(&other).await;
    assert!(thread.iter().any(|message| message["file"]["id"] == file.as_str()), "{thread:?}");
    assert_eq!(second.download(&file).await.0, PNG);
    second.api.get(&format!("/conversations/{one}")).await.expect(404);
}

pub async fn uploads_are_their_owners_until_sent(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 1, ..Wanted::default() }).await;
    let file = company.agents[0].upload("a.png", "image/png", PNG).await;
    for person in [&company.agents[1], &company.students[0]] {
        person.api.get(&format!("/storage/download/{file}")).await.expect(404);
        person.api.post(&format!("/storage/{file}/complete"), json!({})).await.expect(404);
    }
    let foreign = json!({"name": "a.png", "mime_type": "image/png", "size": 10, "conversation_id": company.id});
    company.agents[0].api.post("/storage/signed-upload-url", foreign).await.expect(404);
}

pub async fn upload_is_taken_away_by_its_owner_until_it_is_sent(stack: Arc<Stack>) {
    let company = company(&stack).await;
    let (_, id) = company.served().await;
    let agent = &company.agents[0];
    let delete = async |file: &str| agent.api.call(Method::DELETE, &format!("/storage/{file}"), None).await;
    let send = async |file: &str| {
        let message = json!({"conversation_id": id, "client_message_id": file, "kind": "image", "file_id": file});
        agent.api.post("/messages", message).await
    };
    let file = agent.upload("a.png", "image/png", PNG).await;
    let path = format!("/storage/{file}");
    assert_eq!(company.supervisor.api.call(Method::DELETE, &path, None).await.problem(404), "not_found", "it is another's");
    delete(&file).await.expect(204);
    assert_eq!(delete(&file).await.problem(404), "not_found");
    assert_eq!(agent.api.get(&format!("/storage/download/{file}")).await.status, 404);
    assert_eq!(send(&file).await.status, 422);
    // Whoever comes first has it.
    for _ in 0..6 {
        let file = agent.upload("a.png", "image/png", PNG).await;
        let (sent, gone) = join(send(&file), delete(&file)).await;
        match (sent.status, gone.status) {
            (201, 409) => assert_eq!(gone.problem(409), "file_in_use"),
            (404 | 422, 204) => {}
            other => panic!("{other:?}: {} {}", sent.body, gone.body),
        }
    }
}
