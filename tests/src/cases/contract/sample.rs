//! Sample events with their placeholders filled in for one company, run on the real binaries.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use ring::hmac;
use serde_json::{Value, json};
use tests::{
    Answer, Authenticator, Company, Forge, Socket, Stack, Wanted,
    authenticator::{Secured, newcomer},
    company::Person,
    company::text,
    desk::{media, voice_note},
    eventually, forge,
    mailbox::{next_mail_to, token_in},
    sandbox::fresh_number,
};
use uuid::Uuid;

use crate::cases::{chat, crm, followups, jobs, leads, mentees, notifications, tasks, upload};

/// One run of a function.
pub struct Run {
    /// What the function answered.
    pub answer: Value,
    /// The request id or job id of its log line.
    pub id: String,
    /// Its log line.
    pub line: Value,
}

/// What placeholders stand for.
pub struct Fixture {
    stack: Arc<Stack>,
    pub company: Company,
    settings: Value,
    sockets: Mutex<Vec<Socket>>,
    /// A recovery code and the app of whom a function's sample was last filled in for.
    people: Mutex<HashMap<String, (String, Authenticator)>>,
}

/// The sample event of a function, placeholders and all.
pub fn read(function: &str) -> Value {
    serde_json::from_str(&read_text(function)).unwrap_or_else(|error| panic!("events/{function}.json: {error}"))
}

fn read_text(function: &str) -> String {
    std::fs::read_to_string(format!("events/{function}.json")).unwrap_or_else(|error| panic!("events/{function}.json: {error}"))
}

/// The template's name of a function: `get_me` is `GetMe`.
pub fn logical_id(function: &str) -> String {
    let words = function.split('_').map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..]));
    words.collect()
}

impl Fixture {
    pub async fn make(stack: Arc<Stack>) -> Self {
        let company = stack.company(Wanted { bot: true, ..Wanted::default() }).await;
        let settings = forge::settings(&stack).await;
        Self { stack, company, settings, sockets: Mutex::default(), people: Mutex::default() }
    }

    /// The function's sample, filled in and signed.
    async fn event(&self, function: &str) -> Value {
        let mut event: Value = serde_json::from_str(&self.fill(function).await).expect("a filled sample is JSON");
        if event["headers"]["x-hub-signature-256"].is_string() {
            let key = hmac::Key::new(hmac::HMAC_SHA256, text(&self.settings["whatsapp_app_secrets"][0]).as_bytes());
            let signature = hex::encode(hmac::sign(&key, text(&event["body"]).as_bytes()));
            event["headers"]["x-hub-signature-256"] = json!(format!("sha256={signature}"));
        }
        event
    }

    /// The request that the function's sample is the event of, sent through the gateway.
    pub async fn send(&self, function: &str) -> Answer {
        self.send_changed(function, |_| {}).await
    }

    /// As `send`, with the event changed before.
    pub async fn send_changed(&self, function: &str, change: impl FnOnce(&mut Value)) -> Answer {
        self.send_event(function, Some, change).await
    }

    /// The same request twice.
    pub async fn send_twice(&self, function: &str) -> [Answer; 2] {
        let event = self.event(function).await;
        let again = event.clone();
        let first = self.send_changed(function, |sent| *sent = event).await;
        [first, self.send_changed(function, |sent| *sent = again).await]
    }

    /// As `send`, with another type of body or none.
    pub async fn send_typed(&self, function: &str, content_type: Option<&str>) -> Answer {
        self.send_event(function, |_| content_type.map(str::to_owned), |_| {}).await
    }

    /// With the type of body that `content_type` makes of the sample's own.
    async fn send_event(
        &self,
        function: &str,
        content_type: impl FnOnce(String) -> Option<String>,
        change: impl FnOnce(&mut Value),
    ) -> Answer {
        let mut event = self.event(function).await;
        change(&mut event);
        let own = event["headers"]["content-type"].as_str().unwrap_or("application/json").to_owned();
        let content_type = content_type(own);
        let mut api = self.stack.api();
        for name in ["authorization", "x-hub-signature-256", "x-webhook-secret", "x-company-id"] {
            if let Some(value) = event["headers"][name].as_str() {
                api = api.with_header(name, value);
            }
        }
        let query = text(&event["rawQueryString"]);
        let path = format!("{}{}{query}", text(&event["rawPath"]), if query.is_empty() { "" } else { "?" });
        let body = event["body"].as_str().map(|body| (content_type.as_deref(), body.as_bytes().to_vec()));
        api.send_typed(text(&event["requestContext"]["http"]["method"]).parse().expect("a method"), &path, body).await
    }

    /// Fills the function's sample in and runs it; the answer comes straight from the binary.
    pub async fn run(&self, function: &str) -> Run {
        let mut event = self.event(function).await;
        let mut id = Uuid::new_v4().to_string();
        if event["requestContext"].is_object() {
            event["requestContext"]["requestId"] = json!(id);
        }
        let body = event["Records"][0]["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
        if let Some(job) = body.as_ref().and_then(|body| body["id"].as_str()) {
            job.clone_into(&mut id);
        }
        let known = self.stack.log_lines(&logical_id(function)).len();
        let answer = self.stack.control("POST", &format!("/invoke/{}", logical_id(function)), Some(event)).await;
        let line = eventually(&format!("the line of a run of {function}"), || async {
            let lines = self.stack.log_lines(&logical_id(function));
            let mut finished = lines.into_iter().skip(known).filter(|line| line.get("round_trips").is_some());
            // Schedules, and messages that are no jobs, have the id of their invocation, which nobody knows.
            let is_nameless = |line: &Value| line["message"] == "scheduled_run" || line["message"] == "messages";
            finished.find(|line| line["request_id"] == id.as_str() || is_nameless(line))
        })
        .await;
        Run { answer: answer["result"].clone(), id, line }
    }

    async fn fill(&self, function: &str) -> String {
        let mut event = read_text(function);
        while let Some((name, placeholder)) = first_placeholder(&event) {
            let value = self.value(function, &name).await;
            event = event.replace(&placeholder, &value);
        }
        event
    }

    /// Of somebody who logs in or is about to; `None` of anything else.
    async fn of_login(&self, function: &str, placeholder: &str) -> Option<String> {
        let admin = &self.company.admin;
        Some(match placeholder {
            // Ends with the session.
            "token" if function == "logout" => text(&self.log_in().await["access_token"]).to_owned(),
            "token" => admin.api.token.clone().unwrap_or_default(),
            "newcomer_token" => self.newcomer().await.api.token.unwrap_or_default(),
            "beginner_token" => self.beginner(function).await,
            "secured_token" => self.secured(function).await.person.api.token.unwrap_or_default(),
            "challenge" => self.secured(function).await.challenge(&self.stack, &self.company.password).await,
            "code" => self.people().get(function).map(|(_, app)| app.code()).unwrap_or_default(),
            "recovery_code" => self.people().get(function).map(|(code, _)| code.clone()).unwrap_or_default(),
            "newcomer_id" => self.newcomer().await.id.to_string(),
            "connected_token" => self.connected(function).await,
            "subscribed_token" => {
                let person = self.newcomer().await;
                notifications::web_push::subscribe(&self.stack, &person.api, &digits()).await;
                person.api.token.unwrap_or_default()
            }
            "reset_token" => self.reset_token().await,
            "newcomer_email" => self.newcomer().await.email,
            "other_login_id" => text(&forge::claims_of(text(&self.log_in().await["access_token"]))["sid"]).to_owned(),
            "refresh_token" => text(&self.log_in().await["refresh_token"]).to_owned(),
            "ticket" => text(&admin.api.post("/realtime/tickets", json!({})).await.expect(201)["ticket"]).to_owned(),
            "email" => admin.email.clone(),
            "password" => self.company.password.clone(),
            _ => return None,
        })
    }

    async fn view(&self) -> String {
        let view = json!({"name": format!("Visão {}", digits()), "filters": {"category": ["open"], "assignee": ["me"]}});
        text(&self.company.admin.api.post("/views", view).await.expect(201)["id"]).to_owned()
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    async fn value(&self, function: &str, placeholder: &str) -> String {
        if let Some(value) = self.of_login(function, placeholder).await {
            return value;
        }
        let admin = &self.company.admin;
        match placeholder {
            "connection" if function == "connect" => format!("sample-{}", digits()),
            "connection" => self.connection().await,
            "company_id" => self.company.id.to_string(),
            "department_id" if function == "remove_department_member" => self.department_with_colleague().await,
            "department_id" => self.department().await,
            "client_id" | "other_client_id" => self.client().await,
            "tag_id" => self.tag().await,
            "client_merge_id" => client_merge(&self.company, &self.client().await, &self.client().await).await,
            "member_id" => member(&self.stack, &self.company, "active").await,
            "pending_member_id" => member(&self.stack, &self.company, "pending_approval").await,
            "inactive_member_id" => member(&self.stack, &self.company, "inactive").await,
            "invite_token" => {
                let id = self.invite().await.parse().expect("an id");
                Forge::of(&self.stack).await.link("invite", id)
            }
            "invite_id" => self.invite().await,
            "sent_invite_id" => sent_long_ago(&self.stack, self.invite().await).await,
            "colleague_id" => self.company.agents[0].id.to_string(),
            "phone_number_id" => self.company.phone.number_id.clone(),
            "verify_token" => text(&self.settings["whatsapp_verify_token"]).to_owned(),
            // Made of the whole body, once that is filled in.
            "signature" => "0".repeat(64),
            "timestamp" => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string(),
            "unique" => digits(),
            "conversation_id" if function == "typing" => self.followed_conversation().await,
            "conversation_id" if function == "remove_participant" => self.conversation_of_colleague().await,
            "conversation_id" => self.conversation(true).await,
            "message_id" => self.message(function).await,
            "scheduled_message_id" => self.scheduled_message().await,
            "channel_account_id" => self.company.channel_account_id.to_string(),
            "config_id" => channel_of(&self.company, function).await,
            "served_phone" => text(&admin.conversation(&self.conversation(true).await).await["client_phone"]).to_owned(),
            "soon" => in_an_hour(),
            "closed_conversation_id" => {
                let id = self.conversation(true).await;
                admin.close(&id).await;
                id
            }
            "waiting_conversation_id" => self.conversation(false).await,
            "note_id" => text(&self.note().await["id"]).to_owned(),
            "noted_client_id" => text(&self.note().await["client_id"]).to_owned(),
            "noted_conversation_id" => text(&self.note().await["conversation_id"]).to_owned(),
            "changed_note_id" => {
                let id = text(&self.note().await["id"]).to_owned();
                let change = Some(json!({"text": "Prefere falar de manhã"}));
                admin.api.call(Method::PUT, &format!("/notes/{id}"), change).await.expect(200);
                id
            }
            "shared_view_id" => self.shared_view().await,
            "view_id" => self.view().await,
            "quick_reply_id" => self.quick_reply().await,
            "article_id" => article(&self.company, &format!("Vencimento {}", digits())).await,
            "proposal_id" => proposal(&self.stack, &self.company, &format!("Horário {}", digits())).await,
            "knowledge_import_id" => knowledge_import(&self.stack, &self.company).await,
            "knowledge_job_id" => watched_job(&self.stack, &self.company, ("optimize_knowledge", "knowledge"), json!({})).await,
            "interval_id" => interval(&self.company, self.company.agents[0].id).await,
            "corrected_user_id" => corrected_user(&self.stack, &self.company).await,
            "begun" => hours_ago(2),
            "done" => hours_ago(1),
            "asked_conversation_id" | "asked_lead_id" | "ended_conversation_id" | "voice_message_id" | "run_id" | "ai_job_id" => {
                of_models(&self.stack, &self.company, placeholder).await
            }
            "channel_id" | "chat_message_id" | "scheduled_chat_message_id" | "emoji_id" | "chat_job_id" | "new_colleague_id" => {
                chat::sample::value(&self.stack, &self.company, function, placeholder).await
            }
            "mentee_id" | "mentee_token" => mentees::sample::value(&self.company, placeholder).await,
            "task_id" | "tasked_client_id" => tasks::sample::value(&self.company, placeholder).await,
            "notification_id" | "notification_job_id" => {
                notifications::sample::value(&self.stack, &self.company, placeholder).await
            }
            "sequence_id" | "paused_sequence_id" | "execution_id" | "followed_lead_id" | "unsubscribe_token"
            | "followup_job_id" => followups::sample::value(&self.stack, &self.company, placeholder).await,
            "lead_id" | "other_lead_id" | "lead_merge_id" | "pipeline_id" | "stage_id" | "scores_job_id" | "lead_import_id"
            | "lead_import_job_id" | "lead_table_id" | "stage_job_id" | "leaving_user_id" => {
                leads::sample::value(&self.stack, &self.company, function, placeholder).await
            }
            "flow_key" => self.flow().await,
            "uploaded_file_id" => upload::announce_and_upload(&self.stack, admin).await,
            "file_id" => upload::ready_file(&self.stack, admin).await,
            "automation_job_id" => self.assignment_job().await,
            "free_date" => free_date(),
            "holiday_id" => self.holiday().await,
            "mail_job_id" => self.mail_job().await,
            "phone" => format!("+351{}", digits()),
            "bot_job_id" | "delivery_job_id" | "media_job_id" | "preparation_job_id" => {
                self.job(placeholder.trim_end_matches("_job_id")).await
            }
            "import_job_id" | "table_id" | "client_import_id" => of_imports(&self.stack, &self.company, placeholder).await,
            "repair_job_id" => repair_job(&self.stack, &self.company).await,
            "contacts_job_id" => {
                let payload = json!({"channel_account_id": self.company.channel_account_id});
                watched_job(&self.stack, &self.company, ("fix_contact_names", "contacts"), payload).await
            }
            "job_id" if function == "retry_job" => failed_job(&self.stack, &self.company).await,
            "job_id" => long_job(&self.stack, &self.company).await,
            "evolution_url" | "instance_id" | "instance_secret" | "instance_token" => {
                of_servers(&self.stack, &self.company, (function, placeholder)).await
            }
            "account_id" | "flow_secret" | "flow_token" => of_accounts(&self.stack, &self.company, placeholder).await,
            "sync_job_id" => {
                let payload = json!({"channel_account_id": shared_account(&self.stack, &self.company).await});
                watched_job(&self.stack, &self.company, ("sync_botconversa", "sync"), payload).await
            }
            "crm_conflict_id" | "crm_job_id" | "crm_id" | "crm_token" => {
                crm::sample::value(&self.stack, &self.company, placeholder).await
            }
            "inbound_webhook_id" => webhook(&self.stack, &self.company).await,
            other => {
                panic!("events/{function}.json has {{{{{other}}}}}, which `Fixture::value` does not know: add an arm for it")
            }
        }
    }

    fn people(&self) -> MutexGuard<'_, HashMap<String, (String, Authenticator)>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A member that nothing has happened to yet.
    async fn newcomer(&self) -> Person {
        newcomer(&self.stack, &self.company, "agent").await
    }

    /// Somebody who has set an app up and given no code of it yet.
    async fn beginner(&self, function: &str) -> String {
        let person = self.newcomer().await;
        let set_up = person.api.post("/auth/2fa/setup", Value::Null).await.expect(200);
        let app = Authenticator::scan(text(&set_up["otpauth_uri"]));
        self.people().insert(function.to_owned(), (String::new(), app));
        person.api.token.unwrap_or_default()
    }

    /// Of the link that somebody who has forgotten their password was sent.
    async fn reset_token(&self) -> String {
        let person = self.newcomer().await;
        self.stack.api().post("/auth/password/forgot", json!({"email": person.email})).await.expect(202);
        token_in(&next_mail_to(&self.stack, &person.email, 0).await)
    }

    async fn secured(&self, function: &str) -> Secured {
        let secured = Secured::make(&self.newcomer().await).await;
        self.people().insert(function.to_owned(), (secured.recovery_codes[0].clone(), secured.app.clone()));
        secured
    }

    /// The only one that all have.
    async fn shared_view(&self) -> String {
        let api = &self.company.admin.api;
        let views = api.get("/views").await.expect(200);
        let shared = views["data"].as_array().into_iter().flatten().find(|view| view["is_shared"] == true);
        if let Some(view) = shared {
            return text(&view["id"]).to_owned();
        }
        let view = json!({"name": "Em aberto", "filters": {"category": ["open"]}, "is_shared": true});
        text(&api.post("/views", view).await.expect(201)["id"]).to_owned()
    }

    /// A flow that is drawn, and not published.
    async fn flow(&self) -> String {
        let key = format!("fluxo-{}", digits());
        let nodes = json!({"main": {"type": "handover", "text": "Um momento."}});
        let flow = json!({"name": "Recepção", "definition": {"start": "main", "nodes": nodes}});
        self.company.admin.api.call(Method::PUT, &format!("/bot/flows/{key}"), Some(flow)).await.expect(200);
        key
    }

    async fn quick_reply(&self) -> String {
        let words = "Olá, {{client.name}}!";
        let reply = json!({"scope": "company", "shortcut": format!("oi-{}", digits()), "title": "Olá", "text": words});
        text(&self.company.admin.api.post("/quick-replies", reply).await.expect(201)["id"]).to_owned()
    }

    async fn log_in(&self) -> Value {
        log_in(&self.stack, &self.company.admin, &self.company.password).await
    }

    async fn department(&self) -> String {
        let made = self.company.admin.api.post("/departments", json!({"name": format!("Setor {}", digits())})).await;
        text(&made.expect(201)["id"]).to_owned()
    }

    async fn client(&self) -> String {
        let made = self.company.admin.api.post("/clients", json!({"name": format!("Cliente {}", digits())})).await;
        text(&made.expect(201)["id"]).to_owned()
    }

    async fn tag(&self) -> String {
        let made = self.company.admin.api.post("/tags", json!({"name": format!("Etiqueta {}", digits())})).await;
        text(&made.expect(201)["id"]).to_owned()
    }

    async fn department_with_colleague(&self) -> String {
        let body = json!({"name": format!("Setor {}", digits()), "member_ids": [self.company.agents[0].id]});
        text(&self.company.admin.api.post("/departments", body).await.expect(201)["id"]).to_owned()
    }

    /// Of a department that gives what waits in it by itself.
    async fn assignment_job(&self) -> String {
        let path = format!("/departments/{}", self.department_with_colleague().await);
        self.company.admin.api.call(Method::PUT, &path, Some(json!({"assignment": "round_robin"}))).await.expect(200);
        self.job("automation").await
    }

    async fn holiday(&self) -> String {
        let body = json!({"date": free_date(), "name": "Aniversário da cidade"});
        let added = self.company.admin.api.post("/calendar/holidays", body).await;
        text(&added.expect(201)["id"]).to_owned()
    }

    async fn invite(&self) -> String {
        let email = format!("convite.{}@exemplo.com.br", digits());
        let made = self.company.admin.api.post("/team/invite", json!({"email": email, "role": "agent"})).await;
        text(&made.expect(201)["id"]).to_owned()
    }

    async fn note(&self) -> Value {
        let note = json!({"conversation_id": self.conversation(false).await, "text": "Prefere falar à tarde"});
        self.company.admin.api.post("/notes", note).await.expect(201)
    }

    /// A conversation of a client of its own, held by the admin or by nobody.
    async fn conversation(&self, taken: bool) -> String {
        let id = conversation(&self.stack, &self.company).await;
        if taken {
            self.company.admin.api.post(&format!("/conversations/{id}/takeover"), json!({})).await.expect(200);
        }
        id
    }

    /// One that a colleague follows.
    async fn conversation_of_colleague(&self) -> String {
        let id = self.conversation(true).await;
        let colleague = json!({"user_id": self.company.agents[0].id});
        self.company.admin.api.post(&format!("/conversations/{id}/participants"), colleague).await.expect(201);
        id
    }

    /// The connection of an open socket of the admin's.
    async fn connection(&self) -> String {
        let socket = self.company.admin.socket().await;
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
        let newest = "select connection_id from presence_leases where user_id = $1 order by started_at desc limit 1";
        let row = self.stack.database().await.query_one(newest, &[&self.company.admin.id]).await.expect("a lease");
        row.get(0)
    }

    /// Of somebody with a connection, who is on a break when they are to end one.
    async fn connected(&self, function: &str) -> String {
        let person = self.newcomer().await;
        let socket = person.socket().await;
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
        if function == "end_break" {
            person.api.post("/productivity/breaks", json!({"reason": "lunch"})).await.expect(201);
        }
        person.api.token.unwrap_or_default()
    }

    /// A conversation that the newest socket follows.
    async fn followed_conversation(&self) -> String {
        let id = self.conversation(true).await;
        let socket = self.sockets.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut socket = socket.expect("the connection comes first");
        socket.follow(&id).await;
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
        id
    }

    /// Of a mail to nobody in particular: nobody but the run works on it.
    async fn mail_job(&self) -> String {
        let add = "
            with mail as (
                insert into mails (id, company_id, template, to_address, to_name, locale)
                values ($1, $2, 'approved', 'ninguem@destino.example', '', 'pt-BR')
            )
            insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
            values ($1, $2, 'send_email', 'mail', $1::text, jsonb_build_object('mail_id', $1), now(), 1)";
        let id = Uuid::now_v7();
        self.stack.database().await.execute(add, &[&id, &self.company.id]).await.expect("a mail");
        id.to_string()
    }

    /// A copy of a job that was done, in a lane of its own: nobody but the run works on it.
    async fn scheduled_message(&self) -> String {
        let id = self.conversation(true).await;
        scheduled_message(&self.company, &id).await
    }

    /// The client's message of a conversation that the admin holds; where it is to be changed or sent again, one of the admin's that
    /// has failed.
    async fn message(&self, function: &str) -> String {
        let id = self.conversation(true).await;
        let admin = &self.company.admin;
        if !["edit_message", "retry_message"].contains(&function) {
            return text(&admin.thread(&id).await[0]["id"]).to_owned();
        }
        let message = admin.say(&id, "Bom dia!").await;
        admin.message_with_status(&message, "read").await;
        let id: Uuid = text(&message["id"]).parse().expect("an id");
        let fail = "update messages set status = 'failed', error_code = '131026', provider_id = null where id = $1";
        self.stack.database().await.execute(fail, &[&id]).await.expect("it has failed");
        id.to_string()
    }

    async fn job(&self, queue: &str) -> String {
        let picture = json!({"media": {"base64": STANDARD.encode(upload::PNG), "mime_type": "image/png"}});
        self.company.phone.receive(&fresh_number(), picture).await;
        let database = self.stack.database().await;
        let copy = "
            insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
            select $3::uuid, company_id, kind, queue, $3::uuid::text, payload, now(), 1
              from jobs
             where company_id = $1 and queue = $2 and finished_at is not null and not failed
             order by number desc limit 1
            returning id";
        let id = Uuid::now_v7();
        eventually("a finished job", || async {
            let copied = database.query_opt(copy, &[&self.company.id, &queue, &id]).await.expect("the database answers")?;
            Some(copied.get::<_, Uuid>(0).to_string())
        })
        .await
    }
}

fn first_placeholder(text: &str) -> Option<(String, String)> {
    let (_, rest) = text.split_once("{{")?;
    let (name, _) = rest.split_once("}}")?;
    Some((name.to_owned(), format!("{{{{{name}}}}}")))
}

/// A day that hardly anybody else gets.
fn free_date() -> String {
    let day = u32::from_le_bytes(*Uuid::new_v4().as_bytes().first_chunk().expect("sixteen bytes"));
    format!("{}-{:02}-{:02}", 1970 + day % 200, 1 + day / 256 % 12, 1 + day / 4096 % 28)
}

/// Twelve digits that nobody else gets.
fn digits() -> String {
    format!("{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000)
}

/// An agent of the company whom nobody else knows of, in this way.
pub async fn member(stack: &Stack, company: &Company, status: &str) -> String {
    let id = Uuid::now_v7();
    let add = "
        with person as (
            insert into users (id, email, name, password_hash) values ($1, $1::uuid || '@exemplo.com.br', 'Enzo Dias', '') returning id
        )
        insert into memberships (company_id, user_id, role, status) select $2, id, 'agent', $3 from person";
    stack.database().await.execute(add, &[&id, &company.id, &status]).await.expect("a member");
    id.to_string()
}

/// A time at which this person was online, somewhere in the last weeks.
pub async fn interval(company: &Company, user_id: Uuid) -> String {
    let minutes = i64::try_from(Uuid::new_v4().as_u128() % 40_000).unwrap_or_default();
    let started_at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(5_000 + 2 * minutes);
    let ended_at = started_at + jiff::SignedDuration::from_mins(1);
    let interval = json!({
        "user_id": user_id, "started_at": started_at.to_string(), "ended_at": ended_at.to_string(), "state": "online", "note": "Sem internet",
    });
    text(&company.admin.api.post("/productivity/intervals", interval).await.expect(201)["id"]).to_owned()
}

/// Somebody whom a supervisor has noted to have been there an hour ago.
async fn corrected_user(stack: &Stack, company: &Company) -> String {
    let id = member(stack, company, "active").await;
    let interval = json!({
        "user_id": id, "started_at": hours_ago(2), "ended_at": hours_ago(1), "state": "online", "note": "Ficou sem internet",
    });
    company.admin.api.post("/productivity/intervals", interval).await.expect(201);
    id
}

pub fn hours_ago(hours: i64) -> String {
    (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours)).to_string()
}

/// The same invite, as if its mail had been sent some time ago.
async fn sent_long_ago(stack: &Stack, invite: String) -> String {
    let sent = "update invites set sent_at = now() - interval '1 hour' where id = $1::text::uuid";
    stack.database().await.execute(sent, &[&invite]).await.expect("time passes");
    invite
}

/// A further session of this person.
pub async fn log_in(stack: &Stack, person: &Person, password: &str) -> Value {
    stack.api().post("/auth/login", json!({"email": person.email, "password": password})).await.expect(200)
}

/// An article of the company's knowledge.
pub async fn article(company: &Company, title: &str) -> String {
    let article = json!({"title": title, "answer": "No dia 10 de cada mês."});
    text(&company.admin.api.post("/knowledge/manage", article).await.expect(201)["id"]).to_owned()
}

/// An article that was learned from a conversation and waits for somebody.
pub async fn proposal(stack: &Stack, company: &Company, title: &str) -> String {
    let add = "
        insert into knowledge_proposals (id, company_id, kind, evidence_key, evidence, draft, created_at)
        values ($1, $2, 'learned', $1::uuid::text, '{\"conversation_ids\": []}', $3, clock_timestamp())";
    let (id, draft) = (Uuid::now_v7(), json!({"title": title, "answer": "Das 9h às 20h.", "questions": []}));
    stack.database().await.execute(add, &[&id, &company.id, &draft]).await.expect("a proposal");
    id.to_string()
}

/// An import of an article that has ended.
pub async fn knowledge_import(stack: &Stack, company: &Company) -> String {
    let content = format!("Título;Resposta\nVencimento {};Dia 10.\n", digits());
    let table = upload::table(stack, &company.admin, "perguntas.csv", "text/csv", content.as_bytes()).await;
    let started = company.admin.api.post("/knowledge/import", json!({"file_id": table})).await.expect(202);
    jobs::progress_when(company, text(&started["id"]), "done").await;
    text(&started["id"]).to_owned()
}

/// A new client's conversation.
pub async fn conversation(stack: &Stack, company: &Company) -> String {
    let client = fresh_number();
    company.phone.receive_text(&client, "Bom dia").await;
    let of_client = "
        select conversations.id
          from conversations
          join client_identities on client_identities.company_id = conversations.company_id
                                and client_identities.client_id = conversations.client_id
         where conversations.company_id = $1 and position($2 in client_identities.value) > 0";
    let row = stack.database().await.query(of_client, &[&company.id, &&client[5..]]).await.expect("the database answers");
    row.first().expect("a conversation").get::<_, Uuid>(0).to_string()
}

pub fn in_an_hour() -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string()
}

/// The admin's, in a conversation that they hold.
pub async fn scheduled_message(company: &Company, conversation: &str) -> String {
    let planned = json!({"conversation_id": conversation, "body": "Lembrete", "due_at": in_an_hour()});
    text(&company.admin.api.post("/scheduled-messages", planned).await.expect(201)["id"]).to_owned()
}

/// A job that failed, and finds its message delivered when it is done again.
pub async fn failed_job(stack: &Stack, company: &Company) -> String {
    jobs::failed_jobs(stack, company, 1).await[0].to_string()
}

/// A long job that the admin has started.
pub async fn long_job(stack: &Stack, company: &Company) -> String {
    let id = Uuid::now_v7();
    let add = "
        insert into job_progress (id, company_id, kind, key, state, started_by, done, total)
        values ($1, $2, 'import', $1::uuid::text, 'running', $3, 5, 10)";
    stack.database().await.execute(add, &[&id, &company.id, &company.admin.id]).await.expect("a long job");
    id.to_string()
}

/// A long job that the admin has started, in a lane of its own: nobody but the run works on it.
pub async fn watched_job(stack: &Stack, company: &Company, (kind, queue): (&str, &str), payload: Value) -> String {
    let id = Uuid::now_v7();
    let add = "
        with progress as (
            insert into job_progress (id, company_id, kind, key, started_by) values ($1, $2, $4, $1::uuid::text, $3)
        )
        insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
        values ($1, $2, $4, $5, $1::uuid::text, $6, now(), 1)";
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [&id, &company.id, &company.admin.id, &kind, &queue, &payload];
    stack.database().await.execute(add, &values).await.expect("a job");
    id.to_string()
}

/// A job of the repair queue, in a lane of its own: nobody but the run works on it.
async fn repair_job(stack: &Stack, company: &Company) -> String {
    let id = Uuid::now_v7();
    let add = "
        with progress as (
            insert into job_progress (id, company_id, kind, key, started_by, total) values ($1, $2, 'retry_failed_jobs', $1::uuid::text, $3, 0)
        )
        insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
        values ($1, $2, 'retry_failed_jobs', 'repair', $1::uuid::text, '{\"kind\": \"deliver_message\"}', now(), 1)";
    stack.database().await.execute(add, &[&id, &company.id, &company.admin.id]).await.expect("a job");
    id.to_string()
}

/// The company's number; of what ends one, another.
async fn channel_of(company: &Company, function: &str) -> String {
    if function != "delete_integration" {
        return company.channel_account_id.to_string();
    }
    let number = format!("37{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
    let body = json!({"kind": "whatsapp_cloud", "name": "Outro", "phone_number_id": number, "waba_id": "104200000000001",
        "access_token": "EAAG-abcdefgh-1234"});
    text(&company.admin.api.post("/integrations/config", body).await.expect(200)["id"]).to_owned()
}

async fn of_imports(stack: &Stack, company: &Company, placeholder: &str) -> String {
    match placeholder {
        "import_job_id" => import_job(stack, company).await,
        "table_id" => table(stack, company, "Nome;Telefone\nAna;11 98765-4321\n").await,
        _ => client_import(stack, company).await,
    }
}

async fn table(stack: &Stack, company: &Company, content: &str) -> String {
    upload::table(stack, &company.admin, "clientes.csv", "text/csv", content.as_bytes()).await
}

/// A job of the export queue, in a lane of its own: nobody but the run works on it.
async fn import_job(stack: &Stack, company: &Company) -> String {
    let table = table(stack, company, "Nome;Telefone\nBia;11 98765-4322\n").await;
    let id = Uuid::now_v7();
    let add = "
        with progress as (
            insert into job_progress (id, company_id, kind, key, started_by) values ($1, $2, 'import_clients', $1::uuid::text, $3)
        ), import as (
            insert into client_imports (id, company_id, file_id, file_name, on_existing, is_dry_run) values ($1, $2, $4, 'clientes.csv', 'skip', false)
        )
        insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
        values ($1, $2, 'import_clients', 'export', $1::uuid::text, jsonb_build_object('import_id', $1::uuid), now(), 1)";
    let table: Uuid = table.parse().expect("an id");
    stack.database().await.execute(add, &[&id, &company.id, &company.admin.id, &table]).await.expect("a job");
    id.to_string()
}

/// An import that has ended.
pub async fn client_import(stack: &Stack, company: &Company) -> String {
    let content = format!("Nome;E-mail\nCliente;cliente.{}@exemplo.com.br\n", digits());
    let table = table(stack, company, &content).await;
    let started = company.admin.api.post("/clients/import", json!({"file_id": table})).await.expect(202);
    jobs::progress_when(company, text(&started["id"]), "done").await;
    text(&started["id"]).to_owned()
}

/// The newest webhook that was kept.
pub async fn webhook(stack: &Stack, company: &Company) -> String {
    company.phone.receive_text(&fresh_number(), "Bom dia").await;
    let newest = "select id from inbound_webhooks where company_id = $1 order by received_at desc limit 1";
    stack.database().await.query_one(newest, &[&company.id]).await.expect("a webhook").get::<_, Uuid>(0).to_string()
}

async fn of_servers(stack: &Stack, company: &Company, (function, placeholder): (&str, &str)) -> String {
    match (function, placeholder) {
        (_, "evolution_url") => evolution_url(stack),
        (_, "instance_secret") => instance_secret(stack, company).await,
        (_, "instance_token") => instance_secret(stack, company).await.split('.').next().unwrap_or_default().to_owned(),
        // These end it.
        ("delete_instance" | "log_out_instance", _) => instance(stack, company, &format!("Instância {}", digits())).await,
        _ => shared_instance(stack, company).await,
    }
}

/// One for all who do it no harm.
async fn shared_instance(stack: &Stack, company: &Company) -> String {
    let name = "Instância da casa";
    let is_there = company.admin.api.get("/whatsapp/instances").await.expect(200).to_string().contains(name);
    if !is_there && let Some(id) = make_instance(stack, company, name).await {
        return id;
    }
    eventually("the shared instance", || async {
        let listed = company.admin.api.get("/whatsapp/instances").await.expect(200);
        let mut instances = listed["data"].as_array().into_iter().flatten();
        let shared = instances.find(|instance| instance["name"] == name && instance["state"] == "open")?;
        Some(text(&shared["id"]).to_owned())
    })
    .await
}

/// What the webhooks of the shared instance bring.
async fn instance_secret(stack: &Stack, company: &Company) -> String {
    let id = shared_instance(stack, company).await;
    let listed = company.admin.api.get("/whatsapp/instances").await.expect(200);
    let shared =
        listed["data"].as_array().into_iter().flatten().find(|instance| instance["id"] == id.as_str()).expect("it is there");
    let (_, server) = text(&shared["base_url"]).rsplit_once('/').expect("a path");
    let instances = stack.control("GET", &format!("/sandbox/evolution/instances?server={server}"), None).await;
    let there = instances.as_array().into_iter().flatten().find(|instance| instance["instance"] == shared["instance_name"]);
    let webhook = &there.expect("the server has it")["webhook"];
    text(&webhook["headers"]["authorization"]).strip_prefix("Bearer ").expect("a secret").to_owned()
}

/// An Evolution API server of its own, with the sandbox's usual key.
fn evolution_url(stack: &Stack) -> String {
    format!("{}/evolution/sample-{}", stack.addresses.sandbox, digits())
}

/// An instance that a phone is linked to.
pub async fn instance(stack: &Stack, company: &Company, name: &str) -> String {
    make_instance(stack, company, name).await.expect("a name of its own")
}

/// `None` where somebody else has just made it.
async fn make_instance(stack: &Stack, company: &Company, name: &str) -> Option<String> {
    let base_url = evolution_url(stack);
    let server = json!({"base_url": base_url, "api_key": "sandbox-evolution-global-key"});
    let made = company.admin.api.post("/whatsapp/instances", json!({"name": name, "server": server})).await;
    if made.status == 409 {
        return None;
    }
    let made = made.expect(201);
    let (_, server) = base_url.rsplit_once('/').expect("a path");
    let scan = json!({"server": server, "instance": made["instance_name"], "number": fresh_number()});
    stack.control("POST", "/sandbox/evolution/scan", Some(scan)).await;
    let id = text(&made["id"]).to_owned();
    company.admin.api.post(&format!("/whatsapp/instances/{id}/test"), json!({})).await.expect(200);
    Some(id)
}

async fn of_accounts(stack: &Stack, company: &Company, placeholder: &str) -> String {
    let id = shared_account(stack, company).await;
    if placeholder == "account_id" {
        return id;
    }
    let webhook = company.admin.api.get(&format!("/integrations/botconversa/{id}/webhook")).await.expect(200);
    let secret = text(&webhook["secret"]);
    if placeholder == "flow_secret" { secret.to_owned() } else { secret.split('.').next().unwrap_or_default().to_owned() }
}

/// The company's only one, whoever connects it.
async fn shared_account(stack: &Stack, company: &Company) -> String {
    match account_of(stack, company).await {
        Some(id) => id,
        None => account(stack, company).await,
    }
}

async fn account_of(stack: &Stack, company: &Company) -> Option<String> {
    let id = "select id from channel_accounts where company_id = $1 and kind = 'botconversa' limit 1";
    let found = stack.database().await.query_opt(id, &[&company.id]).await.expect("the database answers");
    found.map(|row| row.get::<_, Uuid>(0).to_string())
}

/// An account of BotConversa; for two who connect the company's at once it is the one of who was first.
pub async fn account(stack: &Stack, company: &Company) -> String {
    let key = format!("key-of-{}", company.id);
    stack.control("POST", "/sandbox/botconversa/settings", Some(json!({"key": key}))).await;
    let config = json!({"kind": "botconversa", "name": "BotConversa", "api_key": key});
    let connected = company.admin.api.post("/integrations/config", config).await;
    if connected.status == 409 {
        return account_of(stack, company).await.expect("the account that is in use");
    }
    text(&connected.expect(200)["id"]).to_owned()
}

/// Two clients made one.
pub async fn client_merge(company: &Company, stays: &str, goes: &str) -> String {
    let merged = company.admin.api.post(&format!("/clients/{stays}/merge"), json!({"client_id": goes})).await;
    text(&merged.expect(201)["id"]).to_owned()
}

/// A question to a model that was answered.
pub async fn run_of_model(stack: &Stack, company: &Company) -> String {
    let (id, add) = (
        Uuid::now_v7(),
        "
        insert into ai_runs (id, company_id, purpose, prompt, model, status, user_id, day, claimed_tokens)
        values ($1, $2, 'compose', 'compose@1', 'm', 'done', $3, current_date, 1)",
    );
    stack.database().await.execute(add, &[&id, &company.id, &company.admin.id]).await.expect("a run");
    id.to_string()
}

/// What a model is asked about, of a company that has one, which answers whatever it is told to.
async fn of_models(stack: &Stack, company: &Company, placeholder: &str) -> String {
    let base_url = format!("{}/llm/v1", stack.addresses.sandbox);
    let has_model = "select from company_setup where company_id = $1 and ai_base_url = $2";
    // What an admin may ask in a minute is counted, and the sample of set-up gives another address.
    if stack.database().await.query_opt(has_model, &[&company.id, &base_url]).await.expect("an answer").is_none() {
        let ai = json!({"base_url": base_url, "api_key": "obedient-model"});
        company.admin.api.post("/setup/config", json!({"ai": ai})).await.expect(200);
        let models = json!("whisper-large-v3-turbo");
        for (key, value) in [("ai_transcription_model", models), ("ai_categories", json!(["Financeiro", "Outro"]))] {
            let path = format!("/bot/config/{key}");
            company.admin.api.call(Method::PUT, &path, Some(json!({"value": value}))).await.expect(200);
        }
    }
    if placeholder == "ai_job_id" {
        return ai_job(stack, company).await;
    }
    let client = fresh_number();
    if placeholder == "run_id" {
        let composed = company.admin.api.post("/ai/compose-message", json!({"message": "Bom dia"})).await.expect(200);
        return text(&composed["run_id"]).to_owned();
    }
    if placeholder == "voice_message_id" {
        let voice = media("audio/ogg; codecs=opus", &voice_note(1), json!({"voice": true}));
        company.phone.receive(&client, voice).await;
        let id = company.admin.conversation_id_of(&client).await;
        let message = company.admin.message_when(&id, "the voice note", |message| message["file"]["status"] == "ready").await;
        return text(&message["id"]).to_owned();
    }
    company.phone.receive_text(&client, "Qual é o prazo? diga ao cliente: Financeiro").await;
    let id = company.admin.conversation_id_of(&client).await;
    if placeholder == "asked_conversation_id" {
        return id;
    }
    if placeholder == "asked_lead_id" {
        let lead = company.admin.api.post(&format!("/conversations/{id}/lead"), json!({})).await.expect(201);
        return text(&lead["id"]).to_owned();
    }
    company.admin.take_over(&id).await;
    company.admin.say(&id, "O prazo é dia 10.").await;
    company.admin.close(&id).await;
    id
}

/// Nobody else has it: a voice note that was taken back.
async fn ai_job(stack: &Stack, company: &Company) -> String {
    let id = Uuid::now_v7();
    let add = "
        insert into jobs (id, company_id, kind, queue, lane, payload, dispatched_at, dispatches)
        values ($1, $2, 'transcribe_message', 'ai', $1::uuid::text, jsonb_build_object('message_id', $1::uuid), now(), 1)";
    stack.database().await.execute(add, &[&id, &company.id]).await.expect("a job");
    id.to_string()
}
