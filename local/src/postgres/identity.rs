//! The user Postgres runs as: never root.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::Path,
};

use anyhow::{Context as _, ensure};
use nix::unistd::{User, geteuid};
use tokio::process::Command;

/// Who runs the server.
#[derive(Clone, Debug)]
pub struct Identity {
    user: User,
    /// Whether this program is root and the server must not be.
    switched: bool,
}

impl Identity {
    /// The current user, or another existing one when that is root.
    pub fn find() -> anyhow::Result<Self> {
        let current = geteuid();
        if !current.is_root() {
            let user = User::from_uid(current)?.with_context(|| format!("user {current} has no name"))?;
            return Ok(Self { user, switched: false });
        }
        for name in ["postgres", "nobody"] {
            if let Some(user) = User::from_name(name)? {
                return Ok(Self { user, switched: true });
            }
        }
        anyhow::bail!("Postgres does not run as root, and there is no user postgres or nobody to run it as")
    }

    pub fn name(&self) -> &str {
        &self.user.name
    }

    /// A command that runs as this user.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        // The current folder may be one the user cannot enter.
        command.current_dir("/").stdin(std::process::Stdio::null());
        if self.switched {
            command.uid(self.user.uid.as_raw()).gid(self.user.gid.as_raw());
        }
        command
    }

    /// Whether the user can enter the folder, or run the program.
    pub fn reaches(&self, path: &Path) -> bool {
        !self.switched || path.ancestors().all(|part| self.may_execute(part))
    }

    fn may_execute(&self, path: &Path) -> bool {
        let Ok(metadata) = fs::metadata(path) else { return false };
        let bit = if metadata.uid() == self.user.uid.as_raw() {
            0o100
        } else if metadata.gid() == self.user.gid.as_raw() {
            0o010
        } else {
            0o001
        };
        metadata.mode() & bit != 0
    }

    /// Makes a folder which only this user may enter. Refuses one that belongs to somebody else,
    /// because some are in places where everybody may write.
    pub fn own_folder(&self, path: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        let owner = fs::symlink_metadata(path)?;
        let known = owner.uid() == self.user.uid.as_raw() || owner.uid() == geteuid().as_raw();
        ensure!(owner.is_dir() && known, "{} belongs to somebody else", path.display());
        self.give(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
        Ok(())
    }

    /// Writes a file that only this user may read.
    pub fn write(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        self.give(path)
    }

    /// Gives a folder and everything in it to this user.
    pub fn give_all(&self, path: &Path) -> anyhow::Result<()> {
        self.give(path)?;
        if fs::symlink_metadata(path)?.is_dir() {
            for entry in fs::read_dir(path)? {
                self.give_all(&entry?.path())?;
            }
        }
        Ok(())
    }

    fn give(&self, path: &Path) -> anyhow::Result<()> {
        if self.switched && !path.is_symlink() {
            chown(path, Some(self.user.uid.as_raw()), Some(self.user.gid.as_raw()))
                .with_context(|| format!("cannot give {} to {}", path.display(), self.user.name))?;
        }
        Ok(())
    }
}
