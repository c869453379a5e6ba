//! How refresh tokens succeed one another: a successor is derived from its token, so whoever asks again is answered the same one.

use shared::{crypto, settings::TokenKey};
use uuid::Uuid;

/// Sets these messages apart from all else that the keys sign.
const PURPOSE: &[u8] = b"refresh token\0";

/// What comes after a refresh token.
#[derive(Debug, PartialEq, Eq)]
pub struct Successor<'keys> {
    pub token: String,
    /// The id of the key it was derived with.
    pub key_id: &'keys str,
}

/// The successor of `token`, derived with the first of the keys `known_ids` that this process knows, so that it stays the same
/// while keys rotate, otherwise with the current key.
#[must_use]
pub fn successor<'keys>(keys: &'keys [TokenKey], known_ids: &[String], family_id: Uuid, token: &str) -> Successor<'keys> {
    let key = known_ids.iter().find_map(|id| keys.iter().find(|key| key.id == *id)).unwrap_or(&keys[0]);
    let message = [PURPOSE, family_id.as_bytes(), token.as_bytes()].concat();
    Successor { token: crypto::derived_token(key.secret.as_bytes(), &message), key_id: &key.id }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(ids: &[&str]) -> Vec<TokenKey> {
        ids.iter().map(|id| TokenKey { id: (*id).into(), secret: format!("{id}-secret-of-at-least-32-bytes!!") }).collect()
    }

    #[test]
    fn it_stays_the_same_while_keys_rotate() {
        let known = ["old".to_owned()];
        let before = keys(&["old"]);
        let first = successor(&before, &[], Uuid::nil(), "token");
        assert_eq!(first.key_id, "old");
        for later in [keys(&["old"]), keys(&["new", "old"]), keys(&["newest", "new", "old"])] {
            assert_eq!(successor(&later, &known, Uuid::nil(), "token"), first);
        }
        // The key is gone: another one, which stays the same too.
        let after = keys(&["new"]);
        let second = successor(&after, &known, Uuid::nil(), "token");
        assert_eq!(second.key_id, "new");
        let both = ["old".to_owned(), "new".to_owned()];
        assert_eq!(successor(&after, &both, Uuid::nil(), "token"), second);
        assert_eq!(successor(&before, &both, Uuid::nil(), "token"), first);
    }

    proptest! {
        #[test]
        fn token_family_and_key_each_make_another(
            tokens in ("[a-zA-Z0-9_-]{43}", "[a-zA-Z0-9_-]{43}"), families in any::<(u128, u128)>(),
        ) {
            prop_assume!(tokens.0 != tokens.1 && families.0 != families.1);
            let [one, other] = [keys(&["one"]), keys(&["other"])];
            let (here, there) = (Uuid::from_u128(families.0), Uuid::from_u128(families.1));
            let derived = successor(&one, &[], here, &tokens.0).token;
            prop_assert_eq!(derived.len(), 43);
            prop_assert_eq!(&derived, &successor(&one, &[], here, &tokens.0).token);
            prop_assert_ne!(&derived, &successor(&one, &[], here, &tokens.1).token);
            prop_assert_ne!(&derived, &successor(&one, &[], there, &tokens.0).token);
            prop_assert_ne!(&derived, &successor(&other, &[], here, &tokens.0).token);
            prop_assert_ne!(&derived, &tokens.0);
        }
    }
}
