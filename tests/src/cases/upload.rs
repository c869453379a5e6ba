//! Files as a front end uploads them.

use serde_json::{Value, json};
use tests::{Stack, company::Person, company::text};

/// The smallest picture: one pixel.
pub const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0, 0, 0,
    0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1,
    0xff, 0x56, 0xc7, 0x2f, 0x0d, 0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

/// Announces the picture and uploads it; answers the file's id.
pub async fn announce_and_upload(stack: &Stack, person: &Person) -> String {
    let announcement = json!({"name": "foto.png", "mime_type": "image/png", "size": PNG.len()});
    let announced = person.api.post("/storage/signed-upload-url", announcement).await.expect(201);
    let answer = post_form(stack, &announced["upload"], PNG).await;
    assert!(answer < 300, "the upload was answered with {answer}");
    text(&announced["file"]["id"]).to_owned()
}

/// A file that is there; answers its id.
pub async fn ready_file(stack: &Stack, person: &Person) -> String {
    let id = announce_and_upload(stack, person).await;
    person.api.post(&format!("/storage/{id}/complete"), json!({})).await.expect(200);
    id
}

/// A table that is there; answers its id.
pub async fn table(stack: &Stack, person: &Person, name: &str, mime_type: &str, content: &[u8]) -> String {
    let announcement = json!({"name": name, "mime_type": mime_type, "size": content.len(), "purpose": "document"});
    let announced = person.api.post("/storage/signed-upload-url", announcement).await.expect(201);
    let answer = post_form(stack, &announced["upload"], content).await;
    assert!(answer < 300, "the upload was answered with {answer}");
    let id = text(&announced["file"]["id"]).to_owned();
    person.api.post(&format!("/storage/{id}/complete"), json!({})).await.expect(200);
    id
}

/// Posts the form of an upload; answers the status.
pub async fn post_form(stack: &Stack, upload: &Value, bytes: &[u8]) -> u16 {
    const BOUNDARY: &str = "----balcao";
    let mut body = Vec::new();
    for (name, value) in upload["fields"].as_object().expect("fields") {
        let part = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{}\r\n", text(value));
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\n");
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let request =
        stack.http.post(text(&upload["url"])).header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    request.body(body).send().await.expect("the bucket answers").status().as_u16()
}

/// Whether the bucket has an object: the local cloud keeps it as a file.
pub fn is_stored(stack: &Stack, key: &str) -> bool {
    let buckets = std::fs::read_dir(stack.directory.join("s3-in-memory")).expect("the folder of the buckets");
    buckets.filter_map(Result::ok).any(|bucket| bucket.path().join(key).is_file())
}
