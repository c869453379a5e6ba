//! Sample events on their binaries: what they answer, what they cost, what they leave behind.

use std::{collections::HashSet, path::Path, sync::Arc};

use serde_json::json;
use tests::{Stack, Wanted, each, openapi::Operation, processes_of};

use super::{inventory::binaries, sample::Fixture};
use crate::cases::upload;

/// Round trips to the database that a read and a write may take.
const READ: u64 = 2;
const WRITE: u64 = 4;
/// These let go of the database while they ask somebody else, which is what they cost: who may ask, as whom, and what came of it are
/// transactions of their own.
const ASK_OTHERS: [&str; 23] = [
    // What they claim before the call and what it took are transactions of their own.
    "ai_compose_message",
    "ai_learn",
    "ai_respond",
    "ai_suggest_replies",
    "ai_transcribe",
    "analyze_sentiment",
    "categorize_conversation",
    "qualify_lead",
    "summarize_conversation",
    "check_instances",
    "connect_instance",
    "create_instance",
    "delete_instance",
    "delete_integration",
    // Whose the secret is, before anything is kept.
    "receive_botconversa_webhook",
    "receive_crm_webhook",
    "receive_evolution_webhook",
    "log_out_instance",
    "restart_instance",
    "sync_templates",
    "test_instance",
    "test_integration",
    "test_web_push",
];

/// Writes that leave no audit row.
const UNAUDITED: [&str; 21] = [
    // Changes nothing.
    "preview_sequence",
    // How far somebody has read, and what they have begun to write.
    "mark_all_notifications_read",
    "mark_channel_read",
    "mark_notification_read",
    "save_channel_draft",
    // Each is a run, which tells who has asked what.
    "ai_compose_message",
    "ai_learn",
    "ai_respond",
    "ai_suggest_replies",
    "ai_transcribe",
    "analyze_sentiment",
    "categorize_conversation",
    "qualify_lead",
    "summarize_conversation",
    // A game: nothing is written.
    "simulate_bot",
    // Nothing is written but a ticket that lives for seconds, outside the database.
    "create_realtime_ticket",
    // A session going on; its start and its end are audited.
    "refresh_session",
    // A job begins, which says of itself what it has done.
    "receive_crm_webhook",
    // Of a client, who is no user.
    "receive_botconversa_webhook",
    "receive_whatsapp_webhook",
    "receive_evolution_webhook",
];

/// Reads of personal data, and of secrets.
const NOTED_READS: [&str; 7] = [
    "download_file",
    "export_clients",
    "export_leads",
    "export_productivity",
    "get_botconversa_webhook",
    "get_conversation",
    "get_inbound_webhook",
];

fn operations(stack: &Stack) -> Vec<Operation> {
    stack.openapi.operations().into_iter().filter(|operation| operation.alias_of.is_none()).collect()
}

pub async fn every_sample_event_runs_on_its_binary(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let operations = stack.openapi.every_operation();
    let mut wrong = Vec::new();
    for function in binaries() {
        let run = fixture.run(&function).await;
        let line_status = run.line["status"].as_str().unwrap_or_default();
        let is_right = if let Some(operation) = operations.iter().find(|operation| operation.id == function) {
            run.answer["statusCode"] == operation.success
        } else if run.line["message"] == "socket_message" {
            run.answer["statusCode"] == 200 && (line_status == "200" || function == "unknown_action")
        } else if run.line["message"] == "job" || run.line["message"] == "messages" {
            run.answer == json!({"batchItemFailures": []}) && line_status == "200"
        } else {
            run.answer.is_null() && line_status == "200"
        };
        if !is_right {
            wrong.push(format!("{function} answered {} and logged {}", run.answer, run.line));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The same through the gateway, every answer held against `openapi.json`.
pub async fn every_sample_event_is_a_request(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let is_answered = async |operation: Operation| {
        let answer = fixture.send(&operation.id).await;
        assert_eq!(answer.status, operation.success, "{}: {}", operation.id, answer.body);
    };
    each(operations(&stack), is_answered).await;
}

pub async fn routes_take_few_round_trips_to_the_database(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let costly = async |operation: Operation| {
        let most = match (operation.id.as_str(), operation.method.as_str()) {
            // What it counts it knows by then from what it lists; days are cut where the company is.
            (
                "list_mentees"
                | "list_views"
                | "export_productivity"
                | "get_my_productivity"
                | "get_team_productivity"
                | "get_user_timeline",
                _,
            ) => READ + 1,
            (_, "GET") => READ,
            _ => WRITE,
        };
        let mut fewest = u64::MAX;
        // The first requests of a process also prepare its statements.
        for _ in 0..8 {
            let run = fixture.run(&operation.id).await;
            fewest = fewest.min(run.line["round_trips"].as_u64().unwrap_or(u64::MAX));
            if fewest <= most {
                break;
            }
        }
        (fewest > most).then(|| format!("{} takes {fewest} and may take {most}", operation.id))
    };
    let judged = operations(&stack).into_iter().filter(|operation| !ASK_OTHERS.contains(&operation.id.as_str()));
    let wrong: Vec<String> = each(judged, costly).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub async fn every_write_leaves_an_audit_row_that_names_its_target(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let database = stack.database().await;
    let audited = "select from audit_log where request_id = $1 and target <> ''";
    let writes = operations(&stack)
        .into_iter()
        .filter(|operation| operation.method != "GET" && !UNAUDITED.contains(&operation.id.as_str()));
    let unaudited = async |operation: Operation| {
        let run = fixture.run(&operation.id).await;
        let rows = database.query(audited, &[&run.id]).await.expect("the database answers");
        rows.is_empty().then_some(operation.id)
    };
    let missing: Vec<String> = each(writes, unaudited).await.into_iter().flatten().collect();
    assert!(missing.is_empty(), "these left no audit row: {missing:?}");
}

pub async fn reads_of_personal_data_leave_an_access_row(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let database = stack.database().await;
    let noted = "select user_id from access_log where company_id = $1 and request_id = $2 and action = $3";
    for function in NOTED_READS {
        let run = fixture.run(function).await;
        let rows = database.query(noted, &[&fixture.company.id, &run.id, &function]).await.expect("the database answers");
        assert_eq!(rows.len(), 1, "{function}");
        assert_eq!(rows[0].get::<_, Option<uuid::Uuid>>(0), Some(fixture.company.admin.id), "{function}");
    }
}

/// What somebody reads of their own is no access to anybody's data.
pub async fn a_students_own_file_leaves_no_access_row(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let student = &company.students[0];
    let file = upload::ready_file(&stack, student).await;
    student.api.get(&format!("/storage/download/{file}")).await.expect(302);
    let noted = "select from access_log where company_id = $1";
    let database = stack.database().await;
    assert!(database.query(noted, &[&company.id]).await.expect("the database answers").is_empty());
    let audited = "select from audit_log where company_id = $1 and action = 'download_file'";
    assert!(database.query(audited, &[&company.id]).await.expect("the database answers").is_empty());
    let other = stack.company(Wanted::default()).await;
    let seen = upload::ready_file(&stack, &other.agents[0]).await;
    other.agents[0].api.get(&format!("/storage/download/{seen}")).await.expect(302);
    assert_eq!(database.query(noted, &[&other.id]).await.expect("the database answers").len(), 1);
}

/// A connection costs a start its time and the database a place: a function has one when its work uses it, and only then.
pub async fn functions_connect_to_the_database_that_they_use(stack: Arc<Stack>) {
    let fixture = Fixture::make(Arc::clone(&stack)).await;
    let url = url::Url::parse(&stack.addresses.database_url).expect("an address");
    let port = url.port().expect("a port");
    let mut wrong = Vec::new();
    for function in binaries() {
        let run = fixture.run(&function).await;
        let uses = run.line["round_trips"].as_u64().expect("a number") > 0;
        if has_connection(&stack, &function, port) != uses {
            wrong.push(function);
        }
    }
    assert!(wrong.is_empty(), "these connect without use, or use it and do not connect: {wrong:?}");
}

/// Whether a process of the function is connected to this port.
fn has_connection(stack: &Stack, function: &str, port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("connections");
    let remote = format!(":{port:04X}");
    let connections = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let established = connections.filter(|fields| fields[2].ends_with(&remote) && fields[3] == "01");
    let sockets: HashSet<String> = established.map(|fields| format!("socket:[{}]", fields[9])).collect();
    processes_of(stack, function).iter().flat_map(|process| open_files(process)).any(|file| sockets.contains(&file))
}

fn open_files(process: &Path) -> Vec<String> {
    let files = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    files.filter_map(|file| Some(std::fs::read_link(file.path()).ok()?.to_string_lossy().into_owned())).collect()
}
