//! The server process and its data folder.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        statvfs::statvfs,
    },
    unistd::Pid,
};
use tokio::process::Child;
use tokio_postgres::{Client, Config, NoTls};

use super::{binaries::Binaries, identity::Identity, pooler::Pooler};
use crate::leash::Leash;

/// How long the server may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Memory a cluster without a disk needs at least, in bytes.
const MEMORY: u64 = 1 << 30;
const MEMORY_PREFIX: &str = "balcao-postgres-";
const SETTINGS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "max_connections=500",
    "unix_socket_permissions=0700",
    "timezone=UTC",
    "log_timezone=UTC",
    "jit=off",
];
/// Commits still reach the kernel (`synchronous_commit` stays on), so that a crash of the server
/// alone loses none.
const FORGETFUL_SETTINGS: [&str; 5] =
    ["fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0", "max_wal_size=512MB"];

pub struct Server {
    binaries: Binaries,
    identity: Identity,
    /// Holds `data`, the log and the lock.
    folder: PathBuf,
    socket: PathBuf,
    memory: bool,
    port: u16,
    process: Option<Child>,
    /// Dropped last: the server has ended by then.
    leash: Leash,
}

impl Server {
    pub fn new(binaries: Binaries, identity: Identity, folder: PathBuf, socket: PathBuf, memory: bool) -> anyhow::Result<Self> {
        // An immediate end: what was committed is in the log of writes.
        let leash = Leash::start("QUIT").context("cannot watch over Postgres")?;
        Ok(Self { binaries, identity, folder, socket, memory, port: 0, process: None, leash })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn version(&self) -> u32 {
        self.binaries.version
    }

    pub fn log_file(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Cleans up after an earlier run that was killed.
    pub async fn heal(&self, progress: &impl Fn(&str)) -> anyhow::Result<()> {
        let draft = self.folder.join("data.new");
        if draft.exists() {
            progress("An earlier set-up of Postgres was interrupted; starting it afresh");
            fs::remove_dir_all(&draft)?;
        }
        if running_postmaster(&self.data()).is_some() {
            progress("Stopping a Postgres that an earlier run left behind");
            end_postmaster(&self.data()).await?;
        }
        // Postgres removes the file itself when the process is gone, and then looks for children
        // that outlived it. It refuses to start when the number now belongs to another program.
        if postmaster_pid(&self.data()).is_some_and(|pid| kill(pid, None) != Err(Errno::ESRCH)) {
            fs::remove_file(self.data().join("postmaster.pid"))?;
        }
        Ok(())
    }

    /// Makes the data folder, unless it exists.
    pub async fn initialise(&self, progress: &impl Fn(&str)) -> anyhow::Result<()> {
        if self.data().exists() {
            return Ok(());
        }
        progress("Making a new Postgres cluster");
        let draft = self.folder.join("data.new");
        let mut command = self.identity.command(&self.binaries.program("initdb"));
        command.arg("-D").arg(&draft).args(["-U", "postgres", "--encoding=UTF8"]);
        // Only the server's user can enter the folder of the socket.
        command.args(["--auth-local=trust", "--auth-host=scram-sha-256"]);
        if self.binaries.version >= 17 {
            command.args(["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
        } else {
            command.arg("--locale=C.UTF-8");
        }
        if self.binaries.version >= 18 {
            command.arg("--no-data-checksums");
        }
        if self.memory {
            command.arg("--no-sync");
        }
        command.process_group(self.leash.group());
        let output = command.output().await.context("cannot run initdb")?;
        ensure!(
            output.status.success(),
            "initdb failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        fs::rename(&draft, self.data())?;
        Ok(())
    }

    /// Starts the server on `port`, or on a free port when that is taken or absent.
    pub async fn launch(&mut self, port: Option<u16>) -> anyhow::Result<()> {
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).and_then(|listener| listener.local_addr());
        let address = match port {
            Some(port) => free(port).or_else(|_| free(0)),
            None => free(0),
        };
        self.port = address?.port();
        self.spawn()?;
        let start = Instant::now();
        loop {
            let ended = self.process.as_mut().map(Child::try_wait).transpose()?.flatten();
            if let Some(status) = ended {
                let log = self.log();
                self.process = None;
                let waits = log.contains("is still in use") && start.elapsed() < PATIENCE;
                ensure!(waits, "Postgres did not start ({status}): {log}");
                // Children of a killed server end a moment after it.
                tokio::time::sleep(Duration::from_millis(100)).await;
                self.spawn()?;
            }
            match self.connect("postgres").await {
                Ok(_) => return Ok(()),
                Err(error) if start.elapsed() > PATIENCE => {
                    return Err(error.context(format!("Postgres does not answer: {}", self.log())));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn spawn(&mut self) -> anyhow::Result<()> {
        let log = fs::File::create(self.log_file())?;
        let mut command = self.identity.command(&self.binaries.program("postgres"));
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-k"]).arg(&self.socket);
        let settings = SETTINGS.iter().chain(FORGETFUL_SETTINGS.iter().filter(|_| self.memory));
        for setting in settings {
            command.args(["-c", setting]);
        }
        // A Ctrl-C in the terminal is for the local cloud, which then stops the server.
        command.process_group(self.leash.group()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().context("cannot run postgres")?);
        Ok(())
    }

    /// Starts a pooler in front of it, which ends with it.
    pub async fn start_pooler(&self, password: &str) -> anyhow::Result<Pooler> {
        Pooler::start(&self.identity, &self.folder, self.leash.group(), self.port, password).await
    }

    /// Connects as superuser through the socket.
    pub async fn connect(&self, database: &str) -> anyhow::Result<Client> {
        let mut config = Config::new();
        config.host_path(&self.socket).port(self.port).user("postgres").dbname(database);
        let (client, connection) = config.connect(NoTls).await.context("cannot connect to Postgres")?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Sends a signal and waits for the end.
    pub async fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        if let Some(pid) = pid_of(&process) {
            let _ = kill(pid, signal);
        }
        if tokio::time::timeout(PATIENCE, process.wait()).await.is_err() {
            process.kill().await.context("Postgres does not end")?;
        }
        Ok(())
    }

    fn log(&self) -> String {
        let text = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            if let Some(pid) = pid_of(&process) {
                let _ = kill(pid, Signal::SIGQUIT);
            }
            let start = Instant::now();
            while matches!(process.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        if self.memory {
            let _ = fs::remove_dir_all(&self.folder);
            let _ = fs::remove_dir_all(&self.socket);
        }
    }
}

/// The major version that made a data folder.
pub fn version_of(data: &Path) -> anyhow::Result<Option<u32>> {
    if !data.exists() {
        return Ok(None);
    }
    let path = data.join("PG_VERSION");
    let version = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(version.trim().parse().with_context(|| format!("{} is not understood", path.display()))?))
}

/// A folder for a cluster without a disk, named after this process.
pub fn memory_folder(identity: &Identity) -> PathBuf {
    let shared = Path::new("/dev/shm");
    let large = statvfs(shared).is_ok_and(|system| system.blocks_available() * system.fragment_size() > MEMORY);
    let name = format!("{MEMORY_PREFIX}{}-{}", std::process::id(), uuid::Uuid::new_v4().simple());
    if large && identity.own_folder(&shared.join(&name)).is_ok() {
        return shared.join(name);
    }
    std::env::temp_dir().join(name)
}

/// Removes the clusters in memory of runs that were killed.
pub fn clear_abandoned() {
    for place in [PathBuf::from("/dev/shm"), std::env::temp_dir()] {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let owner = name.to_str().and_then(|name| name.strip_prefix(MEMORY_PREFIX)?.split('-').next()?.parse().ok());
            let Some(owner) = owner.map(Pid::from_raw) else { continue };
            if kill(owner, None) != Err(Errno::ESRCH) {
                continue;
            }
            if let Some(pid) = running_postmaster(&entry.path().join("data")) {
                let _ = kill(pid, Signal::SIGQUIT);
            }
            let _ = fs::remove_dir_all(entry.path());
            let _ = fs::remove_dir_all(Path::new("/tmp").join(format!("balcao-{}", super::short_hash(&entry.path()))));
        }
    }
}

/// The process that the data folder names as its server.
fn postmaster_pid(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok().map(Pid::from_raw)
}

/// The server that is running on a data folder, if any.
fn running_postmaster(data: &Path) -> Option<Pid> {
    let pid = postmaster_pid(data)?;
    // The number may by now belong to another program.
    let command = fs::read(format!("/proc/{pid}/cmdline")).ok().or_else(|| {
        let ps = std::process::Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
        ps.ok().map(|output| output.stdout)
    })?;
    String::from_utf8_lossy(&command).contains(data.to_str()?).then_some(pid)
}

async fn end_postmaster(data: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut signal = Signal::SIGINT;
    while let Some(pid) = running_postmaster(data) {
        ensure!(start.elapsed() < PATIENCE, "process {pid} does not end");
        let _ = kill(pid, signal);
        tokio::time::sleep(Duration::from_millis(50)).await;
        if start.elapsed() > PATIENCE / 2 {
            signal = Signal::SIGQUIT;
        }
    }
    Ok(())
}

fn pid_of(process: &Child) -> Option<Pid> {
    process.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw)
}
