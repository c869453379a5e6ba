use std::sync::Arc;

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

use crate::stage::Stage;

struct Client(BufReader<TcpStream>);

impl Client {
    /// Sends a line and gives the last line of the reply.
    async fn say(&mut self, line: &str) -> String {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        self.reply().await
    }

    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }
}

async fn connect(stage: &Stage) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Arc::clone(&stage.sandbox).serve_smtp(listener));
    let mut client = Client(BufReader::new(TcpStream::connect(address).await.unwrap()));
    assert!(client.reply().await.starts_with("220"));
    client
}

#[tokio::test]
async fn mail_is_kept() {
    let stage = Stage::new().await;
    let mut client = connect(&stage).await;
    assert!(client.say("EHLO test").await.starts_with("250"));
    assert!(client.say("AUTH PLAIN AHVzZXIAcGFzcw==").await.starts_with("235"));
    assert!(client.say("RCPT TO:<a@b.test>").await.starts_with("503"));
    assert!(client.say("MAIL FROM:<loja@exemplo.test> SIZE=10").await.starts_with("250"));
    assert!(client.say("DATA").await.starts_with("503"));
    assert!(client.say("RCPT TO:<maria@exemplo.test>").await.starts_with("250"));
    assert!(client.say("RCPT TO:<joao@exemplo.test>").await.starts_with("250"));
    assert!(client.say("DATA").await.starts_with("354"));
    let mail = "Subject: =?utf-8?b?T2zDoQ==?=\r\n\r\n..um ponto\r\nfim\r\n.";
    assert!(client.say(mail).await.starts_with("250"));
    assert!(client.say("NOOP").await.starts_with("250"));
    assert!(client.say("QUIT").await.starts_with("221"));

    let mails = stage.look("/mails?to=Maria@exemplo.test&count=1&wait_ms=1000").await;
    assert_eq!(mails[0]["from"], "loja@exemplo.test");
    assert_eq!(mails[0]["to"], json!(["maria@exemplo.test", "joao@exemplo.test"]));
    assert_eq!(mails[0]["subject"], "Olá");
    assert_eq!(mails[0]["text"], ".um ponto\nfim\n");
    assert_eq!(stage.look("/mails?to=outra@exemplo.test").await, json!([]));
    stage.call("DELETE", "/_local/sandbox/mails", None).await;
    assert_eq!(stage.look("/mails").await, json!([]));
}

#[tokio::test]
async fn a_page_in_a_browser_sends_no_mail() {
    let stage = Stage::new().await;
    for verb in ["POST", "GET", "OPTIONS"] {
        let mut client = connect(&stage).await;
        let request = format!("{verb} / HTTP/1.1\r\nOrigin: https://foreign.example\r\n\r\nMAIL FROM:<a@b.test>");
        assert!(client.say(&request).await.starts_with("221"), "{verb}");
        assert_eq!(client.reply().await, "", "the session is over");
    }
    assert_eq!(stage.look("/mails").await, json!([]));
}

#[tokio::test]
async fn too_large_a_mail_is_refused() {
    let stage = Stage::new().await;
    let mut client = connect(&stage).await;
    assert!(client.say("AUTH LOGIN").await.starts_with("334"));
    assert!(client.say("dXNlcg==").await.starts_with("334"));
    assert!(client.say("cGFzcw==").await.starts_with("235"));
    client.say("MAIL FROM:<a@b.test>").await;
    client.say("RSET").await;
    client.say("MAIL FROM:<a@b.test>").await;
    client.say("RCPT TO:<a@b.test>").await;
    client.say("DATA").await;
    let line = "x".repeat(998) + "\r\n";
    let mail = line.repeat(11 * 1024) + ".";
    assert!(client.say(&mail).await.starts_with("552"));
    assert_eq!(stage.look("/mails").await, json!([]));
}
