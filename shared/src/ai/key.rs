//! The key of a company's language model, sealed.

use uuid::Uuid;

use crate::{crypto, settings::EncryptionKey};

/// Its name in `company_secrets`.
pub const SECRET: &str = "ai";

/// What a sealed key is bound to: nobody opens another company's, or another secret's.
fn owner(company_id: Uuid) -> Vec<u8> {
    [company_id.as_bytes(), SECRET.as_bytes()].concat()
}

/// Seals a key for its company.
#[must_use]
pub fn seal(keys: &[EncryptionKey], company_id: Uuid, api_key: &str) -> Vec<u8> {
    crypto::seal(keys, &owner(company_id), api_key.as_bytes())
}

/// The company's key; `None` of what was sealed for another, or with a key no longer listed.
#[must_use]
pub fn open(keys: &[EncryptionKey], company_id: Uuid, sealed: &[u8]) -> Option<String> {
    String::from_utf8(crypto::open(keys, &owner(company_id), sealed)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_for_its_own_company_only() {
        let keys = [EncryptionKey { id: "1".into(), key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into() }];
        let [own, other] = [1, 2].map(Uuid::from_u128);
        let sealed = seal(&keys, own, "gsk-secret");
        assert_eq!(open(&keys, own, &sealed).as_deref(), Some("gsk-secret"));
        assert_eq!(open(&keys, other, &sealed), None);
    }
}
