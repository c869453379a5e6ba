//! Routes under `/_local` that steer the running cloud: schedules, breakdowns, dead letters; and what a load test must know of it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::services::Services;
use crate::{
    Invoke,
    lambda::{Launch, Runtime},
    parameters::Settings,
    seed::{Seeder, Wanted},
    template::ScheduleDefinition,
};

#[derive(Clone)]
struct Control {
    schedules: Arc<Vec<ScheduleDefinition>>,
    invoke: Invoke,
    services: Arc<Services>,
    runtime: Arc<Runtime>,
    seeder: Option<Arc<Seeder>>,
}

type Answer = (StatusCode, Json<Value>);

/// `POST /fire/{function}`, `/invoke/{function}` with an event as its body, `/services/{service}/stop` and `…/start`,
/// `/queues/{queue}/redrive`, `/queues/{queue}/give-back`, which ends the visibility time-out of what is in flight,
/// `/functions/{function}/kill`, which kills its processes in the middle of their work, and `/companies`, which makes a company
/// to play with. `GET /functions` tells how each function is started, `GET /settings` its secrets.
pub(super) fn router(
    schedules: Vec<ScheduleDefinition>,
    invoke: Invoke,
    services: Arc<Services>,
    runtime: Arc<Runtime>,
    seeder: Option<Arc<Seeder>>,
) -> Router {
    Router::new()
        .route("/fire/{function}", post(fire))
        .route("/invoke/{function}", post(call))
        .route("/services/{service}/stop", post(stop))
        .route("/services/{service}/start", post(start))
        .route("/queues/{queue}/redrive", post(redrive))
        .route("/queues/{queue}/give-back", post(give_back))
        .route("/functions/{function}/kill", post(kill))
        .route("/companies", post(seed))
        .route("/functions", get(functions))
        .route("/settings", get(settings))
        .with_state(Control { schedules: Arc::new(schedules), invoke, services, runtime, seeder })
}

async fn fire(State(control): State<Control>, Path(function): Path<String>) -> Answer {
    let mut schedules = control.schedules.iter();
    let Some(schedule) = schedules.find(|schedule| schedule.function == function) else {
        let known: Vec<&str> = control.schedules.iter().map(|schedule| schedule.function.as_str()).collect();
        let message = format!("{function} has no schedule; these have: {}", known.join(", "));
        return (StatusCode::NOT_FOUND, Json(json!({ "error": message })));
    };
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let input = schedule.input.replace("<aws.scheduler.scheduled-time>", &now);
    answer_of(&control, function, input.into()).await
}

async fn call(State(control): State<Control>, Path(function): Path<String>, event: Bytes) -> Answer {
    answer_of(&control, function, event).await
}

async fn answer_of(control: &Control, function: String, event: Bytes) -> Answer {
    match (control.invoke)(&function, event).await {
        Ok(result) => {
            let result: Value = serde_json::from_slice(&result).unwrap_or_else(|_| String::from_utf8_lossy(&result).into());
            (StatusCode::OK, Json(json!({ "function": function, "result": result })))
        }
        Err(error) => {
            let body = json!({ "function": function, "error": error.to_string() });
            (StatusCode::BAD_GATEWAY, Json(body))
        }
    }
}

async fn stop(State(control): State<Control>, Path(service): Path<String>) -> Answer {
    set_running(&control, &service, false).await
}

async fn start(State(control): State<Control>, Path(service): Path<String>) -> Answer {
    set_running(&control, &service, true).await
}

async fn set_running(control: &Control, service: &str, running: bool) -> Answer {
    match control.services.set_running(service, running).await {
        Ok(Some(state)) => (StatusCode::OK, Json(state)),
        Ok(None) => {
            let message = format!("{service} is not dynamodb, s3, sqs, ssm, sandbox, smtp or postgres");
            (StatusCode::NOT_FOUND, Json(json!({ "error": message })))
        }
        Err(error) => failed(&error),
    }
}

async fn redrive(State(control): State<Control>, Path(queue): Path<String>) -> Answer {
    match control.services.redrive(&queue) {
        Ok(moved) => (StatusCode::OK, Json(json!({ "queue": queue, "moved": moved }))),
        Err(error) => failed(&error),
    }
}

async fn give_back(State(control): State<Control>, Path(queue): Path<String>) -> Answer {
    match control.services.give_back(&queue) {
        Ok(given_back) => (StatusCode::OK, Json(json!({ "queue": queue, "given_back": given_back }))),
        Err(error) => failed(&error),
    }
}

async fn kill(State(control): State<Control>, Path(function): Path<String>) -> Answer {
    match control.runtime.kill(&function) {
        Some(killed) => (StatusCode::OK, Json(json!({ "function": function, "killed": killed }))),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": format!("there is no function {function}") }))),
    }
}

async fn seed(State(control): State<Control>, Json(wanted): Json<Wanted>) -> Answer {
    let Some(seeder) = &control.seeder else {
        return (StatusCode::CONFLICT, Json(json!({ "error": "there is no database" })));
    };
    match seeder.company(&wanted).await {
        Ok(company) => (StatusCode::CREATED, Json(json!(company))),
        Err(error) => failed(&error),
    }
}

async fn functions(State(control): State<Control>) -> Json<BTreeMap<String, Launch>> {
    Json(control.runtime.launches())
}

async fn settings(State(control): State<Control>) -> Json<Settings> {
    Json(control.services.settings())
}

fn failed(error: &anyhow::Error) -> Answer {
    (StatusCode::CONFLICT, Json(json!({ "error": format!("{error:#}") })))
}
