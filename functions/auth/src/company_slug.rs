//! Slugs: how a company is named in addresses and at sign-up.

use shared::crypto;

const LONGEST: usize = 48;

/// Of names without a letter or digit to keep.
const FALLBACK: &str = "empresa";

/// The slug a company's name gives: ASCII lower case, words joined by hyphens.
#[must_use]
pub fn from_name(name: &str) -> String {
    let mut slug = slug::slugify(name);
    slug.truncate(LONGEST);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { FALLBACK.to_owned() } else { slug.to_owned() }
}

/// The same slug with a short random ending, for a name that is taken.
#[must_use]
pub fn with_random_ending(slug: &str) -> String {
    format!("{slug}-{}", hex::encode(crypto::random_bytes::<3>()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accents_and_punctuation_are_folded() {
        assert_eq!(from_name("Mentoria São João & Cia."), "mentoria-sao-joao-cia");
        assert_eq!(from_name("  Ação!  "), "acao");
        assert_eq!(from_name("???"), "empresa");
    }

    #[test]
    fn an_ending_makes_it_another() {
        assert_ne!(with_random_ending("acao"), with_random_ending("acao"));
    }

    proptest! {
        #[test]
        fn a_slug_is_short_and_plain(name in ".{0,160}") {
            let slug = from_name(&name);
            prop_assert!(!slug.is_empty() && slug.len() <= LONGEST);
            prop_assert!(slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-'));
        }
    }
}
