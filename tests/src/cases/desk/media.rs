//! Files that clients send come into our bucket and can be downloaded by those who see the conversation.

use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    Company, Socket, Stack, Wanted,
    company::text,
    desk::{MP4, PDF, PNG, WEBP, media, voice_note},
    eventually,
    sandbox::fresh_number,
};

struct Arrived {
    company: Company,
    /// As the event `message.updated` told it.
    message: Value,
    bytes: Vec<u8>,
    headers: reqwest::header::HeaderMap,
}

/// A client sends a file; it arrives by event and is downloaded.
async fn arrived(stack: &Stack, content: Value) -> Arrived {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (mut socket, client) = followed(&company).await;
    let received = company.phone.receive(&client, content).await;
    assert_eq!(received["status"], 200, "{received}");
    let message = updated(&mut socket).await;
    assert_eq!(message["file"]["status"], "ready", "{message}");
    let (bytes, headers) = company.agents[0].download(text(&message["file"]["id"])).await;
    Arrived { company, message, bytes, headers }
}

/// A client's conversation and a socket that follows it.
async fn followed(company: &Company) -> (Socket, String) {
    let client = fresh_number();
    company.phone.receive_text(&client, "Segue").await;
    let mut socket = company.agents[0].socket().await;
    socket.follow(&company.admin.conversation_id_of(&client).await).await;
    (socket, client)
}

async fn updated(socket: &mut Socket) -> Value {
    socket.of_type("message.updated").await["data"]["message"].clone()
}

pub async fn picture_arrives_measured_and_is_downloaded(stack: Arc<Stack>) {
    let Arrived { company, message, bytes, headers } = arrived(&stack, media("image/png", PNG, json!({}))).await;
    assert_eq!(bytes, PNG);
    let file = &message["file"];
    assert_eq!((&file["width"], &file["height"], &file["size"]), (&json!(256), &json!(128), &json!(PNG.len())));
    assert_eq!(headers["content-type"], "image/png");
    assert!(headers["content-disposition"].to_str().is_ok_and(|header| header.starts_with("attachment")), "{headers:?}");
    let shown = company.agents[0].api.get(&format!("/storage/download/{}?inline=true", text(&file["id"]))).await;
    let response = reqwest::get(shown.header("location").expect("a location")).await.expect("the bucket answers");
    assert!(response.headers()["content-disposition"].to_str().is_ok_and(|header| header.starts_with("inline")));
}

pub async fn voice_note_arrives_with_its_duration(stack: Arc<Stack>) {
    let note = voice_note(7);
    let Arrived { message, bytes, .. } = arrived(&stack, media("audio/ogg; codecs=opus", &note, json!({"voice": true}))).await;
    assert_eq!(bytes, note);
    assert_eq!((&message["file"]["duration_ms"], text(&message["file"]["mime_type"])), (&json!(7000), "audio/ogg"));
}

pub async fn video_sticker_and_document_arrive(stack: Arc<Stack>) {
    for (mime_type, content) in [("video/mp4", MP4), ("image/webp", WEBP), ("application/pdf", PDF)] {
        let Arrived { bytes, message, .. } = arrived(&stack, media(mime_type, content, json!({}))).await;
        assert_eq!((bytes.as_slice(), text(&message["file"]["mime_type"])), (content, mime_type));
    }
}

pub async fn name_that_climbs_folders_is_only_a_name(stack: Arc<Stack>) {
    let content = media("application/pdf", PDF, json!({"filename": "../../etc/pass\"wd\r\nX-Evil: 1.pdf"}));
    let Arrived { company, message, headers, .. } = arrived(&stack, content).await;
    let disposition = headers["content-disposition"].to_str().expect("text");
    assert!(!disposition.contains("..") && !disposition.contains('/') && !disposition.contains("\"wd"), "{disposition}");
    assert!(headers.get("x-evil").is_none());
    let id: uuid::Uuid = text(&message["file"]["id"]).parse().expect("an id");
    let row = stack.database().await.query_one("select storage_key from files where id = $1", &[&id]).await.expect("a row");
    let copy = row.get::<_, &str>(0).strip_prefix(&format!("company/{}/{id}-", company.id)).expect("a key of its own");
    assert!(copy.parse::<uuid::Uuid>().is_ok(), "{copy}");
}

pub async fn program_in_disguise_is_only_ever_saved(stack: Arc<Stack>) {
    let content = media("application/x-msdownload", b"MZ\x90\0\x03 not for opening", json!({"filename": "boleto.exe"}));
    let Arrived { company, message, headers, .. } = arrived(&stack, content).await;
    assert_eq!(message["file"]["mime_type"], "application/octet-stream");
    assert_eq!(headers["content-type"], "application/octet-stream");
    let path = format!("/storage/download/{}?inline=true", text(&message["file"]["id"]));
    let shown = company.agents[0].api.get(&path).await;
    let response = reqwest::get(shown.header("location").expect("a location")).await.expect("the bucket answers");
    assert!(response.headers()["content-disposition"].to_str().is_ok_and(|header| header.starts_with("attachment")));
}

pub async fn file_is_fetched_again_after_whatsapp_was_down(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (mut socket, client) = followed(&company).await;
    let fault = json!({"target": "whatsapp.media", "kind": "error", "code": 130_429, "retry_after": 1, "times": 2});
    company.phone.fault(fault).await;
    company.phone.receive(&client, media("image/png", PNG, json!({}))).await;
    let message = updated(&mut socket).await;
    assert_eq!(message["file"]["status"], "ready");
    assert_eq!(company.agents[0].download(text(&message["file"]["id"])).await.0, PNG);
}

pub async fn nobody_completes_a_file_that_a_client_sends(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (mut socket, client) = followed(&company).await;
    let fault = json!({"target": "whatsapp.media", "kind": "error", "code": 130_429, "retry_after": 1, "times": 2});
    company.phone.fault(fault).await;
    company.phone.receive(&client, media("image/png", PNG, json!({}))).await;
    let thread = company.admin.thread(&company.admin.conversation_id_of(&client).await).await;
    let file = thread.iter().find_map(|message| message["file"]["id"].as_str()).expect("a file").to_owned();
    company.agents[0].api.post(&format!("/storage/{file}/complete"), json!({})).await.expect(404);
    assert_eq!(updated(&mut socket).await["file"]["status"], "ready");
    assert_eq!(company.agents[0].download(&file).await.0, PNG);
}

pub async fn file_whatsapp_has_no_more_is_marked_failed(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (mut socket, client) = followed(&company).await;
    let gone = json!({"type": "image", "image": {"id": "900100000000404", "mime_type": "image/jpeg", "sha256": "x"}});
    company.phone.receive(&client, json!({"message": gone})).await;
    let message = updated(&mut socket).await;
    assert_eq!(message["file"]["status"], "failed");
    company.agents[0].api.get(&format!("/storage/download/{}", text(&message["file"]["id"]))).await.expect(410);
}

/// Where every attempt failed for a reason of our own, the file is not awaited for ever.
pub async fn file_that_could_not_be_fetched_is_given_up_and_told(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (mut socket, client) = followed(&company).await;
    let database = stack.database().await;
    let spoil = "update channel_credentials set sealed = '\\x00' where channel_account_id = $1";
    database.execute(spoil, &[&company.channel_account_id]).await.expect("credentials that do not open");
    company.phone.receive(&client, media("image/png", PNG, json!({}))).await;
    // The tries before the last one have passed.
    let last = "update jobs set attempts = 9, run_at = now() where company_id = $1 and queue = 'media' and attempts > 0 and leased_until is null";
    eventually("a first attempt", || async {
        (database.execute(last, &[&company.id]).await.expect("attempts") == 1).then_some(())
    })
    .await;
    let message = updated(&mut socket).await;
    assert_eq!(message["file"]["status"], "failed");
    company.agents[0].api.get(&format!("/storage/download/{}", text(&message["file"]["id"]))).await.expect(410);
}

pub async fn replayed_media_is_fetched_once(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let (mut socket, client) = followed(&company).await;
    let mut content = media("image/png", PNG, json!({}));
    content["copies"] = json!(4);
    company.phone.receive(&client, content).await;
    updated(&mut socket).await;
    let database = stack.database().await;
    let sql = "select count(*) from files where company_id = $1";
    let count: i64 = database.query_one(sql, &[&company.id]).await.expect("a count").get(0);
    assert_eq!(count, 1);
}

pub async fn files_are_out_of_sight_with_their_conversation(stack: Arc<Stack>) {
    let Arrived { company, message, .. } = arrived(&stack, media("image/png", PNG, json!({}))).await;
    let path = format!("/storage/download/{}", text(&message["file"]["id"]));
    let other = stack.company(Wanted { agents: 1, students: 1, ..Wanted::default() }).await;
    for person in [&other.admin, &other.students[0]] {
        person.api.get(&path).await.expect(404);
    }
    stack.api().get(&path).await.expect(401);
    for id in ["..%2F..%2Fetc%2Fpasswd", "%00", "not-an-id", "00000000-0000-0000-0000-000000000000"] {
        company.agents[0].api.get(&format!("/storage/download/{id}")).await.expect(404);
    }
}
