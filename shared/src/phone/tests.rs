use proptest::prelude::*;

use super::*;

#[test]
fn a_brazilian_mobile_with_and_without_its_ninth_digit_is_one() {
    assert_eq!(canonical("551187654321"), "5511987654321");
    assert_eq!(canonical("5511987654321"), "5511987654321");
    assert_eq!(canonical("+55 (11) 98765-4321"), "5511987654321");
    assert_eq!(canonical("555596543210"), "5555996543210");
}

#[test]
fn brazilian_landlines_and_other_lengths_stay_as_they_are() {
    for number in ["551134567890", "551154567890", "55118765432", "55119876543210", "558007654321", "5511"] {
        assert_eq!(canonical(number), number);
    }
}

#[test]
fn an_argentine_mobile_with_and_without_its_nine_or_fifteen_is_one() {
    for writing in
        ["5491123456789", "541123456789", "54111523456789", "549111523456789", "+54 9 11 2345-6789", "+54 011 15 2345 6789"]
    {
        assert_eq!(canonical(writing), "541123456789", "{writing}");
    }
    for writing in ["5492231234567", "542231234567", "54223151234567"] {
        assert_eq!(canonical(writing), "542231234567", "{writing}");
    }
    for writing in ["5493888123456", "543888123456", "54388815123456"] {
        assert_eq!(canonical(writing), "543888123456", "{writing}");
    }
    for writing in ["5492966123456", "542966123456", "54296615123456"] {
        assert_eq!(canonical(writing), "542966123456", "{writing}");
    }
}

#[test]
fn argentine_landlines_and_other_lengths_stay_as_they_are() {
    // The subscriber's own number may begin with 15, and what only looks like a mobile prefix is no prefix.
    for number in
        ["541143211234", "542231534567", "54911234567", "549112345678901", "5449123456789", "54111623456789", "549", "54"]
    {
        assert_eq!(canonical(number), number);
    }
    assert_ne!(canonical("5491143211234"), canonical("5491143211235"));
}

#[test]
fn a_mexican_mobile_with_and_without_its_one_is_one() {
    for writing in ["5215512345678", "525512345678", "+52 1 55 1234 5678"] {
        assert_eq!(canonical(writing), "525512345678", "{writing}");
    }
}

#[test]
fn mexican_numbers_of_other_lengths_stay_as_they_are() {
    for number in ["528112345678", "52155123456", "52155123456789", "5211512345678", "5210512345678", "521"] {
        assert_eq!(canonical(number), number);
    }
}

#[test]
fn other_countries_stay_as_they_are() {
    for number in ["14155552671", "5712345678", "573001234567", "22961234567", "2250712345678", "9112345678", ""] {
        assert_eq!(canonical(number), number);
    }
    assert_eq!(e164("351912345678"), "+351912345678");
}

/// As Postgres compares: digits, with `%` for any others.
fn is_found(value: &str, typed: &str) -> bool {
    let pattern = search_pattern(typed);
    let mut rest = value;
    pattern.split('%').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn any_writing_finds_the_number() {
    let numbers = [
        (
            "5511987654321",
            &["11 98765-4321", "(011) 98765-4321", "11 8765-4321", "8765-4321", "+55 11 8765-4321", "5511987654321"][..],
        ),
        ("551134567890", &["(11) 3456-7890", "3456 7890", "+551134567890"]),
        (
            "541123456789",
            &["+54 9 11 2345-6789", "9 11 2345 6789", "011 15 2345-6789", "11 15 2345-6789", "11 2345-6789", "23456789"],
        ),
        ("542966123456", &["02966 15 12-3456", "54 2966 15 123456"]),
        ("525512345678", &["+52 1 55 1234 5678", "1 55 1234 5678", "55 1234 5678", "+52 55 1234 5678"]),
        ("14155552671", &["+1 (415) 555-2671", "415 555 2671"]),
    ];
    for (value, writings) in numbers {
        for typed in writings {
            assert!(is_found(value, typed), "{typed} does not find {value}: {}", search_pattern(typed));
        }
    }
}

#[test]
fn a_whole_number_finds_no_other() {
    assert!(!is_found("5521987654321", "11 98765-4321"));
    assert!(!is_found("5521987654321", "11 8765-4321"));
    assert!(!is_found("542231234567", "+54 9 11 3123 4567"));
    assert_eq!(search_pattern("000"), "000");
}

/// A subscriber as their country knows them, and every writing WhatsApp or people use.
#[derive(Clone, Debug)]
struct Subscriber {
    /// Country, and the whole national number.
    own: (u8, String),
    writings: Vec<String>,
}

fn subscriber() -> impl Strategy<Value = Subscriber> {
    let brazilian = ("[1-9][1-9]", "[2-9][0-9]{7}").prop_map(|(area, number): (String, String)| {
        let mut writings = vec![format!("55{area}{number}")];
        if number.as_bytes()[0] >= b'6' {
            writings.push(format!("55{area}9{number}"));
        }
        Subscriber { own: (55, format!("{area}{number}")), writings }
    });
    let area = prop_oneof![
        Just("11".to_owned()),
        prop::sample::select(AREAS_OF_THREE.to_vec()).prop_map(str::to_owned),
        "296[26]|3888|2302|2326"
    ];
    let argentine = (area, "[2-9][0-9]{7}").prop_map(|(area, digits): (String, String)| {
        let number = digits[..10 - area.len()].to_owned();
        let writings = ["54", "549"].map(|code| format!("{code}{area}{number}")).to_vec();
        let writings = [writings, ["54", "549"].map(|code| format!("{code}{area}15{number}")).to_vec()].concat();
        Subscriber { own: (54, format!("{area}{number}")), writings }
    });
    let mexican = "[2-9][0-9]{9}".prop_map(|number: String| {
        let writings = ["52", "521"].map(|code| format!("{code}{number}")).to_vec();
        Subscriber { own: (52, number), writings }
    });
    prop_oneof![brazilian, argentine, mexican]
}

proptest! {
    #[test]
    fn what_is_canonical_stays_so(text in "[0-9+ ()-]{0,20}|5[245][0-9]{8,13}") {
        let once = canonical(&text);
        prop_assert_eq!(canonical(&once), once);
    }

    #[test]
    fn the_writings_of_a_subscriber_meet_and_two_subscribers_do_not(one in subscriber(), other in subscriber()) {
        let first = canonical(&one.writings[0]);
        for writing in &one.writings {
            prop_assert_eq!(&canonical(writing), &first, "{}", writing);
        }
        if one.own != other.own {
            for writing in &other.writings {
                prop_assert_ne!(&canonical(writing), &first, "{:?} {:?}", one, other);
            }
        }
    }

    #[test]
    fn every_number_is_found_by_every_writing_of_it(one in subscriber()) {
        let value = canonical(&one.writings[0]);
        for writing in &one.writings {
            prop_assert!(is_found(&value, writing), "{}", writing);
        }
    }

    #[test]
    fn no_text_makes_it_fall_over(text in ".{0,30}") {
        let _ = (canonical(&text), search_pattern(&text));
    }
}
