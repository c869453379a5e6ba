//! Presigned URLs and forms, ranges, CORS and pauses of the buckets.

use std::time::Duration;

use aws_sdk_s3::{Client, presigning::PresigningConfig, primitives::ByteStream};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use local::{
    object_storage::{self, Credentials, Handle},
    template::BucketDefinition,
};
use reqwest::{
    Method,
    multipart::{Form, Part},
};
use ring::hmac;
use serde_json::json;

use crate::cloud::{ACCESS_KEY, Folder, SECRET_KEY, credentials, http_client, listener};

struct Cloud {
    handle: Handle,
    client: Client,
    http: reqwest::Client,
    url: String,
    _folder: Folder,
}

async fn start() -> Cloud {
    let folder = Folder::new();
    let (listener, url) = listener().await;
    let bucket = BucketDefinition {
        logical_id: "Media".into(),
        name: "media".into(),
        cors_rules: vec![json!({
            "AllowedOrigins": ["https://app.example.com", "http://localhost:*"],
            "AllowedMethods": ["GET", "PUT", "POST", "HEAD"],
            "AllowedHeaders": ["*"],
            "ExposedHeaders": ["ETag"],
            "MaxAge": 600,
        })],
    };
    let keys = Credentials { access_key: ACCESS_KEY.into(), secret_key: SECRET_KEY.into() };
    let handle = object_storage::serve(listener, vec![bucket], folder.path().join("buckets"), keys).unwrap();
    let config = aws_sdk_s3::Config::builder()
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .endpoint_url(&url)
        .credentials_provider(credentials())
        .http_client(http_client())
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .force_path_style(true)
        .build();
    // No TLS is spoken here, but the client wants to know how it would be.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Cloud { handle, client: Client::from_conf(config), http: reqwest::Client::new(), url, _folder: folder }
}

fn minute() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_mins(1)).unwrap()
}

/// A form for uploads to `media`, signed as `shared` signs it: `uploads/…`, 1 to 1000 bytes.
fn form(key: &str, content_type: &str, expires: SignedDuration) -> Form {
    let now = Timestamp::now();
    let (date, time) = (now.strftime("%Y%m%d").to_string(), now.strftime("%Y%m%dT%H%M%SZ").to_string());
    let credential = format!("{ACCESS_KEY}/{date}/us-east-1/s3/aws4_request");
    let policy = json!({
        "expiration": (now + expires).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
        "conditions": [
            { "bucket": "media" },
            ["eq", "$key", "uploads/photo.png"],
            { "Content-Type": "image/png" },
            ["content-length-range", 1, 1000],
            { "x-amz-algorithm": "AWS4-HMAC-SHA256" },
            { "x-amz-credential": credential },
            { "x-amz-date": time },
        ],
    });
    let policy = STANDARD.encode(policy.to_string());
    let sign = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec();
    let secret = format!("AWS4{SECRET_KEY}");
    let key_of_day =
        ["us-east-1", "s3", "aws4_request"].iter().fold(sign(secret.as_bytes(), &date), |key, text| sign(&key, text));
    Form::new()
        .text("key", key.to_owned())
        .text("Content-Type", content_type.to_owned())
        .text("x-amz-algorithm", "AWS4-HMAC-SHA256")
        .text("x-amz-credential", credential)
        .text("x-amz-date", time)
        .text("x-amz-signature", hex::encode(sign(&key_of_day, &policy)))
        .text("policy", policy)
}

impl Cloud {
    async fn post(&self, form: Form, size: usize) -> (u16, String) {
        let form = form.part("file", Part::bytes(vec![7; size]).file_name("photo.png"));
        let sent = self.http.post(format!("{}/media", self.url)).multipart(form).send().await.unwrap();
        (sent.status().as_u16(), sent.text().await.unwrap())
    }
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);

#[tokio::test]
async fn a_signed_form_uploads_what_its_policy_allows() {
    let cloud = start().await;
    let posted = cloud.post(form("uploads/photo.png", "image/png", HOUR), 1000).await;
    assert_eq!(posted, (204, String::new()));
    let head = cloud.client.head_object().bucket("media").key("uploads/photo.png").send().await.unwrap();
    assert_eq!((head.content_length(), head.content_type()), (Some(1000), Some("image/png")));
}

#[tokio::test]
async fn a_signed_form_refuses_everything_else() {
    let cloud = start().await;
    let too_large = cloud.post(form("uploads/photo.png", "image/png", HOUR), 1001).await;
    assert!(too_large.0 == 400 && too_large.1.contains("EntityTooLarge"), "{too_large:?}");
    let empty = cloud.post(form("uploads/photo.png", "image/png", HOUR), 0).await;
    assert!(empty.0 == 400 && empty.1.contains("EntityTooSmall"), "{empty:?}");
    let other_type = cloud.post(form("uploads/photo.png", "text/html", HOUR), 10).await;
    assert_eq!(other_type.0, 403, "{other_type:?}");
    let other_key = cloud.post(form("secrets/photo.png", "image/png", HOUR), 10).await;
    assert_eq!(other_key.0, 403, "{other_key:?}");
    let expired = cloud.post(form("uploads/photo.png", "image/png", -HOUR), 10).await;
    assert_eq!(expired.0, 403, "{expired:?}");
    let unknown_field = form("uploads/photo.png", "image/png", HOUR).text("x-amz-meta-name", "x");
    assert_eq!(cloud.post(unknown_field, 10).await.0, 403);
    let listed = cloud.client.list_objects_v2().bucket("media").send().await.unwrap();
    assert_eq!(listed.key_count(), Some(0));
}

#[tokio::test]
async fn presigned_urls_put_and_get() {
    let cloud = start().await;
    let put = cloud.client.put_object().bucket("media").key("a b/ç.txt").content_type("text/plain");
    let put = put.presigned(minute()).await.unwrap();
    let sent = cloud.http.put(put.uri()).header("content-type", "text/plain").body("0123456789").send().await.unwrap();
    assert_eq!(sent.status(), 200);
    let get = cloud
        .client
        .get_object()
        .bucket("media")
        .key("a b/ç.txt")
        .response_content_disposition("attachment; filename=\"nota.txt\"")
        .response_content_type("application/octet-stream")
        .presigned(minute())
        .await
        .unwrap();
    let got = cloud.http.get(get.uri()).send().await.unwrap();
    assert_eq!(got.headers()["content-disposition"], "attachment; filename=\"nota.txt\"");
    assert_eq!(got.headers()["content-type"], "application/octet-stream");
    assert_eq!(got.text().await.unwrap(), "0123456789");
    let part = cloud.http.get(get.uri()).header("range", "bytes=2-4").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.headers()["content-range"].to_str().unwrap()), (206, "bytes 2-4/10"));
    assert_eq!(part.text().await.unwrap(), "234");
    let forged = cloud.http.get(get.uri().replace("nota.txt", "nota.exe")).send().await.unwrap();
    assert_eq!(forged.status(), 403);
    assert_eq!(cloud.http.get(format!("{}/media/a%20b/%C3%A7.txt", cloud.url)).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_presigned_put_expires() {
    let cloud = start().await;
    let brief = PresigningConfig::expires_in(Duration::from_secs(1)).unwrap();
    let put = cloud.client.put_object().bucket("media").key("late").presigned(brief).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(cloud.http.put(put.uri()).body("x").send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_sdk_stores_reads_and_deletes() {
    let cloud = start().await;
    let object = || ("media", "exports/1.csv");
    let (bucket, key) = object();
    let body = ByteStream::from_static(b"id;name\n");
    cloud.client.put_object().bucket(bucket).key(key).body(body).send().await.unwrap();
    let got = cloud.client.get_object().bucket(bucket).key(key).send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes().as_ref(), b"id;name\n");
    cloud.client.delete_object().bucket(bucket).key(key).send().await.unwrap();
    let missing = cloud.client.get_object().bucket(bucket).key(key).send().await.unwrap_err();
    assert!(missing.into_service_error().is_no_such_key());
}

#[tokio::test]
async fn browsers_of_known_origins_may_upload() {
    let cloud = start().await;
    let preflight = |origin: &'static str, method: &'static str| {
        let request = cloud.http.request(Method::OPTIONS, format!("{}/media/x", cloud.url));
        request
            .header("origin", origin)
            .header("access-control-request-method", method)
            .header("access-control-request-headers", "content-type, x-amz-meta-name")
            .send()
    };
    let allowed = preflight("https://app.example.com", "PUT").await.unwrap();
    assert_eq!(allowed.status(), 200);
    let header = |name: &str| allowed.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("access-control-allow-origin"), "https://app.example.com");
    assert_eq!(header("access-control-allow-methods"), "GET, PUT, POST, HEAD");
    assert_eq!(header("access-control-allow-headers"), "content-type, x-amz-meta-name");
    assert_eq!(header("access-control-max-age"), "600");
    assert_eq!(preflight("http://localhost:5173", "PUT").await.unwrap().status(), 200);
    assert_eq!(preflight("https://evil.example.com", "PUT").await.unwrap().status(), 403);
    assert_eq!(preflight("https://app.example.com", "DELETE").await.unwrap().status(), 403);
    let put = cloud.client.put_object().bucket("media").key("x").presigned(minute()).await.unwrap();
    let sent = cloud.http.put(put.uri()).header("origin", "https://app.example.com").body("x").send().await.unwrap();
    assert_eq!(sent.headers()["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(sent.headers()["access-control-expose-headers"], "ETag");
}

#[tokio::test]
async fn a_paused_server_answers_503() {
    let cloud = start().await;
    cloud.handle.pause();
    assert_eq!(cloud.http.get(&cloud.url).send().await.unwrap().status(), 503);
    cloud.handle.resume();
    assert_eq!(cloud.http.get(&cloud.url).send().await.unwrap().status(), 403);
}
