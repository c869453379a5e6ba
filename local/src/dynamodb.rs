//! DynamoDB, embedded: the tables of the template in one SQLite file.

mod api;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, anyhow};
use dynoxide::Database;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    service::{Callers, Service},
    template::TableDefinition,
};

/// How often expired items are removed.
const SWEEP: Duration = Duration::from_secs(20);

/// What of the template's properties `CreateTable` takes as it is.
const TABLE_PROPERTIES: [&str; 6] = [
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
];

/// The running server. Dropping it stops the server.
pub struct Handle {
    service: Service,
    sweeper: JoinHandle<()>,
}

/// Serves the tables on `listener`; `path` is the file they are kept in, memory without one.
/// Tables that are missing are created; tables whose keys changed are created anew, as
/// CloudFormation would.
///
/// # Errors
/// When the file cannot be opened or a table cannot be created.
pub fn serve(listener: TcpListener, tables: Vec<TableDefinition>, path: Option<PathBuf>) -> anyhow::Result<Handle> {
    let database = open(path)?;
    for table in tables {
        prepare(&database, &table).with_context(|| format!("cannot create the table {}", table.logical_id))?;
    }
    let sweeper = tokio::spawn(sweep(database.clone()));
    let service = Service::start(listener, Callers::Programs, api::router(database))?;
    Ok(Handle { service, sweeper })
}

impl Handle {
    /// Lets clients' connections be refused, until `resume`.
    pub async fn pause(&self) {
        self.service.pause().await;
    }

    /// Serves again on the same port.
    ///
    /// # Errors
    /// When another program took the port.
    pub async fn resume(&self) -> anyhow::Result<()> {
        self.service.resume().await
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

fn open(path: Option<PathBuf>) -> anyhow::Result<Database> {
    let Some(path) = path else { return Ok(Database::memory()?) };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let name = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    let database = Database::new(name).with_context(|| format!("cannot open {name}"))?;
    // Turns SQLite's `synchronous` off: a killed process still loses nothing.
    database.enable_bulk_loading()?;
    Ok(database)
}

async fn sweep(database: Database) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let database = database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        if let Ok(Err(error)) = swept {
            eprintln!("cannot remove expired items: {error}");
        }
    }
}

fn prepare(database: &Database, table: &TableDefinition) -> anyhow::Result<()> {
    let request = creation(table)?;
    let existing = database.list_tables(parse(json!({}))?)?.table_names.contains(&table.name);
    if existing && !same_keys(database, table, &request)? {
        eprintln!("the keys of {} changed: its items are dropped", table.logical_id);
        database.delete_table(parse(json!({ "TableName": table.name }))?)?;
        database.create_table(parse(request)?)?;
    } else if !existing {
        database.create_table(parse(request)?)?;
    }
    let Some(time_to_live) = table.properties.get("TimeToLiveSpecification") else { return Ok(()) };
    let described = database.describe_time_to_live(parse(json!({ "TableName": table.name }))?)?;
    let described = serde_json::to_value(described)?;
    if described.pointer("/TimeToLiveDescription/TimeToLiveStatus") != Some(&json!("ENABLED")) {
        let request = json!({ "TableName": table.name, "TimeToLiveSpecification": time_to_live });
        database.update_time_to_live(parse(request)?)?;
    }
    Ok(())
}

fn creation(table: &TableDefinition) -> anyhow::Result<Value> {
    let properties = table.properties.as_object().context("the table has no properties")?;
    let mut request: Map<String, Value> = properties
        .iter()
        .filter(|(name, _)| TABLE_PROPERTIES.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    request.insert("TableName".into(), table.name.as_str().into());
    if let Some(view) = properties.get("StreamSpecification").and_then(|stream| stream.get("StreamViewType")) {
        let stream = json!({ "StreamEnabled": true, "StreamViewType": view });
        request.insert("StreamSpecification".into(), stream);
    }
    Ok(request.into())
}

fn same_keys(database: &Database, table: &TableDefinition, request: &Value) -> anyhow::Result<bool> {
    let described = database.describe_table(parse(json!({ "TableName": table.name }))?)?;
    let described = serde_json::to_value(described)?;
    let described = described.get("Table").unwrap_or(&Value::Null);
    Ok(keys_of(described) == keys_of(request))
}

/// The keys of a table and its indexes, comparable.
fn keys_of(table: &Value) -> Vec<String> {
    let list = |of: &Value, name: &str| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let schema = |of: &Value| -> String {
        let parts = list(of, "KeySchema");
        let keys = parts.iter().map(|part| [text(part, "AttributeName"), text(part, "KeyType")].join(":"));
        keys.collect::<Vec<_>>().join(" ")
    };
    let mut keys = vec![schema(table)];
    for kind in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        keys.extend(list(table, kind).iter().map(|index| text(index, "IndexName") + &schema(index)));
    }
    keys.sort();
    keys
}

fn parse<T: for<'a> serde::Deserialize<'a>>(request: Value) -> anyhow::Result<T> {
    serde_json::from_value(request).map_err(|error| anyhow!("{error}"))
}
