//! The key of a company's language model, sealed.

use uuid::Uuid;

use crate::{company_secrets::CompanySecret, settings::EncryptionKey};

/// Where it is kept.
pub const SECRET: CompanySecret = CompanySecret("ai");

/// The company's key; `None` of what was sealed for another, or with a key no longer listed.
#[must_use]
pub fn open(keys: &[EncryptionKey], company_id: Uuid, sealed: &[u8]) -> Option<String> {
    String::from_utf8(SECRET.open(keys, company_id, sealed)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_for_its_own_company_only() {
        let keys = [EncryptionKey { id: "1".into(), key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".into() }];
        let [own, other] = [1, 2].map(Uuid::from_u128);
        let sealed = SECRET.seal(&keys, own, b"gsk-secret");
        assert_eq!(open(&keys, own, &sealed).as_deref(), Some("gsk-secret"));
        assert_eq!(open(&keys, other, &sealed), None);
    }
}
