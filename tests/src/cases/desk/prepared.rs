//! What is made of stored files: smaller pictures, waveforms, voice notes of browsers' recordings.

use std::{io::Cursor, sync::Arc};

use futures_util::future::join_all;
use image::{DynamicImage, GenericImageView as _, ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Company, Stack, Wanted,
    company::{Person, text},
    desk::{MP4, PDF, PNG, media, video},
    eventually,
    sandbox::fresh_number,
};

/// Two seconds of a tone that grows louder: as a browser records it, and as ffmpeg puts the same packets into OGG.
const WEBM: &[u8] = include_bytes!("../../../data/voice.webm");
const OGG: &[u8] = include_bytes!("../../../data/voice.ogg");

pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let halves = RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) });
    DynamicImage::from(halves).write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}

async fn upload(person: &Person, query: &str, content_type: &str, bytes: &[u8]) -> tests::Answer {
    let path = format!("/storage/upload?{query}");
    person.api.send(Method::POST, &path, Some((content_type, bytes.to_vec()))).await
}

/// What a smaller picture is, and the headers it comes with.
async fn smaller(person: &Person, file: &str, size: &str) -> (DynamicImage, reqwest::header::HeaderMap) {
    let answer = person.api.get(&format!("/storage/download/{file}?size={size}&inline=true")).await;
    let response = reqwest::get(answer.header("location").expect("a redirect")).await.expect("the bucket answers");
    let headers = response.headers().clone();
    let bytes = response.bytes().await.expect("a body");
    (image::load_from_memory(&bytes).expect("a picture"), headers)
}

pub async fn until_prepared(stack: &Stack, company: &Company, files: i64) {
    let database = stack.database().await;
    let prepared = "select count(*) from files where company_id = $1 and prepared_at is not null";
    eventually("prepared files", || async {
        (database.query_one(prepared, &[&company.id]).await.expect("a count").get::<_, i64>(0) == files).then_some(())
    })
    .await;
}

pub async fn picture_of_a_client_is_shown_smaller_to_who_sees_it(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 2, students: 0, agent_visibility: "own", ..Wanted::default() }).await;
    let other = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Segue").await;
    let id = company.admin.conversation_id_of(&client).await;
    company.agents[0].api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
    let mut socket = company.agents[0].socket().await;
    socket.follow(&id).await;
    company.phone.receive(&client, media("image/jpeg", &picture(1600, 800, ImageFormat::Jpeg), json!({}))).await;
    until_prepared(&stack, &company, 1).await;
    // Told when it was there, and when it was made smaller.
    let first = socket.of_type("message.updated").await["data"]["message"].clone();
    let again = socket.of_type("message.updated").await["data"]["message"].clone();
    let file = text(&again["file"]["id"]);
    assert_eq!((&first["file"]["status"], &first["file"]["id"]), (&json!("ready"), &again["file"]["id"]));
    for (size, pixels) in [("thumb", (320, 160)), ("poster", (1024, 512))] {
        let (shown, headers) = smaller(&company.agents[0], file, size).await;
        assert_eq!((shown.dimensions(), &headers["content-type"]), (pixels, &"image/jpeg".parse().expect("a value")));
        assert!(
            headers["content-disposition"].to_str().is_ok_and(|header| header.starts_with("inline") && header.contains(".jpg"))
        );
    }
    for stranger in [&company.agents[1], &other.agents[0]] {
        stranger.api.get(&format!("/storage/download/{file}?size=thumb")).await.expect(404);
    }
    company.admin.api.get(&format!("/storage/download/{file}?size=huge")).await.expect(422);
}

pub async fn files_without_smaller_pictures_say_so(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let document = agent.upload("a.pdf", "application/pdf", PDF).await;
    assert_eq!(agent.api.get(&format!("/storage/download/{document}?size=thumb")).await.problem(409), "no_preview");
    // A picture that is small is its own, and so is one of which nothing could be made.
    let small = picture(64, 32, ImageFormat::Png);
    for bytes in [&small[..], PNG] {
        let file = agent.upload("a.png", "image/png", bytes).await;
        let answer = agent.api.get(&format!("/storage/download/{file}?size=poster")).await;
        let shown = reqwest::get(answer.header("location").expect("a redirect")).await.expect("the bucket answers");
        assert_eq!(shown.bytes().await.expect("a body"), bytes);
    }
    // One that says it is enormous is not given where a small one is asked for.
    let mut bomb = small.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
    let bomb = agent.upload("a.png", "image/png", &bomb).await;
    until_prepared(&stack, &company, 3).await;
    assert_eq!(agent.api.get(&format!("/storage/download/{bomb}?size=thumb")).await.problem(409), "no_preview");
    let announced = agent.announce("a.png", "image/png", PNG.len()).await.expect(201);
    let path = format!("/storage/download/{}?size=thumb", text(&announced["file"]["id"]));
    assert_eq!(agent.api.get(&path).await.problem(409), "not_ready");
}

pub async fn voice_note_of_a_client_gets_its_waveform(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let client = fresh_number();
    company.phone.receive_text(&client, "Segue").await;
    let mut socket = company.agents[0].socket().await;
    socket.follow(&company.admin.conversation_id_of(&client).await).await;
    company.phone.receive(&client, media("audio/ogg; codecs=opus", OGG, json!({"voice": true}))).await;
    let is_drawn = |frame: &Value| frame["type"] == "message.updated" && frame["data"]["message"]["file"]["waveform"].is_array();
    let told = socket.frame("its waveform", is_drawn).await;
    let file = &told["data"]["message"]["file"];
    let peaks: Vec<i64> = file["waveform"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    assert_eq!((peaks.len(), peaks.iter().max()), (64, Some(&100)), "{peaks:?}");
    assert!(peaks[..8].iter().all(|peak| *peak < 20) && peaks[56..].iter().all(|peak| *peak > 60), "{peaks:?}");
}

pub async fn videos_say_how_long_and_how_large_they_are(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let film = video(4250, 640, 360);
    let facts = |file: &Value| ["width", "height", "duration_ms"].map(|fact| file[fact].clone());
    let direct = upload(agent, "name=a.mp4", "video/mp4", &film).await.expect(201);
    assert_eq!(facts(&direct), [json!(640), json!(360), json!(4250)]);
    let presigned = agent.upload("b.3gp", "video/3gpp", &film).await;
    let presigned = agent.api.post(&format!("/storage/{presigned}/complete"), json!({})).await.expect(200);
    assert_eq!(facts(&presigned), facts(&direct));
    // There is nothing smaller to see of it.
    let thumb = format!("/storage/download/{}?size=thumb", text(&direct["id"]));
    assert_eq!(agent.api.get(&thumb).await.problem(409), "no_preview");
    let (_, message) = company.received(media("video/mp4", &film, json!({}))).await;
    let is_there = |found: &Value| found["id"] == message["id"] && found["file"]["status"] == "ready";
    let there = company.admin.message_when(text(&message["conversation_id"]), "the video there", is_there).await;
    assert_eq!(facts(&there["file"]), facts(&direct));
    // What says nothing of itself is taken all the same.
    let silent = upload(agent, "name=c.mp4", "video/mp4", MP4).await.expect(201);
    assert_eq!(facts(&silent), [Value::Null, Value::Null, Value::Null]);
}

/// Audio of the packets in an OGG file: what follows the two pages of its headers, without what pages add.
fn packets(ogg: &[u8]) -> Vec<u8> {
    let (mut rest, mut content, mut pages) = (ogg, Vec::new(), 0);
    while !rest.is_empty() {
        assert!(rest.starts_with(b"OggS"), "a page");
        let segments = usize::from(rest[26]);
        let length: usize = rest[27..27 + segments].iter().map(|length| usize::from(*length)).sum();
        let (page, after) = rest[27 + segments..].split_at(length);
        pages += 1;
        if pages > 2 {
            content.extend_from_slice(page);
        }
        rest = after;
    }
    content
}

pub async fn recording_of_a_browser_goes_out_as_a_voice_note(stack: Arc<Stack>) {
    let company = stack.company(Wanted { agents: 1, students: 0, ..Wanted::default() }).await;
    let agent = &company.agents[0];
    let (_, id) = company.served().await;
    let direct = upload(agent, "name=gravacao.webm", "audio/webm;codecs=opus", WEBM).await.expect(201);
    let announced = agent.upload("gravacao.webm", "audio/webm;codecs=opus", WEBM).await;
    assert_eq!([&direct["name"], &direct["mime_type"]].map(text), ["gravacao.ogg", "audio/ogg"]);
    for (place, file) in [text(&direct["id"]), &announced].into_iter().enumerate() {
        let (bytes, headers) = agent.download(file).await;
        assert_eq!(headers["content-type"], "audio/ogg");
        assert!(bytes.starts_with(b"OggS") && packets(&bytes) == packets(OGG), "the packets that ffmpeg finds in it");
        let message = json!({"conversation_id": id, "client_message_id": place.to_string(), "kind": "audio", "voice": true, "file_id": file});
        let message = agent.api.post("/messages", message).await.expect(201);
        assert_eq!(message["file"]["size"], bytes.len());
        let duration = message["file"]["duration_ms"].as_i64().unwrap_or_default();
        assert!((1950..=2050).contains(&duration), "{duration}");
        agent.message_with_status(&message, "read").await;
    }
    let sent = company.phone.sent().await;
    assert!(sent.iter().all(|sent| sent["body"]["audio"]["voice"] == true) && sent.len() == 2, "{sent:?}");
    // Nothing else is taken for one; what is not to be sent stays as it is.
    let truncated = [&WEBM[..200], b"\0"].concat();
    assert_eq!(upload(agent, "name=a.webm", "audio/webm", &truncated).await.problem(422), "no_voice_note");
    let announced = agent.announce("a.webm", "audio/webm", truncated.len()).await.expect(201);
    tests::desk::post_form(&announced["upload"], &announced["upload"]["fields"], &truncated).await;
    let complete = format!("/storage/{}/complete", text(&announced["file"]["id"]));
    for _ in 0..2 {
        assert_eq!(agent.api.post(&complete, json!({})).await.problem(422), "no_voice_note");
    }
    let kept = upload(agent, "name=a.webm&purpose=document", "audio/webm", WEBM).await.expect(201);
    assert_eq!((text(&kept["mime_type"]), agent.download(text(&kept["id"])).await.0), ("audio/webm", WEBM.to_vec()));
}

pub async fn many_files_of_many_people_are_each_prepared_once(stack: Arc<Stack>) {
    let wanted = || Wanted { agents: 1, students: 1, ..Wanted::default() };
    let (one, other) = (stack.company(wanted()).await, stack.company(wanted()).await);
    let formats = [("image/jpeg", ImageFormat::Jpeg), ("image/png", ImageFormat::Png), ("image/webp", ImageFormat::WebP)];
    let uploads = (0..18_usize).map(|number| {
        let company = if number % 2 == 0 { &one } else { &other };
        let (mime_type, format) = formats[number % 3];
        async move {
            let bytes = picture(400 + u32::try_from(number).expect("few"), 200, format);
            match number % 4 {
                0 => drop(company.phone.receive(&fresh_number(), media(mime_type, &bytes, json!({}))).await),
                1 => drop(upload(&company.students[0], "", mime_type, &bytes).await.expect(201)),
                2 => drop(company.agents[0].upload("foto", mime_type, &bytes).await),
                _ => drop(upload(&company.agents[0], "", mime_type, &bytes).await.expect(201)),
            }
        }
    });
    join_all(uploads).await;
    let database = stack.database().await;
    for company in [&one, &other] {
        until_prepared(&stack, company, 9).await;
        let counts = "
            select (select count(*) from jobs where company_id = $1 and kind = 'prepare_file'),
                   (select count(distinct thumb_key) from files where company_id = $1 and preview_type = 'image/jpeg'),
                   (select count(*) from files where company_id = $1 and poster_key is not null)";
        let row = database.query_one(counts, &[&company.id]).await.expect("counts");
        assert_eq!([row.get::<_, i64>(0), row.get(1), row.get(2)], [9, 9, 0]);
    }
}
