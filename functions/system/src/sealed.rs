//! Secrets that are kept sealed, wherever that is, and sealed anew under another key.

use auth::second_factor;
use shared::{closed_set, company_secrets, crypto, prelude::*, settings::EncryptionKey};

closed_set! {
    /// The tables that keep secrets. A further one is an arm here, in `app.sealed_otherwise` and in `app.keep_sealed`.
    pub KeptIn {
        Channels = "channel_credentials",
        Companies = "company_secrets",
        Mail = "mail_accounts",
        People = "second_factors",
    }
}

/// A secret that is sealed with another key than the one that seals now.
#[derive(Debug, FromRow)]
pub struct Sealed {
    /// In the order of all of them.
    pub place: String,
    pub kept_in: KeptIn,
    /// A channel, a company or a person.
    pub owner_id: Uuid,
    /// Which of a company's.
    pub name: String,
    pub sealed: Vec<u8>,
}

impl Sealed {
    /// The same secret under the first key; `None` where none of the keys opens it.
    #[must_use]
    pub fn anew(&self, keys: &[EncryptionKey]) -> Option<Vec<u8>> {
        let owner = self.owner();
        let plain = crypto::open(keys, &owner, &self.sealed)?;
        Some(crypto::seal(keys, &owner, &plain))
    }

    /// What it is bound to.
    fn owner(&self) -> Vec<u8> {
        match self.kept_in {
            KeptIn::Channels | KeptIn::Mail => self.owner_id.as_bytes().to_vec(),
            KeptIn::Companies => company_secrets::owner(self.owner_id, &self.name),
            KeptIn::People => second_factor::owner(self.owner_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sealed_anew_for_its_owner_alone() {
        let key = |id: &str, key: &str| EncryptionKey { id: id.into(), key: key.into() };
        let earlier = key("1", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let keys = [key("2", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="), earlier.clone()];
        let id = Uuid::from_u128(7);
        for (kept_in, name, owner) in [
            (KeptIn::Channels, "", id.as_bytes().to_vec()),
            (KeptIn::Companies, "ai", [id.as_bytes(), b"ai".as_slice()].concat()),
            (KeptIn::Mail, "", id.as_bytes().to_vec()),
            (KeptIn::People, "", second_factor::owner(id)),
        ] {
            let sealed = crypto::seal(std::slice::from_ref(&earlier), &owner, b"secret");
            let before = Sealed { place: String::new(), kept_in, owner_id: id, name: name.into(), sealed };
            let anew = before.anew(&keys).expect("it opens");
            assert_eq!(crypto::open(&keys[..1], &owner, &anew).as_deref(), Some(&b"secret"[..]), "{kept_in:?}");
            assert!(before.anew(&keys[..1]).is_none(), "its key is not listed");
            assert!(Sealed { owner_id: Uuid::nil(), ..before }.anew(&keys).is_none(), "it is somebody else's");
        }
    }
}
