//! What an order to the sandbox is refused with, and orders that change how an account behaves.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// An order that cannot be carried out: 400 with the reason.
pub(super) struct Refusal(pub String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({"error": self.0}))).into_response()
    }
}

/// Settings with some of them changed.
pub(super) fn changed<T: Serialize + DeserializeOwned>(settings: &T, changes: Map<String, Value>) -> Result<T, Refusal> {
    let mut settings = json!(settings);
    if let Some(fields) = settings.as_object_mut() {
        fields.extend(changes);
    }
    serde_json::from_value(settings).map_err(|error| Refusal(error.to_string()))
}

/// Takes the text that names what is changed out of an order.
pub(super) fn named(changes: &mut Map<String, Value>, name: &str) -> Result<String, Refusal> {
    let text = changes.remove(name).and_then(|text| text.as_str().map(str::to_owned));
    text.ok_or_else(|| Refusal(format!("{name} is missing")))
}
