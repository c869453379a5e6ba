use axum::http::Request;
use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;

use crate::stage::{Answer, Stage};

async fn scan(stage: &Stage, disposition: &str, content: &str) -> Answer {
    let body = format!("--b\r\ncontent-disposition: form-data; {disposition}\r\n\r\n{content}\r\n--b--\r\n");
    let request = Request::post(format!("{}/scanner/v2/scan", stage.base))
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    stage.send(request).await.unwrap()
}

const FILE: &str = "name=file; filename=\"a.txt\"";

#[tokio::test]
async fn finds_the_virus_that_everybody_knows() {
    let stage = Stage::new().await;
    let clean = scan(&stage, FILE, "sem virus").await;
    assert_eq!((clean.status, clean.json()), (200, json!([{"Status": "OK", "Description": "", "FileName": "a.txt"}])));
    let eicar = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat();
    let infected = scan(&stage, FILE, &format!("antes {eicar} depois")).await;
    assert_eq!((infected.status, &infected.json()[0]["Status"]), (406, &json!("FOUND")));
    assert_eq!(scan(&stage, "name=file", "sem nome").await.status, 422);
    assert_eq!(stage.call("POST", "/scanner/v2/scan", None).await.status, 400);
}

#[tokio::test]
async fn fails_for_the_file_that_was_ordered() {
    let stage = Stage::new().await;
    let fault = json!({"target": "scanner", "kind": "error", "status": 503, "contains": "este", "times": 1});
    stage.order("/faults", fault).await;
    let html = json!({"target": "scanner", "kind": "error", "status": 200, "body": "<html>", "contains": "aquele"});
    stage.order("/faults", html).await;
    assert_eq!(scan(&stage, FILE, "outro").await.status, 200);
    assert_eq!(scan(&stage, FILE, "este").await.status, 503);
    assert_eq!(scan(&stage, FILE, "este").await.status, 200);
    let answer = scan(&stage, FILE, "aquele").await;
    assert_eq!((answer.status, &answer.bytes[..]), (200, &b"<html>"[..]));
}
