//! What a transaction may write once it has entered a company, and what it may leave behind with its commit: as a student, as staff, as the
//! system. To widen it is a decision, made here and in a migration.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::process::CommandExt as _,
    process::Command,
    sync::Arc,
};

use serde_json::{Value, json};
use tests::{Company, Stack, Wanted, company::Person};
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::{inventory, privileges::Inside, sample::conversation, trespass::lets_through};

/// Answers to repeats, files of their own, what they tell of their mentoring, and the row that `ping` never writes for them.
const OF_STUDENTS: &[&str] = &[
    "delete files",
    "insert files (id, conversation_id, uploaded_by, name, mime_type, size, storage_key, purpose)",
    "update files (name, mime_type, size, sha256, storage_key, status, failure, width, height, duration_ms, completed_at)",
    "insert idempotency_keys (route, key, request_hash)",
    "update idempotency_keys (status, body)",
    "insert mentee_evolutions (id, mentee_id, month, revenue, profit, team, leads, sales, notes)",
    "update mentee_evolutions (revenue, profit, team, leads, sales, notes, version, updated_at, updated_by)",
    "insert mentee_feedback (id, mentee_id, date, overall, nps, areas, text)",
    "insert notification_preferences (types, quiet_from, quiet_until, mails_after)",
    "update notification_preferences (types, quiet_from, quiet_until, mails_after, version)",
    "update notifications (read_at)",
    "delete object_removals",
    "insert object_removals (storage_key, due_at)",
    "insert presence_leases (connection_id, user_id, session_id, status, lease_until)",
    "update presence_leases (status, lease_until)",
    "delete web_push_subscriptions",
];

/// Beside what policies ask: who they are, what they see, that a trigger does it.
const OF_STAFF: &[&str] = &[
    "update ai_runs (feedback, feedback_note)",
    "insert bot_config (key, value, description, is_active, updated_at)",
    "update bot_config (value, description, is_active, updated_at)",
    "delete bot_flows",
    "insert bot_flows (id, key, number, definition, published_at, name, author_id, restored_from, version)",
    "update bot_flows (definition, name, author_id, updated_at, version, removed_at)",
    "insert calendars (id, department_id, time_zone, week, keeps_optional)",
    "update calendars (time_zone, week, keeps_optional, version, updated_at)",
    "insert channel_accounts (id, kind, name, external_key, status, department_id, bot_flow_id, settings, account_key, state)",
    "update channel_accounts (name, external_key, status, department_id, bot_flow_id, settings, version, account_key, display_number, state, \
     removed_at, previous_key, previous_key_until, instance_id)",
    "delete channel_credentials",
    "insert channel_credentials (channel_account_id, sealed)",
    "update channel_credentials (sealed)",
    "update channel_members (read_place, level, is_muted, muted_until, is_favorite, is_hidden, draft, drafted_at)",
    "update channels (name, name_key, topic, is_announcement, archived_at, version, updated_at)",
    "insert chat_messages (id, channel_id, root_id, is_in_channel, author_id, client_message_id, body, mentions, quote_id, forwarded_from_id, forwarded_author_id, cards, file_ids)",
    "update chat_messages (body, mentions, edited_at, deleted_at, deleted_by_id)",
    "delete chat_pins",
    "insert chat_pins (channel_id, message_id)",
    "delete chat_reactions",
    "insert chat_reactions (message_id, emoji)",
    "insert chat_thread_followers (root_id, channel_id, is_following, read_place, has_chosen)",
    "update chat_thread_followers (is_following, read_place, has_chosen)",
    "insert client_fields (company_id)",
    "update client_fields (fields, kinds, version)",
    "insert client_files (client_id, file_id)",
    "delete client_identities",
    "insert client_identities (client_id, kind, value, address)",
    "insert client_imports (id, file_id, file_name, on_existing, is_dry_run, mapping)",
    "update client_imports (undo_job_id, undone_by)",
    "insert clients (id, name, document, email, tags, custom_fields, metadata)",
    "update clients (name, document, email, tags, custom_fields, version, name_source, metadata, archived_at)",
    "update companies (name, time_zone, locale, agent_visibility, reopen_window, takeover_text, front_end_url, two_factor_policy, \
     idle_minutes, bot_enabled, coin_name, colour, version, signs_messages, asks_rating, rating_text, breaks, \
     push_shows_text)",
    "delete company_emoji",
    "insert company_emoji (id, name, file_id)",
    "delete company_secrets",
    "insert company_secrets (name, sealed)",
    "update company_secrets (sealed)",
    "insert company_setup (company_id)",
    "update company_setup (ai_base_url, ai_model, ai_key_hint, made, version)",
    "insert conversation_handlers (company_id, conversation_id, user_id)",
    "delete conversation_preferences",
    "insert conversation_preferences (conversation_id, muted_until)",
    "update conversation_preferences (muted_until)",
    "insert conversation_transfers (id, company_id, conversation_id, from_user_id, to_user_id, from_department_id, to_department_id, \
     by_user_id, reason, at)",
    "update conversations (department_id, assignee_id, mode, priority, tags, subject, version, last_message_at, last_message_preview, \
     last_message_from, read_count, first_human_at, ended_at, close_reason, bot_node, last_message_id, metadata, snoozed_at, \
     snoozed_until, return_to_bot_at, participant_ids, rating_message_id)",
    "update crm_conflicts (resolution, resolved_at, resolved_by_id)",
    "insert crm_connections (id, kind, name, base_url, key_hint, fields, status)",
    "update crm_connections (name, base_url, key_hint, fields, status, failures, paused_until, last_error, version)",
    "update crm_records (crm_id, agreed, lead_version, asked_at, attempts, refused, gone_at)",
    "delete department_members",
    "insert department_members (department_id, user_id, capacity)",
    "update department_members (capacity)",
    "insert departments (id, name, description, assignment, capacity)",
    "update departments (name, description, version, deleted_at, moved_to_id, assignment, capacity)",
    "insert evolution_instances (channel_account_id, made_at, told_at, problem)",
    "update evolution_instances (webhook_at, problem)",
    "delete files",
    "insert files (id, conversation_id, uploaded_by, name, mime_type, size, storage_key, purpose)",
    "update files (conversation_id, name, mime_type, size, sha256, storage_key, status, failure, width, height, duration_ms, completed_at)",
    "insert followup_executions (id, sequence_id, lead_id, rotation, next_run_at, job_id)",
    "update followup_executions (status, next_run_at, reason, finished_at)",
    "insert followup_sequences (id, name, description, is_active, criteria, steps, window_start, window_end, weekdays, pause_weekends, \
     pause_holidays, max_per_day, channel_account_id)",
    "update followup_sequences (name, description, is_active, criteria, steps, window_start, window_end, weekdays, pause_weekends, \
     pause_holidays, max_per_day, channel_account_id, version, updated_at, deleted_at)",
    "delete holidays",
    "insert holidays (id, department_id, date, name, yearly)",
    "insert idempotency_keys (route, key, request_hash)",
    "update idempotency_keys (status, body)",
    "insert integration_prices (company_id)",
    "update integration_prices (currency, prices, version, message_prices)",
    "insert invites (id, email, name, role, department_ids)",
    "update invites (sent_at, expires_at, revoked_at)",
    "insert job_progress (id, kind, key, total)",
    "update job_progress (state)",
    "insert knowledge_articles (id, title, answer, questions, tags, audience, status, valid_from, valid_until, source, lines, terms, weights)",
    "update knowledge_articles (title, answer, questions, tags, audience, status, valid_from, valid_until, lines, terms, weights, author_id, \
     restored_from, version, updated_at, removed_at)",
    "insert knowledge_misses (query, terms, audience, score)",
    "update knowledge_proposals (state, result_id, decided_by, decided_at)",
    "insert knowledge_synonyms (company_id)",
    "update knowledge_synonyms (groups, phrases, version)",
    "insert knowledge_uses (id, article_id, conversation_id, helped, query)",
    "update knowledge_uses (helped, query)",
    "insert lead_fields (company_id)",
    "update lead_fields (fields, kinds, version)",
    "insert lead_imports (id, file_id, file_name, on_existing, is_dry_run, pipeline_id, stage_id, closer_id, mapping)",
    "update lead_imports (undo_job_id, undone_by)",
    "insert lead_interactions (id, lead_id, source, type, summary, details, result, next_step, at)",
    "update lead_interactions (lead_id)",
    "insert lead_merges (id, lead_id, merged_id, undo)",
    "update lead_merges (undone_at, undone_by_id)",
    "insert lead_scoring (version, rules)",
    "insert leads (id, pipeline_id, stage_id, rank, name, email, phone, organisation, job_title, origin, campaign, closer_id, sdr_id, potential_value, expected_close, tags, custom_fields, client_id, crm_id, created_by_id)",
    "update leads (pipeline_id, stage_id, rank, furthest_stage_id, name, email, phone, organisation, job_title, origin, campaign, closer_id, sdr_id, potential_value, expected_close, tags, custom_fields, client_id, crm_id, budget_confirmed, budget_amount, authority_level, need_level, decides_by, qualification, qualification_score, score, scored_by, scored_at, temperature, last_contact_at, close_reason, value, version, updated_at, deleted_at, merged_into_id, replied_at, quick_reply_at)",
    "delete mail_accounts",
    "insert mail_accounts (host, port, security, username, sealed, from_address, from_name, authority)",
    "update mail_accounts (host, port, security, username, sealed, from_address, from_name, version, authority)",
    "insert mentee_evolutions (id, mentee_id, month, revenue, profit, team, leads, sales, notes)",
    "update mentee_evolutions (revenue, profit, team, leads, sales, notes, version, updated_at, updated_by)",
    "insert mentee_feedback (id, mentee_id, date, overall, nps, areas, text)",
    "insert mentees (id, client_id, mentor_id, entry_month, status, goals, target_revenue, target_sales)",
    "update mentees (mentor_id, entry_month, status, goals, target_revenue, target_sales, version, updated_at, merged_into_id, status_before, \
     ended_with)",
    "insert message_templates (id, channel_account_id, provider_id, name, language, category, status, quality, reason, components, told_at)",
    "update message_templates (provider_id, category, status, quality, reason, components, told_at, updated_at)",
    "insert messages (id, conversation_id, channel_account_id, sender_type, sender_id, kind, body, payload, file_id, reply_to_id, \
     client_message_id, status, sent_at, fence)",
    "update messages (provider_id, status, error_code, error_detail, sending_at, deleted_at, deleted_by_id)",
    "insert note_revisions (note_id, version, text)",
    "insert notes (id, client_id, conversation_id, text, mention_ids, is_pinned)",
    "update notes (text, mention_ids, is_pinned, version, updated_at, deleted_at, deleted_by_id)",
    "insert notification_preferences (types, quiet_from, quiet_until, mails_after)",
    "update notification_preferences (types, quiet_from, quiet_until, mails_after, version)",
    "update notifications (read_at)",
    "delete object_removals",
    "insert object_removals (storage_key, due_at)",
    "insert pipelines (id, name, department_id, is_default)",
    "update pipelines (name, department_id, is_default, version, updated_at, archived_at)",
    "insert presence_corrections (id, interval_id, user_id, note, before, after)",
    "insert presence_intervals (id, user_id, started_at, ended_at, state, reason, cause, end_cause)",
    "update presence_intervals (started_at, ended_at, state, reason, end_cause, version)",
    "insert presence_leases (connection_id, user_id, session_id, status, lease_until)",
    "update presence_leases (status, lease_until)",
    "delete quick_replies",
    "insert quick_replies (id, owner_id, department_id, shortcut, title, text, file_ids)",
    "update quick_replies (shortcut, title, text, version, updated_at, file_ids)",
    "insert quick_reply_uses (message_id, quick_reply_id)",
    "insert scheduled_chat_messages (id, channel_id, asked, due_at)",
    "update scheduled_chat_messages (state)",
    "insert scheduled_messages (id, conversation_id, body, due_at, kind, payload, file_id, asked)",
    "update scheduled_messages (body, due_at, state, version, kind, payload, file_id, asked)",
    "delete stages",
    "insert stages (id, pipeline_id, key, name, position, colour, kind, required_fields, rotting_days, automations)",
    "update stages (key, name, position, colour, required_fields, rotting_days, automations)",
    "delete tags",
    "insert tags (id, name, colour)",
    "update tags (name, colour, version)",
    "delete tasks",
    "insert tasks (id, kind, title, notes, owner_id, due_at, time_zone, recurrence, series_id, series_at, occurrence, follows_id, lead_id, \
     client_id, mentee_id, conversation_id)",
    "update tasks (kind, title, notes, owner_id, due_at, time_zone, recurrence, series_id, series_at, occurrence, given_by, lead_id, client_id, \
     mentee_id, conversation_id, completed_at, completed_by, result, version, updated_at)",
    "delete views",
    "insert views (id, owner_id, name, filters, kind)",
    "update views (name, filters, position, version, updated_at)",
    "delete web_push_subscriptions",
];

/// The rows of its company are the system's: what is not here it never writes.
const OF_THE_SYSTEM: &[&str] = &[
    "delete address_book_names",
    "insert address_book_names",
    "update address_book_names",
    "insert ai_days",
    "update ai_days",
    "insert ai_runs",
    "update ai_runs",
    "insert bot_steps",
    "insert botconversa_subscribers",
    "update botconversa_subscribers",
    "update channel_accounts",
    "insert channel_notices",
    "insert chat_messages (id, channel_id, root_id, is_in_channel, author_id, client_message_id, body, mentions, quote_id, forwarded_from_id, forwarded_author_id, cards, file_ids)",
    "insert client_consents",
    "update client_consents (client_id)",
    "delete client_identities",
    "insert client_identities",
    "update client_identities",
    "insert client_import_rows",
    "update client_import_rows (is_undone)",
    "update client_imports (mapping, state, fault, headers, made, updated, skipped, failed, errors, error_count, finished_at, undo_job_id, \
     undone_at, removed, restored, kept)",
    "insert client_merges",
    "delete clients",
    "insert clients",
    "update clients",
    "delete conversation_handlers",
    "insert conversation_handlers",
    "insert conversation_insights",
    "insert conversation_transfers",
    "update conversation_transfers (conversation_id)",
    "insert conversations",
    "update conversations",
    "insert crm_conflicts",
    "update crm_conflicts",
    "update crm_connections",
    "insert crm_records",
    "update crm_records",
    "update department_members (last_assigned_at)",
    "delete early_changes",
    "insert early_changes",
    "delete early_statuses",
    "insert early_statuses",
    "delete evolution_codes",
    "insert evolution_codes",
    "update evolution_codes",
    "update evolution_instances",
    "insert external_api_usage",
    "insert files",
    "update files",
    "insert followup_executions",
    "update followup_executions",
    "insert followup_logs",
    "insert followup_optouts",
    "update followup_sequences",
    "insert inbound_webhooks",
    "update inbound_webhooks (outcome, failed_items, left_at, applied_at)",
    "insert integration_calls",
    "delete invites",
    "insert invites",
    "update invites",
    "insert job_progress",
    "update job_progress (state, done, failed, total, place, result, reason, told_at, finished_at)",
    "update jobs",
    "insert knowledge_articles",
    "update knowledge_articles (title, answer, questions, tags, audience, status, valid_from, valid_until, source, lines, terms, weights, \
     author_id, restored_from, version, updated_at, removed_at)",
    "insert knowledge_embeddings (article_id, model, version, signs, embedding)",
    "update knowledge_embeddings (model, version, signs, embedding)",
    "insert knowledge_import_rows",
    "update knowledge_import_rows (is_undone)",
    "delete knowledge_misses",
    "insert knowledge_misses",
    "insert knowledge_uses",
    "update knowledge_uses (helped, query)",
    "update lead_automations (outcome, reason, message_id, task_id, execution_id, at)",
    "insert lead_import_rows",
    "update lead_import_rows (is_undone)",
    "update lead_imports (mapping, state, fault, headers, made, updated, skipped, failed, errors, error_count, finished_at, undo_job_id, \
     undone_at, removed, restored, kept)",
    "insert lead_interactions",
    "insert lead_proposals",
    "insert leads (id, pipeline_id, stage_id, rank, name, email, phone, organisation, job_title, origin, campaign, closer_id, sdr_id, potential_value, \
     expected_close, tags, custom_fields, client_id, crm_id, close_reason, value, created_by_id)",
    "update leads",
    "update mails (state, attempts, reply, sent_at)",
    "update message_templates",
    "insert messages",
    "update messages",
    "delete notes",
    "insert notes (id, client_id, author_id, text)",
    "update notifications (mailed_at)",
    "delete object_removals",
    "insert object_removals",
    "delete presence_leases",
    "update scheduled_chat_messages (state, failure, message_id)",
    "update scheduled_messages",
    "insert tasks (id, kind, title, notes, owner_id, due_at, series_id, cause, lead_id, client_id)",
    "update tasks (told_due_at)",
    "delete web_push_subscriptions",
];

const RIGHTS: &str = "
    with rights as (
        select oid as target, acl.grantee, lower(acl.privilege_type) as right, '' as columns
          from pg_class
         cross join aclexplode(relacl) acl
         where relnamespace in ('public'::regnamespace, 'app'::regnamespace)
        union all
        select attrelid, acl.grantee, lower(acl.privilege_type), ' (' || string_agg(attname, ', ' order by attnum) || ')'
          from pg_attribute
         cross join aclexplode(attacl) acl
         where attnum > 0
         group by 1, 2, 3
    )
    select rights.right || ' ' || rights.target::regclass || rights.columns
      from rights
     where rights.right <> 'select' and (rights.grantee = $1::text::regrole or rights.grantee = 0)
     order by rights.target::regclass::text, rights.right";

pub async fn what_each_lent_role_writes_is_listed(stack: Arc<Stack>) {
    let database = stack.database().await;
    for (role, listed) in [("app_student", OF_STUDENTS), ("app_staff", OF_STAFF), ("app_system", OF_THE_SYSTEM)] {
        let rows = database.query(RIGHTS, &[&role]).await.expect("the database answers");
        let found: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(found, listed, "{role}");
    }
}

/// Types of events that nobody but the system records, or that are never recorded.
const OF_THE_SYSTEM_ALONE: &[&str] = &[
    "botconversa.synced",
    "channel.code_shown",
    "channel.flagged",
    "crm.synced",
    "clients.imported",
    "conversation.typing",
    "file.checked",
    "knowledge.imported",
    "knowledge.optimized",
    "leads.imported",
    "lead.automated",
    "task.overdue",
    "template.updated",
    "user.awaiting_approval",
];

/// The binaries that people call, each with the roles that may and the types of events that its code declares.
fn called_by_people() -> Vec<(BTreeSet<&'static str>, BTreeSet<String>)> {
    let describe = |name: String| {
        let mut command = Command::new(inventory::program_of(&name));
        let output = command.arg0(&name).arg("--describe").output().unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let descriptions = inventory::binaries().into_iter().map(describe);
    let called = descriptions.filter_map(|description| {
        let access = match (description["trigger"].as_str()?, description["access"].as_str().unwrap_or_default()) {
            ("websocket", _) => "member",
            ("http", access) if access != "anyone" && !access.starts_with("signed_by") => access,
            _ => return None,
        };
        let types = description["events"].as_object()?.keys().cloned().collect();
        Some((lets_through(access), types))
    });
    called.collect()
}

/// A new type of event is recorded by the system alone until `event_rules` says who else does.
pub async fn who_records_an_event_is_said_of_every_type(stack: Arc<Stack>) {
    let rows = stack.database().await.query("select type, told_by from event_rules", &[]).await.expect("the rules");
    let rules: BTreeMap<String, String> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let listed = rules.keys().map(String::as_str).chain(OF_THE_SYSTEM_ALONE.iter().copied());
    let mut listed: Vec<&str> = listed.collect();
    listed.sort_unstable();
    let mut declared = stack.openapi.event_types();
    declared.sort_unstable();
    assert_eq!(listed, declared, "of each type either `event_rules` or the list above says who records it, not both");
    let called = called_by_people();
    for (kind, role) in &rules {
        let is_told = called.iter().any(|(roles, types)| roles.contains(role.as_str()) && types.contains(kind));
        assert!(is_told, "nothing that a {role} calls declares {kind}");
    }
}

/// What a person asks to be recorded.
struct Record(Value, Value);

fn event(kind: &str, topic: impl ToString, audience: &Value) -> Record {
    let event = json!({"position": 0, "topic": topic.to_string(), "type": kind, "audience": audience, "data": {}});
    Record(json!([event]), json!([]))
}

fn job(kind: &str, queue: &str, run_at: Option<&str>) -> Record {
    let job = json!({"id": Uuid::new_v4(), "kind": kind, "queue": queue, "lane": "x", "payload": {}, "run_at": run_at});
    Record(json!([]), json!([job]))
}

async fn is_recorded(inside: &Inside, Record(events, jobs): Record) {
    inside.changes(1, "select app.record($1, $2, '[]', '[]')", &[&Json(events), &Json(jobs)]).await;
}

async fn is_not_recorded(inside: &Inside, Record(events, jobs): Record) {
    inside.is_refused("select app.record($1, $2, '[]', '[]')", &[&Json(&events), &Json(&jobs)]).await;
}

fn of_one(person: &Person) -> Value {
    json!([format!("self:{}", person.id)])
}

pub async fn a_student_tells_only_themselves_that_their_session_ended(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 2, ..Wanted::default() }).await;
    let (me, other) = (&company.students[0], &company.students[1]);
    let (mine, theirs) = (format!("user:{}", me.id), format!("user:{}", other.id));
    let inside = Inside::enter(&stack, &company, me, "student").await;
    is_recorded(&inside, event("session.revoked", &mine, &of_one(me))).await;
    for record in [
        event("session.revoked", &theirs, &of_one(other)),
        event("session.revoked", &mine, &of_one(other)),
        event("session.revoked", &mine, &json!([of_one(me)[0], "client:x"])),
        event("session.revoked", &mine, &json!(["self:admins"])),
        event("session.revoked", &mine, &Value::Null),
        event("session.revoked", format!("company:{}", company.id), &of_one(me)),
        event("message.created", format!("conversation:{}", company.id), &Value::Null),
        event("conversation.updated", format!("company:{}", company.id), &Value::Null),
        event("user.presence", format!("company:{}", company.id), &Value::Null),
        event("note.forged", &mine, &of_one(me)),
        job("deliver_message", "delivery", None),
        job("bot_turn", "bot", None),
    ] {
        is_not_recorded(&inside, record).await;
    }
}

/// That there is something to read of their mentoring, to those who see it.
pub async fn a_student_tells_of_their_own_mentoring_alone(stack: Arc<Stack>) {
    let company = stack.company(Wanted { students: 2, ..Wanted::default() }).await;
    let [me, other] = &company.students[..] else { panic!("two students") };
    let mut mentees = Vec::new();
    for student in [me, other] {
        let mentee = json!({"client_id": student.id, "mentor_id": company.agents[0].id});
        mentees.push(company.admin.api.post("/mentees", mentee).await.expect(201)["id"].clone());
    }
    let here = format!("company:{}", company.id);
    let seen = json!(["department:none", format!("user:{}", company.agents[0].id)]);
    let said = |kind: &str, topic: &str, audience: &Value, data: Value| {
        Record(json!([{"position": 0, "topic": topic, "type": kind, "audience": audience, "data": data}]), json!([]))
    };
    let (saved, added) = ("mentee_evolution.saved", "mentee_feedback.added");
    let inside = Inside::enter(&stack, &company, me, "student").await;
    is_recorded(&inside, said(saved, &here, &seen, json!({"mentee_id": mentees[0], "month": "2026-01"}))).await;
    is_recorded(&inside, said(added, &here, &seen, json!({"mentee_id": mentees[0], "feedback_id": Uuid::now_v7()}))).await;
    for record in [
        said(saved, &here, &seen, json!({"mentee_id": mentees[1], "month": "2026-01"})),
        said(saved, &here, &seen, json!({"mentee_id": mentees[0], "month": "Compre já"})),
        said(added, &here, &seen, json!({"mentee_id": mentees[0], "feedback_id": "Compre já"})),
        said(saved, &here, &seen, json!({"mentee_id": mentees[0], "month": "2026-01", "text": "Compre já"})),
        said(saved, &here, &seen, json!({})),
        said(saved, &here, &Value::Null, json!({"mentee_id": mentees[0], "month": "2026-01"})),
        said(saved, &here, &json!([format!("user:{}", other.id)]), json!({"mentee_id": mentees[0], "month": "2026-01"})),
        said(saved, &format!("user:{}", company.admin.id), &seen, json!({"mentee_id": mentees[0], "month": "2026-01"})),
        said("mentee.updated", &here, &seen, json!({"mentee_id": mentees[0]})),
    ] {
        is_not_recorded(&inside, record).await;
    }
}

pub async fn staff_record_what_their_role_does_in_their_company(stack: Arc<Stack>) {
    let (company, other) = (stack.company(Wanted::default()).await, stack.company(Wanted::default()).await);
    let [me, colleague] = &company.agents[..] else { panic!("two agents") };
    let (here, mine, theirs) = (format!("company:{}", company.id), format!("user:{}", me.id), format!("user:{}", colleague.id));
    let inside = Inside::enter(&stack, &company, me, "agent").await;
    for record in [
        event("conversation.updated", &here, &json!(["department:none", "user:x"])),
        event("conversation.assigned", &theirs, &of_one(colleague)),
        event("user.presence", &here, &Value::Null),
        event("session.revoked", &mine, &of_one(me)),
        job("deliver_message", "delivery", None),
        job("mark_read", "delivery", None),
    ] {
        is_recorded(&inside, record).await;
    }
    let refused = || {
        [
            event("channel.flagged", &here, &json!(["self:admins"])),
            event("conversation.updated", &here, &json!(["self:admins"])),
            event("conversation.updated", "user:admins", &json!(["self:admins"])),
            event("conversation.updated", &here, &of_one(colleague)),
            event("conversation.updated", &theirs, &json!([of_one(colleague)[0], "department:none"])),
            event("conversation.updated", format!("company:{}", other.id), &Value::Null),
            event("conversation.updated", "x", &Value::Null),
            event("session.revoked", &theirs, &of_one(colleague)),
            event("template.updated", &here, &Value::Null),
            event("note.forged", &here, &Value::Null),
            job("bot_turn", "media", None),
            job("fetch_media", "media", None),
            job("deliver_message", "bot", None),
            job("deliver_message", "delivery", Some("2100-01-01T00:00:00Z")),
        ]
    };
    for record in refused() {
        is_not_recorded(&inside, record).await;
    }
    is_not_recorded(&inside, event("department.created", &here, &Value::Null)).await;
    is_not_recorded(&inside, event("client.merged", &here, &Value::Null)).await;
    is_not_recorded(&inside, job("bot_turn", "bot", None)).await;
    let supervisor = Inside::enter(&stack, &company, &company.supervisor, "supervisor").await;
    is_recorded(&supervisor, event("department.created", &here, &Value::Null)).await;
    is_recorded(&supervisor, event("client.merged", &here, &Value::Null)).await;
    is_not_recorded(&supervisor, event("channel.updated", &here, &Value::Null)).await;
    let admin = Inside::enter(&stack, &company, &company.admin, "admin").await;
    is_recorded(&admin, event("channel.updated", &here, &Value::Null)).await;
    for record in refused() {
        is_not_recorded(&admin, record).await;
    }
    // Settings alone make nobody the system.
    admin.0.batch_execute("select set_config('app.user_id', '', true)").await.expect("it is set");
    is_not_recorded(&admin, event("channel.flagged", &here, &json!(["self:admins"]))).await;
    is_not_recorded(&admin, event("channel.updated", &here, &Value::Null)).await;
    admin.is_refused("update clients set merged_into_id = id", &[]).await;
    admin.0.batch_execute("rollback; begin").await.expect("begins");
    admin.0.query_one("select app.enter_system($1)", &[&company.id]).await.expect("enters");
    is_recorded(&admin, event("channel.flagged", &here, &json!(["self:admins"]))).await;
    is_recorded(&admin, job("bot_turn", "bot", Some("2100-01-01T00:00:00Z"))).await;
}

/// Where a conversation came from and what was said in it are not staff's to write.
pub async fn staff_move_conversations_and_change_nothing_else_of_them(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    conversation(&stack, &company).await;
    let admin = Inside::enter(&stack, &company, &company.admin, "admin").await;
    for column in [
        "client_id",
        "channel_account_id",
        "company_id",
        "inbound_count",
        "window_expires_at",
        "merged_into_id",
        "protocol",
        "bot_fields",
        "bot_flow_id",
        "bot_answered",
        "bot_turns",
        "revision",
        "first_pending_at",
        "started_at",
    ] {
        admin.is_refused(&format!("update conversations set {column} = {column}"), &[]).await;
    }
    admin.is_refused("insert into conversations (id, client_id, channel_account_id, mode) select gen_random_uuid(), client_id, channel_account_id, 'human' from conversations", &[]).await;
    admin.changes(1, "update conversations set assignee_id = app.user_id(), mode = 'human'", &[]).await;
    for column in ["provider_id", "inbound_number", "reactions", "revisions", "edited_at", "created_at"] {
        admin.is_refused(&format!("insert into messages ({column}) select {column} from messages"), &[]).await;
    }
    let student = Inside::enter(&stack, &company, &company.students[0], "student").await;
    for sql in [
        "update conversations set mode = 'human'",
        "insert into messages (id) values (gen_random_uuid())",
        "update clients set name = 'x'",
    ] {
        student.is_refused(sql, &[]).await;
    }
    let lease = "
        insert into presence_leases (connection_id, user_id, session_id, status, lease_until)
        values ('x', app.user_id(), app.session_id(), 'online', now())";
    student.is_refused(lease, &[]).await;
}

async fn file_of(stack: &Stack, company: &Company, person: &Person) -> Uuid {
    let file = Uuid::now_v7();
    let sql = "
        insert into files (id, company_id, uploaded_by, name, mime_type, size, storage_key)
        values ($1, $2, $3, 'a.png', 'image/png', 1, 'upload/' || $2::uuid || '/' || $1::uuid)";
    stack.database().await.execute(sql, &[&file, &company.id, &person.id]).await.expect("a file");
    file
}

pub async fn a_file_is_its_uploaders_and_under_its_own_keys(stack: Arc<Stack>) {
    let company = stack.company(Wanted::default()).await;
    let [me, colleague] = [&company.admin, &company.agents[0]];
    let (mine, theirs) = (file_of(&stack, &company, me).await, file_of(&stack, &company, colleague).await);
    let waiting = file_of(&stack, &company, me).await;
    let wait =
        "update files set status = 'quarantined', storage_key = 'company/' || company_id || '/' || id || '-x' where id = $1";
    stack.database().await.execute(wait, &[&waiting]).await.expect("it waits for the scanner");
    let admin = Inside::enter(&stack, &company, me, "admin").await;
    let complete =
        "update files set status = 'ready', storage_key = 'company/' || company_id || '/' || $2::uuid || '-x' where id = $1";
    admin.changes(1, complete, &[&mine, &mine]).await;
    admin.is_refused(complete, &[&mine, &theirs]).await;
    admin.changes(0, complete, &[&theirs, &theirs]).await;
    // Nor does anybody let go what the virus scanner is to judge.
    admin.changes(0, complete, &[&waiting, &waiting]).await;
    let announce = "
        insert into files (id, uploaded_by, name, mime_type, size, storage_key)
        values ($1, $2, 'a.png', 'image/png', 1, 'upload/' || app.company_id() || '/' || $3::uuid)";
    let new = Uuid::now_v7();
    admin.changes(1, announce, &[&new, &me.id, &new]).await;
    admin.is_refused(announce, &[&new, &colleague.id, &new]).await;
    admin.is_refused(announce, &[&new, &me.id, &theirs]).await;
    let remove =
        "insert into object_removals (storage_key, due_at) values ('upload/' || app.company_id() || '/' || $1::uuid, now())";
    admin.changes(1, remove, &[&mine]).await;
    admin.is_refused(remove, &[&theirs]).await;
    // Of all that are there mine alone, which were not sent.
    admin.changes(2, "delete from files", &[]).await;
    let owner =
        "insert into object_removals (storage_key, company_id, due_at) values ('company/' || $1::uuid || '/' || $2, $1, now())";
    let key = format!("{theirs}-x");
    stack.database().await.execute(owner, &[&company.id, &key]).await.expect("a removal");
    admin.changes(0, "delete from object_removals", &[]).await;
}
