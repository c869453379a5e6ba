//! What each of the staff does in an hour. Two do the same things to the same conversations at once, so what they are answered may be
//! that somebody else was first; a request that the cloud did not live to answer ends the hour.

use std::sync::{Arc, Mutex};

use jiff::{Timestamp, ToSpan};
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    Answer, Company,
    company::{Person, text},
    desk::{PNG, text_message},
    sandbox::fresh_number,
};
use uuid::Uuid;

use super::{
    HOUR_OF_THE_KILL, id_of,
    ledger::Ledger,
    rows,
    screen::{self, Screen},
};

/// Conversations that an agent takes on in an hour, and those they write in.
const TAKEN: usize = 12;
const ANSWERED: usize = 20;

pub struct Worker {
    pub person: Person,
    /// Where their feed stood in the morning.
    pub head: String,
    pub screen: screen::Shared,
    colleagues: Vec<String>,
    departments: Vec<String>,
    /// The number by which they write first.
    channel_account_id: Uuid,
    ledger: Arc<Ledger>,
}

/// The cloud is gone.
struct Gone;

/// A template that every account has.
fn welcome() -> Value {
    let values = json!([{"name": "1", "value": "você"}, {"name": "2", "value": "a escola"}]);
    json!({"name": "boas_vindas", "parameters": values})
}

impl Worker {
    pub async fn begin(company: &Company, person: &Person, ledger: Arc<Ledger>) -> Self {
        let head = person.head().await;
        let colleagues = company.agents.iter().filter(|agent| agent.id != person.id).map(|agent| agent.id.to_string());
        let worker = Self {
            person: person.clone(),
            screen: Arc::new(Mutex::new(Screen::beginning(head.clone()))),
            head,
            colleagues: colleagues.collect(),
            departments: company.departments.iter().map(|(_, id)| id.to_string()).collect(),
            channel_account_id: company.channel_account_id,
            ledger,
        };
        worker.watch();
        worker
    }

    /// Until the cloud is gone.
    pub fn watch(&self) {
        drop(screen::watch(&self.person, &self.screen));
    }

    /// An agent takes what waits and answers whom they serve.
    pub async fn serve(&self, hour: usize) {
        let _ = self.try_serve(hour).await;
    }

    async fn try_serve(&self, hour: usize) -> Result<(), Gone> {
        for row in self.list("category=pending&snoozed=false&order=asc&limit=20").await?.iter().take(TAKEN) {
            self.command(&id_of(row), "takeover", json!({})).await?;
        }
        let picture = if self.ledger.may_end() { None } else { Some(self.person.upload("foto.png", "image/png", PNG).await) };
        for (number, row) in self.list("assignee=me&category=active&limit=50").await?.iter().take(ANSWERED).enumerate() {
            let id = id_of(row);
            self.say(&id, &format!("resposta {hour} {number} de {}", self.person.id), hour).await?;
            match (number + hour) % 9 {
                0 => self.write_note(&id, hour).await?,
                1 => drop(self.command(&id, "transfer", json!({"to_user_id": self.colleagues[0], "reason": "almoço"})).await?),
                2 => drop(self.command(&id, "transfer", json!({"to_department_id": self.departments[1]})).await?),
                3 => drop(self.command(&id, "close", json!({"reason": "resolvido"})).await?),
                4 => {
                    let until = Timestamp::now() + 2.seconds();
                    self.command(&id, "snooze", json!({"until": until})).await?;
                }
                5 => {
                    let changes =
                        json!({"tags": ["matrícula", "urgente"], "priority": "high", "subject": format!("hora {hour}")});
                    self.call(Method::PUT, &format!("/conversations/{id}"), changes).await?;
                }
                6 => self.schedule(&id, hour).await?,
                7 => {
                    if let Some(file_id) = &picture {
                        let message_id = format!("{id}:foto:{hour}");
                        let message = json!({"conversation_id": id, "client_message_id": message_id, "kind": "image",
                            "file_id": file_id, "body": "A foto"});
                        self.try_send(message).await?;
                    }
                }
                _ => self.offer_choices(&id, hour).await?,
            }
        }
        if hour > HOUR_OF_THE_KILL {
            // Somebody who never wrote.
            let id = format!("{}:convite:{hour}", self.person.id);
            let invitation = json!({"to": fresh_number(), "name": "Zélia", "client_message_id": id,
                "channel_account_id": self.channel_account_id, "kind": "template", "template": welcome()});
            let sent = self.call(Method::POST, "/whatsapp/messages/send", invitation).await?.expect(201);
            self.ledger.send(&id, text(&sent["body"]));
        }
        self.get(&format!("/messages/search?search=cliente+{hour}&limit=20")).await?;
        self.get("/conversations/stats").await?;
        Ok(())
    }

    /// A supervisor gives out what waits, closes what is old, and joins two clients who are one.
    pub async fn supervise(&self, hour: usize) {
        let _ = self.try_supervise(hour).await;
    }

    async fn try_supervise(&self, hour: usize) -> Result<(), Gone> {
        for (number, row) in self.list("category=waiting&limit=12").await?.iter().enumerate() {
            let to = &self.colleagues[number % self.colleagues.len()];
            self.command(&id_of(row), "assign", json!({"assignee_id": to})).await?;
        }
        for row in self.list("category=active&order=asc&limit=4").await? {
            self.command(&id_of(&row), "close", json!({"reason": "sem resposta"})).await?;
        }
        for row in self.list("category=closed&limit=2").await? {
            self.command(&id_of(&row), "reopen", json!({})).await?;
        }
        if hour == 1 {
            let clients = rows(&self.get("/clients?limit=3").await?.body);
            // The first is the one whom the admin blocks.
            if let [_, one, other] = &clients[..] {
                let merge = json!({"client_id": other["id"]});
                let merged = self.call(Method::POST, &format!("/clients/{}/merge", text(&one["id"])), merge).await?;
                assert_eq!(merged.status, 201, "{}", merged.body);
            }
        }
        self.get("/views").await?;
        Ok(())
    }

    /// An admin looks at everything, writes a note and has a number's client blocked for an hour.
    pub async fn administer(&self, hour: usize) {
        let _ = self.try_administer(hour).await;
    }

    async fn try_administer(&self, hour: usize) -> Result<(), Gone> {
        for row in self.list("category=open&unread=true&limit=6").await? {
            let id = id_of(&row);
            self.get(&format!("/messages?conversation_id={id}&limit=30")).await?;
            self.command(&id, "read", json!({})).await?;
            self.get(&format!("/clients/{}/history", text(&row["client_id"]))).await?;
        }
        let known = rows(&self.get(&format!("/clients?limit=1&blocked={}", hour == 4)).await?.body);
        if let ([client], 1 | 4) = (&known[..], hour) {
            let verb = if hour == 1 { "block" } else { "unblock" };
            self.call(Method::POST, &format!("/clients/{}/{verb}", text(&client["id"])), json!({})).await?;
        }
        if let Some(row) = self.list("limit=1").await?.first() {
            self.write_note(&id_of(row), hour).await?;
        }
        Ok(())
    }

    async fn list(&self, filters: &str) -> Result<Vec<Value>, Gone> {
        Ok(rows(&self.get(&format!("/conversations?{filters}")).await?.body))
    }

    async fn get(&self, path: &str) -> Result<Answer, Gone> {
        let answer = self.call(Method::GET, path, Value::Null).await?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        Ok(answer)
    }

    async fn command(&self, id: &str, verb: &str, body: Value) -> Result<Answer, Gone> {
        self.call(Method::POST, &format!("/conversations/{id}/{verb}"), body).await
    }

    /// Done, or refused because of what others have done.
    async fn call(&self, method: Method, path: &str, body: Value) -> Result<Answer, Gone> {
        let answer = self.person.api.attempt(method, path, body).await;
        match answer {
            Ok(answer) if answer.status < 500 => {
                assert!([200, 201, 204, 403, 404, 409].contains(&answer.status), "{path}: {}", answer.body);
                Ok(answer)
            }
            other => {
                assert!(self.ledger.may_end(), "{path}: {other:?}");
                Err(Gone)
            }
        }
    }

    /// What may not be said in words is said by a template.
    async fn say(&self, id: &str, words: &str, hour: usize) -> Result<(), Gone> {
        let answer = self.try_send(text_message(id, words)).await?;
        if answer.body["code"] != "window_closed" {
            return Ok(());
        }
        let allowed = answer.body["current"]["allowed_templates"].as_array().into_iter().flatten();
        assert!(allowed.into_iter().any(|template| template["name"] == "boas_vindas"), "{}", answer.body);
        let message_id = format!("{id}:modelo:{hour}");
        let message = json!({"conversation_id": id, "client_message_id": message_id, "kind": "template", "template": welcome()});
        self.try_send(message).await.map(drop)
    }

    pub async fn send(&self, message: Value) {
        let _ = self.try_send(message).await;
    }

    async fn try_send(&self, message: Value) -> Result<Answer, Gone> {
        let id = text(&message["client_message_id"]);
        match self.call(Method::POST, "/messages", message.clone()).await {
            Ok(answer) => {
                if answer.status == 201 {
                    // The words of a template are the server's.
                    let words = if message["body"].is_null() { &answer.body["body"] } else { &message["body"] };
                    self.ledger.send(id, text(words));
                } else {
                    self.ledger.refuse(id);
                }
                Ok(answer)
            }
            Err(gone) => {
                self.ledger.leave_send(self.person.id, message.clone());
                Err(gone)
            }
        }
    }

    async fn offer_choices(&self, id: &str, hour: usize) -> Result<(), Gone> {
        let message = json!({"conversation_id": id, "client_message_id": format!("{id}:opções:{hour}"), "kind": "interactive",
            "body": "Podemos ajudar em algo mais?", "options": [{"id": "sim", "title": "Sim"}, {"id": "nao", "title": "Não"}]});
        self.try_send(message).await.map(drop)
    }

    async fn write_note(&self, id: &str, hour: usize) -> Result<(), Gone> {
        let words = format!("segredo {hour} de {} sobre {id}", self.person.id);
        let note = json!({"conversation_id": id, "text": words, "mention_ids": [self.colleagues[0]]});
        if self.call(Method::POST, "/notes", note).await?.status == 201 {
            self.ledger.note(words);
        }
        Ok(())
    }

    async fn schedule(&self, id: &str, hour: usize) -> Result<(), Gone> {
        let planned =
            json!({"conversation_id": id, "body": format!("lembrete {hour}"), "due_at": Timestamp::now() + 2.seconds()});
        let answer = self.call(Method::POST, "/scheduled-messages", planned).await?;
        if answer.status == 201 {
            self.ledger.schedule(id_of(&answer.body));
        }
        Ok(())
    }
}
