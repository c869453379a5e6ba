//! Second names: what front ends written for other back ends call our fields. This is the one table of them. Requests may use them
//! everywhere; answers under `/api/v1`, and those with tokens under every path, carry them besides ours.
//!
//! A name is looked for only where a type declares our field, so nothing is renamed in JSON that people store.

mod plan;
mod taken;
mod told;

use serde_json::{Value, json};

pub(crate) use plan::{Plan, note};
pub(super) use taken::{take, take_pairs};
pub(crate) use told::tell;

/// What a request may call a company; see `super::company`.
pub(super) const COMPANY: [&str; 3] = ["company_id", "companyId", "organization_id"];

/// The headers that may name one.
pub(super) const COMPANY_HEADERS: [&str; 2] = ["x-company-id", "x-organization-id"];

/// In which direction a second name is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Requests may use it.
    Taken,
    /// Answers carry it.
    Told,
}

/// A field by our name, and what else it is called.
pub(crate) struct Name {
    ours: &'static str,
    also: &'static [&'static str],
    /// Fields that the same type declares, where our name alone does not say what it is of.
    beside: &'static [&'static str],
    /// The only direction, where there is one.
    only: Option<Way>,
    /// How the second name's value follows from ours, where it is not the same.
    value: Option<fn(&Value) -> Value>,
}

impl Name {
    const fn of(ours: &'static str, also: &'static [&'static str]) -> Self {
        Self { ours, also, beside: &[], only: None, value: None }
    }

    const fn beside(self, beside: &'static [&'static str]) -> Self {
        Self { beside, ..self }
    }

    const fn taken(self) -> Self {
        Self { only: Some(Way::Taken), ..self }
    }

    const fn told(self) -> Self {
        Self { only: Some(Way::Told), ..self }
    }

    const fn told_as(self, value: fn(&Value) -> Value) -> Self {
        Self { only: Some(Way::Told), value: Some(value), ..self }
    }
}

const TABLE: &[Name] = &[
    // Sessions and people.
    Name::of("access_token", &["accessToken"]).beside(&["refresh_token"]).told(),
    Name::of("refresh_token", &["refreshToken"]),
    Name::of("company_id", &["companyId", "organization_id"]).taken(),
    Name::of("name", &["full_name"]).beside(&["email", "password"]).taken(),
    Name::of("name", &["full_name"]).beside(&["avatar_file_id", "closer_type"]).taken(),
    Name::of("avatar_file_id", &["avatar_url"]).beside(&["closer_type"]).taken(),
    Name::of("name", &["full_name"]).beside(&["email", "role"]).told(),
    Name::of("name", &["full_name"]).beside(&["position", "role"]).told(),
    Name::of("is_online", &["online"]).told(),
    // Conversations.
    Name::of("client_id", &["customer_id", "clientId"]),
    Name::of("client_name", &["customer_name"]),
    Name::of("assignee_id", &["assigned_user_id", "attendantId"]),
    Name::of("assignee", &["assignee_id", "assigned_user_id", "attendantId"]).taken(),
    Name::of("department", &["department_id", "departmentId"]).taken(),
    Name::of("channel", &["channel_account_id"]).taken(),
    Name::of("to_user_id", &["attendantId"]).taken(),
    Name::of("to_department_id", &["departmentId"]).taken(),
    Name::of("mode", &["is_bot_active"]).beside(&["channel_kind"]).told_as(|mode| json!(mode == "bot")),
    Name::of("status", &["needs_human_attention"]).beside(&["channel_kind"]).told_as(|status| json!(status == "pending")),
    Name::of("bot_node", &["current_menu_level"]).told_as(|node| json!(node.as_str().unwrap_or("main"))),
    Name::of("channel_kind", &["channel"]).told_as(channel),
    Name::of("started_at", &["startedAt"]).beside(&["channel_kind"]).told(),
    Name::of("ended_at", &["endedAt"]).beside(&["channel_kind"]).told(),
    Name::of("first_human_at", &["firstHumanAt"]).told(),
    // Messages.
    Name::of("body", &["content"]).taken(),
    Name::of("body", &["content"]).beside(&["conversation_id"]).told(),
    Name::of("body", &["message"]).beside(&["phone", "quick_reply_id"]).taken(),
    Name::of("kind", &["message_type"]).beside(&["conversation_id", "body"]),
    Name::of("kind", &["message_type"]).beside(&["phone", "quick_reply_id"]).taken(),
    Name::of("phone", &["to"]).beside(&["quick_reply_id"]).taken(),
    Name::of("file", &["media_url"]).beside(&["conversation_id"]).told_as(download),
    Name::of("file", &["mediaType"]).beside(&["conversation_id"]).told_as(|file| file["mime_type"].clone()),
    Name::of("sender_id", &["sender_user_id"]).beside(&["conversation_id"]).told(),
    Name::of("provider_id", &["whatsapp_message_id"]).beside(&["conversation_id"]).told(),
    Name::of("sent_at", &["timestamp"]).beside(&["conversation_id"]).told(),
    // Sequences.
    Name::of("is_active", &["ativo"]).beside(&["criteria"]),
    Name::of("criteria", &["criterios_ativacao"]).beside(&["pause_weekends"]),
    Name::of("kind", &["tipo_acao"]).beside(&["delay_minutes"]),
    Name::of("window_start", &["horario_envio_inicio"]),
    Name::of("window_end", &["horario_envio_fim"]),
    Name::of("pause_weekends", &["pausar_fim_semana"]),
    Name::of("pause_holidays", &["pausar_feriados"]),
    Name::of("current_step", &["step_atual"]).told(),
    Name::of("next_run_at", &["proxima_execucao"]).told(),
    Name::of("executed_steps", &["steps_executados"]).told(),
    Name::of("responded_at", &["data_resposta"]).beside(&["executed_steps"]).told(),
    // Leads.
    Name::of("name", &["nome_completo"]).beside(&["potential_value", "origin"]),
    Name::of("phone", &["telefone"]).beside(&["potential_value", "origin"]),
    Name::of("company", &["empresa"]).beside(&["potential_value", "origin"]),
    Name::of("origin", &["origem"]).beside(&["campaign"]),
    Name::of("temperature", &["temperatura"]).beside(&["score_min"]).taken(),
    Name::of("temperature", &["temperatura"]).beside(&["score"]).told_as(temperature),
    Name::of("score", &["lead_score"]).beside(&["qualification"]).told(),
    Name::of("potential_value", &["valor_potencial"]).beside(&["origin"]),
    Name::of("from", &["date_from"]).beside(&["score_min"]).taken(),
    Name::of("to", &["date_to"]).beside(&["score_min"]).taken(),
    Name::of("value_min", &["valor_min"]).taken(),
    Name::of("authority_level", &["authority_nivel"]).beside(&["need_level"]),
    Name::of("budget_confirmed", &["budget_confirmado"]).beside(&["need_level"]),
    Name::of("type", &["tipo_interacao"]).beside(&["result", "at"]),
    Name::of("at", &["data_interacao"]).beside(&["type", "result"]),
    Name::of("result", &["resultado"]).beside(&["type", "at"]),
    Name::of("summary", &["resumo"]).beside(&["result", "next_step"]),
    Name::of("details", &["detalhes_completos"]).beside(&["result", "next_step"]),
    // Mentees.
    Name::of("year", &["ano"]).beside(&["revenue"]),
    Name::of("month", &["mes"]).beside(&["year", "revenue"]),
    Name::of("nps", &["nota_nps"]).beside(&["overall"]),
    Name::of("overall", &["nota_geral"]).beside(&["nps"]),
    Name::of("date", &["data_feedback"]).beside(&["overall", "nps"]),
    // Browsers, in their own words.
    Name::of("expiration_time", &["expirationTime"]).taken(),
];

/// Whatever brings WhatsApp to us, to a front end it is WhatsApp.
fn channel(kind: &Value) -> Value {
    match kind.as_str() {
        Some("whatsapp_cloud" | "evolution" | "botconversa") => json!("whatsapp"),
        _ => kind.clone(),
    }
}

/// In the words of those front ends.
fn temperature(ours: &Value) -> Value {
    match ours.as_str() {
        Some("cold") => json!("frio"),
        Some("warm") => json!("morno"),
        Some("hot") => json!("quente"),
        _ => ours.clone(),
    }
}

/// Where a file is downloaded, below the base path that the front end uses.
fn download(file: &Value) -> Value {
    file["id"].as_str().map_or(Value::Null, |id| json!(format!("/storage/download/{id}")))
}
