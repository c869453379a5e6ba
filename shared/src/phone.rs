//! Brazilian phone numbers. Source of the rules: Anatel's numbering plan and WhatsApp's habit of knowing older accounts
//! without the ninth digit.

/// Digits of a WhatsApp id or of anything typed as a phone number, in the form by which one person is one identity:
/// a Brazilian mobile always has its ninth digit, a landline never gets one.
#[must_use]
pub fn canonical(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let lacks_ninth_digit = digits.len() == 12 && digits.starts_with("55") && matches!(digits.as_bytes()[4], b'6'..=b'9');
    if lacks_ninth_digit { format!("{}9{}", &digits[..4], &digits[4..]) } else { digits }
}

/// E.164, for display and storage: `+` and the canonical digits.
#[must_use]
pub fn e164(text: &str) -> String {
    format!("+{}", canonical(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mobile_with_and_without_its_ninth_digit_is_one() {
        assert_eq!(canonical("551187654321"), "5511987654321");
        assert_eq!(canonical("5511987654321"), "5511987654321");
        assert_eq!(canonical("+55 (11) 98765-4321"), "5511987654321");
    }

    #[test]
    fn landlines_and_foreign_numbers_stay_as_they_are() {
        assert_eq!(canonical("551134567890"), "551134567890");
        assert_eq!(canonical("14155552671"), "14155552671");
        assert_eq!(e164("351912345678"), "+351912345678");
    }
}
