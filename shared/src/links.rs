//! One-time links in mails: what a link says is the id of a row and a proof that it is ours. No secret is stored anywhere; the row with
//! that id says whether it is still good, and for what.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::{closed_set, crypto, settings::TokenKey};

closed_set! {
    /// What a link is for: one of another purpose is none.
    pub Purpose { Invite = "invite", PasswordReset = "password_reset" }
}

/// A link to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub purpose: Purpose,
    /// Of the row.
    pub id: Uuid,
}

/// A link that is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotOurs;

impl Link {
    /// What proves the link: `<id>.<key>.<code>`, made with the first of `keys`.
    ///
    /// # Panics
    /// Without a key, which the settings do not allow.
    #[must_use]
    pub fn token(&self, keys: &[TokenKey]) -> String {
        let key = &keys[0];
        let code = crypto::hmac_sha256(key.secret.as_bytes(), self.signed(&key.id).as_bytes());
        format!("{}.{}.{}", self.id.simple(), URL_SAFE_NO_PAD.encode(&key.id), URL_SAFE_NO_PAD.encode(code))
    }

    /// The id that a token is for, made with any of `keys`.
    ///
    /// # Errors
    /// When it is not one of this purpose, or not ours.
    pub fn read(purpose: Purpose, token: &str, keys: &[TokenKey]) -> Result<Uuid, NotOurs> {
        let mut parts = token.split('.');
        let (Some(id), Some(key_id), Some(code), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(NotOurs);
        };
        let id = Uuid::try_parse(id).map_err(|_| NotOurs)?;
        let [key_id, code] = [key_id, code].map(|part| URL_SAFE_NO_PAD.decode(part).unwrap_or_default());
        let key = keys.iter().find(|key| key.id.as_bytes() == key_id).ok_or(NotOurs)?;
        let link = Self { purpose, id };
        let is_genuine = crypto::verify_hmac_sha256(key.secret.as_bytes(), link.signed(&key.id).as_bytes(), &code);
        // One way of writing it is enough.
        if is_genuine && link.is_written(token) { Ok(id) } else { Err(NotOurs) }
    }

    fn signed(&self, key_id: &str) -> String {
        format!("link:{}:{}:{key_id}", self.purpose.as_str(), self.id)
    }

    fn is_written(&self, token: &str) -> bool {
        token.starts_with(&format!("{}.", self.id.simple()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(id: &str, secret: &str) -> TokenKey {
        serde_json::from_value(serde_json::json!({"id": id, "secret": secret})).unwrap()
    }

    fn keys() -> [TokenKey; 2] {
        [key("2", "the present secret of 32 bytes ok"), key("1", "an earlier secret of 32 bytes or so")]
    }

    #[test]
    fn a_link_is_read_for_its_purpose_and_with_any_known_key() {
        let link = Link { purpose: Purpose::Invite, id: Uuid::from_u128(7) };
        for keys_then in [&keys()[..], &keys()[1..]] {
            let token = link.token(keys_then);
            assert_eq!(Link::read(Purpose::Invite, &token, &keys()), Ok(link.id));
            assert_eq!(Link::read(Purpose::PasswordReset, &token, &keys()), Err(NotOurs));
            assert_eq!(Link::read(Purpose::Invite, &token, &[key("2", "somebody else's secret of 32 bytes")]), Err(NotOurs));
        }
        assert!(link.token(&keys()).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)));
    }

    proptest! {
        #[test]
        fn what_is_altered_is_not_ours(place in 0..80_usize, other in "[a-zA-Z0-9._-]", text in ".{0,120}") {
            let token = Link { purpose: Purpose::Invite, id: Uuid::from_u128(7) }.token(&keys());
            let place = place % token.len();
            let altered = format!("{}{other}{}", &token[..place], &token[place + 1..]);
            // The last character of base64 may stand for bits that nobody reads.
            prop_assume!(altered != token && place + 1 < token.len());
            prop_assert_eq!(Link::read(Purpose::Invite, &altered, &keys()), Err(NotOurs));
            prop_assert_eq!(Link::read(Purpose::Invite, &text, &keys()), Err(NotOurs));
        }
    }
}
