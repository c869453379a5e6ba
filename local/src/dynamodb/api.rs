//! DynamoDB's protocol: JSON over POST, the operation in a header.

use axum::{Router, extract::DefaultBodyLimit, extract::State, http::HeaderMap, response::IntoResponse, response::Response};
use bytes::Bytes;
use dynoxide::{Database, DynoxideError, Result};
use http::{StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};

/// What DynamoDB takes in one request.
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Serves the operations that functions and tests use.
pub(super) fn router(database: Database) -> Router {
    Router::new().fallback(answer).layer(DefaultBodyLimit::max(LARGEST_REQUEST)).with_state(database)
}

async fn answer(State(database): State<Database>, headers: HeaderMap, body: Bytes) -> Response {
    if !headers.contains_key(header::AUTHORIZATION) {
        return failure("MissingAuthenticationTokenException");
    }
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("DynamoDB_20120810.").unwrap_or_default();
    match call(&database, operation, &body) {
        Some(Ok(answer)) => respond(StatusCode::OK, answer),
        Some(Err(error)) => {
            respond(StatusCode::from_u16(error.status_code()).unwrap_or(StatusCode::BAD_REQUEST), error.to_json())
        }
        None => failure("UnknownOperationException"),
    }
}

/// What an operation answers; `None` for one that is unknown.
fn call(database: &Database, operation: &str, body: &[u8]) -> Option<Result<String>> {
    Some(match operation {
        "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
        "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "DeleteTable" => run(body, |request| database.delete_table(request)),
        "DescribeTable" => run(body, |request| database.describe_table(request)),
        "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "ListTables" => run(body, |request| database.list_tables(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "Query" => run(body, |request| database.query(request)),
        "Scan" => run(body, |request| database.scan(request)),
        "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
        "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
        _ => return None,
    })
}

fn run<Q: DeserializeOwned, A: Serialize>(body: &[u8], work: impl FnOnce(Q) -> Result<A>) -> Result<String> {
    let request = serde_json::from_slice(body).map_err(|error| DynoxideError::SerializationException(error.to_string()))?;
    let answer = work(request)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

fn failure(kind: &str) -> Response {
    respond(StatusCode::BAD_REQUEST, format!(r#"{{"__type":"com.amazon.coral.service#{kind}"}}"#))
}

fn respond(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response()
}
