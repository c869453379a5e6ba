//! However the local cloud ends, nothing of it is left and nothing has panicked.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use http::Request;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use local::cloud::Addresses;
use serde_json::json;

use crate::support::{Stack, eventually, options};

/// A process of the local cloud: its id may be another's later, its start then differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Process {
    id: u32,
    started: u64,
    parent: u32,
    group: u32,
}

fn processes() -> Vec<Process> {
    let ids = fs::read_dir("/proc").expect("processes").flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(process).collect()
}

/// `None` when it has ended, whether somebody has asked for its status or not.
fn process(id: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields[at].parse().ok();
    (!["Z", "X"].contains(&fields[0])).then_some(())?;
    Some(Process { id, started: fields[19].parse().ok()?, parent: number(1)?, group: number(2)? })
}

/// What runs below a process, and the process groups it has made.
struct Below {
    processes: BTreeSet<Process>,
    groups: BTreeSet<u32>,
}

impl Below {
    fn of(id: u32) -> Self {
        let all = processes();
        let own = all.iter().find(|process| process.id == id).expect("it runs").group;
        let mut found = BTreeSet::new();
        let mut parents = vec![id];
        while let Some(parent) = parents.pop() {
            let children = all.iter().filter(|process| process.parent == parent);
            children.for_each(|child| {
                parents.push(child.id);
                found.insert(child.clone());
            });
        }
        let groups = found.iter().map(|process| process.group).filter(|group| *group != own).collect();
        Self { processes: found, groups }
    }

    fn left(&self) -> Vec<Process> {
        let is_known =
            |process: &Process| self.processes.iter().any(|known| (known.id, known.started) == (process.id, process.started));
        processes().into_iter().filter(|process| is_known(process) || self.groups.contains(&process.group)).collect()
    }
}

struct Program {
    child: Child,
    directory: PathBuf,
    addresses: Addresses,
}

impl Program {
    /// The program with its output in a file, in a process group of its own as if a terminal had started it.
    async fn start(directory: &Path, extra: &[&str]) -> Self {
        let options = options();
        fs::create_dir_all(directory).expect("a folder");
        let output = File::options().create(true).append(true).open(directory.join("output")).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_local"))
            .args(["up", "--ephemeral", "--until-eof", "--no-schedules", "--no-demo", "--directory"])
            .arg(directory)
            .arg("--template")
            .arg(&options.template)
            .arg("--binaries")
            .arg(&options.binaries.0)
            .args(extra)
            .stdin(Stdio::piped())
            .stdout(output.try_clone().expect("a file"))
            .stderr(output)
            .process_group(0)
            .spawn()
            .expect("the program starts");
        let id = child.id();
        eventually("run.json is there", || Addresses::of_running(directory).is_ok_and(|run| run.pid == id)).await;
        let addresses = Addresses::of_running(directory).expect("run.json");
        Self { child, directory: directory.to_owned(), addresses }
    }

    /// Calls that take a minute, calls that come and go, and ones whose function is only being started.
    fn load(&self) {
        for number in 0..30 {
            let (path, milliseconds) = [("slow", 60_000), ("echo/x", 0), ("short", 60_000)][number % 3];
            let request = Request::get(format!("{}/{path}", self.addresses.api))
                .header("x-do", json!({"do": "sleep", "ms": milliseconds}).to_string());
            let request = request.body(Full::<bytes::Bytes>::default()).expect("a request");
            tokio::spawn(Client::builder(TokioExecutor::new()).build_http().request(request));
        }
    }

    /// Ends it with a signal, or without one by the end of its input, and looks for what it leaves.
    async fn end(mut self, signal: Option<&str>) {
        let below = Below::of(self.child.id());
        assert!(!below.groups.is_empty(), "it watches over processes");
        match signal {
            Some(signal) => {
                let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status();
                assert!(sent.expect("kill runs").success());
            }
            None => drop(self.child.stdin.take()),
        }
        // What was connected to its output, and whoever waits for it, is kept up by no one who is left.
        let child = &mut self.child;
        let mut status = None;
        for _ in 0..3000 {
            status = child.try_wait().expect("a child");
            if status.is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let status = status.expect("it ends");
        assert_eq!(status.success(), signal != Some("KILL"), "{signal:?}: {status}");
        eventually("nothing is left", || below.left().is_empty()).await;
        let logs = fs::read_dir(self.directory.join("logs")).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in logs.chain([self.directory.join("output")]) {
            let text = fs::read_to_string(&path).expect("a log");
            assert!(!text.contains("panicked"), "{signal:?}, {}: {text}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_however_the_program_ends() {
    for signal in [Some("INT"), Some("TERM"), Some("HUP"), Some("KILL"), None] {
        for pause in [0, 40, 400] {
            let directory = options().directory;
            let program = Program::start(&directory, &["--memory", "--no-postgres"]).await;
            program.load();
            tokio::time::sleep(Duration::from_millis(pause)).await;
            program.end(signal).await;
            let _ = fs::remove_dir_all(directory);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_ends_with_the_program_and_the_next_one_has_its_rows() {
    let directory = options().directory;
    let migrations = directory.join("migrations");
    fs::create_dir_all(&migrations).expect("a folder");
    fs::write(migrations.join("0001_notes.sql"), "create role app_staff nologin; create table notes (title text);")
        .expect("a file");
    let extra = ["--migrations", migrations.to_str().expect("a path")];
    for (round, signal) in [Some("KILL"), Some("KILL"), Some("TERM"), None].into_iter().enumerate() {
        let program = Program::start(&directory, &extra).await;
        let url = program.addresses.owner_database_url.clone().expect("a database");
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("a connection");
        tokio::spawn(connection);
        let rows: i64 = client.query_one("select count(*) from notes", &[]).await.expect("a count").get(0);
        assert_eq!(rows, i64::try_from(round).expect("a small number"), "every row of the runs before");
        client.execute("insert into notes values ('x')", &[]).await.expect("a row");
        program.load();
        program.end(signal).await;
    }
    let _ = fs::remove_dir_all(directory);
}

/// As after a panic: nobody has stopped it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_is_dropped_takes_its_functions_with_it() {
    let Stack { cloud, directory } = Stack::start().await;
    let call = |order: serde_json::Value| {
        let runtime = cloud.runtime.clone();
        tokio::spawn(async move { runtime.invoke("Echo", order.to_string().into()).await })
    };
    let _busy = [call(json!({"do": "sleep", "ms": 60_000})), call(json!({"do": "sleep", "ms": 60_000}))];
    let api = format!("AWS_ENDPOINT_URL_SQS={}", cloud.addresses.sqs);
    let functions = || {
        let environments =
            processes().into_iter().map(|process| fs::read(format!("/proc/{}/environ", process.id)).unwrap_or_default());
        environments.filter(|environment| environment.split(|byte| *byte == 0).any(|variable| variable == api.as_bytes())).count()
    };
    eventually("both run", || functions() == 2).await;
    drop(cloud);
    eventually("none is left", || functions() == 0).await;
    let _ = fs::remove_dir_all(directory);
}
