//! `run.json`: where a running local cloud answers, for tests, the benchmark and `local fire`.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::seed::Seeder;

/// Where everything answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    pub api: String,
    pub websocket: String,
    pub console: String,
    pub dynamodb: String,
    pub s3: String,
    pub sqs: String,
    pub sandbox: String,
    pub smtp: String,
    /// For the role the functions log in with.
    pub database_url: Option<String>,
    pub owner_database_url: Option<String>,
    /// What the database server has written since it started.
    pub database_log: Option<PathBuf>,
    pub pid: u32,
}

impl Addresses {
    /// Of the local cloud that runs in `directory`.
    ///
    /// # Errors
    /// When none runs there.
    pub fn of_running(directory: &Path) -> Result<Self> {
        let path = directory.join("run.json");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("no local cloud runs in {}: start one with `local up`", directory.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// The same with passwords hidden, to be shown.
    #[must_use]
    pub fn without_passwords(&self) -> Self {
        let hidden = |url: &Option<String>| url.as_deref().map(without_password);
        Self { database_url: hidden(&self.database_url), owner_database_url: hidden(&self.owner_database_url), ..self.clone() }
    }

    /// What makes companies here; `None` without a database.
    #[must_use]
    pub fn seeder(&self) -> Option<Seeder> {
        let owner_database_url = self.owner_database_url.clone()?;
        Some(Seeder { api: self.api.clone(), owner_database_url })
    }
}

/// Makes a directory belong to one running local cloud; given back when dropped.
pub(super) struct RunFile {
    path: PathBuf,
    /// The kernel frees it when the process ends in whatever way, so a stale `run.json` never blocks anybody.
    _lock: Flock<File>,
}

impl RunFile {
    pub fn claim(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let path = directory.join("run.json");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join("lock"))?;
        let Ok(lock) = Flock::lock(lock, FlockArg::LockExclusiveNonblock) else {
            let whose =
                Addresses::of_running(directory).map(|run| format!(" (process {}, {})", run.pid, run.api)).unwrap_or_default();
            bail!("another local cloud runs in {}{whose}: stop it, or choose another --directory", directory.display());
        };
        let run = Self { path, _lock: lock };
        run.remove();
        Ok(run)
    }

    /// Written under another name first: readers never see half of it. It holds passwords: only its owner may read it.
    pub fn write(&self, addresses: &Addresses) -> Result<()> {
        let draft = self.path.with_extension("json.new");
        // One that a killed run left would keep its mode.
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(addresses)?)?;
        fs::rename(&draft, &self.path)?;
        Ok(())
    }

    fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        self.remove();
    }
}

fn without_password(url: &str) -> String {
    let password = Url::parse(url).ok().and_then(|url| url.password().map(str::to_owned));
    password.map_or_else(|| url.to_owned(), |password| url.replacen(&format!(":{password}@"), ":••••••@", 1))
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_password_is_hidden_and_nothing_else() {
        let url = "postgres://app:app@127.0.0.1:5432/balcao?sslmode=disable";
        assert_eq!(without_password(url), "postgres://app:••••••@127.0.0.1:5432/balcao?sslmode=disable");
        assert_eq!(without_password("http://127.0.0.1:8787"), "http://127.0.0.1:8787");
    }
}
