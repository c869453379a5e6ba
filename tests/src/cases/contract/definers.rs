//! The functions that run with the rights of the look-ups: which there are, who may call them, and that nothing gets in their way.

use std::{collections::BTreeMap, sync::Arc};

use tests::Stack;
use tokio_postgres::error::SqlState;

use super::tenancy::as_app;

/// The functions' login, before a tenant is entered.
const LOGIN: &[&str] = &["app"];
/// By triggers only.
const NOBODY: &[&str] = &[];
/// People and the system, in their company.
const STAFF: &[&str] = &["app_staff"];
const SYSTEM: &[&str] = &["app_system"];
const STAFF_AND_SYSTEM: &[&str] = &["app_staff", "app_system"];
const MEMBERS: &[&str] = &["app_staff", "app_student"];
const STUDENTS: &[&str] = &["app_student"];
const ALL_INSIDE: &[&str] = &["app_staff", "app_student", "app_system"];
const EVERYBODY: &[&str] = &["app", "app_staff", "app_student"];

/// Every one of them, and who may call it. What members may call answers for the caller and their company alone.
const DEFINERS: &[(&str, &[&str])] = &[
    ("add_asked_jobs", ALL_INSIDE),
    ("add_to_channel", STAFF),
    ("company_of_lead", LOGIN),
    ("end_followups", NOBODY),
    ("note_followup", NOBODY),
    ("note_followup_reply", NOBODY),
    ("one_interaction", NOBODY),
    ("record_lead_response", STAFF),
    ("sequences_to_enroll", LOGIN),
    ("take_reply", NOBODY),
    ("change_chat_message", NOBODY),
    ("channel_people", STAFF_AND_SYSTEM),
    ("find_chat_messages", STAFF),
    ("follow_chat_message", NOBODY),
    ("follow_membership", NOBODY),
    ("keep_chat_files", NOBODY),
    ("keep_managed", NOBODY),
    ("limit_chat_pins", NOBODY),
    ("make_channel", STAFF),
    ("make_general_channel", NOBODY),
    ("manages_channel", STAFF),
    ("mentioned", STAFF_AND_SYSTEM),
    ("my_channels", STAFF),
    ("no_colleagues", STAFF),
    ("open_direct", STAFF),
    ("people_of_channels", ALL_INSIDE),
    ("place_chat_message", NOBODY),
    ("show_chat_message_anew", NOBODY),
    ("move_notifications", NOBODY),
    ("notify_of_chat_mention", NOBODY),
    ("notify_of_chat_message", NOBODY),
    ("notify_of_mail", NOBODY),
    ("notify_of_message", NOBODY),
    ("settle_chat", NOBODY),
    ("settle_mentions", NOBODY),
    ("sweep_notifications", LOGIN),
    ("hold_own_unread", MEMBERS),
    ("own_unread", MEMBERS),
    ("show_notifications", NOBODY),
    ("tell_notified", ALL_INSIDE),
    ("unread_of", SYSTEM),
    ("take_out_of_channel", STAFF),
    ("admit_member", STAFF),
    ("answer_feedback", NOBODY),
    ("keep_mentee_evolution", NOBODY),
    ("mentee_signals", MEMBERS),
    ("move_mentees", NOBODY),
    ("move_tasks", NOBODY),
    ("move_tasks_of_lead", NOBODY),
    ("my_mentor", STUDENTS),
    ("overdue_tasks", LOGIN),
    ("follow_client", NOBODY),
    ("forget_crm_fields", NOBODY),
    ("link_leads", NOBODY),
    ("link_leads_of_identity", NOBODY),
    ("move_crm_record", NOBODY),
    ("open_lead", STAFF_AND_SYSTEM),
    ("who_sees_task", STAFF_AND_SYSTEM),
    ("ask_ai", NOBODY),
    ("ask_for_change", STAFF),
    ("begin_object_removals", LOGIN),
    ("begin_second_factor", MEMBERS),
    ("block_client", STAFF),
    ("bring_client_back", NOBODY),
    ("carry_participants", NOBODY),
    ("catalogue_tags", NOBODY),
    ("change_password", MEMBERS),
    ("change_role", STAFF),
    ("choose_company", MEMBERS),
    ("choose_primary", MEMBERS),
    ("claim_job", LOGIN),
    ("companies_of_user", MEMBERS),
    ("company_of_connection", LOGIN),
    ("count_quick_reply", NOBODY),
    ("create_company", MEMBERS),
    ("create_user", STAFF),
    ("edit_unsent_message", STAFF),
    ("end_family", EVERYBODY),
    ("end_idle_sessions", LOGIN),
    ("end_membership", STAFF),
    ("end_object_removals", LOGIN),
    ("end_orphan_uploads", LOGIN),
    ("end_own_logins", MEMBERS),
    ("end_second_factor", MEMBERS),
    ("end_web_push", NOBODY),
    ("subscribe_web_push", MEMBERS),
    ("web_push_of", SYSTEM),
    ("begin_selling", NOBODY),
    ("enter_stage", NOBODY),
    ("make_first_pipeline", NOBODY),
    ("move_leads", NOBODY),
    ("note_lead_change", NOBODY),
    ("note_reply", NOBODY),
    ("note_stage", NOBODY),
    ("spread_stage", NOBODY),
    ("would_see_lead", NOBODY),
    ("companies_to_score", LOGIN),
    ("count_all_lead_work", STAFF),
    ("find_leads", STAFF),
    ("own_pipelines", STAFF),
    ("hold_stages", STAFF_AND_SYSTEM),
    ("places_in", STAFF_AND_SYSTEM),
    ("rank_in", STAFF_AND_SYSTEM),
    ("find_account", LOGIN),
    ("sealed_otherwise", LOGIN),
    ("keep_sealed", LOGIN),
    ("find_challenge", LOGIN),
    ("find_channel", LOGIN),
    ("find_crm", LOGIN),
    ("find_clients", STAFF),
    ("find_conversations", STAFF),
    ("find_messages", STAFF),
    ("find_notes", STAFF),
    ("find_invite", LOGIN),
    ("count_knowledge_use", NOBODY),
    ("find_knowledge", STAFF_AND_SYSTEM),
    ("find_login", LOGIN),
    ("instances_to_check", LOGIN),
    ("join_live_department", NOBODY),
    ("find_namesake", STAFF_AND_SYSTEM),
    ("number_conversation", NOBODY),
    ("find_password", LOGIN),
    ("find_password_reset", LOGIN),
    ("followed_conversations", STAFF),
    ("follow_conversation", NOBODY),
    ("follow_flow", STAFF),
    ("follow_knowledge", NOBODY),
    ("follow_tag", NOBODY),
    ("force_password_reset", STAFF),
    ("has_open_conversation", STAFF),
    ("has_second_factor", LOGIN),
    ("hold_assignee", NOBODY),
    ("hold_quick_replies", NOBODY),
    ("hold_flow_files", NOBODY),
    ("hold_quick_reply_files", NOBODY),
    ("keep_flow_files", NOBODY),
    ("keep_quick_reply_files", NOBODY),
    ("hold_views", NOBODY),
    ("hold_client_file", NOBODY),
    ("hold_clients", STAFF),
    ("hold_member", STAFF),
    ("hold_merge", STAFF),
    ("hold_participants", NOBODY),
    ("hold_tagged", STAFF),
    ("judge_refresh_token", LOGIN),
    ("keep_an_admin", NOBODY),
    ("keep_fence", NOBODY),
    ("keep_unrouted_webhook", LOGIN),
    ("keep_webhook", LOGIN),
    ("key_of_file", MEMBERS),
    ("lapsed_presence", LOGIN),
    ("learn_instance_id", SYSTEM),
    ("leave_conversations", NOBODY),
    ("leave_department", NOBODY),
    ("leave_webhooks", LOGIN),
    ("let_objects_go", NOBODY),
    ("make_password_reset", LOGIN),
    ("move_notes", NOBODY),
    ("move_preferences", NOBODY),
    ("move_quick_replies", NOBODY),
    ("merge_clients", STAFF),
    ("move_client_files", NOBODY),
    ("move_students", SYSTEM),
    ("move_views", NOBODY),
    ("next_jobs", LOGIN),
    ("note_coming", NOBODY),
    ("note_first_answer", NOBODY),
    ("note_presence", NOBODY),
    ("note_free_place", NOBODY),
    ("note_more_room", NOBODY),
    ("note_shown", NOBODY),
    ("note_waiting", NOBODY),
    ("note_login", NOBODY),
    ("note_run", LOGIN),
    ("oldest_due_job", LOGIN),
    ("open_challenge", LOGIN),
    ("opens_on_a_channel", NOBODY),
    ("own_logins", MEMBERS),
    ("own_second_factor", MEMBERS),
    ("place_note", NOBODY),
    ("part_clients", STAFF),
    ("productivity", STAFF),
    ("propose_knowledge", STAFF_AND_SYSTEM),
    ("queue_mail", ALL_INSIDE),
    ("record", ALL_INSIDE),
    ("register", LOGIN),
    ("retry_job", STAFF),
    // Of functions deployed before successors were derived.
    ("rotate_refresh_token", LOGIN),
    ("return_to_active_assignee", NOBODY),
    ("route_webhook", STAFF),
    ("save_member", MEMBERS),
    ("search_conversations", STAFF),
    ("send_to_live_department", NOBODY),
    ("session_access", LOGIN),
    ("set_recovery_codes", MEMBERS),
    ("share_object", NOBODY),
    ("start_challenged_login", LOGIN),
    ("start_conversation", STAFF_AND_SYSTEM),
    ("start_login", LOGIN),
    // Of functions deployed before devices were known.
    ("start_session", LOGIN),
    ("succeed_refresh_token", LOGIN),
    ("sweep_foundation", LOGIN),
    ("sweep_imports", LOGIN),
    ("sweep_logins", LOGIN),
    ("sweep_mails", LOGIN),
    ("sweep_preferences", LOGIN),
    ("sweep_ai_runs", LOGIN),
    ("begin_bot_call", SYSTEM),
    ("index_meanings", SYSTEM),
    ("sweep_repair", LOGIN),
    ("sweep_service_desk", LOGIN),
    ("take_due_jobs", LOGIN),
    ("take_own_code", MEMBERS),
    ("turn_days", LOGIN),
    ("unblock_client", STAFF),
    ("wake_bot", STAFF),
    ("unrouted_webhook", STAFF),
    ("unrouted_webhooks", STAFF),
    ("use_invite", LOGIN),
    ("use_of_file", ALL_INSIDE),
    ("use_password_reset", LOGIN),
    ("note_article", NOBODY),
    ("note_ended", NOBODY),
    ("note_heard", NOBODY),
    ("note_model", NOBODY),
    ("note_voice", NOBODY),
];

/// Wherever they are, not only in schema `app`; those of extensions apart.
const FOUND: &str = "
    select pronamespace::regnamespace || '.' || proname as name,
           pg_get_userbyid(proowner)::text as owner,
           coalesce((select setting from unnest(proconfig) setting where setting like 'search_path=%'), '') as search_path,
           array(select case when grantee = 0 then 'public' else pg_get_userbyid(grantee)::text end
                   from aclexplode(coalesce(proacl, acldefault('f', proowner)))
                  where grantee <> proowner order by 1) as callers
      from pg_proc
     where prosecdef and pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
       and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')";

pub async fn every_definer_function_is_listed_with_its_callers(stack: Arc<Stack>) {
    let mut found = BTreeMap::new();
    for row in stack.database().await.query(FOUND, &[]).await.expect("the database answers") {
        let (name, callers): (String, Vec<String>) = (row.get("name"), row.get("callers"));
        assert_eq!(row.get::<_, &str>("owner"), "app_lookup", "{name}");
        assert_eq!(row.get::<_, &str>("search_path"), "search_path=public, pg_temp", "{name}");
        assert!(found.insert(name.clone(), callers).is_none(), "{name} is there twice");
    }
    let listed = DEFINERS.iter().map(|(name, callers)| {
        let callers: Vec<String> = callers.iter().map(|&role| role.to_owned()).collect();
        (format!("app.{name}"), callers)
    });
    assert_eq!(found, listed.collect());
}

/// Definers in `sql`, which the server parses and plans at every call: what logins, sweeps and joins call, and nothing that every request does.
const PLANNED_ANEW: [&str; 10] = [
    "begin_object_removals",
    "end_object_removals",
    "end_orphan_uploads",
    "find_login",
    "keep_unrouted_webhook",
    "lapsed_presence",
    "move_students",
    "oldest_due_job",
    "search_conversations",
    "start_session",
];

pub async fn what_every_request_calls_is_planned_once(stack: Arc<Stack>) {
    let sql = "select proname::text from pg_proc
                where pronamespace = 'app'::regnamespace and prosecdef and prolang = (select oid from pg_language where lanname = 'sql')";
    for row in stack.database().await.query(sql, &[]).await.expect("the database answers") {
        let name: &str = row.get(0);
        assert!(
            PLANNED_ANEW.contains(&name),
            "app.{name} is planned at every call: write it in plpgsql, or say here why it may be"
        );
    }
}

/// What a person's transaction may call besides the definers above: only what reads its own settings, and helpers without rights.
const CALLABLE: &str = "
    select proname::text
      from pg_proc
     where pronamespace = 'app'::regnamespace and not prosecdef and has_function_privilege($1, oid, 'execute')
     order by 1";

pub async fn nothing_else_of_the_schema_is_for_members(stack: Arc<Stack>) {
    let settings = ["audiences", "client_id", "company_id", "department_ids"];
    let rest = ["held_conversations", "sees_all", "session_id", "user_id", "visibility"];
    let words = ["notification_facts", "notification_words"];
    let student = [&settings[..], &["feed_head", "fill_words", "fold"], &rest[..1], &words, &rest[1..]].concat();
    let mut staff = [
        &student[..],
        &[
            "calendar_of",
            "files_of_flow",
            "followup_holidays",
            "has_opted_out",
            "has_role",
            "held_leads",
            "history_entry",
            "joined",
            "left_conversations",
            "look",
            "meets",
            "mention_ways",
            "zone_said_of",
            "notice_of_leads",
            "notify",
            "quick_reply_files",
            "rank_between",
            "rfc3339",
            "sealed_with",
            "searchable",
            "settle_notifications",
            "spaced",
            "stems",
        ],
    ]
    .concat();
    staff.sort_unstable();
    let mut system = [
        &staff[..],
        &[
            "add_edit",
            "claim_ai",
            "first_there",
            "opt_out",
            "silence_followups",
            "settle_ai",
            "join_clients",
            "join_conversations",
            "lock_keys",
            "undo_client_import",
        ],
    ]
    .concat();
    system.sort_unstable();
    let database = stack.database().await;
    for (role, expected) in [("app_student", student), ("app_staff", staff), ("app_system", system)] {
        let rows = database.query(CALLABLE, &[&role]).await.expect("the database answers");
        let found: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(found, expected, "{role}");
    }
}

/// A table of the same name, found first, and a trigger on it that would run with the rights of whoever writes to it.
const ATTACK: [&str; 4] = [
    "create temporary table sessions (id uuid, family_id uuid, company_id uuid, user_id uuid, expires_at timestamptz, ip text)",
    "create function pg_temp.steal() returns trigger language plpgsql as 'begin perform from public.users; return new; end'",
    "create temporary view users as select 1 as id",
    "select 1 as id into temporary refresh_tokens",
];

pub async fn the_login_of_the_functions_makes_no_object_of_its_own(stack: Arc<Stack>) {
    let app = as_app(&stack).await;
    let made = ATTACK.iter().copied().chain([
        "create table public.mine (id int)",
        "create table app.mine (id int)",
        "create schema mine",
        "create function public.mine() returns int language sql as 'select 1'",
        "create type public.mine as (id int)",
        "create temporary sequence mine",
        "create trigger mine before insert on public.sessions for each row execute function suppress_redundant_updates_trigger()",
        "create role mine",
        "create database mine",
    ]);
    for sql in made {
        let refused = app.batch_execute(sql).await.expect_err(sql);
        assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{sql}: {refused}");
    }
    let schemas = "
        select count(*)
          from pg_namespace
          cross join unnest(array['app', 'app_staff', 'app_student']) role
         where has_schema_privilege(role, pg_namespace.oid, 'create')";
    assert_eq!(stack.database().await.query_one(schemas, &[]).await.expect("a count").get::<_, i64>(0), 0);
}

/// Even of somebody who may make temporary tables, none comes before ours.
pub async fn a_temporary_table_is_not_what_definer_functions_read(stack: Arc<Stack>) {
    let owner = stack.database().await;
    owner
        .batch_execute("begin; create temporary table jobs (run_at timestamptz, finished_at timestamptz)")
        .await
        .expect("it is made");
    owner
        .batch_execute("insert into jobs values ('1900-01-01', null); grant all on jobs to app_lookup")
        .await
        .expect("it is filled");
    let oldest = owner.query_one("select app.oldest_due_job()", &[]).await.expect("an answer");
    owner.batch_execute("rollback").await.expect("it is gone");
    assert!(oldest.get::<_, Option<f64>>(0).is_none_or(|seconds| seconds < 1e9), "a job of the year 1900");
}
