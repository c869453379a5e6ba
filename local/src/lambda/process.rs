//! One function process: how it starts, what it writes, how it ends.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::{sys::signal, unistd::Pid};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc::UnboundedReceiver,
};

use super::pool::Signal;
use crate::journal::Journal;

/// Between SIGTERM and SIGKILL, as the Lambda service does for a function with an internal extension.
const GRACE: Duration = Duration::from_millis(500);

/// Where the lines of one function go.
pub(super) struct Output {
    pub function: String,
    pub journal: Arc<Journal>,
    pub file: Mutex<Option<File>>,
    pub verbose: bool,
}

impl Output {
    /// Lines are added to `<directory>/<function>.log`.
    pub fn new(function: &str, directory: &Path, journal: Arc<Journal>, verbose: bool) -> Arc<Self> {
        let path = directory.join(format!("{function}.log"));
        let file = std::fs::create_dir_all(directory).and_then(|()| OpenOptions::new().create(true).append(true).open(path)).ok();
        Arc::new(Self { function: function.to_owned(), journal, file: Mutex::new(file), verbose })
    }

    fn line(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        self.journal.record_line(&self.function, &text);
        if self.verbose {
            println!("{}: {text}", self.function);
        }
        if let Some(file) = self.file.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            // A full disk must not stop the function.
            let _ = file.write_all(&[line, b"\n"].concat());
        }
    }

    async fn copy(self: Arc<Self>, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            let end = line.strip_suffix(b"\n").unwrap_or(&line);
            self.line(end);
            line.clear();
        }
    }
}

/// Starts `binary` as `name` with exactly `environment`.
///
/// The process joins `group`, not ours: Ctrl-C in the terminal reaches only the local cloud.
pub(super) fn start(
    binary: &Path,
    name: &str,
    environment: &BTreeMap<String, String>,
    output: &Arc<Output>,
    group: i32,
) -> std::io::Result<Child> {
    let mut child = Command::new(binary)
        .arg0(binary.with_file_name(name))
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(group)
        .kill_on_drop(true)
        .spawn()?;
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(output.clone().copy(stdout));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(output.clone().copy(stderr));
    }
    Ok(child)
}

/// Owns the process until it ends.
pub(super) async fn own(mut child: Child, mut signals: UnboundedReceiver<Signal>) -> std::io::Result<ExitStatus> {
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = signals.recv() => match signal {
                Some(Signal::Freeze) => send(&child, signal::SIGSTOP),
                Some(Signal::Thaw) => send(&child, signal::SIGCONT),
                Some(Signal::Terminate) => {
                    send(&child, signal::SIGTERM);
                    send(&child, signal::SIGCONT);
                    if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
                        return status;
                    }
                    child.start_kill()?;
                    return child.wait().await;
                }
                Some(Signal::Kill) | None => {
                    child.start_kill()?;
                    return child.wait().await;
                }
            },
        }
    }
}

fn send(child: &Child, signal: signal::Signal) {
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // It may have ended by itself in this moment.
        let _ = signal::kill(Pid::from_raw(id), signal);
    }
}
