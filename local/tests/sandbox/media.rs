use axum::http::Request;
use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;

use crate::stage::{Answer, NUMBER, Stage};

async fn upload(stage: &Stage, mime_type: &str, content: &str) -> Answer {
    let body = format!(
        "--b\r\ncontent-disposition: form-data; name=\"messaging_product\"\r\n\r\nwhatsapp\r\n\
         --b\r\ncontent-disposition: form-data; name=\"type\"\r\n\r\n{mime_type}\r\n\
         --b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\
         content-type: {mime_type}\r\n\r\n{content}\r\n--b--\r\n"
    );
    let request = Request::post(format!("{}/graph/v25.0/{NUMBER}/media", stage.base))
        .header("authorization", "Bearer t")
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    stage.send(request).await.unwrap()
}

#[tokio::test]
async fn uploaded_media_is_found_downloaded_sent_and_deleted() {
    let stage = Stage::new().await;
    let answer = upload(&stage, "image/png", "fake image").await;
    assert_eq!(answer.status, 200, "{:?}", answer.bytes);
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let found = stage.call("GET", &format!("/graph/v25.0/{id}"), None).await.json();
    assert_eq!((&found["mime_type"], &found["file_size"]), (&json!("image/png"), &json!(10)));
    assert_eq!(found["sha256"].as_str().unwrap().len(), 64);
    let url = found["url"].as_str().unwrap();
    let file = stage.call("GET", url, None).await;
    assert_eq!((file.status, &file.bytes[..]), (200, &b"fake image"[..]));
    let naked = Request::get(url).body(Full::default()).unwrap();
    assert_eq!(stage.send(naked).await.unwrap().status, 401);

    let image = json!({"type": "image", "image": {"id": id, "caption": "Planta"}});
    assert_eq!(stage.message(image).await.status, 200);
    let audio = json!({"type": "audio", "audio": {"id": id}});
    assert_eq!(stage.message(audio).await.code(), 131_053);

    let other = format!("/graph/v25.0/{id}?phone_number_id=1");
    assert_eq!(stage.call("GET", &other, None).await.code(), 100);
    assert_eq!(stage.call("DELETE", &other, None).await.status, 400);
    let gone = stage.call("DELETE", &format!("/graph/v25.0/{id}"), None).await;
    assert_eq!(gone.json(), json!({"success": true}));
    assert_eq!(stage.call("GET", &format!("/graph/v25.0/{id}"), None).await.status, 400);
}

#[tokio::test]
async fn refuses_files_that_whatsapp_does_not_take() {
    let stage = Stage::new().await;
    assert_eq!(upload(&stage, "image/gif", "x").await.code(), 100);
    assert_eq!(upload(&stage, "image/png", &"x".repeat((5 << 20) + 1)).await.code(), 131_053);
    let not_a_form = stage.call("POST", &format!("/graph/v25.0/{NUMBER}/media"), None).await;
    assert_eq!(not_a_form.code(), 100);
}

#[tokio::test]
async fn address_stops_working() {
    let stage = Stage::new().await;
    stage.order("/whatsapp/settings", json!({"phone_number_id": NUMBER, "media_url_seconds": 0})).await;
    let id = upload(&stage, "text/plain", "x").await.json()["id"].clone();
    let look_up = format!("/graph/v25.0/{}", id.as_str().unwrap());
    let url = stage.call("GET", &look_up, None).await.json()["url"].clone();
    assert_eq!(stage.call("GET", url.as_str().unwrap(), None).await.status, 404);
}

#[tokio::test]
async fn media_of_a_person_can_be_downloaded() {
    let stage = Stage::new().await;
    let order = json!({"phone_number_id": NUMBER,
        "media": {"base64": "dm96", "mime_type": "audio/ogg; codecs=opus", "voice": true}});
    let answer = stage.order("/whatsapp/inbound", order).await;
    let message = stage.arrived("messages").remove(0);
    assert_eq!(message["type"], "audio");
    assert_eq!(message["audio"]["voice"], true);
    assert_eq!(message["audio"]["id"], answer["media_id"]);
    let id = message["audio"]["id"].as_str().unwrap();
    let found = stage.call("GET", &format!("/graph/v25.0/{id}"), None).await.json();
    let file = stage.call("GET", found["url"].as_str().unwrap(), None).await;
    assert_eq!(&file.bytes[..], b"voz");
    assert_eq!(file.headers["content-type"], "audio/ogg; codecs=opus");
}
