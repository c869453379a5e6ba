//! Phone numbers as people type them.

use std::ops::Deref;

use serde::Deserializer;
use shared::{phone::canonical, prelude::*, rule};

/// Any writing; which numbers there are no pattern says.
const WRITINGS: &str = r"^[+(0-9][0-9 ().\-]{6,28}[0-9]$";

/// A number as `shared::phone` makes it an identity: digits with the country's code. Without one it is a Brazilian one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Validate, JsonSchema)]
#[garde(transparent)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Phone(
    #[garde(custom(is_phone))]
    #[schemars(regex(pattern = WRITINGS))]
    String,
);

impl<'de> Deserialize<'de> for Phone {
    /// What is no number stays as it is, and is refused.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(read(&text).unwrap_or(text)))
    }
}

impl Deref for Phone {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn is_phone(number: &str, (): &()) -> garde::Result {
    if is_one(number) {
        return Ok(());
    }
    let (portuguese, english) =
        ("Telefone inválido. Use DDD e número, ou + e o código do país.", "Invalid phone number. Use + and the country's code.");
    Err(rule("invalid_phone", portuguese, english))
}

/// Whether digits are a number that somebody can have.
#[must_use]
pub fn is_one(number: &str) -> bool {
    // No country's code begins with a zero.
    let is_read =
        (8..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    is_read && number.strip_prefix("55").is_none_or(is_brazilian)
}

/// The number that a text means, if it means one.
#[must_use]
pub fn read(text: &str) -> Option<String> {
    let text = text.trim();
    if !text.chars().all(|sign| sign.is_ascii_digit() || " +().-".contains(sign))
        || text.rfind('+').is_some_and(|place| place > 0)
    {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if text.starts_with('+') {
        return Some(canonical(&digits));
    }
    if let Some(abroad) = digits.strip_prefix("00") {
        return Some(canonical(abroad));
    }
    // Behind the zero of a call to another area there may be the carrier's two digits.
    let national = match digits.strip_prefix('0') {
        Some(dialled) if dialled.len() > 11 => &dialled[2..],
        Some(dialled) => dialled,
        None => &digits,
    };
    match national.len() {
        10 | 11 => Some(canonical(&format!("55{national}"))),
        12 | 13 if national.starts_with("55") && national == digits => Some(canonical(national)),
        _ => None,
    }
}

/// Area and subscriber, with the ninth digit of a mobile.
fn is_brazilian(national: &str) -> bool {
    let (area, subscriber) = national.split_at_checked(2).unwrap_or_default();
    let is_area = match area.as_bytes() {
        [b'1' | b'4' | b'6' | b'8' | b'9', b'1'..=b'9'] => true,
        [b'2', second] => b"12478".contains(second),
        [b'3', second] => b"1234578".contains(second),
        [b'5', second] => b"1345".contains(second),
        [b'7', second] => b"134579".contains(second),
        _ => false,
    };
    let is_subscriber = match subscriber.as_bytes() {
        [b'9', rest @ ..] => rest.len() == 8,
        [b'2'..=b'5', rest @ ..] => rest.len() == 7,
        _ => false,
    };
    is_area && is_subscriber
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Option<String> {
        let phone: Phone = serde_json::from_value(json!(text)).unwrap();
        phone.validate().is_ok().then(|| phone.to_string())
    }

    #[test]
    fn any_writing_is_the_same_number() {
        for text in [
            "+55 (11) 98765-4321",
            "5511987654321",
            "551187654321",
            "11 98765-4321",
            "(11) 8765-4321",
            "011 98765-4321",
            "0 15 11 98765-4321",
            "0055 11 98765.4321",
        ] {
            assert_eq!(taken(text).as_deref(), Some("5511987654321"), "{text}");
        }
    }

    #[test]
    fn landlines_the_area_55_and_other_countries_are_what_they_are() {
        for (text, stored) in [
            ("(11) 3456-7890", "551134567890"),
            ("55 98765-4321", "5555987654321"),
            ("+54 9 11 2345-6789", "541123456789"),
            ("+52 1 55 1234 5678", "525512345678"),
            ("+351 912 345 678", "351912345678"),
        ] {
            assert_eq!(taken(text).as_deref(), Some(stored), "{text}");
        }
    }

    #[test]
    fn what_nobody_can_be_called_by_is_none() {
        for text in [
            "",
            "190",
            "4004-1234",
            "0800 123 4567",
            "0000000000",
            "+0 11 98765-4321",
            "20 98765-4321",
            "11 1234-5678",
            "+55 11 9876",
            "1198765432x",
            "11+987654321",
            "１１987654321",
        ] {
            assert_eq!(taken(text), None, "{text}");
        }
    }
}
