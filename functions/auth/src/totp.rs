//! Time-based one-time passwords (RFC 6238), as every authenticator app makes them: HMAC-SHA-1, 30 seconds, six digits.

use data_encoding::BASE32_NOPAD;
use ring::hmac;
use shared::crypto;
use url::Url;

/// Seconds of one time step.
const STEP: i64 = 30;

/// Steps before and after the present one whose codes are taken too: clocks differ, and typing takes time.
const DRIFT: i64 = 1;

const DIGITS: usize = 6;

/// Bytes of a secret, as many as the hash has (RFC 4226).
const SECRET: usize = 20;

/// What apps show above the code.
const ISSUER: &str = "Balcão";

/// A new secret.
#[must_use]
pub fn new_secret() -> Vec<u8> {
    crypto::random_bytes::<SECRET>().to_vec()
}

/// The secret as people type it into an app that cannot see the picture.
#[must_use]
pub fn text_of(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// What the picture says: all that an app needs to know.
///
/// # Panics
/// Never: the address that it begins with is one.
#[must_use]
pub fn uri(secret: &[u8], account: &str) -> String {
    let mut uri = Url::parse("otpauth://totp").expect("an address");
    uri.path_segments_mut().expect("it has a path").push(&format!("{ISSUER}:{account}"));
    uri.query_pairs_mut().append_pair("secret", &text_of(secret)).append_pair("issuer", ISSUER);
    uri.into()
}

/// The code of a time step.
#[must_use]
pub fn code(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[bytes.len() - 1] & 0xf);
    let number = u32::from_be_bytes([bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]]) & 0x7fff_ffff;
    format!("{:0DIGITS$}", number % 10_u32.pow(6))
}

/// The time step, not far from `now` in seconds, whose code this is: the newest, where it is that of several.
#[must_use]
pub fn step_of(secret: &[u8], given: &str, now: i64) -> Option<i64> {
    let present = now.div_euclid(STEP);
    let steps = (present - DRIFT..=present + DRIFT).rev();
    // All are compared: how long it takes says nothing of which it is.
    steps
        .filter(|step| crypto::equal_secrets(code(secret, *step).as_bytes(), given.as_bytes()))
        .fold(None, |found, step| found.or(Some(step)))
}

/// Whether a text is a code of an app, and not a recovery code.
#[must_use]
pub fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Appendix B of RFC 6238, whose codes have eight digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        let vectors = [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ];
        for (time, code_of_eight) in vectors {
            assert_eq!(code(secret, time / STEP), code_of_eight[2..], "{time}");
        }
    }

    #[test]
    fn apps_are_told_all_they_need() {
        let uri = uri(b"12345678901234567890", "ana+1@escola.com.br");
        assert_eq!(
            uri,
            "otpauth://totp/Balc%C3%A3o:ana+1@escola.com.br?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Balc%C3%A3o"
        );
    }

    proptest! {
        #[test]
        fn a_code_is_taken_for_three_steps_and_is_of_one(secret in any::<[u8; 20]>(), now in 0..4_000_000_000_i64) {
            let step = now / STEP;
            let given = code(&secret, step);
            prop_assert!(is_code(&given));
            for (later, is_taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
                let found = step_of(&secret, &given, now + later * STEP);
                // Two steps in a million have the same code.
                if found.is_none() || found == Some(step) {
                    prop_assert_eq!(found.is_some(), is_taken);
                }
            }
        }

        #[test]
        fn any_text_is_judged(secret in any::<[u8; 20]>(), given in ".{0,40}", now in any::<i32>()) {
            let _ = (step_of(&secret, &given, now.into()), is_code(&given));
        }
    }
}
