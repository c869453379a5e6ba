//! What runs on this machine.

use std::path::{Path, PathBuf};

use crate::Stack;

/// The folders under `/proc` of this cloud's processes that are this function.
///
/// # Panics
/// Where there is no `/proc`.
#[must_use]
pub fn processes_of(stack: &Stack, function: &str) -> Vec<PathBuf> {
    let name = std::env::current_exe().expect("a path").with_file_name(function);
    let processes = std::fs::read_dir("/proc").expect("processes").flatten().map(|process| process.path());
    let is_called = |process: &PathBuf| {
        let line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).next() == Some(name.as_os_str().as_encoded_bytes())
    };
    processes.filter(|process| is_called(process) && parent(process) == Some(stack.addresses.pid)).collect()
}

fn parent(process: &Path) -> Option<u32> {
    let status = std::fs::read_to_string(process.join("status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}
