//! Look-ups of one object by id, and the subscription of an app to an account.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, Method},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    GraphPath, Sandbox, admit,
    errors::{GraphError, failure},
};
use crate::sandbox::{
    calls::{Answer, Call},
    faults::Target,
    kept::lock,
};

/// `GET /{media_id}` or `GET /{phone_number_id}`.
pub(super) async fn look_up(
    State(sandbox): State<Arc<Sandbox>>,
    Path((version, id)): GraphPath,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let media = sandbox.media(&id);
    let number = media.is_none() && sandbox.is_number(&id, &query);
    let target = if number { Target::Account } else { Target::Media };
    let mut call = Call::new(target, "GET", format!("/{version}/{id}"), &headers);
    let owner = query.get("phone_number_id").cloned();
    call.phone_number_id = if number {
        Some(id.clone())
    } else {
        media.as_ref().map(|media| media.phone_number_id.clone()).or_else(|| owner.clone())
    };
    let admitted = admit(&call, &version);
    let token = call.token.clone();
    let work = || {
        let media = media.filter(|media| owner.is_none_or(|owner| owner == media.phone_number_id));
        match (admitted, media) {
            (Err(error), _) => error.answer(),
            (Ok(()), Some(media)) => Answer::ok(sandbox.describe_media(&media)),
            (Ok(()), None) if number && !sandbox.may_see(&id, token.as_deref()) => {
                GraphError::unknown_object("get", &id).answer()
            }
            (Ok(()), None) if number => Answer::ok(sandbox.describe_number(&id)),
            (Ok(()), None) => GraphError::unknown_object("get", &id).answer(),
        }
    };
    sandbox.perform(call, failure, work).await
}

impl Sandbox {
    /// A number is an id that was used as one, or that is asked for a number's fields.
    fn is_number(&self, id: &str, query: &HashMap<String, String>) -> bool {
        let asked =
            query.get("fields").is_some_and(|fields| fields.contains("display_phone_number") || fields.contains("verified_name"));
        asked
            || lock(&self.whatsapp.numbers).contains_key(id)
            || self.whatsapp.sent.find(|sent| sent.phone_number_id == id).is_some()
            || self.whatsapp.deliveries.find(|delivery| delivery.phone_number_id == id).is_some()
    }

    fn may_see(&self, id: &str, token: Option<&str>) -> bool {
        let own = self.whatsapp.settings(id).access_token;
        own.is_empty() || token == Some(own.as_str())
    }

    fn describe_number(&self, id: &str) -> Value {
        let settings = self.whatsapp.settings(id);
        let entity = |kind: &str, id: &str| json!({"entity_type": kind, "id": id, "can_send_message": "AVAILABLE"});
        json!({
            "id": id,
            "display_phone_number": settings.display_phone_number,
            "verified_name": "Empresa Teste",
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "health_status": {
                "can_send_message": "AVAILABLE",
                "entities": [entity("PHONE_NUMBER", id), entity("WABA", &settings.waba_id)],
            },
        })
    }
}

/// `GET /{waba_id}/subscribed_apps`
pub(super) async fn subscribed_apps(
    State(sandbox): State<Arc<Sandbox>>,
    Path((version, id)): GraphPath,
    headers: HeaderMap,
) -> Response {
    let apps = json!({"data": [{"whatsapp_business_api_data":
        {"id": "1", "name": "Balcão", "link": "https://exemplo.test"}}]});
    subscription(&sandbox, &Method::GET, &version, &id, &headers, apps).await
}

/// `POST` and `DELETE /{waba_id}/subscribed_apps`
pub(super) async fn subscribe(
    State(sandbox): State<Arc<Sandbox>>,
    Path((version, id)): GraphPath,
    method: Method,
    headers: HeaderMap,
) -> Response {
    subscription(&sandbox, &method, &version, &id, &headers, json!({"success": true})).await
}

async fn subscription(
    sandbox: &Sandbox,
    method: &Method,
    version: &str,
    id: &str,
    headers: &HeaderMap,
    answer: Value,
) -> Response {
    let path = format!("/{version}/{id}/subscribed_apps");
    let call = Call::new(Target::Account, method.as_str(), path, headers);
    let admitted = admit(&call, version);
    let work = || match admitted {
        Ok(()) => Answer::ok(answer),
        Err(error) => error.answer(),
    };
    sandbox.perform(call, failure, work).await
}
