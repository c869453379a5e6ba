//! What people of a company do at the service desk, in one line each.

use std::{
    io::{Cursor, Write},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use uuid::Uuid;
use zip::write::SimpleFileOptions;

use crate::{
    Company, Stack,
    company::{Person, text},
    forge,
    sandbox::{Phone, fresh_number},
};

impl Company {
    /// A client writes and the first agent takes the conversation over. Answers the client's number and the conversation's id.
    pub async fn served(&self) -> (String, String) {
        let client = fresh_number();
        self.phone.receive_text(&client, "Oi").await;
        let id = self.admin.conversation_id_of(&client).await;
        self.agents[0].take_over(&id).await;
        (client, id)
    }

    /// The one conversation, message and client after this content came from a new client.
    pub async fn received(&self, message: Value) -> (Value, Value) {
        let client = fresh_number();
        let received = self.phone.receive(&client, message).await;
        assert_eq!(received["status"], 200, "{received}");
        let conversation = self.admin.conversation_of(&client).await;
        let mut thread = self.admin.thread(text(&conversation["id"])).await;
        assert_eq!(thread.len(), 1, "{thread:?}");
        (conversation, thread.remove(0))
    }
}

impl Company {
    /// What became of every item of this company's webhooks, the oldest first.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn outcomes(&self, stack: &Stack) -> Vec<String> {
        let sql = "
            select item ->> 'outcome'
              from inbound_webhooks, jsonb_array_elements(outcome) with ordinality items (item, number)
             where company_id = $1
             order by received_at, number";
        let rows = stack.database().await.query(sql, &[&self.id]).await.expect("the webhooks");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

impl Person {
    /// A further WhatsApp number of this admin's company, whose clients wait for this department.
    pub async fn connect_number(&self, stack: &Stack, department: &str) -> Phone {
        let number = format!("29{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
        let channel = json!({
            "kind": "whatsapp_cloud", "name": "WhatsApp", "phone_number_id": number, "waba_id": "104200000000001",
            "access_token": format!("EAAG-local-{number}"), "display_phone_number": "+551140000000", "department_id": department,
        });
        self.api.post("/integrations/config", channel).await.expect(200);
        Phone::new(stack, &number)
    }

    /// The newest conversation of the client with this number.
    ///
    /// # Panics
    /// When this person sees none.
    pub async fn conversation_of(&self, client: &str) -> Value {
        let list = self.api.get(&format!("/conversations?search={client}")).await.expect(200);
        assert!(!list["data"][0].is_null(), "no conversation of {client}");
        list["data"][0].clone()
    }

    pub async fn conversation_id_of(&self, client: &str) -> String {
        text(&self.conversation_of(client).await["id"]).to_owned()
    }

    pub async fn conversation(&self, id: &str) -> Value {
        self.api.get(&format!("/conversations/{id}")).await.expect(200)
    }

    /// All messages, the oldest first.
    pub async fn thread(&self, id: &str) -> Vec<Value> {
        let mut messages = Vec::new();
        let mut path = format!("/messages?conversation_id={id}&limit=100");
        loop {
            let page = self.api.get(&path).await.expect(200);
            messages.extend(page["data"].as_array().cloned().unwrap_or_default());
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/messages?conversation_id={id}&limit=100&cursor={cursor}");
        }
        messages.reverse();
        messages
    }

    pub async fn take_over(&self, id: &str) -> Value {
        self.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200)
    }

    pub async fn transfer(&self, id: &str, target: Value) -> Value {
        self.api.post(&format!("/conversations/{id}/transfer"), target).await.expect(200)
    }

    pub async fn close(&self, id: &str) -> Value {
        self.api.post(&format!("/conversations/{id}/close"), json!({})).await.expect(200)
    }

    /// Sends a text; its own words are its `client_message_id`, within the conversation.
    pub async fn say(&self, id: &str, words: &str) -> Value {
        self.api.post("/messages", text_message(id, words)).await.expect(201)
    }

    /// The message once it is as wanted.
    ///
    /// # Panics
    /// When it is not in time.
    pub async fn message_when(&self, id: &str, what: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut pause = Duration::from_millis(50);
        let started = Instant::now();
        while started.elapsed() < Duration::from_mins(1) {
            if let Some(message) = self.thread(id).await.into_iter().find(&is_wanted) {
                return message;
            }
            tokio::time::sleep(pause).await;
            // Never so often that the API would limit this person's requests.
            pause = (pause * 2).min(Duration::from_millis(400));
        }
        panic!("waited in vain for {what}: {:?}", self.thread(id).await)
    }

    /// This message once it has this status.
    pub async fn message_with_status(&self, message: &Value, status: &str) -> Value {
        let is_wanted = |found: &Value| found["id"] == message["id"] && found["status"] == status;
        self.message_when(text(&message["conversation_id"]), &format!("the message {status}"), is_wanted).await
    }

    /// Where the feed stands once it is past all that this person's company has been told: an older transaction of others holds the feed
    /// back for a while, and what was told before would come after its head.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn head(&self) -> String {
        self.head_past_all(Duration::from_secs(10)).await
    }

    async fn head_past_all(&self, patience: Duration) -> String {
        let company = forge::claims_of(self.api.token.as_deref().expect("somebody signed in"))["cid"].clone();
        let (database, connection) =
            tokio_postgres::connect(&self.api.database_url, tokio_postgres::NoTls).await.expect("the database answers");
        tokio::spawn(connection);
        let newest = "select tx::text from events where company_id = $1::text::uuid order by tx desc limit 1";
        let newest = database.query_opt(newest, &[&text(&company)]).await.expect("the newest event");
        let newest: u64 = newest.and_then(|row| row.get::<_, String>(0).parse().ok()).unwrap_or_default();
        let deadline = Instant::now() + patience;
        loop {
            let head = text(&self.api.get("/events").await.expect(200)["head"]).to_owned();
            let past: u64 = head.split('.').nth(1).and_then(|tx| tx.parse().ok()).expect("a cursor");
            // A test that holds a transaction of its own open waits in vain.
            if past > newest || Instant::now() > deadline {
                return head;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every event after `head` that this person may see, in order: also what an older transaction of others holds back for a moment.
    pub async fn events_after(&self, head: &str) -> Vec<Value> {
        self.head_past_all(Duration::from_secs(3)).await;
        let mut events = Vec::new();
        let mut after = head.to_owned();
        loop {
            let page = self.api.get(&format!("/events?after={after}&limit=100")).await.expect(200);
            events.extend(page["data"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["next_cursor"].as_str() else { return events };
            next.clone_into(&mut after);
        }
    }

    /// As `events_after`, once there are any.
    pub async fn told_after(&self, head: &str) -> Vec<Value> {
        crate::eventually("something told", || async {
            let events = self.events_after(head).await;
            (!events.is_empty()).then_some(events)
        })
        .await
    }

    /// Announces, uploads and completes a file. Answers its id.
    pub async fn upload(&self, name: &str, mime_type: &str, bytes: &[u8]) -> String {
        let announced = self.announce(name, mime_type, bytes.len()).await.expect(201);
        let status = post_form(&announced["upload"], &announced["upload"]["fields"], bytes).await;
        assert!((200..300).contains(&status), "the upload is answered with {status}");
        let id = text(&announced["file"]["id"]).to_owned();
        let file = self.api.post(&format!("/storage/{id}/complete"), json!({})).await.expect(200);
        assert_eq!(file["status"], "ready", "{file}");
        id
    }

    pub async fn announce(&self, name: &str, mime_type: &str, size: usize) -> crate::Answer {
        let announcement = json!({"name": name, "mime_type": mime_type, "size": size});
        self.api.post("/storage/signed-upload-url", announcement).await
    }

    /// The bytes and the headers behind a file's download.
    ///
    /// # Panics
    /// When it does not redirect, or what it redirects to does not answer.
    pub async fn download(&self, file_id: &str) -> (Vec<u8>, reqwest::header::HeaderMap) {
        let answer = self.api.get(&format!("/storage/download/{file_id}")).await;
        assert_eq!(answer.status, 302, "{}", answer.body);
        let location = answer.header("location").expect("a redirect says where to");
        let response = reqwest::get(location).await.expect("the bucket answers");
        assert_eq!(response.status(), 200);
        let headers = response.headers().clone();
        (response.bytes().await.expect("a body").to_vec(), headers)
    }
}

/// What `POST /messages` takes for a text.
#[must_use]
pub fn text_message(id: &str, words: &str) -> Value {
    json!({"conversation_id": id, "client_message_id": format!("{id}:{words}"), "kind": "text", "body": words})
}

/// Posts a form as a browser does: these fields, then the file. Answers the status.
///
/// # Panics
/// When nothing answers.
pub async fn post_form(upload: &Value, fields: &Value, bytes: &[u8]) -> u16 {
    let mut form = reqwest::multipart::Form::new();
    for (name, value) in fields.as_object().into_iter().flatten() {
        form = form.text(name.clone(), text(value).to_owned());
    }
    form = form.part("file", reqwest::multipart::Part::bytes(bytes.to_vec()).file_name("file"));
    let answer = reqwest::Client::new().post(text(&upload["url"])).multipart(form).send().await;
    answer.expect("the bucket answers").status().as_u16()
}

/// Inbound media as the sandbox takes it.
#[must_use]
pub fn media(mime_type: &str, bytes: &[u8], more: Value) -> Value {
    let mut media = json!({"mime_type": mime_type, "base64": STANDARD.encode(bytes)});
    if let (Some(fields), Value::Object(more)) = (media.as_object_mut(), more) {
        fields.extend(more);
    }
    json!({"media": media})
}

/// A picture of 256 × 128.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\0\x80\x08\x06\0\0\0and its pixels";
pub const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n";
pub const WEBP: &[u8] = b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0and a sticker in it";
pub const MP4: &[u8] = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2 and what moves";

/// A video of this many milliseconds that is shown so large, as far as its headers say.
#[must_use]
pub fn video(milliseconds: u32, width: u32, height: u32) -> Vec<u8> {
    let boxed = |kind: &str, content: &[Vec<u8>]| {
        let content = content.concat();
        let size = u32::try_from(content.len() + 8).unwrap_or(u32::MAX);
        [&size.to_be_bytes(), kind.as_bytes(), &content[..]].concat()
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let upright = words(&[0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
    let movie = [words(&[0, 0, 0, 1000, milliseconds, 0x1_0000, 0x0100_0000, 0, 0]), upright.clone(), vec![0; 24], words(&[2])];
    let track = [words(&[3, 0, 0, 1, 0, milliseconds, 0, 0, 0, 0]), upright, words(&[width << 16, height << 16])];
    let handler = boxed("hdlr", &[vec![0; 8], b"vide".to_vec(), vec![0; 12], b"picture\0".to_vec()]);
    let track = boxed("trak", &[boxed("tkhd", &track), boxed("mdia", &[handler])]);
    [MP4[..24].to_vec(), boxed("mdat", &[vec![7; 3000]]), boxed("moov", &[boxed("mvhd", &movie), track])].concat()
}

/// A document of Word with one more entry, of which it says nothing unless that is XML.
///
/// # Panics
/// Never: it is written to memory.
#[must_use]
pub fn docx(entry: &str) -> Vec<u8> {
    const TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
        <Default Extension="xml" ContentType="application/xml"/>
        <Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>
        <Override PartName="/word/document.xml"
            ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
    const DOCUMENT: &str =
        r#"<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body/></w:document>"#;
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("[Content_Types].xml", TYPES), ("word/document.xml", DOCUMENT), (entry, "<x/>")] {
        archive.start_file(name, SimpleFileOptions::default()).expect("a name");
        archive.write_all(content.as_bytes()).expect("room");
    }
    archive.finish().expect("an archive").into_inner()
}

/// A voice note of this many seconds.
#[must_use]
pub fn voice_note(seconds: u64) -> Vec<u8> {
    let page = |kind: u8, granule: u64, number: u32, packet: &[u8]| {
        let mut page = b"OggS\0".to_vec();
        page.push(kind);
        page.extend(granule.to_le_bytes());
        page.extend(1_u32.to_le_bytes());
        page.extend(number.to_le_bytes());
        page.extend([0; 4]);
        page.extend([1, u8::try_from(packet.len()).unwrap_or(u8::MAX)]);
        page.extend(packet);
        page
    };
    let head = b"OpusHead\x01\x01\x38\x01\x80\xBB\0\0\0\0\0";
    let tags = b"OpusTags\x01\0\0\0x\0\0\0\0";
    [page(2, 0, 0, head), page(0, 0, 1, tags), page(4, 48_000 * seconds + 312, 2, &[0; 40])].concat()
}
