//! Postgres: a cluster of its own, with the roles, the database and the migrations.

mod binaries;
mod identity;
mod migrations;
mod pooler;
mod roles;
mod schema;
mod server;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use md5::{Digest, Md5};
use nix::fcntl::{Flock, FlockArg};
use tokio_postgres::{Client, Config, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use self::migrations::migrate;
use self::{binaries::Binaries, identity::Identity, pooler::Pooler, roles::Passwords, server::Server};

/// The database.
pub const DATABASE: &str = "balcao";
/// Owns the database and runs migrations; may bypass row-level security, as Neon's owner may.
pub const OWNER: &str = "balcao_owner";
/// Login of the functions; what it may do comes from the migrations.
pub const APP: &str = "app";

/// Where a cluster lives and how it is kept.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Folder of everything the local cloud keeps, for example `.local`.
    pub directory: PathBuf,
    /// The port on 127.0.0.1; a free one when absent.
    pub port: Option<u16>,
    /// Keeps nothing: data in memory where possible, gone after `stop`.
    pub memory: bool,
    /// Folder of `NNNN_name.sql`.
    pub migrations: PathBuf,
    /// Puts `PgBouncer` between the functions and the server.
    pub pooler: bool,
}

/// A running cluster. Stop it with [`Cluster::stop`]; dropping it ends the server at once.
pub struct Cluster {
    pooler: Option<Pooler>,
    server: Server,
    passwords: Passwords,
    /// Keeps a second local cloud out of the same folder.
    _lock: Flock<std::fs::File>,
}

impl Cluster {
    /// Starts the cluster, making it first where needed, and applies the migrations. `progress` is
    /// told what takes time.
    ///
    /// # Errors
    /// When no Postgres can be found or installed, when the server does not start, when the data
    /// is of another version, or when a migration fails.
    pub async fn start(options: ClusterOptions, progress: impl Fn(&str)) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.directory).with_context(|| format!("cannot create {}", options.directory.display()))?;
        let directory = options.directory.canonicalize()?;
        let identity = Identity::find()?;
        let home = home(&directory, &identity, &progress)?;
        let folder = if options.memory {
            server::clear_abandoned();
            server::memory_folder(&identity)
        } else {
            home.join("postgres")
        };
        identity.own_folder(&folder)?;
        let lock = lock(&folder)?;
        let data = folder.join("data");
        let binaries = Binaries::find(&home, server::version_of(&data)?, &identity, &progress)?;
        let socket = PathBuf::from("/tmp").join(format!("balcao-{}", short_hash(&folder)));
        identity.own_folder(&socket)?;
        let passwords = if options.memory { Passwords::fresh()? } else { Passwords::open(&directory)? };
        let mut server = Server::new(binaries, identity, folder, socket, options.memory)?;
        server.heal(&progress).await?;
        server.initialise(&progress).await?;
        server.launch(options.port.or(passwords.port)).await?;
        let mut cluster = Self { pooler: None, server, passwords, _lock: lock };
        cluster.passwords.port = Some(cluster.server.port());
        if !options.memory {
            cluster.passwords.save(&directory)?;
        }
        let superuser = cluster.server.connect("postgres").await?;
        roles::prepare(&superuser, &cluster.passwords).await?;
        migrate(&cluster.owner_url(), &options.migrations, &progress).await?;
        if options.pooler {
            cluster.pooler = Some(cluster.server.start_pooler(&cluster.passwords.app).await?);
        }
        Ok(cluster)
    }

    /// URL for migrations and set-up.
    pub fn owner_url(&self) -> String {
        Self::url(OWNER, &self.passwords.owner, self.server.port())
    }

    /// URL for the functions: the pooler's where there is one.
    pub fn app_url(&self) -> String {
        let port = self.pooler.as_ref().map_or_else(|| self.server.port(), Pooler::port);
        Self::url(APP, &self.passwords.app, port)
    }

    /// The file the server writes its log to, since it was last started.
    pub fn log(&self) -> PathBuf {
        self.server.log_file()
    }

    /// The version of the server, for example `17`.
    pub fn version(&self) -> u32 {
        self.server.version()
    }

    /// Ends the server as a crash would and starts it again on the same port.
    ///
    /// # Errors
    /// When it does not start again.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.crash().await?;
        self.relaunch().await
    }

    /// Ends the server as a crash would; connections are refused until [`Cluster::relaunch`].
    ///
    /// # Errors
    /// When the server does not end.
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        self.server.end(nix::sys::signal::Signal::SIGQUIT).await
    }

    /// Starts the server again after [`Cluster::crash`], on the same port.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn relaunch(&mut self) -> anyhow::Result<()> {
        let port = self.server.port();
        self.server.launch(Some(port)).await
    }

    /// Stops the server in good order; a cluster in memory is deleted.
    ///
    /// # Errors
    /// When the server does not end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.server.end(nix::sys::signal::Signal::SIGINT).await
    }

    /// The schema as text for `migrations/schema.sql`: the same on every version of Postgres.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn dump_schema(&self) -> anyhow::Result<String> {
        schema::dump(&connect(&self.owner_url()).await?).await
    }

    fn url(role: &str, password: &str, port: u16) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{port}/{DATABASE}?sslmode=disable")
    }
}

/// A connection that lasts as long as its client.
async fn connect(url: &str) -> anyhow::Result<Client> {
    let config: Config = url.parse().context("the database URL is not valid")?;
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.context("cannot connect to Postgres")?;
        tokio::spawn(connection);
        return Ok(client);
    }
    // An error says that it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = MakeRustlsConnect::with_webpki_roots();
    let (client, connection) = config.connect(tls).await.context("cannot connect to Postgres")?;
    tokio::spawn(connection);
    Ok(client)
}

/// `directory`, or a folder that the server's user can reach in its stead.
fn home(directory: &Path, identity: &Identity, progress: &impl Fn(&str)) -> anyhow::Result<PathBuf> {
    if identity.reaches(directory) {
        return Ok(directory.to_owned());
    }
    let home = PathBuf::from("/var/tmp").join(format!("balcao-{}", short_hash(directory)));
    progress(&format!(
        "Postgres runs as {} and cannot reach {}; its files are in {}",
        identity.name(),
        directory.display(),
        home.display()
    ));
    identity.own_folder(&home)?;
    Ok(home)
}

fn lock(folder: &Path) -> anyhow::Result<Flock<std::fs::File>> {
    let path = folder.join("lock");
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|(_, error)| anyhow::anyhow!("another local cloud is using {} ({error}); stop it first", folder.display()))
}

/// Names a folder in 12 letters.
fn short_hash(path: &Path) -> String {
    let mut hash = hex::encode(Md5::digest(path.as_os_str().as_encoded_bytes()));
    hash.truncate(12);
    hash
}
