//! Order, deduplication, visibility, partial failures, dead letters and restarts of the queues.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use aws_sdk_sqs::{
    Client,
    types::{ChangeMessageVisibilityBatchRequestEntry, QueueAttributeName, SendMessageBatchRequestEntry},
};
use bytes::Bytes;
use local::{
    Invoke, InvokeError,
    parameters::{Parameters, SETTINGS},
    queues::Queues,
    template::{EventSource, QueueDefinition},
};
use serde_json::{Value, json};

use crate::cloud::{Folder, client, listener};

type Answer = Result<Value, InvokeError>;

struct Cloud {
    queues: Arc<Queues>,
    url: String,
    client: Client,
}

impl Cloud {
    async fn start(visibility: Duration, store: Option<PathBuf>) -> Self {
        let jobs = QueueDefinition {
            logical_id: "Jobs".into(),
            name: "jobs.fifo".into(),
            visibility_timeout: visibility,
            retention: Duration::from_hours(1),
            dead_letter: Some(("DeadJobs".into(), 3)),
        };
        let dead_jobs = QueueDefinition {
            logical_id: "DeadJobs".into(),
            name: "dead-jobs.fifo".into(),
            visibility_timeout: visibility,
            retention: Duration::from_hours(2),
            dead_letter: None,
        };
        let queues = Queues::open(vec![jobs, dead_jobs], store).unwrap();
        let (listener, url) = listener().await;
        let router = queues.router(Arc::new(Parameters::open(None).unwrap()));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { queues, client: client!(aws_sdk_sqs, &url), url }
    }

    fn queue_url(&self) -> String {
        format!("{}/000000000000/jobs.fifo", self.url)
    }

    async fn send(&self, group: &str, id: &str) -> String {
        let sent = self
            .client
            .send_message()
            .queue_url(self.queue_url())
            .message_body(json!({ "group": group, "id": id }).to_string())
            .message_group_id(group)
            .message_deduplication_id(id);
        sent.send().await.unwrap().message_id.unwrap()
    }

    async fn receive(&self, maximum: i32) -> Vec<aws_sdk_sqs::types::Message> {
        let received = self.client.receive_message().queue_url(self.queue_url()).max_number_of_messages(maximum);
        received.send().await.unwrap().messages.unwrap_or_default()
    }

    /// Runs a mapping whose function is `answer`.
    fn run<F: Future<Output = Answer> + Send + 'static>(
        &self,
        batch_size: usize,
        concurrency: usize,
        answer: impl Fn(Value) -> F + Send + Sync + 'static,
    ) -> tokio::task::JoinHandle<()> {
        let source = EventSource {
            function: "Work".into(),
            queue: "Jobs".into(),
            batch_size,
            maximum_concurrency: concurrency,
            report_batch_item_failures: true,
        };
        let invoke: Invoke = Arc::new(move |function, event| {
            assert_eq!(function, "Work");
            let answer = answer(serde_json::from_slice(&event).unwrap());
            Box::pin(async move { answer.await.map(|answer| Bytes::from(answer.to_string())) })
        });
        self.queues.poll(vec![source], invoke)
    }

    async fn empty(&self) {
        eventually(|| self.queues.snapshot().iter().all(|queue| queue.dead_letter || queue.waiting + queue.in_flight == 0)).await;
    }
}

async fn eventually(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn records(event: &Value) -> Vec<Value> {
    event["Records"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_stay_in_order_and_never_overlap() {
    let cloud = Cloud::start(Duration::from_secs(30), None).await;
    let seen: Arc<Mutex<HashMap<String, Vec<u64>>>> = Arc::default();
    let busy: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    let sizes: Arc<Mutex<Vec<usize>>> = Arc::default();
    let (seen_by, busy_by, sizes_by) = (Arc::clone(&seen), Arc::clone(&busy), Arc::clone(&sizes));
    for number in 0..40 {
        for group in ["a", "b", "c", "d", "e"] {
            cloud.send(group, &format!("{group}-{number}")).await;
        }
    }
    let handle = cloud.run(7, 4, move |event| {
        let (seen, busy, sizes) = (Arc::clone(&seen_by), Arc::clone(&busy_by), Arc::clone(&sizes_by));
        async move {
            let records = records(&event);
            sizes.lock().unwrap().push(records.len());
            let mut groups: Vec<String> =
                records.iter().map(|record| record["attributes"]["MessageGroupId"].as_str().unwrap().to_owned()).collect();
            groups.sort();
            groups.dedup();
            for group in &groups {
                let mut busy = busy.lock().unwrap();
                let count = busy.entry(group.clone()).or_default();
                assert_eq!(*count, 0, "two batches hold group {group}");
                *count += 1;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            for record in &records {
                let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
                let number = body["id"].as_str().unwrap().split('-').nth(1).unwrap().parse().unwrap();
                seen.lock().unwrap().entry(body["group"].as_str().unwrap().to_owned()).or_default().push(number);
            }
            for group in &groups {
                *busy.lock().unwrap().get_mut(group).unwrap() -= 1;
            }
            Ok(json!({ "batchItemFailures": [] }))
        }
    });
    cloud.empty().await;
    handle.abort();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 5);
    for (group, numbers) in seen.iter() {
        assert_eq!(*numbers, (0..40).collect::<Vec<u64>>(), "group {group}");
    }
    assert!(sizes.lock().unwrap().iter().all(|size| *size <= 7));
}

#[tokio::test]
async fn a_second_message_with_the_same_deduplication_id_is_swallowed() {
    let cloud = Cloud::start(Duration::from_secs(30), None).await;
    let first = cloud.send("lane", "same").await;
    let second = cloud.send("lane", "same").await;
    assert_eq!(first, second);
    let received = cloud.receive(10).await;
    assert_eq!(received.len(), 1);
    let handle = received[0].receipt_handle().unwrap();
    cloud.client.delete_message().queue_url(cloud.queue_url()).receipt_handle(handle).send().await.unwrap();
    cloud.send("lane", "same").await;
    assert!(cloud.receive(10).await.is_empty(), "also after it was deleted");
}

#[tokio::test]
async fn batches_answer_entry_by_entry() {
    let cloud = Cloud::start(Duration::from_secs(30), None).await;
    let entry = |id: &str, group: Option<&str>| {
        SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body("hello")
            .set_message_group_id(group.map(str::to_owned))
            .message_deduplication_id(id)
            .build()
            .unwrap()
    };
    let sent = cloud
        .client
        .send_message_batch()
        .queue_url(cloud.queue_url())
        .entries(entry("good", Some("lane")))
        .entries(entry("bad", None))
        .send()
        .await
        .unwrap();
    assert_eq!(sent.successful()[0].id(), "good");
    assert_eq!(sent.successful()[0].md5_of_message_body(), "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(sent.failed()[0].id(), "bad");
    assert_eq!(sent.failed()[0].code(), "MissingParameter");
    let message = &cloud.receive(10).await[0];
    let changed = cloud
        .client
        .change_message_visibility_batch()
        .queue_url(cloud.queue_url())
        .entries(
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id("good")
                .receipt_handle(message.receipt_handle().unwrap())
                .visibility_timeout(0)
                .build()
                .unwrap(),
        )
        .entries(
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id("bad")
                .receipt_handle("1.9")
                .visibility_timeout(0)
                .build()
                .unwrap(),
        )
        .send()
        .await
        .unwrap();
    assert_eq!((changed.successful().len(), changed.failed().len()), (1, 1));
    assert_eq!(cloud.receive(10).await.len(), 1, "visible again at once");
}

#[tokio::test]
async fn the_sdk_understands_errors_and_attributes() {
    let cloud = Cloud::start(Duration::from_secs(30), None).await;
    let error = cloud.client.get_queue_url().queue_name("nothing").send().await.unwrap_err().into_service_error();
    assert!(error.is_queue_does_not_exist(), "{error:?}");
    let url = cloud.client.get_queue_url().queue_name("jobs.fifo").send().await.unwrap().queue_url.unwrap();
    assert_eq!(url, cloud.queue_url());
    let error = cloud
        .client
        .change_message_visibility()
        .queue_url(&url)
        .receipt_handle("nonsense")
        .visibility_timeout(1)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(error.is_receipt_handle_is_invalid(), "{error:?}");
    cloud.send("lane", "1").await;
    cloud.send("lane", "2").await;
    cloud.receive(1).await;
    let attributes = cloud
        .client
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap()
        .attributes
        .unwrap();
    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessages], "1");
    assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible], "1");
    assert_eq!(attributes[&QueueAttributeName::FifoQueue], "true");
}

#[tokio::test]
async fn a_group_in_flight_gives_nothing_until_its_time_out() {
    let cloud = Cloud::start(Duration::from_millis(300), None).await;
    cloud.send("lane", "1").await;
    cloud.send("lane", "2").await;
    cloud.send("other", "3").await;
    assert_eq!(cloud.receive(1).await.len(), 1);
    let second = cloud.receive(10).await;
    assert_eq!(second.len(), 1, "only the other group");
    assert!(second[0].body().unwrap().contains("other"));
    tokio::time::sleep(Duration::from_millis(350)).await;
    let again = cloud.receive(10).await;
    assert_eq!(again.len(), 3);
    assert!(again[0].body().unwrap().contains("\"1\""));
}

#[tokio::test]
async fn failures_come_back_and_end_as_dead_letters() {
    let cloud = Cloud::start(Duration::from_millis(50), None).await;
    for id in ["good-1", "bad", "good-2"] {
        cloud.send(id, id).await;
    }
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let calls_by = Arc::clone(&calls);
    let handle = cloud.run(10, 2, move |event| {
        let mut failed = Vec::new();
        for record in records(&event) {
            let group = record["attributes"]["MessageGroupId"].as_str().unwrap().to_owned();
            if group == "bad" {
                failed.push(json!({ "itemIdentifier": record["messageId"] }));
            }
            calls_by.lock().unwrap().push(group);
        }
        async move { Ok(json!({ "batchItemFailures": failed })) }
    });
    eventually(|| cloud.queues.dead_letters("Jobs").len() == 1).await;
    cloud.empty().await;
    let count = |group: &str| calls.lock().unwrap().iter().filter(|called| *called == group).count();
    assert_eq!((count("good-1"), count("good-2"), count("bad")), (1, 1, 3));
    let dead = &cloud.queues.dead_letters("DeadJobs")[0];
    assert_eq!((dead["queue"].as_str(), dead["receive_count"].as_u64()), (Some("Jobs"), Some(3)));
    assert_eq!(cloud.queues.redrive("DeadJobs").unwrap(), 1);
    eventually(|| count("bad") == 6).await;
    handle.abort();
}

#[tokio::test]
async fn errors_and_malformed_answers_fail_the_whole_batch() {
    let cloud = Cloud::start(Duration::from_millis(50), None).await;
    cloud.send("a", "1").await;
    cloud.send("b", "2").await;
    let calls: Arc<Mutex<Vec<usize>>> = Arc::default();
    let calls_by = Arc::clone(&calls);
    let handle = cloud.run(10, 1, move |event| {
        let mut calls = calls_by.lock().unwrap();
        calls.push(records(&event).len());
        let answer = match calls.len() {
            1 => Err(InvokeError::TimedOut),
            2 => Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "" }] })),
            _ => Ok(Value::Null),
        };
        async move { answer }
    });
    cloud.empty().await;
    handle.abort();
    assert_eq!(calls.lock().unwrap().iter().sum::<usize>(), 6);
    assert!(cloud.queues.dead_letters("Jobs").is_empty());
}

#[tokio::test]
async fn a_worker_decides_when_its_message_comes_back() {
    let cloud = Cloud::start(Duration::from_mins(1), None).await;
    cloud.send("lane", "1").await;
    let calls: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let calls_by = Arc::clone(&calls);
    let (client, url) = (cloud.client.clone(), cloud.queue_url());
    let handle = cloud.run(10, 1, move |event| {
        let (client, url, calls) = (client.clone(), url.clone(), Arc::clone(&calls_by));
        async move {
            let first = calls.lock().unwrap().is_empty();
            calls.lock().unwrap().push(Instant::now());
            if !first {
                return Ok(Value::Null);
            }
            let record = &records(&event)[0];
            let handle = record["receiptHandle"].as_str().unwrap();
            client.change_message_visibility().queue_url(url).receipt_handle(handle).visibility_timeout(1).send().await.unwrap();
            Ok(json!({ "batchItemFailures": [{ "itemIdentifier": record["messageId"] }] }))
        }
    });
    cloud.empty().await;
    handle.abort();
    let calls = calls.lock().unwrap();
    let waited = calls[1] - calls[0];
    assert!((900..1500).contains(&waited.as_millis()), "{waited:?}");
}

#[tokio::test]
async fn messages_survive_a_restart() {
    let folder = Folder::new();
    let store = folder.path().join("queues.sqlite");
    let cloud = Cloud::start(Duration::from_mins(1), Some(store.clone())).await;
    for id in ["1", "2", "3"] {
        cloud.send("lane", id).await;
    }
    let received = cloud.receive(1).await;
    let handle = received[0].receipt_handle().unwrap();
    cloud.client.delete_message().queue_url(cloud.queue_url()).receipt_handle(handle).send().await.unwrap();
    assert_eq!(cloud.receive(1).await.len(), 1);

    // The first stays open, as a killed process leaves its file.
    let again = Cloud::start(Duration::from_mins(1), Some(store)).await;
    again.send("lane", "3").await;
    let received = again.receive(10).await;
    let bodies: Vec<&str> = received.iter().map(|message| message.body().unwrap()).collect();
    assert_eq!(bodies, [r#"{"group":"lane","id":"2"}"#, r#"{"group":"lane","id":"3"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_and_working_off_is_fast() {
    let folder = Folder::new();
    let cloud = Cloud::start(Duration::from_mins(1), Some(folder.path().join("queues.sqlite"))).await;
    let start = Instant::now();
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            let (client, url) = (cloud.client.clone(), cloud.queue_url());
            tokio::spawn(async move {
                for number in 0..250 {
                    let id = format!("{sender}-{number}");
                    let message = client.send_message().queue_url(&url).message_body("{}");
                    message.message_group_id(&id).message_deduplication_id(&id).send().await.unwrap();
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    let sent = start.elapsed();
    let start = Instant::now();
    let handle = cloud.run(10, 10, |_| async { Ok(Value::Null) });
    cloud.empty().await;
    handle.abort();
    eprintln!("2000 messages: sent one by one in {sent:?}, worked off in {:?}", start.elapsed());
    assert!(sent + start.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn settings_are_a_parameter() {
    let cloud = Cloud::start(Duration::from_mins(1), None).await;
    let client = client!(aws_sdk_ssm, &cloud.url);
    let answer = client.get_parameter().name(SETTINGS).with_decryption(true).send().await.unwrap();
    let settings: Value = serde_json::from_str(answer.parameter.unwrap().value().unwrap()).unwrap();
    assert_eq!(settings["token_keys"].as_array().unwrap().len(), 1);
    let error = client.get_parameter().name("/other").send().await.unwrap_err().into_service_error();
    assert!(error.is_parameter_not_found(), "{error:?}");
}

#[test]
fn parameters_are_made_once_and_private() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let first = Parameters::open(Some(folder.path())).unwrap();
    first.set_database_url("postgres://app@localhost/balcao").unwrap();
    let second = Parameters::open(Some(folder.path())).unwrap();
    assert_eq!(first.settings(), second.settings());
    assert_eq!(second.settings().database_url, "postgres://app@localhost/balcao");
    let mode = folder.path().join("parameters.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
