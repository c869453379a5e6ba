//! An account of a CRM: its records, each with an id, and when it was last changed.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How an account behaves.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// Records on one page.
    pub page_size: usize,
    /// A search finds what has changed this much later, in milliseconds.
    pub indexed_after_ms: u64,
    pub refuses_key: bool,
    /// Whether the REST CRM looks at `Idempotency-Key`.
    pub knows_keys: bool,
    /// What HubSpot's contacts have besides the usual properties.
    pub properties: Vec<String>,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self { page_size: 100, indexed_after_ms: 0, refuses_key: false, knows_keys: true, properties: Vec::new() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Record {
    pub id: u64,
    pub fields: Map<String, Value>,
    pub made_at: Timestamp,
    pub changed_at: Timestamp,
    pub is_archived: bool,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    pub settings: AccountSettings,
    pub records: BTreeMap<u64, Record>,
    /// What was made for which `Idempotency-Key`.
    pub keys: HashMap<String, u64>,
    last_id: u64,
}

impl Account {
    /// Ids are of this account alone: another has the same ones.
    pub(super) fn add(&mut self, fields: Map<String, Value>) -> u64 {
        self.last_id += 1;
        let id = 100 + self.last_id;
        let now = Timestamp::now();
        self.records.insert(id, Record { id, fields, made_at: now, changed_at: now, is_archived: false });
        id
    }

    pub(super) fn change(&mut self, id: u64, fields: Map<String, Value>) -> bool {
        let Some(record) = self.records.get_mut(&id) else { return false };
        record.fields.extend(fields);
        record.changed_at = Timestamp::now();
        true
    }

    pub(super) fn archive(&mut self, id: u64) -> bool {
        let Some(record) = self.there_mut(id) else { return false };
        record.is_archived = true;
        record.changed_at = Timestamp::now();
        true
    }

    pub(super) fn there(&self, id: u64) -> Option<&Record> {
        self.records.get(&id).filter(|record| !record.is_archived)
    }

    fn there_mut(&mut self, id: u64) -> Option<&mut Record> {
        self.records.get_mut(&id).filter(|record| !record.is_archived)
    }

    /// Records that a search finds, the oldest change first.
    pub(super) fn indexed(&self) -> Vec<&Record> {
        let delay = Duration::from_millis(self.settings.indexed_after_ms);
        let before = Timestamp::now() - delay;
        let mut found: Vec<&Record> =
            self.records.values().filter(|record| !record.is_archived && record.changed_at <= before).collect();
        found.sort_by_key(|record| (record.changed_at, record.id));
        found
    }

    pub(super) fn described(&self) -> Vec<Value> {
        let shown =
            |record: &Record| json!({"id": record.id.to_string(), "fields": record.fields, "is_archived": record.is_archived});
        self.records.values().map(shown).collect()
    }
}
