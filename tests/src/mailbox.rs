//! What people find in their mailboxes: the mails that the sandbox's server was handed.

use serde_json::Value;

use crate::{Stack, company::text, eventually};

/// All mails to this address, the oldest first.
pub async fn mails_to(stack: &Stack, address: &str) -> Vec<Value> {
    let address = address.replace('+', "%2B");
    let mut mails =
        stack.control("GET", &format!("/sandbox/mails?to={address}"), None).await.as_array().cloned().unwrap_or_default();
    mails.sort_by_key(|mail| text(&mail["at"]).to_owned());
    mails
}

/// The mail that comes to this address after so many.
///
/// # Panics
/// When none comes.
pub async fn next_mail_to(stack: &Stack, address: &str, known: usize) -> Value {
    eventually("a mail", || async { mails_to(stack, address).await.get(known).cloned() }).await
}

/// The secret of the link in a mail.
///
/// # Panics
/// When it has none.
#[must_use]
pub fn token_in(mail: &Value) -> String {
    let rest = text(&mail["text"]).split_once("?token=").unwrap_or_else(|| panic!("{mail} has no link")).1;
    rest.chars().take_while(|character| !character.is_whitespace()).collect()
}
