//! How SQS writes what it says of a message.

use md5::{Digest, Md5};

/// `SenderId` of every message.
pub const SENDER: &str = "AIDALOCALLOCALLOCAL00";

/// A sequence number as SQS writes it.
pub fn sequence_number(sequence: i64) -> String {
    format!("{sequence:020}")
}

/// The MD5 SQS gives for a body.
pub fn md5_of(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}
