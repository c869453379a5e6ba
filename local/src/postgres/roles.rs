//! The database, its owner and the login of the functions.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use super::{APP, DATABASE, OWNER};
use crate::parameters::random_hex;

/// What `postgres.json` keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Passwords {
    pub owner: String,
    pub app: String,
    /// The port of the last run, taken again when it is free.
    pub port: Option<u16>,
}

impl Passwords {
    pub fn fresh() -> anyhow::Result<Self> {
        Ok(Self { owner: random_hex(24)?, app: random_hex(24)?, port: None })
    }

    /// Reads `<directory>/postgres.json`. A missing or broken file is no loss: the roles get the
    /// passwords of the file at each start.
    pub fn open(directory: &Path) -> anyhow::Result<Self> {
        let kept = fs::read(directory.join("postgres.json")).ok();
        match kept.and_then(|text| serde_json::from_slice(&text).ok()) {
            Some(passwords) => Ok(passwords),
            None => Self::fresh(),
        }
    }

    pub fn save(&self, directory: &Path) -> anyhow::Result<()> {
        let (path, draft) = (directory.join("postgres.json"), directory.join("postgres.json.new"));
        let text = serde_json::to_string_pretty(self)?;
        fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&draft, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Brings roles and database to what they should be; harmless when they are.
pub async fn prepare(superuser: &Client, passwords: &Passwords) -> anyhow::Result<()> {
    for role in [OWNER, APP] {
        let known = superuser.query_opt("select from pg_roles where rolname = $1", &[&role]).await?;
        if known.is_none() {
            superuser.batch_execute(&format!("create role {role}")).await?;
        }
    }
    // The owner has what Neon gives the owner of a project.
    superuser
        .batch_execute(&format!(
            "alter role {OWNER} login nosuperuser createdb createrole bypassrls password '{}';
             alter role {APP} login nosuperuser nobypassrls noinherit nocreatedb nocreaterole password '{}';
             alter role {APP} set statement_timeout = '10s';
             alter role {APP} set idle_in_transaction_session_timeout = '15s';
             grant {APP} to {OWNER} with admin option;",
            passwords.owner, passwords.app
        ))
        .await?;
    let known = superuser.query_opt("select from pg_database where datname = $1", &[&DATABASE]).await?;
    if known.is_none() {
        superuser.batch_execute(&format!("create database {DATABASE} owner {OWNER}")).await?;
    }
    Ok(())
}
