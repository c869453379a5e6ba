//! Tables of the template: creation, time to live, restart, pause, and what a query reads.

use std::path::PathBuf;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use local::{
    dynamodb::{self, Handle},
    template::TableDefinition,
};
use serde_json::{Value, json};

use crate::cloud::{Folder, client, listener};

fn table(properties: Value) -> TableDefinition {
    TableDefinition { logical_id: "Connections".into(), name: "stack-connections".into(), properties }
}

fn connections() -> TableDefinition {
    table(json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
            { "AttributeName": "gsi1pk", "AttributeType": "S" },
        ],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" }],
        "GlobalSecondaryIndexes": [{
            "IndexName": "gsi1",
            "KeySchema": [{ "AttributeName": "gsi1pk", "KeyType": "HASH" }, { "AttributeName": "pk", "KeyType": "RANGE" }],
            "Projection": { "ProjectionType": "ALL" },
        }],
        "TimeToLiveSpecification": { "AttributeName": "expiresAt", "Enabled": true },
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        "SSESpecification": { "SSEEnabled": true },
    }))
}

async fn start(table: TableDefinition, path: Option<PathBuf>) -> (Handle, Client) {
    let (listener, url) = listener().await;
    let handle = dynamodb::serve(listener, vec![table], path).unwrap();
    (handle, client!(aws_sdk_dynamodb, url))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.into())
}

async fn add(client: &Client, pk: &str) -> String {
    let updated = client
        .update_item()
        .table_name("stack-connections")
        .key("pk", text(pk))
        .key("sk", text("count"))
        .update_expression("ADD hits :one")
        .expression_attribute_values(":one", AttributeValue::N("1".into()))
        .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew)
        .send()
        .await
        .unwrap();
    updated.attributes.unwrap()["hits"].as_n().unwrap().clone()
}

async fn query(client: &Client, index: Option<&str>, key: &str, value: &str) -> i32 {
    let query = client
        .query()
        .table_name("stack-connections")
        .set_index_name(index.map(str::to_owned))
        .key_condition_expression(format!("{key} = :value"))
        .expression_attribute_values(":value", text(value));
    query.send().await.unwrap().count
}

#[tokio::test]
async fn items_and_indexes_survive_a_restart() {
    let folder = Folder::new();
    let path = folder.path().join("tables.sqlite");
    let (handle, client) = start(connections(), Some(path.clone())).await;
    add(&client, "a").await;
    let item = client.put_item().table_name("stack-connections").item("pk", text("a")).item("sk", text("2"));
    item.item("gsi1pk", text("user")).send().await.unwrap();
    drop(handle);
    let (_handle, client) = start(connections(), Some(path.clone())).await;
    assert_eq!(add(&client, "a").await, "2");
    assert_eq!(query(&client, None, "pk", "a").await, 2);
    assert_eq!(query(&client, Some("gsi1"), "gsi1pk", "user").await, 1);
    let described = client.describe_time_to_live().table_name("stack-connections").send().await.unwrap();
    assert_eq!(described.time_to_live_description.unwrap().attribute_name(), Some("expiresAt"));

    let mut changed = connections();
    changed.properties["GlobalSecondaryIndexes"][0]["IndexName"] = "other".into();
    let (_handle, client) = start(changed, Some(path)).await;
    assert_eq!(query(&client, Some("other"), "gsi1pk", "user").await, 0, "new keys, new table");
}

#[tokio::test]
async fn a_paused_server_refuses() {
    let (handle, client) = start(connections(), None).await;
    add(&client, "a").await;
    handle.pause().await;
    assert!(client.list_tables().send().await.is_err());
    handle.resume().await.unwrap();
    assert_eq!(add(&client, "a").await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_at_once_lose_nothing() {
    let folder = Folder::new();
    for path in [None, Some(folder.path().join("tables.sqlite"))] {
        let (_handle, client) = start(connections(), path).await;
        let workers: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    for _ in 0..25 {
                        add(&client, "counter").await;
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(add(&client, "counter").await, "201");
    }
}

#[tokio::test]
async fn a_query_reads_its_own_items_however_many_others_there_are() {
    let (_handle, client) = start(connections(), None).await;
    let put = async |pk: &str, sk: &str| {
        let item = client.put_item().table_name("stack-connections").item("pk", text(pk)).item("sk", text(sk));
        item.item("gsi1pk", text(pk)).send().await.unwrap();
    };
    for number in 0..3 {
        put("ours", &number.to_string()).await;
    }
    for others in [0, 300] {
        for number in 0..others {
            put(&format!("theirs-{}", number % 7), &number.to_string()).await;
        }
        for (index, key) in [(None, "pk"), (Some("gsi1"), "gsi1pk")] {
            let query = client.query().table_name("stack-connections").set_index_name(index.map(str::to_owned));
            let query = query.key_condition_expression(format!("{key} = :value"));
            let found = query.expression_attribute_values(":value", text("ours")).send().await.unwrap();
            assert_eq!((found.count, found.scanned_count), (3, 3), "{key} beside {others} others");
        }
    }
}
