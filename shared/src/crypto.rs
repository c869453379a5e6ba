//! Hashes, sealed credentials and random tokens, all from `ring`.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, hmac,
    rand::{SecureRandom, SystemRandom},
};

use crate::settings::EncryptionKey;

/// SHA-256 of `bytes`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

/// HMAC-SHA-256 of `message`.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}

/// Whether `tag` is the HMAC-SHA-256 of `message`, in constant time.
#[must_use]
pub fn verify_hmac_sha256(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), message, tag).is_ok()
}

/// Whether two secrets are equal, in constant time whatever their lengths.
#[must_use]
pub fn equal_secrets(left: &[u8], right: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"equal_secrets");
    hmac::verify(&key, left, hmac::sign(&key, right).as_ref()).is_ok()
}

/// `length` random bytes.
///
/// # Panics
/// When the system has no randomness to give.
#[must_use]
pub fn random_bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    SystemRandom::new().fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A 256-bit secret for a person or a program to carry, in URL-safe base64.
#[must_use]
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// A secret as `random_token` makes, the same each time for whoever has the key.
#[must_use]
pub fn derived_token(key: &[u8], message: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(hmac_sha256(key, message))
}

/// Seals credentials with the first key: `key id length, key id, nonce, ciphertext and tag`.
/// `owner` is bound in, so a sealed value moved to another row does not open.
///
/// # Panics
/// When a key is not 32 bytes, which `Secrets::parse` refuses.
#[must_use]
pub fn seal(keys: &[EncryptionKey], owner: &[u8], plain: &[u8]) -> Vec<u8> {
    let key = &keys[0];
    let nonce = random_bytes::<NONCE_LEN>();
    let mut sealed = plain.to_vec();
    cipher(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut sealed)
        .expect("credentials are short enough to seal");
    let id = key.id.as_bytes();
    let mut out = vec![u8::try_from(id.len()).expect("key ids are short")];
    out.extend_from_slice(id);
    out.extend_from_slice(&nonce);
    out.append(&mut sealed);
    out
}

/// Opens what `seal` made; `None` when it was tampered with, moved, or sealed with a key no longer listed.
#[must_use]
pub fn open(keys: &[EncryptionKey], owner: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (id_length, rest) = sealed.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*id_length))?;
    let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN)?;
    let key = keys.iter().find(|key| key.id.as_bytes() == id)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut buffer = ciphertext.to_vec();
    let plain = cipher(key).open_in_place(nonce, Aad::from(owner), &mut buffer).ok()?;
    Some(plain.to_vec())
}

fn cipher(key: &EncryptionKey) -> LessSafeKey {
    let bytes = STANDARD.decode(&key.key).expect("checked at start");
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).expect("checked at start"))
}

/// What a provider that signs no bytes brings with its webhooks, and the token that it begins with, which ends their address: whoever reads
/// addresses in a log has half of it.
#[must_use]
pub fn webhook_secret() -> (String, String) {
    let token = random_token();
    (format!("{token}.{}", random_token()), token)
}

/// SHA-256 in URL-safe base64: what random secrets are found by.
#[must_use]
pub fn fingerprint(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Vec<EncryptionKey> {
        ["new", "old"].iter().map(|id| EncryptionKey { id: (*id).into(), key: STANDARD.encode(sha256(id.as_bytes())) }).collect()
    }

    #[test]
    fn sealed_values_open_only_where_they_belong() {
        let keys = keys();
        let sealed = seal(&keys, b"row 1", b"secret");
        assert_eq!(open(&keys, b"row 1", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(open(&keys, b"row 2", &sealed), None);
        let mut bent = sealed.clone();
        *bent.last_mut().unwrap() ^= 1;
        assert_eq!(open(&keys, b"row 1", &bent), None);
        assert_eq!(open(&keys, b"row 1", b""), None);
    }

    #[test]
    fn a_previous_key_still_opens() {
        let keys = keys();
        let sealed = seal(&keys[1..], b"row", b"secret");
        assert!(open(&keys, b"row", &sealed).is_some());
        assert!(open(&keys[..1], b"row", &sealed).is_none());
    }

    #[test]
    fn equal_secrets_compares_whole_values() {
        assert!(equal_secrets(b"abc", b"abc"));
        assert!(!equal_secrets(b"abc", b"abcd"));
        assert!(!equal_secrets(b"", b"a"));
    }
}
