//! Processes that end with this one, in whatever way it ends: killed, it can no longer end them itself.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

/// Waits for the end of its standard input and then ends its whole process group, itself included. The other end is only in this
/// process, and for a moment in those it is starting: the end comes after the last of them has joined the group.
const WATCH: &str = "trap '' HUP INT QUIT TERM; read -r _; kill -s \"$1\" 0; sleep 3; kill -s KILL 0";

/// A process group that ends with this process. Dropping it ends the group too.
pub struct Leash {
    watcher: Child,
}

impl Leash {
    /// `signal` ends the processes, by its name without `SIG`; three seconds later those that are left are killed.
    ///
    /// # Errors
    /// When there is no shell to run.
    pub fn start(signal: &str) -> io::Result<Self> {
        let watcher = Command::new("/bin/sh")
            .args(["-c", WATCH, "leash", signal])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self { watcher })
    }

    /// The group that a process is to be started in.
    #[must_use]
    pub fn group(&self) -> i32 {
        // Not 0 instead: that would be our own group.
        i32::try_from(self.watcher.id()).expect("process ids are small")
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        let _ = killpg(Pid::from_raw(self.group()), Signal::SIGKILL);
        let _ = self.watcher.wait();
    }
}
