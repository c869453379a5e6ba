//! How each function that asks for a token is called, and what it must answer to somebody of another company.
//! A function without a row here fails the tests.

/// What somebody of another company gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Their own things, and nothing of the company whose ids they name.
    OwnThings,
    /// What an unknown id gets.
    NotFound,
    /// 422: the body names something there is not.
    Invalid,
    /// 409 with this code.
    Conflict(&'static str),
    /// 403 with this code, as their own mistake.
    Refused(&'static str),
}

/// A call with ids of the other company in braces: `{conversation}`, `{waiting}`, `{message}`, `{file}`, `{pending_file}`, `{department}`,
/// `{agent}`, `{login}`, `{company}`, `{channel}`, `{holiday}`, `{number}`, `{invite}`, `{cursor}`, `{failed_job}`, `{long_job}`, `{webhook}`.
/// `{own_conversation}` and `{own_company}` are the caller's own.
pub struct Row {
    pub function: &'static str,
    /// After the path of the operation, with the ids of its own.
    pub path: &'static str,
    pub body: &'static str,
    pub outcome: Outcome,
}

const fn row(function: &'static str, path: &'static str, body: &'static str, outcome: Outcome) -> Row {
    Row { function, path, body, outcome }
}

use Outcome::{Conflict, Invalid, NotFound, OwnThings, Refused};

pub const ROWS: &[Row] = &[
    row("add_department_member", "/departments/{department}/members", r#"{"user_id": "{agent}"}"#, NotFound),
    row(
        "add_holiday",
        "/calendar/holidays",
        r#"{"date": "2031-01-25", "name": "Intrusos", "department_id": "{department}"}"#,
        Invalid,
    ),
    row("cancel_job", "/jobs/{long_job}/cancel", "{}", NotFound),
    row("add_company_member", "/companies/{company}/members", r#"{"email": "x@example.com", "role": "agent"}"#, NotFound),
    row("approve_user", "/admin/approve-user/{agent}", "{}", NotFound),
    row(
        "change_password",
        "/users/me/password",
        r#"{"current_password": "errada", "new_password": "girafa-azul-42-lenta"}"#,
        Refused("password_wrong"),
    ),
    row("change_role", "/admin/change-role/{agent}", r#"{"role": "supervisor"}"#, NotFound),
    row("choose_primary_company", "/auth/companies/{company}/primary", "", NotFound),
    row("close_conversation", "/conversations/{conversation}/close", "{}", NotFound),
    row("complete_upload", "/storage/{pending_file}/complete", "{}", NotFound),
    row("create_company", "/companies", r#"{"name": "Intrusos"}"#, OwnThings),
    row("create_department", "/departments", r#"{"name": "Intrusos", "member_ids": ["{agent}"]}"#, Invalid),
    row("create_realtime_ticket", "/realtime/tickets", "{}", OwnThings),
    row(
        "create_upload_url",
        "/storage/signed-upload-url",
        r#"{"name": "a.png", "mime_type": "image/png", "size": 67, "conversation_id": "{conversation}"}"#,
        NotFound,
    ),
    row("delete_department", "/departments/{department}", "", NotFound),
    row(
        "create_user",
        "/users",
        r#"{"name": "Intruso", "email": "x@example.com", "role": "agent", "department_ids": ["{department}"]}"#,
        Invalid,
    ),
    row("deactivate_user", "/admin/deactivate-user/{agent}", "", NotFound),
    row("delete_user", "/users/{agent}", "", NotFound),
    row("disable_two_factor", "/auth/2fa/disable", r#"{"code": "123456"}"#, Conflict("two_factor_not_enabled")),
    row("download_file", "/storage/download/{file}", "", NotFound),
    row("get_calendar", "/calendar", "", OwnThings),
    row("get_calendar", "/calendar?department_id={department}", "", NotFound),
    row("enable_two_factor", "/auth/2fa/enable", r#"{"code": "123456"}"#, Conflict("two_factor_not_set_up")),
    row("force_password_reset", "/admin/reset-password/{agent}", "", NotFound),
    row("get_company", "/companies/{company}", "", NotFound),
    row("get_conversation", "/conversations/{conversation}", "", NotFound),
    row("get_department", "/departments/{department}", "", NotFound),
    row("get_inbound_webhook", "/inbound-webhooks/{webhook}", "", NotFound),
    row("get_integration_usage", "/integrations/usage?channel_account_id={channel}", "", OwnThings),
    row("get_job_progress", "/jobs/{long_job}", "", NotFound),
    row("get_me", "/auth/me", "", OwnThings),
    row("get_prices", "/integrations/prices", "", OwnThings),
    row("get_setup", "/setup/config", "", OwnThings),
    row("get_setup_status", "/setup/status", "", OwnThings),
    row("get_profile", "/users/me", "", OwnThings),
    row("get_user", "/users/{agent}", "", NotFound),
    row(
        "invite_member",
        "/team/invite",
        r#"{"email": "x@example.com", "role": "agent", "department_ids": ["{department}"]}"#,
        Invalid,
    ),
    row("list_all_users", "/admin/users", "", OwnThings),
    row("list_all_users", "/admin/users?department_id={department}&status=active,removed", "", OwnThings),
    row("list_companies", "/companies", "", OwnThings),
    row("list_company_members", "/companies/{company}/members", "", NotFound),
    row("list_conversations", "/conversations", "", OwnThings),
    row("list_conversations", "/conversations?assignee={agent}", "", OwnThings),
    row("list_conversations", "/conversations?department_id={department}&channel_account_id={channel}", "", OwnThings),
    row("list_conversations", "/conversations?handled_by={agent}", "", OwnThings),
    row("list_conversations", "/conversations?search=Bom%20dia", "", OwnThings),
    row("list_departments", "/departments", "", OwnThings),
    row("list_events", "/events?after={cursor}", "", OwnThings),
    row("list_events", "/events?after={cursor}&topics=conversation:{conversation},company:{company},user:{agent}", "", OwnThings),
    row("list_failed_jobs", "/jobs/failed", "", OwnThings),
    row("list_holidays", "/calendar/holidays?department_id={department}", "", NotFound),
    row("list_inbound_webhooks", "/inbound-webhooks?channel_account_id={channel}", "", OwnThings),
    row("list_inbound_webhooks", "/inbound-webhooks?state=unrouted", "", OwnThings),
    row("list_integration_calls", "/integrations/logs?channel_account_id={channel}", "", OwnThings),
    row("list_integrations", "/integrations/config", "", OwnThings),
    row("list_invites", "/team/invites", "", OwnThings),
    row("list_messages", "/messages?conversation_id={conversation}", "", NotFound),
    row("list_messages", "/messages?conversation_id={own_conversation}&around={message}", "", NotFound),
    row("list_my_companies", "/auth/companies", "", OwnThings),
    row("list_online_users", "/users/online", "", OwnThings),
    row("list_sessions", "/auth/sessions", "", OwnThings),
    row("list_transfers", "/conversations/{conversation}/transfers", "", NotFound),
    row("list_users", "/users", "", OwnThings),
    row("list_users", "/users?department_id={department}", "", OwnThings),
    row("logout", "/auth/logout", "", OwnThings),
    row("mark_conversation_read", "/conversations/{conversation}/read", "{}", NotFound),
    row("mark_conversation_read", "/conversations/{own_conversation}/read", r#"{"message_id": "{message}"}"#, NotFound),
    row("remove_department_member", "/departments/{department}/members/{agent}", "", NotFound),
    row("remove_holiday", "/calendar/holidays/{holiday}", "", NotFound),
    row("replay_inbound_webhook", "/inbound-webhooks/{webhook}/replay", "{}", NotFound),
    row("retry_failed_jobs", "/jobs/retry", r#"{"kind": "deliver_message"}"#, OwnThings),
    row("retry_job", "/jobs/{failed_job}/retry", "{}", NotFound),
    row("run_setup", "/setup/infrastructure", "{}", OwnThings),
    row("save_calendar", "/calendar", r#"{"department_id": "{department}", "week": {}}"#, NotFound),
    row("reactivate_user", "/admin/reactivate-user/{agent}", "", NotFound),
    row("remove_company_member", "/companies/{company}/members/{agent}", "", NotFound),
    row("remove_company_member", "/companies/{own_company}/members/{agent}", "", NotFound),
    row("renew_recovery_codes", "/auth/2fa/recovery-codes", r#"{"code": "123456"}"#, Conflict("two_factor_not_enabled")),
    row("resend_invite", "/team/invites/{invite}/resend", "", NotFound),
    row("revoke_invite", "/team/invites/{invite}", "", NotFound),
    row("revoke_other_sessions", "/auth/sessions", "", OwnThings),
    row("revoke_session", "/auth/sessions/{login}", "", NotFound),
    row(
        "save_integration",
        "/integrations/config",
        r#"{"kind": "whatsapp_cloud", "name": "x", "phone_number_id": "{number}", "waba_id": "1", "access_token": "EAAG-intruder"}"#,
        Conflict("number_in_use"),
    ),
    row(
        "save_integration",
        "/integrations/config",
        r#"{"kind": "whatsapp_cloud", "name": "x", "phone_number_id": "99{number}", "waba_id": "1", "access_token": "EAAG-intruder", "department_id": "{department}"}"#,
        Invalid,
    ),
    row("save_prices", "/integrations/prices", r#"{"currency": "BRL", "prices": []}"#, OwnThings),
    row("save_setup", "/setup/config", r#"{"front_end_origin": ""}"#, OwnThings),
    row("select_company", "/auth/companies/{company}/select", "", NotFound),
    row(
        "send_message",
        "/messages",
        r#"{"conversation_id": "{conversation}", "client_message_id": "intruder-1", "kind": "text", "body": "x"}"#,
        NotFound,
    ),
    row(
        "send_message",
        "/messages",
        r#"{"conversation_id": "{own_conversation}", "client_message_id": "intruder-2", "kind": "image", "file_id": "{file}"}"#,
        Invalid,
    ),
    row(
        "send_message",
        "/messages",
        r#"{"conversation_id": "{own_conversation}", "client_message_id": "intruder-3", "kind": "text", "body": "x", "reply_to_id": "{message}"}"#,
        Invalid,
    ),
    row(
        "send_message",
        "/messages",
        r#"{"conversation_id": "{own_conversation}", "kind": "image", "media_url": "/storage/download/{file}"}"#,
        Invalid,
    ),
    row("setup_two_factor", "/auth/2fa/setup", "", OwnThings),
    row("step_up", "/auth/2fa/step-up", r#"{"code": "123456"}"#, Conflict("two_factor_not_enabled")),
    row("take_over_conversation", "/conversations/{waiting}/takeover", "{}", NotFound),
    row("transfer_conversation", "/conversations/{conversation}/transfer", r#"{"to_user_id": "{agent}"}"#, NotFound),
    row("transfer_conversation", "/conversations/{own_conversation}/transfer", r#"{"to_user_id": "{agent}"}"#, Invalid),
    row(
        "transfer_conversation",
        "/conversations/{own_conversation}/transfer",
        r#"{"to_department_id": "{department}"}"#,
        Invalid,
    ),
    row("update_department", "/departments/{department}", r#"{"name": "Intrusos"}"#, NotFound),
    row("update_company", "/companies/{company}", r#"{"name": "Intrusos"}"#, NotFound),
    row("update_profile", "/users/me", r#"{"avatar_file_id": "{file}"}"#, Invalid),
    row("update_user", "/users/{agent}", r#"{"name": "Intruso"}"#, NotFound),
];
