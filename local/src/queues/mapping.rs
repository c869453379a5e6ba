//! Event source mappings: hands messages to functions in batches and deletes what they finished.

use std::{collections::HashSet, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    Queues, now,
    queue::Message,
    queue_arn,
    wire::{SENDER, md5_of, sequence_number},
};
use crate::{Invoke, InvokeError, account::REGION, template::EventSource};

/// Largest batch Lambda takes from a FIFO queue.
const FIFO_BATCH: usize = 10;

/// First and longest wait before a throttled batch is tried again.
const THROTTLED: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Serves every source until it is dropped; running invocations end with it.
pub async fn run(queues: Arc<Queues>, sources: Vec<EventSource>, invoke: Invoke) {
    let mut tasks = JoinSet::new();
    for source in sources {
        tasks.spawn(serve(Arc::clone(&queues), Arc::new(source), Arc::clone(&invoke)));
    }
    while tasks.join_next().await.is_some() {}
}

async fn serve(queues: Arc<Queues>, source: Arc<EventSource>, invoke: Invoke) {
    let known =
        queues.lock().queues.get(&source.queue).map(|queue| (queue_arn(&queue.definition.name), queue.definition.is_fifo()));
    let Some((arn, is_fifo)) = known else {
        eprintln!("{} reads from {}, which is not a queue of the template", source.function, source.queue);
        return;
    };
    let batch_size = if is_fifo { source.batch_size.min(FIFO_BATCH) } else { source.batch_size };
    let free = Arc::new(Semaphore::new(source.maximum_concurrency.max(1)));
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        let messages = match queues.next_batch(&source.queue, batch_size.max(1), None).await {
            Ok(messages) => messages,
            Err(error) => {
                eprintln!("cannot read from {}: {error:#}", source.queue);
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let (queues, source, invoke, arn) = (Arc::clone(&queues), Arc::clone(&source), Arc::clone(&invoke), arn.clone());
        running.spawn(async move {
            deliver(&queues, &source, &invoke, &arn, messages).await;
            drop(permit);
        });
    }
}

/// Invokes the function with one batch. What it does not report as finished stays in flight until
/// its visibility time-out, or until the time the function itself set.
async fn deliver(queues: &Queues, source: &EventSource, invoke: &Invoke, arn: &str, messages: Vec<Message>) {
    let records: Vec<Value> = messages.iter().map(|message| record(message, arn)).collect();
    let event = Bytes::from(json!({ "Records": records }).to_string());
    let given_back_at = messages.iter().map(|message| message.visible_at).min().unwrap_or(0);
    let mut wait = THROTTLED.0;
    let answer = loop {
        match invoke(&source.function, event.clone()).await {
            Err(InvokeError::Throttled) if now() + super::milliseconds(wait) < given_back_at => {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(THROTTLED.1);
            }
            other => break other,
        }
    };
    let Ok(answer) = answer else { return };
    let failed = if source.report_batch_item_failures { failures(&answer, &messages) } else { Some(HashSet::new()) };
    let Some(failed) = failed else { return };
    let finished: Vec<(i64, u32)> = messages
        .iter()
        .filter(|message| !failed.contains(&message.id))
        .map(|message| (message.sequence, message.receive_count))
        .collect();
    if let Err(error) = queues.delete(&source.queue, &finished) {
        eprintln!("cannot delete from {}: {error:#}", source.queue);
    }
}

/// Ids of the messages the function reports as failed; `None` when the answer is not a proper
/// report, and so the whole batch failed.
fn failures(answer: &[u8], messages: &[Message]) -> Option<HashSet<String>> {
    if answer.trim_ascii().is_empty() {
        return Some(HashSet::new());
    }
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let report = match &answer {
        Value::Null => return Some(HashSet::new()),
        Value::Object(fields) if fields.is_empty() => return Some(HashSet::new()),
        Value::Object(fields) => fields.get("batchItemFailures")?,
        _ => return None,
    };
    let items = match report {
        Value::Null => return Some(HashSet::new()),
        Value::Array(items) => items,
        _ => return None,
    };
    items
        .iter()
        .map(|item| {
            let id = item.get("itemIdentifier")?.as_str()?;
            messages.iter().any(|message| message.id == id).then(|| id.to_owned())
        })
        .collect()
}

fn record(message: &Message, arn: &str) -> Value {
    let mut attributes = Map::new();
    attributes.insert("ApproximateReceiveCount".into(), message.receive_count.to_string().into());
    attributes.insert("SentTimestamp".into(), message.sent_at.to_string().into());
    attributes.insert("SenderId".into(), SENDER.into());
    let first = message.first_received_at.unwrap_or(message.sent_at);
    attributes.insert("ApproximateFirstReceiveTimestamp".into(), first.to_string().into());
    if let Some(group) = &message.group {
        attributes.insert("SequenceNumber".into(), sequence_number(message.sequence).into());
        attributes.insert("MessageGroupId".into(), group.as_str().into());
    }
    if let Some(id) = &message.deduplication_id {
        attributes.insert("MessageDeduplicationId".into(), id.as_str().into());
    }
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt_handle(),
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": message_attributes(&message.attributes),
        "md5OfBody": md5_of(&message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": REGION,
    })
}

/// Lambda spells the keys of message attributes with a small first letter and adds empty lists.
fn message_attributes(attributes: &Value) -> Value {
    let convert = |value: &Value| {
        json!({
            "stringValue": value.get("StringValue"),
            "binaryValue": value.get("BinaryValue"),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value.get("DataType"),
        })
    };
    let fields = attributes.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), convert(value))).collect::<Map<String, Value>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str) -> Message {
        Message {
            sequence: 1,
            id: id.into(),
            body: "{}".into(),
            group: Some("lane".into()),
            deduplication_id: Some("job".into()),
            attributes: Value::Null,
            source: None,
            sent_at: 1,
            first_received_at: Some(2),
            receive_count: 3,
            visible_at: 4,
        }
    }

    #[test]
    fn answers_that_mean_success() {
        for answer in ["", " ", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
            assert_eq!(failures(answer.as_bytes(), &[message("a")]), Some(HashSet::new()), "{answer}");
        }
    }

    #[test]
    fn answers_that_fail_the_whole_batch() {
        for answer in [
            "nonsense",
            "\"\"",
            "[]",
            r#"{"failures":[]}"#,
            r#"{"batchItemFailures":"a"}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"other"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"identifier":"a"}]}"#,
            r#"{"batchItemFailures":["a"]}"#,
        ] {
            assert_eq!(failures(answer.as_bytes(), &[message("a")]), None, "{answer}");
        }
    }

    #[test]
    fn a_report_names_the_failed() {
        let answer = br#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#;
        let failed = failures(answer, &[message("a"), message("b")]);
        assert_eq!(failed, Some(HashSet::from(["b".to_owned()])));
    }

    #[test]
    fn a_record_of_a_fifo_queue() {
        let expected = json!({
            "messageId": "a",
            "receiptHandle": "1.3",
            "body": "{}",
            "attributes": {
                "ApproximateReceiveCount": "3",
                "SentTimestamp": "1",
                "SenderId": "AIDALOCALLOCALLOCAL00",
                "ApproximateFirstReceiveTimestamp": "2",
                "SequenceNumber": "00000000000000000001",
                "MessageGroupId": "lane",
                "MessageDeduplicationId": "job",
            },
            "messageAttributes": {},
            "md5OfBody": "99914b932bd37a50b983c5e7c90ae93b",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:jobs.fifo",
            "awsRegion": "us-east-1",
        });
        assert_eq!(record(&message("a"), "arn:aws:sqs:us-east-1:000000000000:jobs.fifo"), expected);
    }
}
