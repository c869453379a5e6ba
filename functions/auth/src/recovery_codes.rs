//! Codes for who has lost their authenticator app. Each is 80 random bits, so a plain hash of it cannot be guessed back.

use data_encoding::BASE32_NOPAD;
use shared::crypto;
use uuid::Uuid;

/// How many a person has.
pub const COUNT: usize = 10;

/// Sets these hashes apart from all others.
const PURPOSE: &[u8] = b"recovery code\0";

/// New ones, as they are shown once: four groups of four.
#[must_use]
pub fn generate() -> Vec<String> {
    (0..COUNT).map(|_| grouped(&BASE32_NOPAD.encode(&crypto::random_bytes::<10>()))).collect()
}

fn grouped(code: &str) -> String {
    let groups: Vec<&str> = (0..code.len()).step_by(4).map(|start| &code[start..(start + 4).min(code.len())]).collect();
    groups.join("-").to_lowercase()
}

/// What is kept of a person's code, however they type it.
#[must_use]
pub fn hash(user_id: Uuid, code: &str) -> Vec<u8> {
    crypto::sha256(&[PURPOSE, user_id.as_bytes(), normalized(code).as_bytes()].concat())
}

/// Without case, spaces and hyphens, and with the letters that base 32 has in place of digits it has not.
fn normalized(code: &str) -> String {
    let letters = code.chars().filter(|character| !character.is_whitespace() && *character != '-');
    letters
        .map(|character| match character {
            '0' => 'O',
            '1' => 'I',
            '8' => 'B',
            other => other.to_ascii_uppercase(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_many_long_and_different() {
        let mut codes = generate();
        assert!(codes.iter().all(|code| code.len() == 19 && code.split('-').all(|group| group.len() == 4)));
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), COUNT);
    }

    #[test]
    fn how_it_is_typed_does_not_matter() {
        let user = Uuid::from_u128(1);
        let known = hash(user, "abcd-efgh-ijbo-2345");
        for typed in ["ABCDEFGHIJBO2345", " abcd efgh ijbo 2345", "abcd-efgh-1j80-2345"] {
            assert_eq!(hash(user, typed), known, "{typed}");
        }
        assert_ne!(hash(Uuid::from_u128(2), "abcd-efgh-ijbo-2345"), known);
        assert_ne!(hash(user, "abcd-efgh-ijbo-2346"), known);
    }
}
