//! What clients are known by.

use shared::{closed_set, prelude::*};

closed_set! {
    pub IdentityKind {
        Phone = "phone",
        Email = "email",
        Lid = "lid",
        Bsuid = "bsuid",
        Student = "student",
        Visitor = "visitor",
        Botconversa = "botconversa",
    }
}

/// Whoever makes or names one of these keys waits: identities as `kind:value`, messages as `message:<provider's id>`.
pub const LOCK_KEYS: &str = "select app.lock_keys($1)";

/// The description of an identity in rows of clients, where it is JSON.
#[derive(Debug, JsonSchema)]
pub struct ClientIdentity {
    pub kind: IdentityKind,
    /// Of a phone its digits with country code.
    pub value: String,
}
