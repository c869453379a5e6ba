//! What a push service carries is sealed for the browser alone (RFC 8291, `aes128gcm`): the protocol is `ece`'s, what it computes with is `ring`'s.

use std::{
    any::Any,
    sync::{Mutex, Once, PoisonError},
};

use ece::{Cryptographer, EcKeyComponents, Error, LocalKeyPair, RemotePublicKey, Result, crypto::set_cryptographer};
use ring::{
    aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::{SecureRandom, SystemRandom},
};

/// Bytes that can be sealed: every push service takes 4,096, of which the header and the tag are 102, and what is sealed is padded to whole
/// blocks of 128, with one byte at least.
pub const LARGEST: usize = 31 * 128 - 1;

/// Seals `plain` for a browser. `None` of nothing, of more than `LARGEST`, and for a key that is none.
pub(crate) fn seal(p256dh: &[u8], auth: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = set_cryptographer(&Ring);
    });
    if plain.len() > LARGEST { None } else { ece::encrypt(p256dh, auth, plain).ok() }
}

/// Whether these bytes are an uncompressed point of P-256, on its curve.
#[must_use]
pub fn is_point(bytes: &[u8]) -> bool {
    let any = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new());
    any.and_then(|any| agree_ephemeral(any, &UnparsedPublicKey::new(&ECDH_P256, bytes), |_| ())).is_ok()
}

struct Ring;

/// Good for one agreement, as each is for one message.
struct Own {
    private: Mutex<Option<EphemeralPrivateKey>>,
    public: Vec<u8>,
}

impl LocalKeyPair for Own {
    fn pub_as_raw(&self) -> Result<Vec<u8>> {
        Ok(self.public.clone())
    }

    /// Nobody is given the private half.
    fn raw_components(&self) -> Result<EcKeyComponents> {
        Err(Error::CryptoError)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Theirs(Vec<u8>);

impl RemotePublicKey for Theirs {
    fn as_raw(&self) -> Result<Vec<u8>> {
        Ok(self.0.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Bytes of a key that is derived.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn failed<T>(result: std::result::Result<T, ring::error::Unspecified>) -> Result<T> {
    result.map_err(|_| Error::CryptoError)
}

impl Cryptographer for Ring {
    fn generate_ephemeral_keypair(&self) -> Result<Box<dyn LocalKeyPair>> {
        let private = failed(EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()))?;
        let public = failed(private.compute_public_key())?.as_ref().to_vec();
        Ok(Box::new(Own { private: Mutex::new(Some(private)), public }))
    }

    /// Ours live for one message.
    fn import_key_pair(&self, _: &EcKeyComponents) -> Result<Box<dyn LocalKeyPair>> {
        Err(Error::CryptoError)
    }

    fn import_public_key(&self, raw: &[u8]) -> Result<Box<dyn RemotePublicKey>> {
        Ok(Box::new(Theirs(raw.to_vec())))
    }

    fn compute_ecdh_secret(&self, remote: &dyn RemotePublicKey, local: &dyn LocalKeyPair) -> Result<Vec<u8>> {
        let own = local.as_any().downcast_ref::<Own>().ok_or(Error::CryptoError)?;
        let private = own.private.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or(Error::CryptoError)?;
        let theirs = UnparsedPublicKey::new(&ECDH_P256, remote.as_raw()?);
        failed(agree_ephemeral(private, &theirs, <[u8]>::to_vec))
    }

    fn hkdf_sha256(&self, salt: &[u8], secret: &[u8], info: &[u8], len: usize) -> Result<Vec<u8>> {
        let mut derived = vec![0; len];
        let key = Salt::new(HKDF_SHA256, salt).extract(secret);
        failed(key.expand(&[info], Length(len)).and_then(|key| key.fill(&mut derived)))?;
        Ok(derived)
    }

    fn aes_gcm_128_encrypt(&self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = data.to_vec();
        let nonce: [u8; NONCE_LEN] = iv.try_into().map_err(|_| Error::CryptoError)?;
        let key = LessSafeKey::new(failed(UnboundKey::new(&AES_128_GCM, key))?);
        failed(key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed))?;
        Ok(sealed)
    }

    /// We are sent nothing.
    fn aes_gcm_128_decrypt(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<Vec<u8>> {
        Err(Error::CryptoError)
    }

    fn random_bytes(&self, dest: &mut [u8]) -> Result<()> {
        failed(SystemRandom::new().fill(dest))
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    /// The browser of RFC 8291, Appendix A.
    const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn sealed(plain: &[u8]) -> Option<Vec<u8>> {
        seal(&bytes(P256DH), &bytes(AUTH), plain)
    }

    /// What is derived in Appendix A of RFC 8291, from the secret on which both agree there.
    #[test]
    fn keys_are_derived_as_in_the_standard() {
        let public = bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let secret = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let info = [b"WebPush: info\0".as_slice(), &bytes(P256DH), &public].concat();
        let derived = |salt: &[u8], secret: &[u8], info: &[u8], length| Ring.hkdf_sha256(salt, secret, info, length).unwrap();
        let input = derived(&bytes(AUTH), &secret, &info, 32);
        assert_eq!(URL_SAFE_NO_PAD.encode(&input), "S4lYMb_L0FxCeq0WhDx813KgSYqU26kOyzWUdsXYyrg");
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw");
        let key = derived(&salt, &input, b"Content-Encoding: aes128gcm\0", 16);
        let nonce = derived(&salt, &input, b"Content-Encoding: nonce\0", 12);
        assert_eq!(URL_SAFE_NO_PAD.encode(&key), "oIhVW04MRdy2XN9CiKLxTg");
        assert_eq!(URL_SAFE_NO_PAD.encode(&nonce), "4h_95klXJ5E_qnoN");
        let plain = b"When I grow up, I want to be a watermelon\x02";
        let carried = "8pfeW0KbunFT06SuDKoJH9Ql87S1QUrdirN6GcG7sFz1y1sqLgVi1VhjVkHsUoEsbI_0LpXMuGvnzQ";
        assert_eq!(URL_SAFE_NO_PAD.encode(Ring.aes_gcm_128_encrypt(&key, &nonce, plain).unwrap()), carried);
    }

    #[test]
    fn what_is_carried_says_nothing_of_its_length_and_fits() {
        let lengths: Vec<usize> =
            [1, 100, 127, 128, LARGEST].iter().map(|length| sealed(&vec![b'x'; *length]).unwrap().len()).collect();
        assert_eq!(lengths, [86 + 128 + 16, 86 + 128 + 16, 86 + 128 + 16, 86 + 256 + 16, 86 + 3968 + 16]);
        assert!(lengths.iter().all(|length| *length <= 4096));
        assert_eq!(sealed(&vec![b'x'; LARGEST + 1]), None);
        assert_eq!(sealed(b""), None);
    }

    #[test]
    fn the_same_is_never_carried_twice() {
        assert_ne!(sealed(b"Oi"), sealed(b"Oi"));
    }

    #[test]
    fn a_key_is_a_point_on_the_curve() {
        assert!(is_point(&bytes(P256DH)));
        let mut beside = bytes(P256DH);
        beside[64] ^= 1;
        let compressed = [&[2][..], &bytes(P256DH)[1..33]].concat();
        for wrong in [beside, compressed, bytes(P256DH)[..64].to_vec(), vec![4; 65], vec![0; 65], Vec::new()] {
            assert!(!is_point(&wrong), "{wrong:?}");
            assert_eq!(seal(&wrong, &bytes(AUTH), b"Oi"), None, "{wrong:?}");
        }
    }
}
