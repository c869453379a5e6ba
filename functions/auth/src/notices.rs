//! What people are told by mail about their account.

use shared::prelude::*;

use crate::device::Device;

/// Who a mail goes to, in their language.
pub struct Addressee {
    pub email: String,
    pub name: String,
    pub locale: String,
}

/// Somebody has signed in as this person with a device they had not used before.
pub fn new_device(_context: &Context, _transaction: &Transaction, _to: Addressee, _device: &Device) {}

/// The link by which a person sets a new password.
pub fn password_reset(_transaction: &Transaction, _to: Addressee, _reset_id: Uuid) {}

/// The person's password has been changed.
pub fn password_changed(_context: &Context, _transaction: &Transaction, _to: Addressee) {}
