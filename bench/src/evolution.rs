//! Webhooks of an Evolution API server, as `ingest` measures those of WhatsApp. Each brings one message, as such servers do.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::text, evolution, sandbox::fresh_number};
use uuid::Uuid;

use crate::{
    ingest::{CLIENTS, WORDS, count, figure, number, open_conversations},
    load::open_loop,
    report::Report,
};

/// Posts webhooks of one instance, with the secret that ours has told its server.
struct Server {
    http: reqwest::Client,
    url: String,
    secret: String,
    instance: String,
}

impl Server {
    /// One of the sandbox's, with an instance that is open.
    async fn start(stack: &Stack, company: &Company) -> Result<Self> {
        let server = evolution::Server::start(stack).await;
        let made = company.admin.api.post("/whatsapp/instances", server.body("Vendas")).await.expect(201);
        let instance = text(&made["instance_name"]).to_owned();
        server.scan(stack, &made, &fresh_number()).await;
        let webhook = server.instances(stack).await[0]["webhook"].clone();
        let secret = webhook["headers"]["authorization"].as_str().context("the webhook has a secret")?.to_owned();
        Ok(Self { http: stack.http.clone(), url: text(&webhook["url"]).to_owned(), secret, instance })
    }

    /// Whether a client's text was answered with 200.
    async fn send(&self, client: u64, words: &str) -> bool {
        let id = format!("3EB0{}", Uuid::now_v7().simple().to_string().to_uppercase());
        let data = json!({
            "key": {"remoteJid": format!("{}@s.whatsapp.net", number(client)), "fromMe": false, "id": id, "participant": "",
                "addressingMode": "pn"},
            "pushName": format!("Cliente {client}"),
            "status": "DELIVERY_ACK",
            "message": {"conversation": words},
            "contextInfo": null,
            "messageType": "conversation",
            "messageTimestamp": Timestamp::now().as_second(),
            "instanceId": Uuid::nil(),
            "source": "android",
        });
        let body: Value = json!({"event": "messages.upsert", "instance": self.instance, "data": data, "destination": self.url,
            "date_time": Timestamp::now(), "sender": "551140000000@s.whatsapp.net", "server_url": "https://evolution.exemplo.com",
            "apikey": "0000"});
        let answer = self.http.post(&self.url).header("authorization", &self.secret).json(&body).send().await;
        match answer {
            Ok(answer) => answer.status() == 200 && answer.bytes().await.is_ok(),
            Err(_) => false,
        }
    }
}

pub async fn run(stack: &Stack, rates: &[u32], length: Duration, report: &mut Report) -> Result<()> {
    let wanted = Wanted { agents: 5, departments: vec![("Atendimento", vec![1, 2, 3, 4, 5])], ..Wanted::default() };
    let company = stack.company(wanted).await;
    let server = Arc::new(Server::start(stack, &company).await?);
    open_conversations(stack, CLIENTS, |client, words| server.send(client, words)).await?;
    for rate in rates {
        let before = count(stack, &company).await?;
        let sender = Arc::clone(&server);
        let outcome = open_loop(*rate, length, move |number| {
            let server = Arc::clone(&sender);
            async move { server.send(number * 7 % CLIENTS, WORDS).await }
        })
        .await;
        let after = count(stack, &company).await?;
        report.add(figure("evolution", format!("{rate}/min"), &outcome, (outcome.sent, &before, &after)));
    }
    Ok(())
}
