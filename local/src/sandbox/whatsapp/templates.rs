//! Message templates of a WhatsApp business account.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    GraphPath, Sandbox, WhatsApp, admit,
    errors::{GraphError, failure},
    new_numeric_id,
    parameter::Parameter,
};
use crate::sandbox::{
    calls::{Answer, Call},
    faults::Target,
    kept::lock,
};

/// One template in one language.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Template {
    #[serde(default = "new_numeric_id")]
    pub id: String,
    pub name: String,
    #[serde(default = "portuguese")]
    pub language: String,
    #[serde(default = "utility")]
    pub category: String,
    #[serde(default = "approved_status")]
    pub status: String,
    pub components: Vec<Value>,
    /// Such as `{"score": "GREEN"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_score: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_reason: Option<String>,
    /// The account that has it; every account when absent.
    #[serde(default, skip_serializing)]
    pub waba_id: Option<String>,
}

fn portuguese() -> String {
    "pt_BR".to_owned()
}

fn utility() -> String {
    "UTILITY".to_owned()
}

fn approved_status() -> String {
    "APPROVED".to_owned()
}

/// What every account has from the start.
pub(super) fn approved() -> Vec<Template> {
    let template = |name: &str, language: &str, category: &str, components: Value| Template {
        id: format!("80{}", super::digits_of(&format!("{name}:{language}"), 13)),
        name: name.to_owned(),
        language: language.to_owned(),
        category: category.to_owned(),
        status: approved_status(),
        components: components.as_array().cloned().unwrap_or_default(),
        quality_score: None,
        rejected_reason: None,
        waba_id: None,
    };
    let hello = |text: &str| json!([{"type": "BODY", "text": text}]);
    vec![
        template("hello_world", "en_US", "UTILITY", hello("Hello World")),
        template(
            "boas_vindas",
            "pt_BR",
            "UTILITY",
            json!([
                {"type": "BODY", "text": "Olá {{1}}, tudo bem? Aqui é da {{2}}.",
                 "example": {"body_text": [["Maria", "Escola"]]}},
            ]),
        ),
        template(
            "lembrete_reuniao",
            "pt_BR",
            "UTILITY",
            json!([
                {"type": "HEADER", "format": "TEXT", "text": "Sua reunião"},
                {"type": "BODY", "text": "Olá {{1}}, lembramos da sua reunião às {{2}}.",
                 "example": {"body_text": [["Maria", "10h"]]}},
                {"type": "FOOTER", "text": "Responda tocando"},
                {"type": "BUTTONS", "buttons": [
                    {"type": "QUICK_REPLY", "text": "Confirmar"},
                    {"type": "QUICK_REPLY", "text": "Remarcar"}]},
            ]),
        ),
        template(
            "pedido_enviado",
            "pt_BR",
            "UTILITY",
            json!([
                {"type": "BODY", "text": "{{nome}}, seu pedido {{numero}} foi enviado."},
                {"type": "BUTTONS", "buttons": [
                    {"type": "URL", "text": "Acompanhar", "url": "https://exemplo.test/p/{{1}}"}]},
            ]),
        ),
        template(
            "oferta",
            "pt_BR",
            "MARKETING",
            json!([
                {"type": "HEADER", "format": "IMAGE"},
                {"type": "BODY", "text": "{{1}}, temos uma oferta para você."},
                {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Sair da lista"}]},
            ]),
        ),
        template(
            "codigo_acesso",
            "pt_BR",
            "AUTHENTICATION",
            json!([
                {"type": "BODY", "text": "{{1}} é o seu código de acesso."},
            ]),
        ),
    ]
}

impl WhatsApp {
    /// The one of this account, or everybody's.
    pub(super) fn template(&self, waba_id: &str, name: &str, language: &str) -> Option<Template> {
        let templates = lock(&self.templates);
        let named = || templates.iter().rev().filter(|one| one.name == name && one.language == language);
        let own = named().find(|one| one.waba_id.as_deref() == Some(waba_id));
        own.or_else(|| named().find(|one| one.waba_id.is_none())).cloned()
    }

    pub(super) fn templates(&self) -> Vec<Template> {
        lock(&self.templates).clone()
    }

    /// Adds a template; one of the same name and language is replaced.
    pub(super) fn add_template(&self, template: Template) {
        let mut templates = lock(&self.templates);
        templates
            .retain(|one| (&one.name, &one.language, &one.waba_id) != (&template.name, &template.language, &template.waba_id));
        templates.push(template);
    }
}

#[derive(Deserialize)]
pub(super) struct Listing {
    name: Option<String>,
    language: Option<String>,
    status: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

/// `GET /{waba_id}/message_templates`
pub(super) async fn list(
    State(sandbox): State<Arc<Sandbox>>,
    Path((version, waba_id)): GraphPath,
    Query(listing): Query<Listing>,
    headers: HeaderMap,
) -> Response {
    let path = format!("/{version}/{waba_id}/message_templates");
    let address = format!("{}/graph{path}", sandbox.options.public_url);
    let call = Call::new(Target::Account, "GET", path, &headers);
    let admitted = admit(&call, &version);
    let work = || match admitted {
        Ok(()) => Answer::ok(page(&sandbox.whatsapp, &waba_id, &listing, &address)),
        Err(error) => error.answer(),
    };
    sandbox.perform(call, failure, work).await
}

fn page(whatsapp: &WhatsApp, waba_id: &str, listing: &Listing, address: &str) -> Value {
    let fits = |filter: &Option<String>, actual: &str| filter.as_deref().is_none_or(|wanted| wanted == actual);
    let found: Vec<Template> = whatsapp
        .templates()
        .into_iter()
        .filter(|one| one.waba_id.as_deref().is_none_or(|owner| owner == waba_id))
        .filter(|one| fits(&listing.name, &one.name) && fits(&listing.language, &one.language))
        .filter(|one| fits(&listing.status, &one.status))
        .collect();
    let limit = listing.limit.unwrap_or(25).max(1);
    let after = listing.after.as_deref().and_then(|after| after.parse().ok());
    let start = after.unwrap_or(0).min(found.len());
    let end = found.len().min(start.saturating_add(limit));
    let mut paging = json!({"cursors": {"before": start.to_string(), "after": end.to_string()}});
    if end < found.len() {
        paging["next"] = json!(format!("{address}?limit={limit}&after={end}"));
    }
    json!({"data": found[start..end], "paging": paging})
}

/// `POST /{waba_id}/message_templates`: approved at once.
pub(super) async fn create(
    State(sandbox): State<Arc<Sandbox>>,
    Path((version, waba_id)): GraphPath,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = format!("/{version}/{waba_id}/message_templates");
    let mut call = Call::new(Target::Account, "POST", path, &headers);
    call.request = serde_json::from_slice(&body).unwrap_or_default();
    let admitted = admit(&call, &version);
    let request = call.request.clone();
    let work = || {
        let created = admitted.and_then(|()| {
            let root = Parameter::root(&request);
            root.text("name", 512)?;
            root.text("language", 16)?;
            root.one_of("category", &["AUTHENTICATION", "MARKETING", "UTILITY"])?;
            root.list("components", 10)?;
            serde_json::from_value::<Template>(request.clone()).map_err(|error| GraphError::invalid(error.to_string()))
        });
        match created {
            Err(error) => error.answer(),
            Ok(template) => {
                let template = Template { waba_id: Some(waba_id), ..template };
                sandbox.whatsapp.add_template(template.clone());
                Answer::ok(json!({"id": template.id, "status": template.status,
                    "category": template.category}))
            }
        }
    };
    sandbox.perform(call, failure, work).await
}
