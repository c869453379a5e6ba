//! What holds for every route of a kind: lists that are read page by page, changes of rows with a version, removals. A route of a
//! kind is known by its parameters or its method; what these tests need to know of it is one arm of `Scene` or `Change`.

use std::{collections::BTreeSet, sync::Arc};

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, Company, Stack, Wanted, company::text, openapi::Operation, sandbox::fresh_number};
use uuid::Uuid;

use super::sample::{Fixture, conversation, member};
use crate::cases::{chat, crm, followups, leads, mentees, notifications, tasks, upload};

fn operations(stack: &Stack, is_of_kind: impl Fn(&Operation) -> bool) -> Vec<String> {
    let operations = stack.openapi.operations().into_iter();
    operations.filter(|operation| operation.alias_of.is_none() && is_of_kind(operation)).map(|operation| operation.id).collect()
}

fn takes(name: &'static str) -> impl Fn(&Operation) -> bool {
    move |operation| operation.parameters.iter().any(|parameter| parameter == name)
}

const FAILED_JOB: &str = "
    insert into jobs (id, company_id, kind, queue, lane, payload, attempts, failed, finished_at)
    values (gen_random_uuid(), $1, 'deliver_message', 'delivery', 'x', '{}', 10, true, clock_timestamp())";

const CALL: &str = "
    insert into integration_calls (id, company_id, provider, operation, status, took_ms, at)
    values (gen_random_uuid(), $1, 'llm', 'complete', 200, 5, clock_timestamp())";

const TEMPLATE: &str = "
    insert into message_templates (id, company_id, channel_account_id, provider_id, name, language, category, status, components, told_at,
                                   created_at)
    select gen_random_uuid(), $1, id, '1', 'modelo_' || gen_random_uuid(), 'pt_BR', 'utility', 'approved', '[]', now(), clock_timestamp()
      from channel_accounts
     where company_id = $1";

const IMPORT: &str = "
    insert into client_imports (id, company_id, file_id, file_name, on_existing, is_dry_run, state, created_at, finished_at)
    select gen_random_uuid(), $1, gen_random_uuid(), 'clientes.csv', 'skip', false, 'done', clock_timestamp(), clock_timestamp()";

/// Lists that begin without a conversation.
const WITHOUT_CONVERSATION: [&str; 21] = [
    "get_lead_history",
    "list_execution_logs",
    "list_executions",
    "list_sequences",
    "list_client_imports",
    "list_clients",
    "list_conversations",
    "list_crm_conflicts",
    "list_failed_jobs",
    "list_inbound_webhooks",
    "list_integration_calls",
    "list_invites",
    "list_knowledge",
    "list_knowledge_proposals",
    "list_mentee_feedback",
    "list_mentees",
    "list_lead_interactions",
    "list_notifications",
    "list_tasks",
    "list_templates",
    "search_messages",
];

/// A list with what belongs to it.
struct Scene {
    function: String,
    company: Company,
    /// The conversation that it is about, where it is about one.
    conversation: String,
    client: String,
    /// The mentee that it is about, where it is about one.
    mentee: String,
    /// The list, where it is a lead's.
    lead: String,
}

impl Scene {
    async fn make(stack: &Stack, function: &str) -> Self {
        let company = stack.company(Wanted { students: 0, departments: vec![("Vendas", vec![1, 2])], ..Wanted::default() }).await;
        let client = fresh_number();
        let conversation = if WITHOUT_CONVERSATION.contains(&function) {
            String::new()
        } else {
            company.phone.receive_text(&client, "Oi").await;
            company.admin.conversation_id_of(&client).await
        };
        let client = if conversation.is_empty() {
            String::new()
        } else {
            text(&company.admin.conversation(&conversation).await["client_id"]).to_owned()
        };
        let mut scene =
            Self { function: function.to_owned(), company, conversation, client, mentee: String::new(), lead: String::new() };
        if function == "list_execution_logs" {
            scene.lead = followups::sample::empty_log(stack, &scene.company).await;
        }
        if function == "list_mentee_feedback" {
            scene.mentee = mentees::begun(&scene.company.admin, &[]).await;
        }
        if function.contains("_lead_") {
            scene.lead = leads::sample::list(&scene.company, function).await;
        }
        scene
    }

    /// Its path, to be gone on with parameters.
    fn path(&self) -> String {
        match self.function.as_str() {
            "get_client_history" => format!("/clients/{}/history?", self.client),
            "get_lead_history" | "list_execution_logs" | "list_lead_interactions" => self.lead.clone(),
            "list_executions" => "/followups/executions?status=active".to_owned(),
            "list_crm_conflicts" => "/integrations/crm/conflicts?kind=field".to_owned(),
            "list_sequences" => "/followups/sequences?is_active=true".to_owned(),
            "list_channels" => "/channels?scope=others".to_owned(),
            "list_client_imports" => "/clients/imports?dry_run=false".to_owned(),
            "list_mentee_feedback" => format!("/mentees/{}/feedback?", self.mentee),
            "list_mentees" => "/mentees?status=active".to_owned(),
            "list_mentions" => "/chat/mentions?".to_owned(),
            "list_tasks" => "/tasks?state=open".to_owned(),
            "list_scheduled_chat_messages" => "/chat/scheduled?state=waiting".to_owned(),
            "list_notifications" => "/notifications?unread=true".to_owned(),
            "search_chat" => "/chat/search?q=Mensalidade".to_owned(),
            "list_clients" => "/clients?archived=false".to_owned(),
            "list_conversations" => "/conversations?category=pending".to_owned(),
            "list_integration_calls" => "/integrations/logs?provider=llm".to_owned(),
            "list_failed_jobs" => "/jobs/failed?kind=deliver_message".to_owned(),
            "list_inbound_webhooks" => "/inbound-webhooks?kind=message".to_owned(),
            "list_invites" => "/team/invites?state=open".to_owned(),
            "list_knowledge" => "/knowledge?status=active".to_owned(),
            "list_knowledge_proposals" => "/knowledge/proposals?state=open".to_owned(),
            "list_messages" => format!("/messages?conversation_id={}", self.conversation),
            "list_client_notes" => format!("/clients/{}/notes?", self.client),
            "list_client_files" => format!("/clients/{}/files?", self.client),
            "list_notes" => format!("/notes?conversation_id={}", self.conversation),
            "search_messages" => "/messages/search?search=Mensalidade".to_owned(),
            "list_scheduled_messages" => format!("/scheduled-messages?conversation_id={}", self.conversation),
            "list_templates" => "/whatsapp/templates?language=pt_BR".to_owned(),
            "list_transfers" => format!("/conversations/{}/transfers?", self.conversation),
            other => panic!("{other} is read page by page: say here how it is called"),
        }
    }

    /// A row comes to it.
    async fn add(&self, stack: &Stack, number: usize) {
        let company = &self.company;
        match self.function.as_str() {
            "list_integration_calls" => drop(stack.database().await.execute(CALL, &[&company.id]).await.expect("a call")),
            "list_templates" => drop(stack.database().await.execute(TEMPLATE, &[&company.id]).await.expect("a template")),
            "list_client_imports" => drop(stack.database().await.execute(IMPORT, &[&company.id]).await.expect("an import")),
            "list_failed_jobs" => drop(stack.database().await.execute(FAILED_JOB, &[&company.id]).await.expect("a failed job")),
            "list_knowledge" => drop(super::sample::article(company, &format!("Artigo {number}")).await),
            "list_knowledge_proposals" => drop(super::sample::proposal(stack, company, &format!("Proposta {number}")).await),
            "list_conversations" | "list_inbound_webhooks" => drop(company.phone.receive_text(&fresh_number(), "Oi").await),
            "list_clients" => {
                let made = company.admin.api.post("/clients", json!({"name": format!("Cliente {number}")})).await;
                drop(made.expect(201));
            }
            "list_mentees" => drop(mentees::begun(&company.admin, &[]).await),
            "list_mentee_feedback" => {
                let path = format!("/mentees/{}/feedback", self.mentee);
                drop(company.admin.api.post(&path, json!({"text": format!("Encontro {number}")})).await.expect(201));
            }
            "list_tasks" => {
                let due =
                    jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1 + i64::try_from(number).unwrap_or_default());
                let task = json!({"title": format!("Ligar {number}"), "due_at": due.to_string()});
                drop(company.admin.api.post("/tasks", task).await.expect(201));
            }
            "list_scheduled_messages" => {
                company.admin.take_over(&self.conversation).await;
                let due =
                    jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1 + i64::try_from(number).unwrap_or_default());
                let planned = json!({"conversation_id": self.conversation, "body": "Lembrete", "due_at": due.to_string()});
                drop(company.admin.api.post("/scheduled-messages", planned).await.expect(201));
            }
            "search_messages" => drop(company.phone.receive_text(&fresh_number(), "A mensalidade").await),
            "list_channels" => {
                let channel = json!({"name": format!("Canal {number}")});
                drop(company.agents[0].api.post("/channels", channel).await.expect(201));
            }
            "get_lead_history" | "list_lead_interactions" => leads::sample::add(company, &self.lead).await,
            "list_execution_logs" => followups::sample::note(stack, &self.lead).await,
            "list_executions" => drop(followups::sample::on_its_way(company).await),
            "list_crm_conflicts" => drop(crm::sample::conflict(stack, company).await),
            "list_sequences" => drop(followups::sample::made(company).await),
            "list_mentions" | "search_chat" => self.mention(number).await,
            "list_scheduled_chat_messages" => drop(chat::sample::planned(company).await),
            "list_notifications" => drop(notifications::sample::told(stack, company).await),
            "list_invites" => {
                let invite = json!({"email": format!("convite.{number}@{}.example", company.slug), "role": "agent"});
                drop(company.admin.api.post("/team/invite", invite).await.expect(201));
            }
            "list_notes" | "list_client_notes" => {
                let note = json!({"conversation_id": self.conversation, "text": format!("Linha {number}")});
                drop(company.admin.api.post("/notes", note).await.expect(201));
            }
            "list_client_files" => {
                let file = upload::table(stack, &company.admin, &format!("{number}.csv"), "text/csv", b"Nome\nAna\n").await;
                let path = format!("/clients/{}/files", self.client);
                drop(company.admin.api.post(&path, json!({"file_id": file})).await.expect(201));
            }
            "list_transfers" | "get_client_history" => {
                drop(company.admin.transfer(&self.conversation, json!({"to_user_id": company.agents[number % 2].id})).await);
            }
            _ if number == 0 => drop(company.admin.take_over(&self.conversation).await),
            _ => drop(company.admin.say(&self.conversation, &format!("Linha {number}")).await),
        }
    }

    /// A row goes from it; `false` where rows stay for good.
    async fn remove(&self, id: &str) -> bool {
        match self.function.as_str() {
            "list_clients" => {
                drop(self.company.admin.api.call(Method::DELETE, &format!("/clients/{id}"), None).await.expect(204));
            }
            "list_conversations" => drop(self.company.admin.take_over(id).await),
            "list_executions" => {
                drop(self.company.admin.api.post(&format!("/followups/executions/{id}/cancel"), json!({})).await.expect(200));
            }
            "list_crm_conflicts" => {
                let path = format!("/integrations/crm/conflicts/{id}/resolve");
                drop(self.company.admin.api.post(&path, json!({"keep": "theirs"})).await.expect(200));
            }
            "list_sequences" => {
                drop(self.company.admin.api.call(Method::DELETE, &format!("/followups/sequences/{id}"), None).await.expect(204));
            }
            "list_tasks" => {
                drop(self.company.admin.api.call(Method::DELETE, &format!("/tasks/{id}"), None).await.expect(204));
            }
            "list_mentees" => {
                let ended = Some(json!({"status": "ended"}));
                drop(self.company.admin.api.call(Method::PUT, &format!("/mentees/{id}"), ended).await.expect(200));
            }
            "list_invites" => {
                let path = format!("/team/invites/{id}");
                drop(self.company.admin.api.call(Method::DELETE, &path, None).await.expect(204));
            }
            "list_channels" => {
                drop(self.company.agents[0].api.call(Method::DELETE, &format!("/channels/{id}"), None).await.expect(204));
            }
            "list_notifications" => {
                drop(self.company.admin.api.post(&format!("/notifications/{id}/read"), json!({})).await.expect(200));
            }
            "list_mentions" | "search_chat" => {
                drop(self.company.agents[0].api.call(Method::DELETE, &format!("/chat/messages/{id}"), None).await.expect(204));
            }
            "list_knowledge" => {
                drop(self.company.admin.api.call(Method::DELETE, &format!("/knowledge/manage/{id}"), None).await.expect(204));
            }
            "list_notes" | "list_client_notes" => {
                drop(self.company.admin.api.call(Method::DELETE, &format!("/notes/{id}"), None).await.expect(204));
            }
            "list_client_files" => {
                drop(self.company.admin.api.call(Method::DELETE, &format!("/storage/{id}"), None).await.expect(204));
            }
            _ => return false,
        }
        true
    }

    /// A colleague mentions the admin in the general channel.
    async fn mention(&self, number: usize) {
        let general = self.company.admin.api.get("/channels").await.expect(200)["data"][0]["id"].clone();
        let message = json!({"body": format!("Mensalidade {number}"), "mentions": {"user_ids": [self.company.admin.id]}});
        let path = format!("/channels/{}/messages", text(&general));
        self.company.agents[0].api.post(&path, message).await.expect(201);
    }

    async fn get(&self, query: &str) -> Answer {
        self.company.admin.api.get(&format!("{}&{query}", self.path())).await
    }

    async fn ids(&self, query: &str) -> (Vec<String>, Option<String>) {
        let answer = self.get(query).await;
        assert_eq!(answer.status, 200, "{}: {}", self.function, answer.body);
        let page = answer.body;
        let rows = page["data"].as_array().expect("rows").iter();
        (rows.map(|row| text(&row["id"]).to_owned()).collect(), page["next_cursor"].as_str().map(str::to_owned))
    }
}

pub async fn lists_page_while_rows_come_and_go(stack: Arc<Stack>) {
    for function in operations(&stack, takes("cursor")) {
        for order in ["desc", "asc"] {
            let scene = Scene::make(&stack, &function).await;
            for number in 0..5 {
                scene.add(&stack, number).await;
            }
            let (before, _) = scene.ids(&format!("order={order}&limit=100")).await;
            let (mut read, mut next) = scene.ids(&format!("order={order}&limit=2")).await;
            assert_eq!(read, before[..2], "{function} {order}");
            scene.add(&stack, 5).await;
            scene.add(&stack, 6).await;
            let gone = before.last().filter(|_| before.len() > 4).expect("a row that is yet to be read");
            let has_gone = scene.remove(gone).await;
            while let Some(cursor) = next {
                let (page, further) = scene.ids(&format!("order={order}&limit=2&cursor={cursor}")).await;
                assert!((1..=2).contains(&page.len()), "{function} {order}: {page:?}");
                read.extend(page);
                next = further;
            }
            assert_eq!(read.iter().collect::<BTreeSet<_>>().len(), read.len(), "{function} {order} repeats a row: {read:?}");
            let stayed: Vec<&String> = before.iter().filter(|id| !(has_gone && *id == gone)).collect();
            let (stayed_read, new): (Vec<&String>, Vec<&String>) = read.iter().partition(|id| before.contains(id));
            assert_eq!(stayed_read, stayed, "{function} {order}");
            // What came meanwhile is newer than all that was there.
            assert_eq!(new.is_empty(), order == "desc", "{function} {order}: {new:?}");
        }
    }
}

pub async fn lists_without_rows_are_empty(stack: Arc<Stack>) {
    for function in operations(&stack, takes("cursor")) {
        let scene = Scene::make(&stack, &function).await;
        for query in ["", "cursor=&limit=&order=", "order=asc&limit=1"] {
            let page = scene.get(query).await.expect(200);
            // A conversation has a message from its beginning, and is itself in its client's history.
            let rows = usize::from(["list_messages", "get_client_history"].contains(&function.as_str()));
            assert_eq!((page["data"].as_array().map(Vec::len), &page["next_cursor"]), (Some(rows), &Value::Null), "{function}");
        }
    }
}

pub async fn lists_refuse_a_cursor_that_they_never_gave(stack: Arc<Stack>) {
    for function in operations(&stack, takes("cursor")) {
        let scene = Scene::make(&stack, &function).await;
        for cursor in ["x", "AAAA", "1.2.3", "%27%3B--", &"A".repeat(500)] {
            let refused = scene.get(&format!("cursor={cursor}&limit=0&order=random")).await.expect(422);
            let problems = refused["errors"].as_array().expect("problems").iter();
            let problems: BTreeSet<_> = problems.map(|problem| (text(&problem["field"]), text(&problem["code"]))).collect();
            let expected = [("cursor", "invalid_cursor"), ("limit", "too_small"), ("order", "unknown_value")];
            assert_eq!(problems, BTreeSet::from(expected), "{function}: {cursor}");
        }
    }
}

/// A change of a row that counts its versions.
struct Change {
    method: Method,
    path: String,
    /// Makes the row.
    made: Value,
    /// Leaves it as `made` has made it.
    same: Value,
    /// Changes it, to something else with each name.
    renamed: fn(&Value, &str) -> Value,
}

impl Change {
    #[expect(clippy::too_many_lines, reason = "a table")]
    async fn of(stack: &Stack, company: &Company, function: &str) -> Self {
        let renamed: fn(&Value, &str) -> Value = |_, name| json!({"name": name});
        // Rows that are there without being made.
        let given = |path: String, same: &str| {
            let same = json!({"name": same});
            Self { method: Method::PUT, path, made: same.clone(), same, renamed }
        };
        match function {
            "update_channel" => {
                let made = company.admin.api.post("/channels", json!({"name": "Vendas"})).await.expect(201);
                given(format!("/channels/{}", text(&made["id"])), "Vendas")
            }
            "update_department" => {
                let made = company.admin.api.post("/departments", json!({"name": "Vendas"})).await.expect(201);
                given(format!("/departments/{}", text(&made["id"])), "Vendas")
            }
            "update_note" => {
                let conversation = conversation(stack, company).await;
                let note = json!({"conversation_id": conversation, "text": "Vendas"});
                let note = company.admin.api.post("/notes", note).await.expect(201);
                Self {
                    method: Method::PUT,
                    path: format!("/notes/{}", text(&note["id"])),
                    made: json!({"text": "Vendas"}),
                    same: json!({"text": "Vendas"}),
                    renamed: |_, name| json!({"text": name}),
                }
            }
            "update_view" => {
                let view = json!({"name": "Vendas", "filters": {"category": ["open"]}});
                let made = company.admin.api.post("/views", view).await.expect(201);
                given(format!("/views/{}", text(&made["id"])), "Vendas")
            }
            "update_quick_reply" => {
                let reply = json!({"scope": "personal", "shortcut": "oi", "title": "Vendas", "text": "Oi"});
                let reply = company.admin.api.post("/quick-replies", reply).await.expect(201);
                Self {
                    method: Method::PUT,
                    path: format!("/quick-replies/{}", text(&reply["id"])),
                    made: json!({"title": "Vendas"}),
                    same: json!({"title": "Vendas"}),
                    renamed: |_, name| json!({"title": name}),
                }
            }
            "update_client" => {
                let made = company.admin.api.post("/clients", json!({"name": "Vendas"})).await.expect(201);
                given(format!("/clients/{}", text(&made["id"])), "Vendas")
            }
            "update_tag" => {
                let made = company.admin.api.post("/tags", json!({"name": "Vendas"})).await.expect(201);
                given(format!("/tags/{}", text(&made["id"])), "Vendas")
            }
            "save_client_fields" => Self {
                method: Method::PUT,
                path: "/client-fields".to_owned(),
                made: json!({"fields": [{"key": "turma", "label": "Turma", "kind": "text", "options": []}]}),
                same: json!({"fields": [{"key": "turma", "label": "Turma", "kind": "text"}]}),
                renamed: |same, name| {
                    let mut body = same.clone();
                    body["fields"][0]["label"] = json!(name);
                    body
                },
            },
            "move_lead"
            | "save_lead_fields"
            | "save_lead_qualification"
            | "save_lead_scoring"
            | "save_stages"
            | "update_lead"
            | "update_pipeline" => {
                let (path, made, changed) = leads::sample::change(company, function).await;
                let method = if function == "move_lead" { Method::POST } else { Method::PUT };
                Self { method, path, same: made.clone(), made, renamed: changed }
            }
            "update_sequence" => {
                let made = followups::sample::made(company).await;
                Self {
                    method: Method::PUT,
                    path: format!("/followups/sequences/{}", text(&made["id"])),
                    made: json!({"name": "Vendas"}),
                    same: json!({"name": "Vendas"}),
                    renamed: |_, name| json!({"name": name}),
                }
            }
            "update_company" => given(format!("/companies/{}", company.id), "Escola"),
            "update_conversation" => {
                let id = super::sample::conversation(stack, company).await;
                let same = json!({"subject": "Matrícula", "tags": ["curso"], "metadata": {"origem": 1}});
                let renamed: fn(&Value, &str) -> Value = |_, name| json!({"subject": name});
                Self { method: Method::PUT, path: format!("/conversations/{id}"), made: same.clone(), same, renamed }
            }
            "update_scheduled_message" => {
                let conversation = super::sample::conversation(stack, company).await;
                company.admin.take_over(&conversation).await;
                let id = super::sample::scheduled_message(company, &conversation).await;
                let same = json!({"body": "Lembrete"});
                let renamed: fn(&Value, &str) -> Value = |_, name| json!({"body": name});
                Self { method: Method::PUT, path: format!("/scheduled-messages/{id}"), made: same.clone(), same, renamed }
            }
            "correct_interval" => {
                let id = super::sample::interval(company, company.agents[0].id).await;
                let same = json!({"state": "busy", "note": "Esqueceu de avisar"});
                let renamed: fn(&Value, &str) -> Value = |same, name| {
                    let mut body = same.clone();
                    body["state"] = json!(if name == "Suporte" { "away" } else { "online" });
                    body
                };
                Self { method: Method::PUT, path: format!("/productivity/intervals/{id}"), made: same.clone(), same, renamed }
            }
            "update_mentee" => {
                let id = mentees::begun(&company.admin, &[]).await;
                let same = json!({"goals": "Vendas", "target_revenue": "30000"});
                let renamed: fn(&Value, &str) -> Value = |_, name| json!({"goals": name});
                Self { method: Method::PUT, path: format!("/mentees/{id}"), made: same.clone(), same, renamed }
            }
            "update_task" => {
                let id = tasks::sample::task(company).await;
                let same = json!({"title": "Vendas", "recurrence": null, "time_zone": "America/Manaus"});
                let renamed: fn(&Value, &str) -> Value = |_, name| json!({"title": name});
                Self { method: Method::PUT, path: format!("/tasks/{id}"), made: same.clone(), same, renamed }
            }
            "update_profile" => given("/users/me".to_owned(), "Helena"),
            "update_user" => given(format!("/users/{}", member(stack, company, "active").await), "Enzo"),
            "update_integration" => given(format!("/integrations/config/{}", company.channel_account_id), "Vendas"),
            "save_integration" => {
                let number = format!("35{:012}", Uuid::new_v4().as_u128() % 1_000_000_000_000);
                let same = json!({"kind": "whatsapp_cloud", "name": "Vendas", "phone_number_id": number, "waba_id": "1042"});
                let mut made = same.clone();
                made["access_token"] = json!("EAAG-abcdefgh-1234");
                let renamed = |same: &Value, name: &str| {
                    let mut body = same.clone();
                    body["name"] = json!(name);
                    body
                };
                Self { method: Method::POST, path: "/integrations/config".to_owned(), made, same, renamed }
            }
            "save_calendar" => {
                // While it is open, it opens now, which is another time each time.
                let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
                let today = usize::try_from(jiff::Zoned::now().weekday().to_monday_zero_offset()).unwrap_or_default();
                let week = json!({"week": {days[(today + 3) % 7]: [{"from": "08:00", "to": "12:00"}]}});
                let renamed = |same: &Value, name: &str| {
                    let mut body = same.clone();
                    for day in body["week"].as_object_mut().into_iter().flat_map(|week| week.values_mut()) {
                        day[0]["to"] = json!(format!("{}:00", 12 + name.len()));
                    }
                    body
                };
                Self { method: Method::PUT, path: "/calendar".to_owned(), made: week.clone(), same: week, renamed }
            }
            "create_knowledge" => {
                let id = super::sample::article(company, "Vendas").await;
                let same = json!({"id": id, "title": "Vendas", "answer": "Das 9h às 20h."});
                let renamed = |same: &Value, name: &str| {
                    let mut body = same.clone();
                    body["title"] = json!(name);
                    body
                };
                Self { method: Method::POST, path: "/knowledge/manage".to_owned(), made: same.clone(), same, renamed }
            }
            "update_knowledge" => {
                let id = super::sample::article(company, "Vendas").await;
                Self {
                    method: Method::PUT,
                    path: format!("/knowledge/manage/{id}"),
                    made: json!({"title": "Vendas"}),
                    same: json!({"title": "Vendas"}),
                    renamed: |_, name| json!({"title": name}),
                }
            }
            "save_knowledge_synonyms" => Self {
                method: Method::PUT,
                path: "/knowledge/synonyms".to_owned(),
                made: json!({"groups": [["curso", "aula"]]}),
                same: json!({"groups": [["curso", "aula"]]}),
                renamed: |_, name| json!({"groups": [["curso", format!("grupo {name}")]]}),
            },
            "save_bot_flow" => Self {
                method: Method::PUT,
                path: "/bot/flows/menu".to_owned(),
                made: json!({"name": "Menu", "definition": {"start": "a", "nodes": {}}}),
                same: json!({"name": "Menu", "definition": {"start": "a", "nodes": {}}}),
                renamed: |same, name| {
                    let mut body = same.clone();
                    body["name"] = json!(name);
                    body
                },
            },
            "save_notification_preferences" => Self {
                method: Method::PUT,
                path: "/notifications/preferences".to_owned(),
                made: json!({"types": {"message": {"sound": false}}}),
                same: json!({"types": {"message": {"sound": false}}}),
                renamed: |_, name| json!({"email_after_minutes": 20 + name.len()}),
            },
            "save_prices" => Self {
                method: Method::PUT,
                path: "/integrations/prices".to_owned(),
                made: json!({"currency": "BRL", "prices": [{"provider": "whatsapp_cloud", "operation": "send", "price": "0.0315"}]}),
                same: json!({"currency": "BRL", "prices": [{"provider": "whatsapp_cloud", "operation": "send", "price": "0.0315"}]}),
                renamed: |same, name| {
                    let mut body = same.clone();
                    body["prices"][0]["operation"] = json!(name.to_lowercase());
                    body
                },
            },
            "save_setup" => Self {
                method: Method::POST,
                path: "/setup/config".to_owned(),
                made: json!({"company": {"coin_name": "estrelas"}, "ai": {"base_url": "http://127.0.0.1:9/v1", "api_key": "gsk-abcdefgh"}}),
                same: json!({"company": {"coin_name": "estrelas"}, "ai": {"base_url": "http://127.0.0.1:9/v1"}}),
                renamed: |same, name| {
                    let mut body = same.clone();
                    body["company"]["coin_name"] = json!(name);
                    body
                },
            },
            other => panic!("{other} changes a row that has a version: say here how"),
        }
    }
}

pub async fn changes_are_of_the_version_that_was_seen(stack: Arc<Stack>) {
    let is_change = |operation: &Operation| operation.method != "DELETE" && takes("If-Match")(operation);
    for function in operations(&stack, is_change) {
        let company = stack.company(Wanted::default()).await;
        let Change { method, path, made, same, renamed } = Change::of(&stack, &company, &function).await;
        let api = &company.admin.api;
        let of_version = async |version: &Value, body: Value| {
            api.with_header("if-match", &version.to_string()).call(method.clone(), &path, Some(body)).await
        };
        let row = api.call(method.clone(), &path, Some(made)).await.expect(200);
        let head = company.admin.head().await;
        assert_eq!(
            api.call(method.clone(), &path, Some(same.clone())).await.expect(200),
            row,
            "{function}: the same again is no change"
        );
        let mut stray = renamed(&same, "Outro");
        stray["surprise"] = json!(1);
        let refused = of_version(&row["version"], stray).await.expect(422);
        let problem = &refused["errors"][0];
        assert_eq!((text(&problem["field"]), text(&problem["code"])), ("surprise", "unknown_field"), "{function}");
        let told = company.admin.events_after(&head).await;
        assert!(!told.iter().any(is_told_by_itself), "{function}: nothing has changed: {told:?}");
        let changed = of_version(&row["version"], renamed(&same, "Suporte")).await.expect(200);
        assert!(changed["version"].as_i64() > row["version"].as_i64(), "{function}: {changed}");
        let told = company.admin.told_after(&head).await;
        let told: Vec<&str> = told.iter().filter(|event| is_told_by_itself(event)).map(|event| text(&event["type"])).collect();
        match function.as_str() {
            // What it changes are the company's settings too.
            "save_setup" => assert_eq!(told, ["company.updated", "setup.updated"]),
            _ => assert_eq!(told.len(), 1, "{function}: one change is told once: {told:?}"),
        }
        let late = of_version(&row["version"], renamed(&same, "Outro")).await.expect(409);
        let mut changed = changed;
        // What only whoever has changed it is told.
        changed.as_object_mut().and_then(|row| row.remove("not_told_ids"));
        assert_eq!((text(&late["code"]), &late["current"]), ("stale_version", &changed), "{function}");
        let refused = of_version(&json!("dois"), renamed(&same, "Outro")).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), "If-Match", "{function}");
    }
}

/// Not by a job that it has started.
fn is_told_by_itself(event: &Value) -> bool {
    !["job.progress", "notification.created"].contains(&text(&event["type"])) && event["data"]["is_applied"] != true
}

pub async fn removals_are_of_the_version_that_was_seen(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    for function in operations(&stack, |operation| operation.method == "DELETE" && takes("If-Match")(operation)) {
        // Whatever is removed so is changed by a route of the same path.
        let Change { path, same, renamed, .. } = Change::of(&stack, &company, &function.replace("delete_", "update_")).await;
        let api = &company.admin.api;
        let changed = api.call(Method::PUT, &path, Some(renamed(&same, "Suporte"))).await.expect(200);
        let of_version =
            async |version: &Value| api.with_header("if-match", &version.to_string()).call(Method::DELETE, &path, None).await;
        let late = of_version(&json!(1)).await.expect(409);
        assert_eq!((text(&late["code"]), &late["current"]), ("stale_version", &changed), "{function}");
        assert_eq!(text(&of_version(&json!("dois")).await.expect(422)["errors"][0]["field"]), "If-Match", "{function}");
        of_version(&changed["version"]).await.expect(204);
        of_version(&changed["version"]).await.expect(404);
    }
}

pub async fn what_is_removed_is_gone_the_second_time(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    // Of a collection, what is there goes, and nothing is left that could be missing.
    for function in operations(&stack, |operation| operation.method == "DELETE" && operation.path.ends_with('}')) {
        let [first, second] = fixture.send_twice(&function).await;
        assert!(first.status < 300, "{function}: {} {}", first.status, first.body);
        assert_eq!(second.problem(404), "not_found", "{function}");
    }
}
