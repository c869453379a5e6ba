//! Links that a person follows once: invites, new passwords. The row of the link says what it is for and until when; its secret is made
//! of the row's id with a token key, and stands nowhere.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::SignedDuration;
use uuid::Uuid;

use crate::{closed_set, crypto, settings::TokenKey};

closed_set! {
    /// What a link is for; no link is good for anything else.
    pub Purpose {
        Invite = "invite",
        PasswordReset = "password_reset",
        /// Ends what is sent to a lead by itself, whose id it carries.
        Unsubscribe = "unsubscribe",
        /// Where a CRM tells that something has changed there; its id is the connection's.
        CrmWebhook = "crm_webhook",
    }
}

impl Purpose {
    /// How long a link is good for.
    #[must_use]
    pub fn life(self) -> SignedDuration {
        match self {
            Self::Invite => SignedDuration::from_hours(7 * 24),
            Self::PasswordReset => SignedDuration::from_mins(30),
            // For as long as mails are kept anywhere, and webhooks are set up.
            Self::Unsubscribe | Self::CrmWebhook => SignedDuration::from_hours(10 * 366 * 24),
        }
    }

    /// The front end's page for it, which finds the secret in the query's `token`.
    fn page(self) -> &'static str {
        match self {
            Self::Invite => "accept-invite",
            Self::PasswordReset => "reset-password",
            Self::Unsubscribe => "unsubscribe",
            Self::CrmWebhook => "webhooks",
        }
    }
}

/// A link, by the id of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub purpose: Purpose,
    pub id: Uuid,
}

impl Link {
    /// The secret that the link carries: `id.mac`, both in URL-safe base64.
    #[must_use]
    pub fn token(self, keys: &[TokenKey]) -> String {
        format!("{}.{}", URL_SAFE_NO_PAD.encode(self.id), URL_SAFE_NO_PAD.encode(self.mac(&keys[0])))
    }

    /// Its address in a front end.
    #[must_use]
    pub fn url(self, keys: &[TokenKey], front_end: &str) -> String {
        format!("{}/{}?token={}", front_end.trim_end_matches('/'), self.purpose.page(), self.token(keys))
    }

    /// The link whose secret this is; `None` when it is altered, for another purpose, or made with a key no longer listed.
    #[must_use]
    pub fn read(purpose: Purpose, token: &str, keys: &[TokenKey]) -> Option<Self> {
        let (id, mac) = token.split_once('.')?;
        let id = Uuid::from_slice(&URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        let link = Self { purpose, id };
        let is_genuine = |key| crypto::verify_hmac_sha256(&link.key(key), id.as_bytes(), &mac);
        keys.iter().any(is_genuine).then_some(link)
    }

    fn mac(self, key: &TokenKey) -> Vec<u8> {
        crypto::hmac_sha256(&self.key(key), self.id.as_bytes())
    }

    /// A key of its own for each purpose, so that what signs access tokens signs nothing else.
    fn key(self, key: &TokenKey) -> Vec<u8> {
        crypto::hmac_sha256(key.secret.as_bytes(), format!("link:{}", self.purpose.as_str()).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(ids: &[&str]) -> Vec<TokenKey> {
        ids.iter().map(|id| TokenKey { id: (*id).into(), secret: format!("{id}-at-least-32-bytes-of-secret!!!!") }).collect()
    }

    #[test]
    fn a_link_is_read_with_the_keys_that_are_listed() {
        let link = Link { purpose: Purpose::Invite, id: Uuid::from_u128(7) };
        let token = link.token(&keys(&["old"]));
        for listed in [&["old"][..], &["new", "old"]] {
            assert_eq!(Link::read(Purpose::Invite, &token, &keys(listed)), Some(link));
        }
        assert_eq!(Link::read(Purpose::Invite, &token, &keys(&["new"])), None);
    }

    #[test]
    fn it_is_good_for_its_purpose_and_its_row_only() {
        let keys = keys(&["a"]);
        let (one, other) = (
            Link { purpose: Purpose::Invite, id: Uuid::from_u128(1) },
            Link { purpose: Purpose::Invite, id: Uuid::from_u128(2) },
        );
        let (token, others) = (one.token(&keys), other.token(&keys));
        assert_eq!(Link::read(Purpose::PasswordReset, &token, &keys), None);
        let mixed = format!("{}.{}", others.split_once('.').unwrap().0, token.split_once('.').unwrap().1);
        for altered in
            [mixed.as_str(), "", ".", "a.b", &token[1..], &token[..token.len() - 1], &format!("{token}A"), &format!("{token}=")]
        {
            assert_eq!(Link::read(Purpose::Invite, altered, &keys), None, "{altered}");
        }
    }

    #[test]
    fn its_address_needs_no_escaping() {
        let link = Link { purpose: Purpose::PasswordReset, id: Uuid::from_u128(3) };
        let url = link.url(&keys(&["a"]), "https://app.example.com/");
        let (page, token) = url.split_once("?token=").unwrap();
        assert_eq!(page, "https://app.example.com/reset-password");
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{token}");
    }
}
