//! What a search text may mean besides words.

use shared::phone;

/// Digits at least for a part of a phone number; beside letters they may as well be a year or a sum.
const FEWEST: usize = 4;
const FEWEST_BESIDE_LETTERS: usize = 8;

/// Whether this is the number of a conversation: its day, and five digits or more.
pub(crate) fn is_protocol(text: &str) -> bool {
    text.trim().split_once('-').is_some_and(|(day, number)| {
        day.len() == 8 && number.len() >= 5 && day.bytes().chain(number.bytes()).all(|byte| byte.is_ascii_digit())
    })
}

/// The digits under which a phone number typed like this, or a part of one, may be stored: with the country code or without,
/// with Brazil's ninth digit or without, with zeros dialled before it; patterns for the inside of a `like`. Empty for what is no number.
#[must_use]
pub fn numbers(text: &str) -> Vec<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let fewest = if text.chars().any(char::is_alphabetic) { FEWEST_BESIDE_LETTERS } else { FEWEST };
    if digits.len() < fewest {
        return Vec::new();
    }
    let dialled = digits.trim_start_matches('0');
    let mut numbers = vec![digits.clone()];
    if dialled.len() >= FEWEST_BESIDE_LETTERS {
        numbers.extend([dialled.to_owned(), phone::canonical(dialled), phone::search_pattern(dialled)]);
        numbers.extend(with_ninth_digit(dialled, 2));
        // An area code as well as the country's.
        if dialled.starts_with("55") {
            numbers.extend(with_ninth_digit(dialled, 4));
        }
    }
    numbers.sort();
    numbers.dedup();
    numbers
}

/// A Brazilian mobile, or its beginning, that lacks the digit after the area code, which ends at `place`.
fn with_ninth_digit(number: &str, place: usize) -> Option<String> {
    let (before, after) = number.split_at_checked(place)?;
    let is_mobile = after.len() <= 8 && after.starts_with(['6', '7', '8', '9']);
    is_mobile.then(|| format!("{before}9{after}"))
}

/// Where these words stand in a text, as wholes: the first character and how many there are.
pub fn places_of(words: &[String], text: &str) -> Vec<(usize, usize)> {
    let characters: Vec<char> = text.chars().collect();
    let (mut places, mut start) = (Vec::new(), 0);
    for run in characters.chunk_by(|one, next| one.is_alphanumeric() == next.is_alphanumeric()) {
        let word: String = run.iter().collect();
        if words.contains(&word) {
            places.push((start, run.len()));
        }
        start += run.len();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_conversations_are_told_from_phones() {
        for (text, is_one) in [
            ("20261128-00001", true),
            (" 20261128-123456 ", true),
            ("20261128-0001", false),
            ("2026112-00001", false),
            ("98765-4321", false),
            ("20261128-0000a", false),
        ] {
            assert_eq!(is_protocol(text), is_one, "{text}");
        }
    }

    #[test]
    fn places_are_counted_in_characters() {
        let words = ["ação".to_owned(), "Ações".to_owned()];
        assert_eq!(places_of(&words, "é ação, Ações! reação"), [(2, 4), (8, 5)]);
        assert_eq!(places_of(&words, ""), []);
    }

    fn finds(text: &str, stored: &str) -> bool {
        numbers(text).iter().any(|number| stored.contains(number))
    }

    #[test]
    fn a_number_is_found_in_any_writing() {
        for text in [
            "5511987654321",
            "+55 11 98765-4321",
            "+55 (11) 98765.4321",
            "551187654321",
            "55 11 8765 4321",
            "(11) 98765-4321",
            "(11) 8765-4321",
            "011 98765-4321",
            "0055 11 8765-4321",
            "98765-4321",
            "8765-4321",
            "+55 11 8765",
            "11 8765-43",
            "4321",
            "João 98765-4321",
        ] {
            assert!(finds(text, "5511987654321"), "{text}: {:?}", numbers(text));
        }
    }

    #[test]
    fn the_area_with_the_code_of_the_country_is_one_too() {
        for text in ["(55) 8765-4321", "55 98765-4321", "+55 55 8765-4321"] {
            assert!(finds(text, "5555987654321"), "{text}: {:?}", numbers(text));
        }
    }

    #[test]
    fn landlines_and_tails_with_zeros_stay_as_they_are() {
        assert!(finds("(11) 3456-7890", "551134567890"));
        assert!(finds("0001", "5511987650001"));
        assert_eq!(numbers("1134567890"), ["1134567890"]);
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "boleto", "333", "boleto 2026", "R$ 1.500 em abril", "😀", "%", "+"] {
            assert_eq!(numbers(text), [""; 0], "{text}");
        }
    }
}
