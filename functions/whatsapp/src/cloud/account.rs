//! What Meta tells of the account, its numbers and its templates: where a person must act, and for all else what it was, in a few words.
//! Source: Meta's reference of each webhook field (`account_update`, `account_alerts`, `security` …).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::template;
use crate::{
    item::{AccountNotice, Alert, Item},
    reading::{array, text, time},
};

/// Names of the field in which a change says what happened.
const HAPPENINGS: [&str; 6] = ["event", "decision", "new_quality_score", "new_category", "alert_type", "new_status"];

pub(super) fn read(field: &str, value: &Value, entry: &Value, now: Timestamp) -> Item {
    let template = template::read(field, value, entry, now);
    let Some(alert) = alert(field, value) else {
        return template.map_or_else(|| Item::Ignored(outcome(field, value)), Item::Template);
    };
    let told_at = time(&entry["time"], now);
    // Without a time of Meta's own, what happens again on another day is another notice.
    let time = if entry["time"].is_null() { json!(now.to_string()[..10]) } else { entry["time"].clone() };
    Item::Account(AccountNotice { alert, template, content: json!({"field": field, "value": value, "time": time}), at: told_at })
}

fn happening(value: &Value) -> Option<String> {
    HAPPENINGS.iter().find_map(|name| text(value, name)).or_else(|| text(&value["alert_info"], "alert_type"))
}

/// `field what-happened to-what`, as far as it is told.
fn outcome(field: &str, value: &Value) -> String {
    let happened = happening(value);
    let called = array(&value["calls"]).iter().filter_map(|call| text(call, "event"));
    let words = happened.into_iter().chain(called).chain(subject(value));
    let field = if field.is_empty() { "a change without a field" } else { field };
    let shown: Vec<String> = [field.to_owned()].into_iter().chain(words).collect();
    shown.join(" ").chars().take(200).collect()
}

fn subject(value: &Value) -> Option<String> {
    ["message_template_name", "requested_verified_name", "flow_id"].iter().find_map(|name| text(value, name))
}

fn alert(field: &str, value: &Value) -> Option<Alert> {
    let happened = happening(value).unwrap_or_default();
    let (code, words) = match (field, happened.as_str()) {
        ("account_update", "DISABLED_UPDATE") => ban(value)?,
        ("account_update", "ACCOUNT_RESTRICTION") => ("account_restricted", "A Meta restringiu a conta do WhatsApp Business."),
        ("account_update", "ACCOUNT_VIOLATION") => {
            ("account_violation", "A Meta registrou uma violação das políticas na conta do WhatsApp Business.")
        }
        ("account_update", "ACCOUNT_DELETED") => ("account_deleted", "A conta do WhatsApp Business foi excluída."),
        ("account_update", "PARTNER_REMOVED" | "PARTNER_APP_UNINSTALLED" | "ACCOUNT_OFFBOARDED") => {
            ("account_disconnected", "A conta do WhatsApp Business foi desconectada do Balcão.")
        }
        ("account_review_update", "REJECTED") => ("account_rejected", "A Meta recusou a conta do WhatsApp Business."),
        ("account_alerts", _) => account_alert(value)?,
        ("message_template_status_update", "REJECTED") => ("template_rejected", "A Meta recusou um modelo de mensagem."),
        ("message_template_status_update", "PAUSED") => ("template_paused", "A Meta pausou um modelo de mensagem."),
        ("message_template_status_update", "DISABLED") => ("template_disabled", "A Meta desativou um modelo de mensagem."),
        ("message_template_status_update", "FLAGGED") => {
            ("template_flagged", "Um modelo de mensagem pode ser desativado pela Meta.")
        }
        ("message_template_quality_update", "RED") => {
            ("template_quality_red", "A qualidade de um modelo de mensagem está baixa.")
        }
        ("phone_number_quality_update", "FLAGGED") => ("number_flagged", "A qualidade do número está baixa."),
        ("phone_number_quality_update", "DOWNGRADE") => ("number_limit_lowered", "O limite de mensagens do número foi reduzido."),
        ("phone_number_name_update", "DECLINED" | "REJECTED") => {
            ("number_name_declined", "A Meta recusou o nome de exibição do número.")
        }
        ("security", "PIN_CHANGED") => ("pin_changed", "O PIN da confirmação em duas etapas do número foi alterado."),
        ("security", "PIN_RESET_REQUEST") => {
            ("pin_reset_requested", "Alguém pediu para desativar a confirmação em duas etapas do número.")
        }
        ("security", "PIN_RESET_SUCCESS") => ("pin_removed", "A confirmação em duas etapas do número foi desativada."),
        ("flows", "FLOW_STATUS_CHANGE") if value["new_status"] == "BLOCKED" => ("flow_blocked", "A Meta bloqueou um formulário."),
        ("flows", "FLOW_STATUS_CHANGE") if value["new_status"] == "THROTTLED" => {
            ("flow_throttled", "A Meta limitou um formulário.")
        }
        _ => return None,
    };
    Some(Alert { code, text: words, subject: subject(value), detail: detail(value) })
}

/// A ban, or the date of one to come. One that is lifted asks nothing of anybody.
fn ban(value: &Value) -> Option<(&'static str, &'static str)> {
    match text(&value["ban_info"], "waba_ban_state").as_deref() {
        Some("REINSTATE") => None,
        Some("SCHEDULE_FOR_DISABLE") => Some(("account_to_be_disabled", "A Meta vai desativar a conta do WhatsApp Business.")),
        _ => Some(("account_disabled", "A Meta desativou a conta do WhatsApp Business.")),
    }
}

/// Older ones have the fields of `alert_info` beside the others.
fn account_alert(value: &Value) -> Option<(&'static str, &'static str)> {
    let told = |name: &str| text(&value["alert_info"], name).or_else(|| text(value, name));
    let is_over = told("alert_status").is_some_and(|status| status == "NONE");
    let is_grave = told("alert_severity").is_some_and(|severity| matches!(severity.as_str(), "CRITICAL" | "WARNING"));
    (is_grave && !is_over).then_some(("account_alert", "A Meta enviou um alerta sobre a conta do WhatsApp Business."))
}

fn detail(value: &Value) -> Option<String> {
    let restrictions = array(&value["restriction_info"]).iter().filter_map(|restriction| text(restriction, "restriction_type"));
    let restrictions = Some(restrictions.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty());
    let pairs = [
        (value, "reason"),
        (value, "rejection_reason"),
        (&value["other_info"], "description"),
        (&value["violation_info"], "violation_type"),
        (&value["ban_info"], "waba_ban_date"),
        (&value["alert_info"], "alert_description"),
        (value, "alert_description"),
        (value, "current_limit"),
        (value, "message"),
    ];
    let told = pairs.into_iter().filter_map(|(place, name)| text(place, name)).find(|told| told != "NONE");
    restrictions.or(told).map(|detail| detail.chars().take(500).collect())
}
