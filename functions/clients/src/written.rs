//! Figures and days as people here write them, in tables and in messages.

use jiff::civil::Date;
use shared::text::unaccented;

/// A figure with a point before its fraction and nothing between thousands. The last sign of one comma or point is the decimal one; of a point
/// that stands alone before three digits, `is_typed` says that they are thousands, as people type them: in tables they are a fraction.
#[must_use]
pub fn number(text: &str, is_typed: bool) -> Option<String> {
    let text: String = text.trim_start_matches("R$").chars().filter(|sign| !sign.is_whitespace()).collect();
    let count = |sign: char| text.matches(sign).count();
    let plain = match (text.rfind(','), text.rfind('.')) {
        (Some(comma), Some(point)) if comma > point => text.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => text.replace(',', ""),
        (Some(_), None) => text.replace(',', "."),
        // Points part thousands, and nothing else more than once.
        (None, Some(_)) if count('.') > 1 && text.split('.').skip(1).any(|group| group.len() != 3) => return None,
        (None, Some(point)) if count('.') > 1 || is_typed && text.len() - point == 4 => text.replace('.', ""),
        (None, _) => text,
    };
    let unsigned = plain.strip_prefix('-').unwrap_or(&plain);
    let is_figure = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = match unsigned.split_once('.') {
        Some((whole, fraction)) => is_figure(whole) && is_figure(fraction),
        None => is_figure(unsigned),
    };
    let plain = if unsigned.bytes().all(|byte| matches!(byte, b'0' | b'.')) { unsigned.to_owned() } else { plain };
    is_plain.then_some(plain)
}

/// Day, month and year, or the year first. Who has typed it knows what day it is: then `hoje`, `amanhã` and `ontem` are days, too, a day without a
/// year is of this one, and two digits of a year are of the nearest century.
#[must_use]
pub fn date(text: &str, today: Option<Date>) -> Option<Date> {
    match (unaccented(text).as_str(), today) {
        ("hoje", Some(today)) => return Some(today),
        ("amanha", Some(today)) => return today.tomorrow().ok(),
        ("ontem", Some(today)) => return today.yesterday().ok(),
        _ => {}
    }
    let parts: Vec<&str> = text.split(['/', '-', '.', ' ']).filter(|part| !part.is_empty()).collect();
    let figure = |text: &str| text.parse::<i16>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let small = |text: &str| figure(text).and_then(|figure| i8::try_from(figure).ok());
    let (day, month, year) = match (parts.as_slice(), today) {
        ([year, month, day], _) if year.len() == 4 => (small(day)?, small(month)?, figure(year)?),
        ([day, month, year], _) if year.len() == 4 => (small(day)?, small(month)?, figure(year)?),
        ([day, month, year], Some(today)) if year.len() == 2 => {
            let year = figure(year)? + today.year() / 100 * 100;
            let year = if year > today.year() + 20 { year - 100 } else { year };
            (small(day)?, small(month)?, year)
        }
        ([day, month], Some(today)) => (small(day)?, small(month)?, today.year()),
        _ => return None,
    };
    if year < 1000 {
        return None;
    }
    Date::new(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sign_of_one_is_the_decimal_one() {
        for (text, table, typed) in [
            ("1500", "1500", "1500"),
            ("1.500", "1.500", "1500"),
            ("1.500,50", "1500.50", "1500.50"),
            ("1,500.50", "1500.50", "1500.50"),
            ("R$ 1 500,50", "1500.50", "1500.50"),
            ("1500.5", "1500.5", "1500.5"),
            ("2,5", "2.5", "2.5"),
            ("-3", "-3", "-3"),
            ("1.000.000", "1000000", "1000000"),
            ("0.30000000000000004", "0.30000000000000004", "0.30000000000000004"),
        ] {
            assert_eq!((number(text, false).as_deref(), number(text, true).as_deref()), (Some(table), Some(typed)), "{text}");
        }
        for text in ["dois", "1,2,3", "", "1e5", "--3", "inf", "1.", ",5", "1.2.3,4,5"] {
            assert_eq!((number(text, false), number(text, true)), (None, None), "{text}");
        }
    }

    #[test]
    fn a_day_is_whole_in_a_table_and_near_in_a_message() {
        let today = Some(Date::constant(2026, 11, 29));
        for (text, table, typed) in [
            ("29/11/2026", Some("2026-11-29"), Some("2026-11-29")),
            ("1-2-2027", Some("2027-02-01"), Some("2027-02-01")),
            ("2027-02-01", Some("2027-02-01"), Some("2027-02-01")),
            ("05/03/98", None, Some("1998-03-05")),
            ("05/03/30", None, Some("2030-03-05")),
            ("25/12", None, Some("2026-12-25")),
            ("Amanhã", None, Some("2026-11-30")),
            ("30/02/2026", None, None),
            ("99/99/9999", None, None),
            ("amanhã cedo", None, None),
            ("11/2026", None, None),
            ("01/01/0099", None, None),
        ] {
            let read = |today| date(text, today).map(|date| date.to_string());
            assert_eq!((read(None).as_deref(), read(today).as_deref()), (table, typed), "{text}");
        }
    }
}
