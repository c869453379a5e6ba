//! Passwords: how they are kept, and which are too easy to guess.

use std::borrow::Cow;

use shared::{
    crypto,
    error::{Error, FieldProblem, INTERNAL, refuse},
    rule,
};

/// Work factor of password hashes: about a quarter of a second.
pub const BCRYPT_COST: u32 = 12;

/// The hash of a password nobody knows: verified when the e-mail is unknown, so that the answer takes as long.
const DUMMY_HASH: &str = "$2b$12$kp1VXw65v25rp54qjDfOROmVqpBOQlUuN6AE9mzHirv2tjEuZs2gK";

/// Passwords of ten characters and more that stand high in lists of leaked ones, lower case, one a line: those that Django's list has (of
/// Royce Williams, under the BSD licence), and what Brazilians choose.
const COMMON: &str = include_str!("common_passwords.txt");

/// Bytes of input bcrypt takes into account.
const BCRYPT_INPUT: usize = 72;

/// Characters in the longest unit whose repetition alone makes a password trivial.
const LONGEST_REPEATED: usize = 5;

/// The code of the rule, and what people are told.
const EASY: (&str, &str, &str) = ("password_too_common", "Esta senha é fácil de adivinhar.", "This password is easy to guess.");

/// What is stored of a password. Takes as long as `BCRYPT_COST` says: hold no transaction open meanwhile.
///
/// # Errors
/// 500 when bcrypt refuses, which does not depend on input.
pub fn hash(password: &str) -> Result<String, Error> {
    bcrypt::hash(material(password), BCRYPT_COST).map_err(|error| INTERNAL.caused_by(error))
}

/// Whether `password` is the one `hash` was made of. Takes as long without a hash, and is then false.
#[must_use]
pub fn is_right(password: &str, hash: Option<&str>) -> bool {
    let matches = bcrypt::verify(material(password), hash.unwrap_or(DUMMY_HASH)).unwrap_or(false);
    matches && hash.is_some()
}

/// Bcrypt ignores what is beyond its input, so a longer password goes in as its digest.
fn material(password: &str) -> Cow<'_, [u8]> {
    if password.len() <= BCRYPT_INPUT {
        return Cow::Borrowed(password.as_bytes());
    }
    Cow::Owned(hex::encode(crypto::sha256(password.as_bytes())).into_bytes())
}

/// The rule of new passwords beyond their length, for `#[garde(custom(…))]`.
pub fn hard_to_guess(email: &str, name: &str) -> impl FnOnce(&String, &()) -> garde::Result {
    move |password, ()| {
        if is_easy_to_guess(password, email, name) {
            return Err(rule(EASY.0, EASY.1, EASY.2));
        }
        Ok(())
    }
}

/// The same rule, where the person is known only by now.
///
/// # Errors
/// 422 at the field.
pub fn expect_hard_to_guess(field: &str, password: &str, email: &str, name: &str) -> Result<(), Error> {
    let problem = || FieldProblem::new(field, EASY.0, EASY.1, EASY.2);
    refuse(is_easy_to_guess(password, email, name).then(problem))
}

/// Whether a password is a common one, a repetition, a sequence, or its owner's own name or e-mail.
#[must_use]
pub fn is_easy_to_guess(password: &str, email: &str, name: &str) -> bool {
    let password = password.to_lowercase();
    let characters: Vec<char> = password.chars().collect();
    COMMON.lines().any(|common| common == password)
        || is_repetition(&characters)
        || is_sequence(&characters)
        || is_personal(&password, email, name)
}

fn is_repetition(characters: &[char]) -> bool {
    (1..=LONGEST_REPEATED.min(characters.len() / 2))
        .any(|length| characters.iter().skip(length).zip(characters).all(|(later, earlier)| later == earlier))
}

/// Each character the next or the previous of the one before, such as `cdefghijkl` or `3210987654`.
fn is_sequence(characters: &[char]) -> bool {
    let follows = |first: char, second: char| match first {
        '9' => second == '0' || second == ':',
        _ => u32::from(first) + 1 == u32::from(second),
    };
    let mut steps = characters.windows(2);
    characters.len() > 2 && (steps.clone().all(|pair| follows(pair[0], pair[1])) || steps.all(|pair| follows(pair[1], pair[0])))
}

/// Whether nothing is left of the password without its owner's name or e-mail, separators and final digits.
fn is_personal(password: &str, email: &str, name: &str) -> bool {
    let core = |text: &str| {
        let letters: String = text.to_lowercase().chars().filter(|character| character.is_alphanumeric()).collect();
        letters.trim_end_matches(|character: char| character.is_ascii_digit()).to_owned()
    };
    let account = email.split('@').next().unwrap_or_default();
    let own = core(password);
    !own.is_empty() && [email, account, name].iter().any(|text| core(text) == own)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_easy(password: &str) -> bool {
        is_easy_to_guess(password, "ana.souza@example.com", "Ana Lúcia Souza")
    }

    #[test]
    fn the_dummy_is_a_genuine_hash_of_the_same_cost() {
        let parts: bcrypt::HashParts = DUMMY_HASH.parse().unwrap();
        assert_eq!(parts.get_cost(), BCRYPT_COST);
        assert_eq!(parts.format_for_version(bcrypt::Version::TwoB), DUMMY_HASH);
        // Verifying reads the whole hash: a malformed one would answer an error, and at once.
        assert!(!bcrypt::verify("anything", DUMMY_HASH).unwrap());
        assert!(!is_right("anything", None));
    }

    #[test]
    fn what_is_beyond_bcrypt_input_still_counts() {
        let long = "ç".repeat(100);
        let stored = hash(&long).unwrap();
        assert!(is_right(&long, Some(&stored)));
        assert!(!is_right(&format!("{long}x"), Some(&stored)));
    }

    #[test]
    fn the_list_is_lower_case_sorted_and_only_as_long_as_matters() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 1500 && COMMON.len() < 100_000);
        assert!(lines.iter().all(|line| line.chars().count() >= 10 && line.to_lowercase() == *line));
        assert!(lines.is_sorted_by(|earlier, later| earlier < later));
    }

    #[test]
    fn easy_passwords_are_found() {
        for password in [
            "SENHA12345",
            "Qwertyuiop",
            "aaaaaaaaaaaa",
            "xyxyxyxyxyx",
            "defghijklm",
            "zyxwvutsrq",
            "4567890123",
            "3210987654",
            "ana.souza@example.com",
            "AnaSouza2024",
            "ana-lúcia-souza",
        ] {
            assert!(is_easy(password), "{password}");
        }
    }

    #[test]
    fn other_passwords_are_not() {
        for password in ["cavalo bateria grampo", "t7#Qm!vX02", "souza mora em Natal", "1029384756x"] {
            assert!(!is_easy(password), "{password}");
        }
    }

    proptest! {
        #[test]
        fn repetitions_are_easy(unit in ".{1,5}", times in 10..20_usize) {
            prop_assert!(is_easy(&unit.repeat(times)));
        }

        #[test]
        fn sequences_are_easy_both_ways(start in b'a'..=b'p', length in 10..=11_u8) {
            let up: String = (start..start + length - 1).map(char::from).collect();
            prop_assert!(is_easy(&up));
            prop_assert!(is_easy(&up.chars().rev().collect::<String>()));
        }

        #[test]
        fn case_does_not_hide_a_common_one(index in 0..300_usize) {
            prop_assert!(is_easy(&COMMON.lines().nth(index).unwrap().to_uppercase()));
        }

        #[test]
        fn any_input_is_judged(password in ".{0,128}", email in ".{0,40}", name in ".{0,40}") {
            let _ = is_easy_to_guess(&password, &email, &name);
        }
    }
}
