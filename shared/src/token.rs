//! Access tokens: JWT signed with HMAC-SHA-256 by the current key, verified with the current and previous ones. And what others verify, signed with
//! a key pair.

use std::sync::Once;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error as JwtError, ErrorKind},
};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use serde::{Deserialize, Serialize};
use signature::{Signer, Verifier};
use uuid::Uuid;

use crate::{crypto, identity::Role, settings::TokenKey};

/// Seconds an access token lives.
pub const ACCESS_TOKEN_LIFE: i64 = 15 * 60;

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// User.
    pub sub: Uuid,
    /// Active company.
    pub cid: Uuid,
    pub role: Role,
    /// Session.
    pub sid: Uuid,
    /// Seconds since the epoch.
    pub exp: i64,
}

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    Expired,
    Invalid,
}

/// Signs `claims` with the first of `keys`.
///
/// # Panics
/// Never with claims of this crate: they always serialise.
#[must_use]
pub fn sign(keys: &[TokenKey], claims: &Claims) -> String {
    install_provider();
    let key = &keys[0];
    let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(key.secret.as_bytes()))
        .expect("claims serialise and HMAC accepts any key")
}

/// Verifies `token` with the key its header names. Only HS256 is accepted, whatever the header says.
///
/// # Errors
/// `Expired` only for tokens that are genuine.
pub fn verify(keys: &[TokenKey], token: &str, now: jiff::Timestamp) -> Result<Claims, TokenError> {
    install_provider();
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
    let key = keys.iter().find(|key| Some(&key.id) == header.kid.as_ref()).ok_or(TokenError::Invalid)?;
    let mut validation = Validation::new(Algorithm::HS256);
    // Expiry is judged below, by the context's clock.
    validation.validate_exp = false;
    let decoded = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(key.secret.as_bytes()), &validation)
        .map_err(|_| TokenError::Invalid)?;
    if decoded.claims.exp <= now.as_second() {
        return Err(TokenError::Expired);
    }
    Ok(decoded.claims)
}

/// Signs `claims` with a key pair of P-256 (ES256), given as PKCS #8.
///
/// # Panics
/// When the key is none.
#[must_use]
pub fn sign_with_pair(pkcs8: &[u8], claims: &impl Serialize) -> String {
    install_provider();
    jsonwebtoken::encode(&Header::new(Algorithm::ES256), claims, &EncodingKey::from_ec_der(pkcs8))
        .expect("claims serialise and keys are checked at start")
}

/// HMAC-SHA-256 and ECDSA from `ring`, so that the binaries carry one cryptography library.
fn install_provider() {
    static ONCE: Once = Once::new();
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| match algorithm {
            Algorithm::HS256 => Ok(Box::new(Hs256(key.as_bytes().to_vec())) as Box<dyn JwtSigner>),
            Algorithm::ES256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_bytes(), &SystemRandom::new());
                Ok(Box::new(Es256(pair.map_err(|_| JwtError::from(ErrorKind::InvalidEcdsaKey))?)) as Box<dyn JwtSigner>)
            }
            _ => Err(unsupported()),
        },
        verifier_factory: |algorithm, key| match algorithm {
            Algorithm::HS256 => Ok(Box::new(Hs256(key.try_get_as_bytes()?.to_vec())) as Box<dyn JwtVerifier>),
            _ => Err(unsupported()),
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    ONCE.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

fn unsupported() -> JwtError {
    ErrorKind::InvalidAlgorithm.into()
}

struct Hs256(Vec<u8>);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(crypto::hmac_sha256(&self.0, message))
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        if crypto::verify_hmac_sha256(&self.0, message, tag) { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

struct Es256(EcdsaKeyPair);

impl Signer<Vec<u8>> for Es256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let signature = self.0.sign(&SystemRandom::new(), message).map_err(|_| signature::Error::new())?;
        Ok(signature.as_ref().to_vec())
    }
}

impl JwtSigner for Es256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::ES256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn keys() -> Vec<TokenKey> {
        ["new", "old"]
            .iter()
            .map(|id| TokenKey { id: (*id).into(), secret: format!("{id}-secret-of-at-least-32-bytes!!") })
            .collect()
    }

    fn claims(exp: i64) -> Claims {
        Claims { sub: Uuid::nil(), cid: Uuid::nil(), role: Role::Agent, sid: Uuid::nil(), exp }
    }

    fn now() -> jiff::Timestamp {
        jiff::Timestamp::from_second(1000).unwrap()
    }

    #[test]
    fn current_and_previous_keys_verify() {
        let keys = keys();
        assert!(verify(&keys, &sign(&keys, &claims(1001)), now()).is_ok());
        assert!(verify(&keys, &sign(&keys[1..], &claims(1001)), now()).is_ok());
        assert_eq!(verify(&keys[1..], &sign(&keys, &claims(1001)), now()).unwrap_err(), TokenError::Invalid);
    }

    #[test]
    fn expired_is_told_apart_from_tampered() {
        let keys = keys();
        assert_eq!(verify(&keys, &sign(&keys, &claims(1000)), now()).unwrap_err(), TokenError::Expired);
        let mut token = sign(&keys, &claims(1000));
        token.pop();
        assert_eq!(verify(&keys, &token, now()).unwrap_err(), TokenError::Invalid);
        assert_eq!(verify(&keys, "nonsense", now()).unwrap_err(), TokenError::Invalid);
    }

    #[test]
    fn other_algorithms_are_refused() {
        let keys = keys();
        let token = sign(&keys, &claims(2000));
        let mut parts = token.split('.');
        let (_, body, signature) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        for algorithm in ["none", "HS384", "RS256"] {
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}","kid":"new"}}"#));
            for signature in ["", signature] {
                assert!(verify(&keys, &format!("{header}.{body}.{signature}"), now()).is_err(), "{algorithm}");
            }
        }
    }
}
