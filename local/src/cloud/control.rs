//! Routes under `/_local` that belong to the running cloud itself.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use serde_json::{Value, json};

use crate::{Invoke, template::ScheduleDefinition};

#[derive(Clone)]
struct Schedules {
    definitions: Arc<Vec<ScheduleDefinition>>,
    invoke: Invoke,
}

/// `POST /fire/{function}` runs a schedule now.
pub(super) fn router(definitions: Vec<ScheduleDefinition>, invoke: Invoke) -> Router {
    Router::new()
        .route("/fire/{function}", post(fire))
        .with_state(Schedules {
            definitions: Arc::new(definitions),
            invoke,
        })
}

async fn fire(
    State(schedules): State<Schedules>,
    Path(function): Path<String>,
) -> (StatusCode, Json<Value>) {
    let Some(schedule) = schedules
        .definitions
        .iter()
        .find(|schedule| schedule.function == function)
    else {
        let known: Vec<&str> = schedules
            .definitions
            .iter()
            .map(|schedule| schedule.function.as_str())
            .collect();
        let message = format!(
            "{function} has no schedule; these have: {}",
            known.join(", ")
        );
        return (StatusCode::NOT_FOUND, Json(json!({ "error": message })));
    };
    match (schedules.invoke)(&function, schedule.input.clone().into()).await {
        Ok(result) => {
            let result: Value = serde_json::from_slice(&result)
                .unwrap_or_else(|_| String::from_utf8_lossy(&result).into());
            (
                StatusCode::OK,
                Json(json!({ "function": function, "result": result })),
            )
        }
        Err(error) => (
            StatusCode::BAD_GATEWAY,
            Json(json!({ "function": function, "error": error.to_string() })),
        ),
    }
}
