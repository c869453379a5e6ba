//! CPF and CNPJ: what is taken as one, and the one way it is written.

use std::ops::Deref;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::rule;

/// Any writing; which characters check the others no pattern says.
const WRITINGS: &str = r"^[0-9A-Za-z][0-9A-Za-z./ \-]{9,20}[0-9]$";

/// A CPF of eleven digits or a CNPJ of fourteen characters, without the signs between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Validate, JsonSchema)]
#[garde(transparent)]
#[serde(transparent)]
#[schemars(inline)]
pub struct Document(
    #[garde(custom(is_document))]
    #[schemars(regex(pattern = WRITINGS))]
    String,
);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self(text.chars().filter(|sign| !matches!(sign, '.' | '/' | '-' | ' ')).collect::<String>().to_ascii_uppercase()))
    }
}

impl Deref for Document {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as garde calls it")]
fn is_document(document: &str, (): &()) -> garde::Result {
    if is_cpf(document) || is_cnpj(document) {
        return Ok(());
    }
    Err(rule("invalid_document", "CPF ou CNPJ inválido.", "Invalid CPF or CNPJ."))
}

pub(crate) fn is_cpf(document: &str) -> bool {
    let digits = document.as_bytes();
    digits.len() == 11
        && digits.iter().all(u8::is_ascii_digit)
        && !is_one_character(digits)
        && checks(digits, 9, &[10, 9, 8, 7, 6, 5, 4, 3, 2])
        && checks(digits, 10, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
}

/// Since July 2026 its first twelve characters may be letters, too: IN RFB 2.229/2024.
pub(crate) fn is_cnpj(document: &str) -> bool {
    let characters = document.as_bytes();
    characters.len() == 14
        && characters.iter().all(|character| character.is_ascii_digit() || character.is_ascii_uppercase())
        && !is_one_character(characters)
        && checks(characters, 12, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
        && checks(characters, 13, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
}

fn is_one_character(characters: &[u8]) -> bool {
    characters.iter().all(|character| *character == characters[0])
}

/// Whether the digit at `place` is the one that those before it ask for.
fn checks(characters: &[u8], place: usize, weights: &[u32]) -> bool {
    let sum: u32 = characters.iter().zip(weights).map(|(character, weight)| u32::from(character - b'0') * weight).sum();
    let digit = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    u32::from(characters[place]) == u32::from(b'0') + digit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Option<String> {
        let document: Document = serde_json::from_value(json!(text)).unwrap();
        document.validate().is_ok().then(|| document.to_string())
    }

    #[test]
    fn real_ones_are_taken_in_any_writing() {
        for (text, stored) in [
            ("529.982.247-25", "52998224725"),
            ("39053344705", "39053344705"),
            ("111.444.777-35", "11144477735"),
            ("000.000.001-91", "00000000191"),
            ("11.222.333/0001-81", "11222333000181"),
            ("12.abc.345/01de-35", "12ABC34501DE35"),
            ("A1.B2C.3D4/0001-93", "A1B2C3D4000193"),
            ("00.000.000/0001-91", "00000000000191"),
        ] {
            assert_eq!(read(text).as_deref(), Some(stored), "{text}");
        }
    }

    #[test]
    fn what_does_not_check_is_none() {
        for text in [
            "529.982.247-24",
            "111.111.111-11",
            "5299822472",
            "529982247255",
            "12.ABC.345/01DE-36",
            "00.000.000/0000-00",
            "12.ABC.345/01DE-3A",
            "529.982.247-2５",
            "529x982x247-25",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn another_check_digit_is_another_document(first in "[0-9A-Z]{12}") {
            let all = (0..100_u8).filter(|end| read(&format!("{first}{end:02}")).is_some()).count();
            prop_assert!(all <= 1);
        }
    }
}
