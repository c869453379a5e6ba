//! Every route, called by those who may not: without a token, with a bad one, with another role, from another company.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tests::{
    Answer, Api, Company, Forge, Stack, Wanted, authenticator::newcomer, company::Person, company::text, each, eventually, forge,
    openapi::Operation,
};
use uuid::Uuid;

use super::{
    sample,
    trespass_table::{Outcome, ROWS, Row},
};
use crate::cases::{chat, crm, followups, leads, notifications, snapshot, upload};

/// Roles that an access lets through, of whichever of its kinds of callers they are.
pub(super) fn lets_through(access: &str) -> BTreeSet<&'static str> {
    access.split(" or ").flat_map(|kind| roles_of(kind).iter().copied()).collect()
}

fn roles_of(kind: &str) -> &'static [&'static str] {
    match kind {
        "admin" => &["admin"],
        "supervisor" => &["admin", "supervisor"],
        "staff" => &["admin", "supervisor", "agent"],
        "student" => &["student"],
        "member" => &["admin", "supervisor", "agent", "student"],
        other => panic!("nobody knows the access {other}"),
    }
}

fn protected(stack: &Stack) -> Vec<Operation> {
    stack.openapi.operations().into_iter().filter(asks_for_token).collect()
}

fn asks_for_token(operation: &Operation) -> bool {
    !operation.asks_for_no_token()
}

fn row_of(function: &str) -> &'static Row {
    ROWS.iter().find(|row| row.function == function).unwrap_or_else(|| panic!("{function} has no row in the trespass table"))
}

pub async fn every_route_that_asks_for_a_token_has_a_row(stack: Arc<Stack>) {
    let operations = stack.openapi.every_operation().into_iter().filter(asks_for_token);
    let described: BTreeSet<String> = operations.map(|operation| operation.function().to_owned()).collect();
    let listed: BTreeSet<String> = ROWS.iter().map(|row| row.function.to_owned()).collect();
    assert_eq!(listed, described);
}

/// Who is let through by their role: an admin, unless it is for students alone.
fn as_whom(operation: &Operation) -> &'static str {
    if lets_through(&operation.access).contains("admin") { "admin" } else { "student" }
}

/// The operation's own path with ids of nothing.
fn path_of(operation: &Operation) -> String {
    let parts = operation.path.split('/').map(|part| match part.strip_prefix('{') {
        Some(_) => Uuid::nil().to_string(),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// With a row's body: JSON, or the words of a file.
async fn call_with(api: &Api, operation: &Operation, path: &str, body: String) -> Answer {
    let content_type = if body.starts_with('{') { "application/json" } else { "text/plain" };
    let body = (!body.is_empty()).then(|| (content_type, body.into_bytes()));
    api.send(operation.method.parse().expect("a method"), path, body).await
}

async fn call(api: &Api, operation: &Operation) -> Answer {
    let body = (operation.method != "GET").then(|| json!({}));
    api.call(operation.method.parse().expect("a method"), &path_of(operation), body).await
}

async fn assert_all_refuse(stack: &Stack, api: &Api, code: &str) {
    let refuses = async |operation: Operation| {
        let answer = call(api, &operation).await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}", operation.id);
        assert_eq!(answer.problem(401), code, "{}", operation.id);
    };
    each(protected(stack), refuses).await;
}

pub async fn no_token_opens_nothing(stack: Arc<Stack>) {
    assert_all_refuse(&stack, &stack.api(), "token_missing").await;
}

pub async fn an_expired_token_opens_nothing(stack: Arc<Stack>) {
    let company = small_company(&stack).await;
    let mut claims = claims(&company.admin);
    claims["exp"] = json!(1_700_000_000);
    let token = Forge::of(&stack).await.token(&claims);
    assert_all_refuse(&stack, &stack.api().with_token(token), "token_expired").await;
}

pub async fn a_tampered_token_opens_nothing(stack: Arc<Stack>) {
    let company = small_company(&stack).await;
    let token = company.agents[0].api.token.clone().unwrap_or_default();
    let signature = token.rsplit('.').next().unwrap_or_default();
    let mut claims = forge::claims_of(&token);
    claims["role"] = json!("admin");
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": Forge::of(&stack).await.key_id});
    let tampered = format!("{}.{signature}", forge::unsigned(&header, &claims));
    assert_all_refuse(&stack, &stack.api().with_token(tampered), "token_invalid").await;
}

pub async fn a_token_of_another_key_opens_nothing(stack: Arc<Stack>) {
    let company = small_company(&stack).await;
    let secret = b"another secret of at least 32 bytes";
    let known_id = json!({"alg": "HS256", "typ": "JWT", "kid": Forge::of(&stack).await.key_id});
    for header in [known_id, json!({"alg": "HS256", "typ": "JWT", "kid": "other"}), json!({"alg": "HS256", "typ": "JWT"})] {
        let token = forge::sign(&header, &claims(&company.admin), secret);
        assert_all_refuse(&stack, &stack.api().with_token(token), "token_invalid").await;
    }
}

pub async fn a_token_without_a_signature_opens_nothing(stack: Arc<Stack>) {
    let company = small_company(&stack).await;
    let header = json!({"alg": "none", "typ": "JWT", "kid": Forge::of(&stack).await.key_id});
    let unsigned = forge::unsigned(&header, &claims(&company.admin));
    assert_all_refuse(&stack, &stack.api().with_token(format!("{unsigned}.")), "token_invalid").await;
    assert_all_refuse(&stack, &stack.api().with_token(unsigned), "token_invalid").await;
}

pub async fn other_algorithms_of_the_right_key_open_nothing(stack: Arc<Stack>) {
    let company = small_company(&stack).await;
    let forge = Forge::of(&stack).await;
    for algorithm in ["HS512", "RS256", "hs256"] {
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": forge.key_id});
        let token = forge::sign(&header, &claims(&company.admin), forge.secret.as_bytes());
        assert_all_refuse(&stack, &stack.api().with_token(token), "token_invalid").await;
    }
}

/// Also where nothing is read or written that belongs to a company.
pub async fn a_revoked_session_opens_nothing(stack: Arc<Stack>) {
    let company = small_company(&stack).await;
    for person in [&company.admin, &company.students[0]] {
        person.api.post("/auth/logout", Value::Null).await.expect(204);
    }
    for operation in protected(&stack) {
        let row = row_of(operation.function());
        let path = path_like(&operation, &with_any_ids(row.path));
        let person = if as_whom(&operation) == "student" { &company.students[0] } else { &company.admin };
        let answer = call_with(&person.api, &operation, &path, with_any_ids(row.body)).await;
        assert_eq!(answer.problem(401), "session_revoked", "{}", operation.id);
    }
}

/// A list and its counts travel together: whichever is looked at first says why both failed.
pub async fn a_revoked_session_is_told_by_statements_side_by_side(stack: Arc<Stack>) {
    let company = small_company(&stack).await;
    let list = "/conversations?limit=1";
    company.admin.api.get(list).await.expect(200);
    company.admin.api.post("/auth/logout", Value::Null).await.expect(204);
    let filters = ["category=bot", "search=rara", "from=2026-01-01T00:00:00Z", "to=2026-12-01T00:00:00Z", "unread=true"];
    for many in 1..1 << filters.len() {
        let chosen: Vec<_> = (0..filters.len()).filter(|index| many & (1 << index) != 0).map(|index| filters[index]).collect();
        let answer = company.admin.api.get(&format!("{list}&{}", chosen.join("&"))).await;
        assert_eq!(answer.problem(401), "session_revoked", "{chosen:?}");
    }
}

/// A genuine token whose company, role or session is not what the database says.
pub async fn claims_are_checked_against_the_database(stack: Arc<Stack>) {
    let (company, other) = (small_company(&stack).await, small_company(&stack).await);
    let forge = Forge::of(&stack).await;
    let genuine = claims(&company.agents[0]);
    let changes = [
        ("role", json!("admin")),
        ("role", json!("student")),
        ("cid", json!(other.id)),
        ("sub", json!(company.admin.id)),
        ("sid", forge::claims_of(company.admin.api.token.as_deref().unwrap_or_default())["sid"].clone()),
        ("sid", json!(Uuid::nil())),
    ];
    for (claim, value) in changes {
        let mut claims = genuine.clone();
        claims[claim] = value;
        let api = stack.api().with_token(forge.token(&claims));
        assert_eq!(api.get("/auth/me").await.problem(401), "session_revoked", "{claims}");
    }
    stack.api().with_token(forge.token(&genuine)).get("/auth/me").await.expect(200);
}

pub async fn other_roles_are_refused(stack: Arc<Stack>) {
    let company = small_company(&stack).await;
    let people = [
        ("admin", &company.admin),
        ("supervisor", &company.supervisor),
        ("agent", &company.agents[0]),
        ("student", &company.students[0]),
    ];
    let refuses = async |operation: Operation| {
        let allowed = lets_through(&operation.access);
        for (role, person) in people.iter().filter(|(role, _)| !allowed.contains(*role)) {
            let answer = call(&person.api, &operation).await;
            assert_eq!(answer.problem(403), "forbidden", "{} for {role}", operation.id);
        }
    };
    each(protected(&stack), refuses).await;
}

/// Ids of one company in the hands of another's admin: refused as if they did not exist, nothing shown, nothing changed.
pub async fn another_company_is_out_of_reach(stack: Arc<Stack>) {
    let (victim, intruder) = (Scene::make(&stack).await, Scene::make(&stack).await);
    let before = victim.rows_at_rest(&stack).await;
    let markers = victim.markers(&stack).await;
    let refuses = async |operation: Operation| {
        for row in ROWS.iter().filter(|row| row.function == operation.function()) {
            // Some of these calls end sessions, or change what their caller is.
            let api = newcomer(&stack, &intruder.company, as_whom(&operation)).await.api;
            let (own_company, own_channel) = (intruder.company.id.to_string(), intruder.company.channel_account_id.to_string());
            let own = [
                ("{own_conversation}", &intruder.conversation),
                ("{own_company}", &own_company),
                ("{own_channel}", &own_channel),
            ];
            let fill = |text: &str| own.iter().fold(victim.fill(text), |text, (name, id)| text.replace(name, id));
            let path = path_like(&operation, &fill(row.path));
            let answer = call_with(&api, &operation, &path, fill(row.body)).await;
            let shown = answer.body.to_string();
            match row.outcome {
                Outcome::OwnThings => assert!(answer.status < 400, "{} {path}: {shown}", operation.id),
                Outcome::NotFound => assert_eq!(answer.problem(404), "not_found", "{} {path}", operation.id),
                Outcome::Invalid => drop(answer.expect(422)),
                Outcome::Conflict(code) => assert_eq!(answer.problem(409), code, "{} {path}", operation.id),
                Outcome::Refused(code) => assert_eq!(answer.problem(403), code, "{} {path}", operation.id),
            }
            let leaked: Vec<_> = markers.iter().filter(|marker| shown.contains(marker.as_str())).collect();
            assert!(leaked.is_empty(), "{} {path} shows {leaked:?} in {shown}", operation.id);
        }
    };
    each(protected(&stack), refuses).await;
    assert_eq!(victim.rows_at_rest(&stack).await, before);
}

/// A student of the same company, with the ids of what staff and clients do there.
pub async fn a_student_reaches_nothing_of_others(stack: Arc<Stack>) {
    let scene = Scene::make(&stack).await;
    let student = &scene.company.students[0];
    let markers = scene.markers(&stack).await;
    for operation in protected(&stack).into_iter().filter(|operation| lets_through(&operation.access).contains("student")) {
        for row in ROWS.iter().filter(|row| row.function == operation.function()) {
            if [
                "logout",
                "list_my_companies",
                "list_companies",
                "get_me",
                "get_company",
                "get_profile",
                "select_company",
                "choose_primary_company",
            ]
            .contains(&row.function)
            {
                continue;
            }
            let path = path_like(&operation, &scene.fill(row.path));
            let answer = call_with(&student.api, &operation, &path, scene.fill(row.body)).await;
            let shown = answer.body.to_string();
            match row.outcome {
                Outcome::NotFound => assert_eq!(answer.problem(404), "not_found", "{} {path}", operation.id),
                Outcome::Conflict(code) => assert_eq!(answer.problem(409), code, "{} {path}", operation.id),
                Outcome::Refused(code) => assert_eq!(answer.problem(403), code, "{} {path}", operation.id),
                Outcome::Invalid => drop(answer.expect(422)),
                Outcome::OwnThings => assert!(answer.status < 400, "{} {path}: {shown}", operation.id),
            }
            let leaked: Vec<_> = markers.iter().filter(|marker| shown.contains(marker.as_str())).collect();
            assert!(leaked.is_empty(), "{} {path} shows {leaked:?} in {shown}", operation.id);
        }
    }
}

/// What somebody of this company wrote.
fn secret(company: &Company) -> String {
    format!("segredo da casa {}", company.slug)
}

/// The client is mentored, and there is a task about it.
async fn mentored(company: &Company, client: &str) -> (String, String) {
    let mentee = json!({"client_id": client, "goals": secret(company)});
    let mentee = text(&company.admin.api.post("/mentees", mentee).await.expect(201)["id"]).to_owned();
    let task = json!({"title": secret(company), "mentee_id": mentee});
    let task = text(&company.admin.api.post("/tasks", task).await.expect(201)["id"]).to_owned();
    (mentee, task)
}

async fn small_company(stack: &Stack) -> Company {
    stack.company(Wanted { agents: 1, ..Wanted::default() }).await
}

fn claims(person: &Person) -> Value {
    forge::claims_of(person.api.token.as_deref().unwrap_or_default())
}

/// The row's path, on the operation's own when that is an alias.
fn path_like(operation: &Operation, filled: &str) -> String {
    if operation.alias_of.is_none() {
        return filled.to_owned();
    }
    let (path, query) = filled.split_once('?').map_or((filled, ""), |(path, query)| (path, query));
    let id = path.split('/').find(|part| part.parse::<Uuid>().is_ok()).unwrap_or_default();
    let parts = operation.path.split('/').map(|part| if part.starts_with('{') { id } else { part });
    let path = parts.collect::<Vec<_>>().join("/");
    if query.is_empty() { path } else { format!("{path}?{query}") }
}

/// The key of a company's own flow.
fn flow_of(company: &Company) -> String {
    format!("segredo-{}", company.id.simple())
}

/// Ids that are well formed and nobody's.
fn with_any_ids(text: &str) -> String {
    let names = [
        "conversation",
        "own_conversation",
        "waiting",
        "message",
        "note",
        "client",
        "quick_reply",
        "view",
        "file",
        "pending_file",
        "client",
        "department",
        "agent",
        "login",
        "company",
        "own_company",
        "own_channel",
        "invite",
        "failed_job",
        "holiday",
        "long_job",
        "webhook",
        "scheduled",
        "tag",
        "crm_conflict",
        "merge",
        "import",
        "lead_import",
        "instance",
        "account",
        "article",
        "knowledge_import",
        "proposal",
        "run",
        "team_channel",
        "chat_message",
        "scheduled_chat",
        "notification",
        "emoji",
        "interval",
        "mentee",
        "task",
        "lead",
        "lead_merge",
        "pipeline",
        "stage",
        "sequence",
        "execution",
    ];
    let text = text
        .replace("{flow}", "fluxo-de-ninguem")
        .replace("{soon}", &sample::in_an_hour())
        .replace("{begun}", &sample::hours_ago(2))
        .replace("{done}", &sample::hours_ago(1))
        .replace("{cursor}", "")
        .replace("{number}", "2100")
        .replace("{channel}", &Uuid::nil().to_string());
    names.iter().fold(text, |text, name| text.replace(&format!("{{{name}}}"), &Uuid::nil().to_string()))
}

/// A company where something goes on.
struct Scene {
    company: Company,
    conversation: String,
    client: String,
    waiting: String,
    message: String,
    note: String,
    quick_reply: String,
    view: String,
    file: String,
    pending_file: String,
    invite: String,
    cursor: String,
    failed_job: String,
    holiday: String,
    long_job: String,
    webhook: String,
    scheduled: String,
    tag: String,
    merge: String,
    import: String,
    lead_import: String,
    instance: String,
    account: String,
    article: String,
    knowledge_import: String,
    proposal: String,
    run: String,
    team_channel: String,
    chat_message: String,
    scheduled_chat: String,
    notification: String,
    emoji: String,
    interval: String,
    mentee: String,
    task: String,
    lead: String,
    lead_merge: String,
    crm_conflict: String,
    pipeline: String,
    stage: String,
    sequence: String,
    execution: String,
}

impl Scene {
    #[expect(clippy::too_many_lines, reason = "a list")]
    async fn make(stack: &Stack) -> Self {
        let departments = vec![("Atendimento", vec![1])];
        let company = stack.company(Wanted { departments, ..Wanted::default() }).await;
        let admin = &company.admin;
        let cursor = text(&admin.api.get("/events").await.expect(200)["head"]).to_owned();
        let conversation = sample::conversation(stack, &company).await;
        let waiting = sample::conversation(stack, &company).await;
        admin.api.post(&format!("/conversations/{conversation}/takeover"), json!({})).await.expect(200);
        let new =
            json!({"conversation_id": conversation, "client_message_id": "scene", "kind": "text", "body": secret(&company)});
        let message = text(&admin.api.post("/messages", new).await.expect(201)["id"]).to_owned();
        let note = json!({"conversation_id": conversation, "text": secret(&company)});
        let note = text(&admin.api.post("/notes", note).await.expect(201)["id"]).to_owned();
        let client = text(&admin.api.get(&format!("/conversations/{conversation}")).await.expect(200)["client_id"]).to_owned();
        let reply = json!({"scope": "company", "shortcut": "segredo", "title": secret(&company), "text": secret(&company)});
        let view = json!({"name": secret(&company), "filters": {"tag": [secret(&company)]}, "is_shared": true});
        let view = text(&admin.api.post("/views", view).await.expect(201)["id"]).to_owned();
        let quick_reply = text(&admin.api.post("/quick-replies", reply).await.expect(201)["id"]).to_owned();
        let words = json!({"main": {"type": "handover", "text": secret(&company)}});
        let drawn = json!({"name": secret(&company), "definition": {"start": "main", "nodes": words}});
        admin.api.call(reqwest::Method::PUT, &format!("/bot/flows/{}", flow_of(&company)), Some(drawn)).await.expect(200);
        let file = upload::ready_file(stack, admin).await;
        let pending_file = upload::announce_and_upload(stack, admin).await;
        let failed_job = sample::failed_job(stack, &company).await;
        let holiday = json!({"date": "2031-01-25", "name": secret(&company)});
        let holiday = text(&admin.api.post("/calendar/holidays", holiday).await.expect(201)["id"]).to_owned();
        let long_job = sample::long_job(stack, &company).await;
        let webhook = sample::webhook(stack, &company).await;
        let scheduled = sample::scheduled_message(&company, &conversation).await;
        let tag = admin.api.post("/tags", json!({"name": secret(&company)})).await.expect(201);
        let tag = text(&tag["id"]).to_owned();
        let mut one = Vec::new();
        for name in ["Uma", "Outra"] {
            let made = admin.api.post("/clients", json!({"name": name})).await.expect(201);
            one.push(text(&made["id"]).to_owned());
        }
        let merge = sample::client_merge(&company, &one[0], &one[1]).await;
        let import = sample::client_import(stack, &company).await;
        let lead_import = leads::sample::ended_import(stack, &company).await;
        let instance = sample::instance(stack, &company, "Instância da casa").await;
        let account = sample::account(stack, &company).await;
        let article = sample::article(&company, &secret(&company)).await;
        let knowledge_import = sample::knowledge_import(stack, &company).await;
        let run = sample::run_of_model(stack, &company).await;
        let proposal = sample::proposal(stack, &company, &secret(&company)).await;
        let named = json!({"name": secret(&company), "topic": secret(&company)});
        let team_channel = text(&admin.api.post("/channels", named).await.expect(201)["id"]).to_owned();
        let path = format!("/channels/{team_channel}/messages");
        let chat_message = admin.api.post(&path, json!({"body": secret(&company)})).await.expect(201);
        let chat_message = text(&chat_message["id"]).to_owned();
        let scheduled_chat = chat::sample::planned(&company).await;
        let notification = notifications::sample::told(stack, &company).await;
        let emoji = json!({"name": "segredo", "file_id": file});
        let emoji = text(&admin.api.post("/chat/emoji", emoji).await.expect(201)["id"]).to_owned();
        let interval = sample::interval(&company, company.agents[0].id).await;
        let (mentee, task) = mentored(&company, &client).await;
        let lead = json!({"name": secret(&company), "client_id": client, "origin": secret(&company)});
        let lead = admin.api.post("/leads", lead).await.expect(201);
        let stage = text(&lead["stage"]["id"]).to_owned();
        let lead = text(&lead["id"]).to_owned();
        let lead_merge = leads::sample::merge(&company).await;
        let crm_conflict = crm::sample::conflict(stack, &company).await;
        let pipeline = leads::sample::own_pipeline(&company, &secret(&company)).await;
        let [sequence, execution] = followups::sample::of_secret(&company, &secret(&company)).await;
        let invited = json!({"email": format!("convite@{}.example", company.slug), "role": "agent"});
        let invite = text(&admin.api.post("/team/invite", invited).await.expect(201)["id"]).to_owned();
        Self {
            company,
            conversation,
            client,
            waiting,
            message,
            note,
            quick_reply,
            view,
            file,
            pending_file,
            invite,
            cursor,
            failed_job,
            holiday,
            long_job,
            webhook,
            scheduled,
            tag,
            merge,
            import,
            lead_import,
            instance,
            account,
            article,
            knowledge_import,
            proposal,
            run,
            team_channel,
            chat_message,
            scheduled_chat,
            notification,
            emoji,
            interval,
            mentee,
            task,
            lead,
            lead_merge,
            crm_conflict,
            pipeline,
            stage,
            sequence,
            execution,
        }
    }

    fn fill(&self, text: &str) -> String {
        let company = &self.company;
        let pairs = [
            ("{conversation}", self.conversation.clone()),
            ("{client}", self.client.clone()),
            ("{waiting}", self.waiting.clone()),
            ("{message}", self.message.clone()),
            ("{note}", self.note.clone()),
            ("{quick_reply}", self.quick_reply.clone()),
            ("{flow}", flow_of(&self.company)),
            ("{view}", self.view.clone()),
            ("{file}", self.file.clone()),
            ("{pending_file}", self.pending_file.clone()),
            ("{department}", company.departments[0].1.to_string()),
            ("{agent}", company.agents[0].id.to_string()),
            ("{login}", claims(&company.admin)["sid"].as_str().unwrap_or_default().to_owned()),
            ("{company}", company.id.to_string()),
            ("{channel}", company.channel_account_id.to_string()),
            ("{number}", company.phone.number_id.clone()),
            ("{invite}", self.invite.clone()),
            ("{cursor}", self.cursor.clone()),
            ("{failed_job}", self.failed_job.clone()),
            ("{holiday}", self.holiday.clone()),
            ("{long_job}", self.long_job.clone()),
            ("{webhook}", self.webhook.clone()),
            ("{scheduled}", self.scheduled.clone()),
            ("{tag}", self.tag.clone()),
            ("{merge}", self.merge.clone()),
            ("{import}", self.import.clone()),
            ("{lead_import}", self.lead_import.clone()),
            ("{instance}", self.instance.clone()),
            ("{account}", self.account.clone()),
            ("{article}", self.article.clone()),
            ("{knowledge_import}", self.knowledge_import.clone()),
            ("{proposal}", self.proposal.clone()),
            ("{run}", self.run.clone()),
            ("{team_channel}", self.team_channel.clone()),
            ("{chat_message}", self.chat_message.clone()),
            ("{scheduled_chat}", self.scheduled_chat.clone()),
            ("{notification}", self.notification.clone()),
            ("{emoji}", self.emoji.clone()),
            ("{interval}", self.interval.clone()),
            ("{mentee}", self.mentee.clone()),
            ("{task}", self.task.clone()),
            ("{lead}", self.lead.clone()),
            ("{sequence}", self.sequence.clone()),
            ("{execution}", self.execution.clone()),
            ("{lead_merge}", self.lead_merge.clone()),
            ("{crm_conflict}", self.crm_conflict.clone()),
            ("{pipeline}", self.pipeline.clone()),
            ("{stage}", self.stage.clone()),
            ("{begun}", sample::hours_ago(2)),
            ("{done}", sample::hours_ago(1)),
            ("{soon}", sample::in_an_hour()),
        ];
        pairs.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// What must never be shown to others: ids and words of this company's.
    async fn markers(&self, stack: &Stack) -> Vec<String> {
        let company = &self.company;
        let clients = "select client_id::text from conversations where company_id = $1";
        let clients = stack.database().await.query(clients, &[&company.id]).await.expect("the database answers");
        let mut markers: Vec<String> = clients.iter().map(|row| row.get(0)).collect();
        let ids = [&self.conversation, &self.waiting, &self.message, &self.file, &self.pending_file, &self.invite];
        let ids = ids.into_iter().chain([&self.mentee, &self.task]);
        let of_background = [&self.failed_job, &self.holiday, &self.long_job, &self.webhook, &self.scheduled];
        markers.extend(of_background.into_iter().cloned());
        markers.extend(ids.cloned());
        markers.extend(
            [company.departments[0].1, company.agents[0].id, company.admin.id, company.channel_account_id]
                .map(|id| id.to_string()),
        );
        markers.extend([secret(company), company.agents[0].email.clone()]);
        markers
    }

    /// All rows of the company once no work is left.
    async fn rows_at_rest(&self, stack: &Stack) -> snapshot::Rows {
        let database = stack.database().await;
        // What was planned waits for its time.
        let unfinished =
            "select count(*) from jobs where company_id = $1 and finished_at is null and run_at < now() + interval '1 minute'";
        let undelivered =
            "select count(*) from messages where company_id = $1 and status in ('queued', 'sending', 'sent', 'delivered')";
        eventually("rest", || async {
            for sql in [unfinished, undelivered] {
                let row = database.query_one(sql, &[&self.company.id]).await.expect("the database answers");
                if row.get::<_, i64>(0) > 0 {
                    return None;
                }
            }
            Some(())
        })
        .await;
        snapshot::of_company(stack, self.company.id).await
    }
}
