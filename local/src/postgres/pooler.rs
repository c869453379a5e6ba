//! `PgBouncer` in front of the server, in the mode and with the limits that Neon runs it with.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use tokio::process::{Child, Command};

use super::{APP, DATABASE, identity::Identity};

/// The first that keeps track of prepared statements, which functions use across transactions.
const OLDEST: (u32, u32) = (1, 21);
const PATIENCE: Duration = Duration::from_secs(10);

/// A running pooler. Dropping it ends it; it holds nothing worth keeping.
pub struct Pooler {
    port: u16,
    _process: Child,
}

impl Pooler {
    /// Starts it in front of the server on `server_port`, for the functions' login.
    pub async fn start(identity: &Identity, folder: &Path, group: i32, server_port: u16, password: &str) -> anyhow::Result<Self> {
        require_version().await?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (settings, users) = (folder.join("pgbouncer.ini"), folder.join("pgbouncer-users.txt"));
        identity.write(&users, &format!("\"{APP}\" \"{password}\"\n"))?;
        let log = fs::File::create(folder.join("pgbouncer.log"))?;
        identity.write(
            &settings,
            &format!(
                "[databases]\n\
                 {DATABASE} = host=127.0.0.1 port={server_port}\n\
                 [pgbouncer]\n\
                 listen_addr = 127.0.0.1\n\
                 listen_port = {port}\n\
                 unix_socket_dir =\n\
                 auth_type = scram-sha-256\n\
                 auth_file = {}\n\
                 pool_mode = transaction\n\
                 max_client_conn = 10000\n\
                 default_pool_size = 90\n\
                 query_wait_timeout = 120\n\
                 max_prepared_statements = 1000\n\
                 server_login_retry = 1\n\
                 log_connections = 0\n\
                 log_disconnections = 0\n",
                users.display()
            ),
        )?;
        let process = identity
            .command(Path::new("pgbouncer"))
            .arg("--quiet")
            .arg(&settings)
            .process_group(group)
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("cannot run pgbouncer")?;
        let start = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            ensure!(start.elapsed() < PATIENCE, "pgbouncer does not answer: see {}", folder.join("pgbouncer.log").display());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { port, _process: process })
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

async fn require_version() -> anyhow::Result<()> {
    let output = Command::new("pgbouncer").arg("--version").output().await;
    let output = output.context("pgbouncer is not installed: on Debian and Ubuntu 'apt-get install pgbouncer' installs it")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = parse_version(&text);
    ensure!(
        version.is_some_and(|version| version >= OLDEST),
        "pgbouncer {}.{} or newer is needed, and this is: {}",
        OLDEST.0,
        OLDEST.1,
        text.lines().next().unwrap_or_default()
    );
    Ok(())
}

/// `PgBouncer 1.25.2` is (1, 25).
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix("PgBouncer ")?.split(|letter: char| !letter.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(parse_version("PgBouncer 1.25.2\nlibevent 2.1.12-stable"), Some((1, 25)));
        assert_eq!(parse_version("PgBouncer 2.0"), Some((2, 0)));
        assert!(parse_version("PgBouncer 1.18.0") < Some(OLDEST));
        assert_eq!(parse_version("something else"), None);
    }
}
