//! The bytes of a file, and why they are refused.

use std::io::{self, Read, Seek, SeekFrom};

/// Why a file is not what it was declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its content is of another type, or of none that is accepted.
    OtherType,
    /// It is a document that carries programs.
    Programs,
}

pub(super) fn last_bytes<R: Read + Seek>(content: &mut R, count: u64) -> io::Result<Vec<u8>> {
    let size = content.seek(SeekFrom::End(0))?;
    content.seek(SeekFrom::Start(size.saturating_sub(count)))?;
    let mut end = Vec::new();
    content.take(count).read_to_end(&mut end)?;
    Ok(end)
}

pub(super) fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
