//! Applies `NNNN_name.sql`, forward only, each once and in one transaction.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, bail, ensure};
use ring::digest;
use tokio_postgres::{Client, error::ErrorPosition};

/// Any number will do; it is the same for everybody who migrates.
const LOCK: i64 = 0x0062_616c_6361_6f00;

const TABLE: &str = "
    create table if not exists schema_migrations (
        version    integer primary key,
        name       text not null,
        checksum   text not null,
        applied_at timestamptz not null default now()
    )";

const RECORD: &str = "
    insert into schema_migrations (version, name, checksum)
    values ($1, $2, $3)";

/// Has the extension that compares meanings made, where the database offers it.
const TAKE_VECTOR: &str = "
    do $$ begin
        if to_regprocedure('app.take_vector()') is not null then
            perform app.take_vector();
        end if;
    end $$";

struct Migration {
    version: i32,
    name: String,
    sql: String,
    checksum: String,
}

/// Applies the migrations of a folder which the database does not have yet, in order, and returns
/// their names. One process at a time does this; others wait. Without the folder nothing is done.
///
/// # Errors
/// When a migration fails (it leaves no trace then), or when one that was applied has changed or
/// is gone.
pub async fn migrate(url: &str, folder: &Path, progress: &impl Fn(&str)) -> anyhow::Result<Vec<String>> {
    let migrations = read(folder)?;
    let mut client = super::connect(url).await?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    let applied = applied(&client).await?;
    for (version, (name, checksum)) in &applied {
        let Some(migration) = migrations.iter().find(|migration| migration.version == *version) else {
            bail!("the database has migration {name}, but {} does not; it is newer than this code", folder.display());
        };
        ensure!(
            migration.checksum == *checksum,
            "{} was changed after it was applied; put it back as it was and write a new migration, or delete the data to start afresh",
            migration.name
        );
    }
    let mut done = Vec::new();
    for migration in migrations {
        if applied.contains_key(&migration.version) {
            continue;
        }
        progress(&format!("Migrating: {}", migration.name));
        apply(&mut client, &migration).await?;
        done.push(migration.name);
    }
    // A database may have got it since.
    client.batch_execute(TAKE_VECTOR).await?;
    Ok(done)
}

async fn applied(client: &Client) -> anyhow::Result<BTreeMap<i32, (String, String)>> {
    client.batch_execute(TABLE).await?;
    let rows = client.query("select version, name, checksum from schema_migrations", &[]).await?;
    Ok(rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect())
}

async fn apply(client: &mut Client, migration: &Migration) -> anyhow::Result<()> {
    let transaction = client.transaction().await?;
    if let Err(error) = transaction.batch_execute(&migration.sql).await {
        let at = error.as_db_error().map_or_else(String::new, |error| {
            let hint = [error.detail(), error.hint()].into_iter().flatten().collect::<Vec<_>>().join("; ");
            format!("{}: {} {hint}", line_of(&migration.sql, error.position()), error.message())
        });
        return Err(anyhow::Error::new(error).context(format!("{} failed at {at}", migration.name)));
    }
    transaction.execute(RECORD, &[&migration.version, &migration.name, &migration.checksum]).await?;
    transaction.commit().await.with_context(|| format!("{} failed", migration.name))
}

fn line_of(sql: &str, position: Option<&ErrorPosition>) -> String {
    let Some(ErrorPosition::Original(position)) = position else { return "an unknown line".to_owned() };
    let before = sql.chars().take(*position as usize);
    format!("line {}", before.filter(|letter| *letter == '\n').count() + 1)
}

fn read(folder: &Path) -> anyhow::Result<Vec<Migration>> {
    let mut migrations: BTreeMap<i32, Migration> = BTreeMap::new();
    if !folder.exists() {
        return Ok(Vec::new());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(name) = file_name.strip_suffix(".sql").filter(|name| *name != "schema") else { continue };
        let digits = name.split('_').next().unwrap_or_default();
        let version = (digits.len() == 4).then(|| digits.parse().ok()).flatten();
        let version = version.with_context(|| format!("{file_name} is not named NNNN_name.sql"))?;
        let sql = fs::read_to_string(&path)?;
        let checksum = hex::encode(digest::digest(&digest::SHA256, sql.as_bytes()));
        let migration = Migration { version, name: name.to_owned(), sql, checksum };
        if let Some(other) = migrations.insert(version, migration) {
            bail!("{} and {name} have the same number", other.name);
        }
    }
    Ok(migrations.into_values().collect())
}
