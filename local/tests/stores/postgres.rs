//! Starting, restarting, healing and migrating the cluster.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
    time::Instant,
};

use local::postgres::{Cluster, ClusterOptions};
use tokio_postgres::{Client, NoTls};

use crate::cloud::Folder;

const NOTES: &str = "
create extension citext;
create schema app;
create role app_staff nologin;
grant app_staff to app;
create function app.company_id() returns uuid language sql stable
return nullif(current_setting('app.company_id', true), '')::uuid;
create table notes (
    id         bigint generated always as identity primary key,
    company_id uuid not null default app.company_id(),
    title      citext not null check (length(title) <= 80),
    at         timestamptz not null default now()
);
create index notes_by_company on notes (company_id, at desc) where title <> '';
alter table notes enable row level security;
alter table notes force row level security;
create policy notes_of_company on notes using (company_id = (select app.company_id()));
grant usage on schema app to app_staff;
grant select, insert on notes to app_staff;
";

struct Place {
    folder: Folder,
}

impl Place {
    fn new() -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path().join("migrations")).unwrap();
        let place = Self { folder };
        place.migration("0001_notes", NOTES);
        place
    }

    fn migration(&self, name: &str, sql: &str) {
        fs::write(self.folder.path().join("migrations").join(format!("{name}.sql")), sql).unwrap();
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join(".local/postgres/data")
    }

    async fn start(&self, memory: bool) -> anyhow::Result<Cluster> {
        let options = ClusterOptions {
            directory: self.folder.path().join(".local"),
            port: None,
            memory,
            migrations: self.folder.path().join("migrations"),
            pooler: false,
        };
        let start = Instant::now();
        let cluster = Cluster::start(options, |step| eprintln!("  {step}")).await?;
        eprintln!("Postgres {} started in {:?}", cluster.version(), start.elapsed());
        Ok(cluster)
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn notes(cluster: &Cluster) -> i64 {
    connect(&cluster.owner_url()).await.query_one("select count(*) from notes", &[]).await.unwrap().get(0)
}

async fn add_note(cluster: &Cluster) {
    let owner = connect(&cluster.owner_url()).await;
    owner.execute("insert into notes (company_id, title) values (gen_random_uuid(), 'x')", &[]).await.unwrap();
}

#[tokio::test]
async fn the_login_of_the_functions_can_do_little() {
    let cluster = Place::new().start(true).await.unwrap();
    add_note(&cluster).await;
    let mut app = connect(&cluster.app_url()).await;
    let denied = app.query("select * from notes", &[]).await.unwrap_err();
    assert_eq!(denied.code().unwrap().code(), "42501");
    let transaction = app.transaction().await.unwrap();
    transaction.batch_execute("select set_config('role', 'app_staff', true)").await.unwrap();
    assert!(transaction.query("select * from notes", &[]).await.unwrap().is_empty());
    transaction.rollback().await.unwrap();
    let setting: String = app.query_one("show statement_timeout", &[]).await.unwrap().get(0);
    assert_eq!(setting, "10s");
    let row = app.query_one("select rolsuper, rolbypassrls, rolinherit from pg_roles where rolname = 'app'", &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (false, false, false));
    let lower: String = app.query_one("select lower('ÁÇÃO')", &[]).await.unwrap().get(0);
    assert_eq!(lower, "áção");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_restart_keeps_the_port_and_the_data() {
    let mut cluster = Place::new().start(true).await.unwrap();
    add_note(&cluster).await;
    let url = cluster.app_url();
    let before = connect(&url).await;
    cluster.crash().await.unwrap();
    assert!(before.query("select 1", &[]).await.is_err());
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
    cluster.relaunch().await.unwrap();
    assert_eq!(cluster.app_url(), url);
    assert_eq!(notes(&cluster).await, 1);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_schema_as_text() {
    let place = Place::new();
    let cluster = place.start(true).await.unwrap();
    let text = cluster.dump_schema().await.unwrap();
    for line in [
        "create extension citext;",
        "role app login noinherit member of app_staff;",
        "    id bigint not null generated always as identity,",
        "    title public.citext not null,",
        "alter table public.notes force row level security;",
        "create policy notes_of_company on public.notes as permissive for all to public using (company_id = ( SELECT app.company_id() AS company_id));",
        "grant insert, select on table public.notes to app_staff;",
        "grant execute on function app.company_id() to public;",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    eprintln!("{text}");
    assert_eq!(text, cluster.dump_schema().await.unwrap());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn migrations_run_once_and_only_forward() {
    let place = Place::new();
    place.start(false).await.unwrap().stop().await.unwrap();
    place.migration("0002_bad", "create table half ();\n\nselect nonsense;");
    let error = format!("{:#}", place.start(false).await.err().unwrap());
    assert!(error.contains("0002_bad failed at line 3: column \"nonsense\" does not exist"), "{error}");
    place.migration("0002_bad", "create table half ();");
    place.start(false).await.unwrap().stop().await.unwrap();
    place.migration("0001_notes", "select 1;");
    let error = format!("{:#}", place.start(false).await.err().unwrap());
    assert!(error.contains("0001_notes was changed after it was applied"), "{error}");
    fs::remove_file(place.folder.path().join("migrations/0001_notes.sql")).unwrap();
    let error = format!("{:#}", place.start(false).await.err().unwrap());
    assert!(error.contains("newer than this code"), "{error}");
}

#[tokio::test]
async fn killed_runs_are_healed() {
    let place = Place::new();
    let cluster = place.start(false).await.unwrap();
    add_note(&cluster).await;
    let url = cluster.app_url();
    let error = format!("{:#}", place.start(false).await.err().unwrap());
    assert!(error.contains("another local cloud is using"), "{error}");
    cluster.stop().await.unwrap();

    // A server that outlived its local cloud.
    let orphan = outlive(&place.data());
    let cluster = place.start(false).await.unwrap();
    assert_eq!(notes(&cluster).await, 1);
    assert_eq!(cluster.app_url(), url, "the same port and password again");
    drop(orphan);

    // A server that was killed the hard way; its children end a moment later.
    let pid: u32 = fs::read_to_string(place.data().join("postmaster.pid")).unwrap().lines().next().unwrap().parse().unwrap();
    Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    drop(cluster);
    let cluster = place.start(false).await.unwrap();

    // Killed together with its local cloud; another program got its process number.
    let pid_file = place.data().join("postmaster.pid");
    let pid = fs::read_to_string(&pid_file).unwrap();
    cluster.stop().await.unwrap();
    let owner = place.data().metadata().unwrap().uid();
    let mut other = Command::new("sleep").arg("60").uid(owner).spawn().unwrap();
    let lines: Vec<&str> = pid.lines().skip(1).collect();
    fs::write(&pid_file, format!("{}\n{}\n", other.id(), lines.join("\n"))).unwrap();
    std::os::unix::fs::chown(&pid_file, Some(owner), None).unwrap();
    // And an interrupted set-up next to it.
    fs::create_dir(place.data().with_extension("new")).unwrap();
    let cluster = place.start(false).await.unwrap();
    assert_eq!(notes(&cluster).await, 1);
    assert!(other.try_wait().unwrap().is_none(), "the other program still runs");
    other.kill().unwrap();
    other.wait().unwrap();
    cluster.stop().await.unwrap();

    fs::write(place.data().join("PG_VERSION"), "9\n").unwrap();
    let error = format!("{:#}", place.start(false).await.err().unwrap());
    assert!(error.contains("was made by Postgres 9, but only Postgres"), "{error}");
}

#[tokio::test]
async fn a_folder_that_the_server_cannot_enter() {
    let place = Place::new();
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    if place.folder.path().metadata().unwrap().uid() != 0 {
        return;
    }
    let options = ClusterOptions {
        directory: place.folder.path().join(".local"),
        port: None,
        memory: false,
        migrations: place.folder.path().join("migrations"),
        pooler: false,
    };
    let said = Mutex::new(String::new());
    let progress = |step: &str| {
        said.lock().unwrap().push_str(step);
    };
    let cluster = Cluster::start(options, progress).await.unwrap();
    assert_eq!(notes(&cluster).await, 0);
    cluster.stop().await.unwrap();
    let said = said.into_inner().unwrap();
    let (_, instead) = said.split_once("its files are in ").unwrap();
    let instead: String = instead.chars().take("/var/tmp/balcao-".len() + 12).collect();
    fs::remove_dir_all(instead).unwrap();
}

/// Starts the server as it was started last.
fn outlive(data: &Path) -> std::process::Child {
    let options = fs::read_to_string(data.join("postmaster.opts")).unwrap();
    let owner = data.metadata().unwrap();
    let mut words = options.split_whitespace().map(|word| word.trim_matches('"'));
    let child = Command::new(words.next().unwrap())
        .args(words)
        .current_dir("/")
        .uid(owner.uid())
        .gid(owner.gid())
        .stderr(fs::File::create(data.with_file_name("orphan.log")).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !data.join("postmaster.pid").exists() {
        assert!(start.elapsed().as_secs() < 10);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child
}
