//! The SQS API in its JSON protocol, and `GetParameter` of SSM.

use std::{collections::HashSet, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    NewMessage, Queues,
    queue::{Message, Sent, parse_receipt_handle},
    queue_arn,
    wire::{SENDER, md5_of, sequence_number},
};
use crate::{account::ACCOUNT, parameters::Parameters, template::QueueDefinition};

/// Largest message, and largest batch, in bytes.
const MAXIMUM_SIZE: usize = 262_144;
const MAXIMUM_ENTRIES: usize = 10;
const TWELVE_HOURS: u64 = 12 * 60 * 60;

type Shared = (Arc<Queues>, Arc<Parameters>);

pub fn router(queues: Arc<Queues>, parameters: Arc<Parameters>) -> Router {
    Router::new().fallback(handle).layer(DefaultBodyLimit::max(8 * MAXIMUM_SIZE)).with_state((queues, parameters))
}

/// An error as the SDKs read it: shape of the JSON protocol, code of the older query protocol.
struct Refusal {
    status: StatusCode,
    shape: String,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(shape: &str, code: &'static str, message: impl Into<String>) -> Self {
        let shape = format!("com.amazonaws.sqs#{shape}");
        Self { status: StatusCode::BAD_REQUEST, shape, code, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", "InvalidParameterValue", message)
    }

    fn missing(parameter: &str) -> Self {
        let message = format!("The request must contain the parameter {parameter}.");
        Self::new("MissingParameter", "MissingParameter", message)
    }

    fn receipt_handle() -> Self {
        let message = "The input receipt handle is invalid.";
        Self::new("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message)
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        let message = format!("{error:#}");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..Self::new("InternalError", "InternalFailure", message) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let blame = if self.status.is_server_error() { "Receiver" } else { "Sender" };
        let headers = [
            (header::CONTENT_TYPE.as_str(), "application/x-amz-json-1.0".to_owned()),
            ("x-amzn-query-error", format!("{};{blame}", self.code)),
        ];
        let body = json!({ "__type": self.shape, "message": self.message });
        (self.status, headers, body.to_string()).into_response()
    }
}

async fn handle(State((queues, parameters)): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(input) = serde_json::from_slice::<Value>(&body) else {
        return Refusal::new("SerializationException", "SerializationException", format!("{uri}: not JSON")).into_response();
    };
    if let Some(action) = target.strip_prefix("AmazonSSM.") {
        return answer_parameters(&parameters, action, &input);
    }
    let action = target.strip_prefix("AmazonSQS.").unwrap_or_default();
    if queues.until_running().await {
        let refusal = Refusal::new("ServiceUnavailable", "ServiceUnavailable", "The service was stopped meanwhile.");
        return Refusal { status: StatusCode::SERVICE_UNAVAILABLE, ..refusal }.into_response();
    }
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1");
    match answer(&queues, action, input, host).await {
        Ok(output) => ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], output.to_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn answer_parameters(parameters: &Parameters, action: &str, input: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    let name = input.get("Name").and_then(Value::as_str).unwrap_or_default();
    if !parameters.is_running() {
        let body = json!({ "__type": "InternalServerError", "message": "An error occurred on the server side." });
        return (StatusCode::INTERNAL_SERVER_ERROR, content_type, body.to_string()).into_response();
    }
    if action != "GetParameter" {
        let body = json!({ "__type": "UnknownOperationException", "message": action });
        return (StatusCode::BAD_REQUEST, content_type, body.to_string()).into_response();
    }
    if let Some(parameter) = parameters.get_parameter(name) {
        return (content_type, parameter.to_string()).into_response();
    }
    let body = json!({ "__type": "ParameterNotFound", "message": format!("Parameter {name} not found.") });
    (StatusCode::BAD_REQUEST, content_type, body.to_string()).into_response()
}

async fn answer(queues: &Queues, action: &str, input: Value, host: &str) -> Result<Value, Refusal> {
    if action == "GetQueueUrl" {
        let name = input.get("QueueName").and_then(Value::as_str).ok_or_else(|| Refusal::missing("QueueName"))?;
        let definition = definition(queues, name)?;
        return Ok(json!({ "QueueUrl": format!("http://{host}/{ACCOUNT}/{}", definition.name) }));
    }
    let url = input.get("QueueUrl").and_then(Value::as_str).ok_or_else(|| Refusal::missing("QueueUrl"))?;
    let definition = definition(queues, url.rsplit('/').next().unwrap_or_default())?;
    let id = definition.logical_id.as_str();
    match action {
        "SendMessage" => {
            let new = new_message(&definition, parse(input)?)?;
            let bodies = [new.body.clone()];
            let sent = queues.send(id, vec![new])?;
            sent.first().map(|sent| sent_answer(&definition, &bodies[0], sent)).ok_or_else(|| Refusal::missing("MessageBody"))
        }
        "SendMessageBatch" => send_batch(queues, &definition, entries(&input)?),
        "ReceiveMessage" => receive(queues, &definition, parse(input)?).await,
        "DeleteMessage" => {
            delete(queues, &definition, &input)?;
            Ok(json!({}))
        }
        "DeleteMessageBatch" => Ok(each(entries(&input)?, |entry| delete(queues, &definition, entry))),
        "ChangeMessageVisibility" => {
            change_visibility(queues, &definition, &input)?;
            Ok(json!({}))
        }
        "ChangeMessageVisibilityBatch" => Ok(each(entries(&input)?, |entry| change_visibility(queues, &definition, entry))),
        "GetQueueAttributes" => Ok(attributes(queues, &definition, &input)),
        "PurgeQueue" => {
            queues.purge(id)?;
            Ok(json!({}))
        }
        _ => Err(Refusal::new(
            "UnsupportedOperation",
            "AWS.SimpleQueueService.UnsupportedOperation",
            format!("The local cloud does not know {action}."),
        )),
    }
}

fn definition(queues: &Queues, name: &str) -> Result<QueueDefinition, Refusal> {
    let state = queues.lock();
    let found = state.queues.values().find(|queue| queue.definition.name == name);
    found.map(|queue| queue.definition.clone()).ok_or_else(|| {
        Refusal::new("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    })
}

fn parse<T: for<'a> Deserialize<'a>>(input: Value) -> Result<T, Refusal> {
    serde_json::from_value(input).map_err(|error| Refusal::invalid(error.to_string()))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    message_body: Option<String>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    #[serde(default)]
    message_attributes: Value,
    delay_seconds: Option<u64>,
}

fn new_message(definition: &QueueDefinition, input: SendMessage) -> Result<NewMessage, Refusal> {
    let fifo = definition.is_fifo();
    let body = input.message_body.filter(|body| !body.is_empty()).ok_or_else(|| Refusal::missing("MessageBody"))?;
    if body.len() > MAXIMUM_SIZE {
        return Err(Refusal::invalid(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {MAXIMUM_SIZE} bytes."
        )));
    }
    if fifo && input.message_group_id.is_none() {
        return Err(Refusal::missing("MessageGroupId"));
    }
    if fifo && input.message_deduplication_id.is_none() {
        return Err(Refusal::invalid(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        ));
    }
    if !fifo && input.message_deduplication_id.is_some() {
        return Err(Refusal::invalid("The request includes a parameter that is not valid for this queue type"));
    }
    for id in [&input.message_group_id, &input.message_deduplication_id].into_iter().flatten() {
        if id.is_empty() || id.len() > 128 || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Refusal::invalid(format!(
                "{id:?} is not 1 to 128 letters, digits and punctuation, as group and deduplication ids are"
            )));
        }
    }
    let delay = input.delay_seconds.unwrap_or(0);
    if delay > 900 || (fifo && delay > 0) {
        return Err(Refusal::invalid(format!(
            "Value {delay} for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type."
        )));
    }
    Ok(NewMessage {
        body,
        // A group on a standard queue is for fair sharing only; it orders nothing.
        group: input.message_group_id.filter(|_| fifo),
        deduplication_id: input.message_deduplication_id,
        attributes: input.message_attributes,
        delay: Duration::from_secs(delay),
    })
}

fn sent_answer(definition: &QueueDefinition, body: &str, sent: &Sent) -> Value {
    let mut answer = json!({ "MessageId": sent.message_id, "MD5OfMessageBody": md5_of(body) });
    if definition.is_fifo() {
        answer["SequenceNumber"] = sequence_number(sent.sequence).into();
    }
    answer
}

/// The entries of a batch, checked as a whole.
fn entries(input: &Value) -> Result<Vec<Value>, Refusal> {
    let entries = input.get("Entries").and_then(Value::as_array).cloned().unwrap_or_default();
    if entries.is_empty() {
        return Err(Refusal::new(
            "EmptyBatchRequest",
            "AWS.SimpleQueueService.EmptyBatchRequest",
            "There should be at least one entry in the request.",
        ));
    }
    if entries.len() > MAXIMUM_ENTRIES {
        return Err(Refusal::new(
            "TooManyEntriesInBatchRequest",
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            format!("Maximum number of entries per request are {MAXIMUM_ENTRIES}."),
        ));
    }
    let ids: HashSet<&str> = entries.iter().filter_map(|entry| entry.get("Id")?.as_str()).collect();
    if ids.len() < entries.len() {
        return Err(Refusal::new(
            "BatchEntryIdsNotDistinct",
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            "Every entry needs an Id of its own.",
        ));
    }
    let size: usize = entries.iter().filter_map(|entry| entry.get("MessageBody")?.as_str()).map(str::len).sum();
    if size > MAXIMUM_SIZE {
        return Err(Refusal::new(
            "BatchRequestTooLong",
            "AWS.SimpleQueueService.BatchRequestTooLong",
            format!("Batch requests cannot be longer than {MAXIMUM_SIZE} bytes."),
        ));
    }
    Ok(entries)
}

fn failed(entry: &Value, refusal: &Refusal) -> Value {
    json!({
        "Id": entry.get("Id"),
        "SenderFault": refusal.status.is_client_error(),
        "Code": refusal.code,
        "Message": refusal.message,
    })
}

/// Does the same to every entry of a batch.
fn each(entries: Vec<Value>, action: impl Fn(&Value) -> Result<(), Refusal>) -> Value {
    let (mut successful, mut refused) = (Vec::new(), Vec::new());
    for entry in entries {
        match action(&entry) {
            Ok(()) => successful.push(json!({ "Id": entry.get("Id") })),
            Err(refusal) => refused.push(failed(&entry, &refusal)),
        }
    }
    json!({ "Successful": successful, "Failed": refused })
}

fn send_batch(queues: &Queues, definition: &QueueDefinition, entries: Vec<Value>) -> Result<Value, Refusal> {
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    for entry in entries {
        match parse(entry.clone()).and_then(|input| new_message(definition, input)) {
            Ok(new) => accepted.push((entry, new)),
            Err(refusal) => refused.push(failed(&entry, &refusal)),
        }
    }
    let sent = queues.send(&definition.logical_id, accepted.iter().map(|(_, new)| new.clone()).collect())?;
    let answer = |((entry, new), sent): (&(Value, NewMessage), &Sent)| {
        let mut answer = sent_answer(definition, &new.body, sent);
        answer["Id"] = entry.get("Id").cloned().unwrap_or_default();
        answer
    };
    let successful: Vec<Value> = accepted.iter().zip(&sent).map(answer).collect();
    Ok(json!({ "Successful": successful, "Failed": refused }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage {
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
    wait_time_seconds: Option<u64>,
}

async fn receive(queues: &Queues, definition: &QueueDefinition, input: ReceiveMessage) -> Result<Value, Refusal> {
    let maximum = input.max_number_of_messages.unwrap_or(1);
    let wait = input.wait_time_seconds.unwrap_or(0);
    if !(1..=MAXIMUM_ENTRIES).contains(&maximum) || wait > 20 || input.visibility_timeout.unwrap_or(0) > TWELVE_HOURS {
        return Err(Refusal::invalid("At most 10 messages, 20 seconds of waiting and 12 hours of visibility time-out"));
    }
    let visibility = input.visibility_timeout.map(Duration::from_secs);
    let waiting = queues.next_batch(&definition.logical_id, maximum, visibility);
    let received = match tokio::time::timeout(Duration::from_secs(wait), waiting).await {
        Ok(received) => received?,
        Err(_) => return Ok(json!({})),
    };
    let messages: Vec<Value> = received.iter().map(received_message).collect();
    Ok(json!({ "Messages": messages }))
}

/// Every system attribute is given, asked for or not.
fn received_message(message: &Message) -> Value {
    let first = message.first_received_at.unwrap_or(message.sent_at);
    let mut attributes = json!({
        "SenderId": SENDER,
        "SentTimestamp": message.sent_at.to_string(),
        "ApproximateReceiveCount": message.receive_count.to_string(),
        "ApproximateFirstReceiveTimestamp": first.to_string(),
    });
    if let Some(group) = &message.group {
        attributes["MessageGroupId"] = group.as_str().into();
        attributes["SequenceNumber"] = sequence_number(message.sequence).into();
    }
    if let Some(id) = &message.deduplication_id {
        attributes["MessageDeduplicationId"] = id.as_str().into();
    }
    let mut answer = json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt_handle(),
        "MD5OfBody": md5_of(&message.body),
        "Body": message.body,
        "Attributes": attributes,
    });
    if message.attributes.is_object() {
        answer["MessageAttributes"] = message.attributes.clone();
    }
    answer
}

fn receipt(input: &Value) -> Result<(i64, u32), Refusal> {
    let handle = input.get("ReceiptHandle").and_then(Value::as_str).ok_or_else(|| Refusal::missing("ReceiptHandle"))?;
    parse_receipt_handle(handle).ok_or_else(Refusal::receipt_handle)
}

fn delete(queues: &Queues, definition: &QueueDefinition, input: &Value) -> Result<(), Refusal> {
    let receipt = receipt(input)?;
    let deleted = queues.delete(&definition.logical_id, &[receipt])?;
    if deleted == [false] && definition.is_fifo() {
        return Err(Refusal::invalid("Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."));
    }
    Ok(())
}

fn change_visibility(queues: &Queues, definition: &QueueDefinition, input: &Value) -> Result<(), Refusal> {
    let receipt = receipt(input)?;
    let seconds = input.get("VisibilityTimeout").and_then(Value::as_u64).unwrap_or(0);
    if seconds > TWELVE_HOURS {
        return Err(Refusal::invalid(format!("Value {seconds} for parameter VisibilityTimeout is invalid.")));
    }
    if queues.change_visibility(&definition.logical_id, receipt, Duration::from_secs(seconds))? {
        return Ok(());
    }
    Err(Refusal::new(
        "MessageNotInflight",
        "AWS.SimpleQueueService.MessageNotInflight",
        "The message is not in flight under this receipt handle.",
    ))
}

fn attributes(queues: &Queues, definition: &QueueDefinition, input: &Value) -> Value {
    let snapshot = queues.snapshot().into_iter().find(|queue| queue.logical_id == definition.logical_id);
    let (waiting, in_flight) = snapshot.map_or((0, 0), |queue| (queue.waiting, queue.in_flight));
    let mut all = json!({
        "ApproximateNumberOfMessages": waiting.to_string(),
        "ApproximateNumberOfMessagesNotVisible": in_flight.to_string(),
        "ApproximateNumberOfMessagesDelayed": "0",
        "MessageRetentionPeriod": definition.retention.as_secs().to_string(),
        "QueueArn": queue_arn(&definition.name),
        "VisibilityTimeout": definition.visibility_timeout.as_secs().to_string(),
    });
    if definition.is_fifo() {
        all["FifoQueue"] = "true".into();
        all["ContentBasedDeduplication"] = "false".into();
    }
    if let Some((dead_letter, maximum)) = &definition.dead_letter {
        let state = queues.lock();
        if let Some(target) = state.queues.get(dead_letter) {
            let policy = json!({
                "deadLetterTargetArn": queue_arn(&target.definition.name),
                "maxReceiveCount": maximum,
            });
            all["RedrivePolicy"] = policy.to_string().into();
        }
    }
    let asked: Vec<&str> =
        input.get("AttributeNames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let given: Map<String, Value> = all
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| asked.contains(&"All") || asked.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    json!({ "Attributes": given })
}
