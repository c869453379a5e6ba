//! Whether what a client wrote is the answer that a question wants. Pure.

use conversations::phone;
use jiff::civil::Date;
use shared::{document::Document, prelude::*, text::unaccented};

use crate::{
    flow::{Question, Wanted},
    input::look,
};

/// Characters of a value that is kept.
pub const LONGEST_VALUE: usize = 2_000;

/// The answer in the one way it is written; `None` where it is none.
#[must_use]
pub fn read(question: &Question, words: &str, today: Date) -> Option<String> {
    let words = words.trim();
    if words.is_empty() {
        return None;
    }
    match question.answer {
        Wanted::Text => Some(cut(words, LONGEST_VALUE)),
        Wanted::Email => valid::<Email>(words),
        Wanted::Phone => phone::read(words).filter(|number| phone::is_one(number)),
        Wanted::Cpf => valid::<Document>(words).filter(|document| document.len() == 11),
        Wanted::Cnpj => valid::<Document>(words).filter(|document| document.len() == 14),
        Wanted::Number => number(words),
        Wanted::Date => date(words, today).map(|date| date.to_string()),
        Wanted::Choice => pick(&question.choices, String::as_str, words).cloned(),
    }
}

fn valid<T: serde::de::DeserializeOwned + Validate<Context = ()> + std::ops::Deref<Target = str>>(words: &str) -> Option<String> {
    let read: T = serde_json::from_value(json!(words)).ok()?;
    read.validate().ok()?;
    Some(read.to_string())
}

/// With a comma or a point before the fraction, and points or blanks between thousands as Brazilians write them.
fn number(words: &str) -> Option<String> {
    let plain = words.trim_start_matches("R$").replace(' ', "");
    let plain = match (plain.rfind(','), plain.rfind('.')) {
        (Some(_), _) => plain.replace('.', "").replacen(',', ".", 1),
        // Three digits behind the only point are thousands.
        (None, Some(place)) if plain.len() - place == 4 || plain.matches('.').count() > 1 => plain.replace('.', ""),
        _ => plain,
    };
    let is_figure = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = plain.strip_prefix('-').unwrap_or(&plain);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, fraction)| (whole, Some(fraction)));
    (is_figure(whole) && whole.len() <= 15 && fraction.is_none_or(|fraction| is_figure(fraction) && fraction.len() <= 9))
        .then_some(plain)
}

/// Day, month and year as Brazilians write them, or the year first; `hoje` and `amanhã` too. Two digits of a year are of the nearest century.
fn date(words: &str, today: Date) -> Option<Date> {
    match unaccented(words).as_str() {
        "hoje" => return Some(today),
        "amanha" => return today.tomorrow().ok(),
        "ontem" => return today.yesterday().ok(),
        _ => {}
    }
    let parts: Vec<&str> = words.split(['/', '-', '.', ' ']).filter(|part| !part.is_empty()).collect();
    let figure = |text: &str| text.parse::<i16>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let small = |text: &str| figure(text).and_then(|figure| i8::try_from(figure).ok());
    let (day, month, year) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => (small(day)?, small(month)?, figure(year)?),
        [day, month, year] if year.len() == 4 => (small(day)?, small(month)?, figure(year)?),
        [day, month, year] if year.len() == 2 => {
            let year = figure(year)? + today.year() / 100 * 100;
            let year = if year > today.year() + 20 { year - 100 } else { year };
            (small(day)?, small(month)?, year)
        }
        [day, month] => (small(day)?, small(month)?, today.year()),
        _ => return None,
    };
    Date::new(year, month, day).ok()
}

/// What is chosen by its title or its number. Titles may be numbers, and go first.
pub fn pick<'a, T>(items: &'a [T], title: impl Fn(&T) -> &str, words: &str) -> Option<&'a T> {
    let said = look(words);
    let by_number = || said.parse::<usize>().ok().and_then(|number| items.get(number.checked_sub(1)?));
    items.iter().find(|item| look(title(item)) == said).or_else(by_number)
}

/// The first so many characters.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(wanted: Wanted, words: &str) -> Option<String> {
        let choices = vec!["Manhã".to_owned(), "Tarde".to_owned()];
        let question = Question {
            text: String::new(),
            field: "x".into(),
            answer: wanted,
            choices,
            error: None,
            retries: 1,
            skip: None,
            go_to: String::new(),
            on_failure: None,
        };
        read(&question, words, Date::constant(2026, 11, 29))
    }

    fn all(wanted: Wanted, cases: &[(&str, Option<&str>)]) {
        for (words, expected) in cases {
            assert_eq!(answer(wanted, words).as_deref(), *expected, "{wanted:?} {words}");
        }
    }

    #[test]
    fn what_checks_is_kept_in_one_writing() {
        all(Wanted::Text, &[(" Ana ", Some("Ana")), ("  ", None)]);
        all(Wanted::Email, &[("Ana@Escola.com.br", Some("ana@escola.com.br")), ("ana@", None)]);
        all(Wanted::Phone, &[("(11) 98765-4321", Some("5511987654321")), ("190", None)]);
        all(Wanted::Cpf, &[("529.982.247-25", Some("52998224725")), ("529.982.247-24", None), ("11.222.333/0001-81", None)]);
        all(Wanted::Cnpj, &[("11.222.333/0001-81", Some("11222333000181")), ("529.982.247-25", None)]);
        all(Wanted::Choice, &[("2", Some("Tarde")), ("manha", Some("Manhã")), ("3", None), ("0", None), ("noite", None)]);
    }

    #[test]
    fn numbers_are_read_as_brazilians_write_them() {
        let cases = [
            ("1500", Some("1500")),
            ("1.500", Some("1500")),
            ("1.500,50", Some("1500.50")),
            ("R$ 1.500,50", Some("1500.50")),
            ("1500.5", Some("1500.5")),
            ("2,5", Some("2.5")),
            ("-3", Some("-3")),
            ("1.000.000", Some("1000000")),
            ("dois", None),
            ("1,2,3", None),
            ("", None),
            ("1e5", None),
            ("--3", None),
        ];
        all(Wanted::Number, &cases);
    }

    #[test]
    fn dates_are_read_as_brazilians_write_them() {
        let cases = [
            ("29/11/2026", Some("2026-11-29")),
            ("1-2-2027", Some("2027-02-01")),
            ("2027-02-01", Some("2027-02-01")),
            ("05/03/98", Some("1998-03-05")),
            ("05/03/30", Some("2030-03-05")),
            ("25/12", Some("2026-12-25")),
            ("amanhã", Some("2026-11-30")),
            ("Hoje", Some("2026-11-29")),
            ("30/02/2026", None),
            ("99/99/9999", None),
            ("amanhã cedo", None),
            ("11/2026", None),
        ];
        all(Wanted::Date, &cases);
    }
}
