//! How the company's CRM is called, and what it says of its records.

use integrations::crm_kinds::{CRM_KEY, CrmKind};
use shared::prelude::*;

use super::values::{self, Values};

/// A CRM with its key; it never prints.
#[derive(Clone)]
pub struct Connection {
    pub company_id: Uuid,
    pub kind: CrmKind,
    pub base_url: Option<String>,
    pub api_key: String,
    /// Our fields and what they are called there.
    pub fields: Vec<(String, String)>,
}

/// A record of the CRM, as far as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Theirs {
    pub crm_id: String,
    /// By our names; what is not there cannot be read.
    pub values: Values,
    pub changed_at: Option<Timestamp>,
    pub is_deleted: bool,
}

/// A page of what has changed there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TheirPage {
    pub records: Vec<Theirs>,
    /// Where the next one begins.
    pub next: Option<String>,
}

/// What came of telling the CRM of a lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is there, under this id.
    Kept(String),
    /// It is not taken, and will not be until it changes.
    Refused(String),
    /// The record is not there any more.
    Gone,
}

/// What is kept of the connection.
#[derive(FromRow)]
pub struct ConnectionRow {
    pub kind: CrmKind,
    pub base_url: Option<String>,
    pub fields: Value,
    pub is_active: bool,
    pub read_until: Option<Timestamp>,
    pub hinted_at: Option<Timestamp>,
    pub paused_until: Option<Timestamp>,
    pub failures: i32,
    /// Whether all of it was read once.
    pub was_synced: bool,
}

const ROW: &str = "
    select kind, base_url, fields, status = 'active' as is_active, read_until, hinted_at, paused_until, failures,
           synced_at is not null as was_synced
      from crm_connections";

impl ConnectionRow {
    /// The company's, with what is needed to call it; none where it has none, or no listed key opens its own.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(
        context: &Context,
        transaction: &Transaction,
        company_id: Uuid,
    ) -> Result<Option<(Self, Connection)>, Error> {
        let row: Option<Self> = transaction.first(ROW, &[]).await?;
        let key = CRM_KEY.kept(context, transaction, company_id).await?;
        let (Some(row), Some(key)) = (row, key.and_then(|key| String::from_utf8(key).ok())) else { return Ok(None) };
        let said = serde_json::from_value(row.fields.clone()).unwrap_or_default();
        let fields = values::fields(row.kind, &said);
        let connection = Connection { company_id, kind: row.kind, base_url: row.base_url.clone(), api_key: key, fields };
        Ok(Some((row, connection)))
    }
}
