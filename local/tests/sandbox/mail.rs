use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use local::sandbox::mail::MailServer;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsConnector;

use crate::stage::Stage;

trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

struct Client(BufReader<Box<dyn Stream>>);

impl Client {
    /// Sends a line and gives the last line of the reply.
    async fn say(&mut self, line: &str) -> String {
        let _ = self.0.write_all(format!("{line}\r\n").as_bytes()).await;
        self.reply().await
    }

    /// Nothing when the server has closed the connection.
    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.is_err() || line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Speaks TLS from here on, and trusts nobody but the sandbox.
    async fn encrypt(mut self, stage: &Stage) -> Self {
        assert!(self.say("STARTTLS").await.starts_with("220"));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(stage.sandbox.mail_certificate().as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, self.0.into_inner()).await.unwrap();
        Self(BufReader::new(Box::new(stream)))
    }

    /// Hands a mail over as far as the server lets it; its last reply.
    async fn send(&mut self, to: &str) -> String {
        for line in ["MAIL FROM:<loja@exemplo.test>", &format!("RCPT TO:<{to}>"), "DATA"] {
            let reply = self.say(line).await;
            if !reply.starts_with(['2', '3']) {
                return reply;
            }
        }
        self.say("Subject: Oi\r\nMessage-ID: <1@exemplo.test>\r\n\r\nTudo bem?\r\n.").await
    }
}

/// A connection to a mail server of this stage, before the greeting.
async fn call(stage: &Stage) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Arc::clone(&stage.sandbox).serve_smtp(listener));
    Client(BufReader::new(Box::new(TcpStream::connect(address).await.unwrap())))
}

async fn connect(stage: &Stage) -> Client {
    let mut client = call(stage).await;
    assert!(client.reply().await.starts_with("220"));
    client
}

async fn order(stage: &Stage, fault: Value) {
    let mut order = json!({"target": "mail", "times": 1});
    order.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
    stage.order("/faults", order).await;
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

#[tokio::test]
async fn a_mail_comes_encrypted_and_from_who_has_logged_in() {
    let stage = Stage::new().await;
    let mut client = connect(&stage).await;
    client.say("AUTH PLAIN AG90aGVyAHBhc3M=").await;
    let mut client = client.encrypt(&stage).await;
    assert!(client.say("EHLO test").await.starts_with("250"));
    assert!(client.say("STARTTLS").await.starts_with("503"));
    assert!(client.send("maria@exemplo.test").await.starts_with("250"));
    assert!(client.say("AUTH PLAIN AHVzZXIAcGFzcw==").await.starts_with("235"));
    assert!(client.send("maria@exemplo.test").await.starts_with("250"));
    assert!(connect(&stage).await.send("joao@exemplo.test").await.starts_with("250"));

    let mails = stage.look("/mails?count=3&wait_ms=1000").await;
    assert_eq!((&mails[0]["encrypted"], &mails[0]["login"]), (&json!(true), &Value::Null), "a login in the clear counts no more");
    assert_eq!((&mails[1]["encrypted"], &mails[1]["login"]), (&json!(true), &json!("user")));
    assert_eq!(mails[2]["encrypted"], false);
    assert_eq!(mails[0]["message_id"], "<1@exemplo.test>");
}

#[tokio::test]
async fn what_was_sent_ahead_of_encryption_is_not_taken() {
    let stage = Stage::new().await;
    let mut client = connect(&stage).await;
    assert!(client.say("STARTTLS\r\nMAIL FROM:<a@b.test>").await.starts_with("220"));
    assert_eq!(client.reply().await, "", "the session is over");
}

#[tokio::test]
async fn it_refuses_whom_it_is_told_to_and_as_often() {
    let stage = Stage::new().await;
    order(&stage, json!({"kind": "error", "to": "joao@exemplo.test"})).await;
    order(&stage, json!({"kind": "error", "to": "maria@exemplo.test", "code": 451, "message": "4.7.1 Greylisted"})).await;
    let mut client = connect(&stage).await;
    assert_eq!(client.send("joao@exemplo.test").await, "550 5.1.1 No such user here");
    client.say("RSET").await;
    assert_eq!(client.send("maria@exemplo.test").await, "451 4.7.1 Greylisted");
    client.say("RSET").await;
    assert!(client.send("maria@exemplo.test").await.starts_with("250"));
    assert_eq!(stage.look("/mails").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn it_fails_at_any_step() {
    let stage = Stage::new().await;
    order(&stage, json!({"kind": "error", "step": "greeting"})).await;
    let mut client = call(&stage).await;
    assert!(client.reply().await.starts_with("421"));
    assert_eq!(client.reply().await, "", "the session is over");

    order(&stage, json!({"kind": "error", "step": "auth", "contains": "user"})).await;
    let mut client = connect(&stage).await;
    assert!(client.say("AUTH PLAIN AG90aGVyAHBhc3M=").await.starts_with("235"), "another name");
    assert!(client.say("AUTH LOGIN").await.starts_with("334"));
    assert!(client.say("dXNlcg==").await.starts_with("334"));
    assert!(client.say("cGFzcw==").await.starts_with("535"));

    order(&stage, json!({"kind": "error", "step": "data", "contains": "Tudo bem?"})).await;
    assert!(client.send("maria@exemplo.test").await.starts_with("554"));
    order(&stage, json!({"kind": "refuse", "to": "maria@exemplo.test"})).await;
    assert_eq!(client.send("maria@exemplo.test").await, "", "the connection was closed");
    assert_eq!(stage.look("/mails").await, json!([]));
}

#[tokio::test]
async fn it_is_slow_or_never_answers() {
    let stage = Stage::new().await;
    order(&stage, json!({"kind": "timeout", "ms": 120})).await;
    let mut client = connect(&stage).await;
    let started = Instant::now();
    assert!(client.send("maria@exemplo.test").await.starts_with("250"));
    assert!(started.elapsed().as_millis() >= 120);

    let patience = Duration::from_millis(150);
    order(&stage, json!({"kind": "timeout"})).await;
    tokio::time::timeout(patience, client.send("joao@exemplo.test")).await.expect_err("it says nothing");
    order(&stage, json!({"kind": "accept_then_timeout"})).await;
    let mut client = connect(&stage).await;
    tokio::time::timeout(patience, client.send("joao@exemplo.test")).await.expect_err("it says nothing");
    assert_eq!(
        stage.look("/mails?to=joao@exemplo.test").await.as_array().unwrap().len(),
        1,
        "the mail was taken the second time"
    );
    assert_eq!(stage.look("/faults").await, json!([]));
}

#[tokio::test]
async fn it_goes_down_and_comes_back_on_its_port() {
    let stage = Stage::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = MailServer::start(listener, Arc::clone(&stage.sandbox)).unwrap();
    let mut client = Client(BufReader::new(Box::new(TcpStream::connect(address).await.unwrap())));
    assert!(client.reply().await.starts_with("220"));
    server.pause().await;
    assert_eq!(client.reply().await, "", "its sessions end too");
    TcpStream::connect(address).await.expect_err("it is down");
    server.resume().await.unwrap();
    server.resume().await.unwrap();
    let mut client = Client(BufReader::new(Box::new(TcpStream::connect(address).await.unwrap())));
    assert!(client.reply().await.starts_with("220"));
    assert!(client.send("maria@exemplo.test").await.starts_with("250"));
}
