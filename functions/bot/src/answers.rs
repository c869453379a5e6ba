//! Whether what a client wrote is the answer that a question wants. Pure.

use clients::written;
use conversations::phone;
use jiff::civil::Date;
use shared::{document::Document, prelude::*};

use crate::{
    flow::{Question, Wanted},
    input::{bare, look},
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
        Wanted::Date => written::date(words, Some(today)).map(|date| date.to_string()),
        Wanted::Choice => pick(&question.choices, String::as_str, words).cloned(),
    }
}

fn valid<T: serde::de::DeserializeOwned + Validate<Context = ()> + std::ops::Deref<Target = str>>(words: &str) -> Option<String> {
    let read: T = serde_json::from_value(json!(words)).ok()?;
    read.validate().ok()?;
    Some(read.to_string())
}

/// One that is kept as it was said: no column of figures takes more.
fn number(words: &str) -> Option<String> {
    written::number(words, true).filter(|plain| {
        let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
        whole.trim_start_matches('-').len() <= 15 && fraction.len() <= 9
    })
}

/// What is chosen by its title or its number. Titles may be numbers, and go first.
pub fn pick<'a, T>(items: &'a [T], title: impl Fn(&T) -> &str, words: &str) -> Option<&'a T> {
    let (said, bare) = (look(words), bare(words));
    let by_number = || bare.parse::<usize>().ok().and_then(|number| items.get(number.checked_sub(1)?));
    let by_title = |said: &str| items.iter().find(|item| !said.is_empty() && look(title(item)) == said);
    by_title(&said).or_else(|| by_title(&bare)).or_else(by_number)
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
            save_as: None,
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
        all(
            Wanted::Choice,
            &[
                ("2", Some("Tarde")),
                ("2.", Some("Tarde")),
                ("*Tarde*", Some("Tarde")),
                ("１", Some("Manhã")),
                ("\"manhã\"", Some("Manhã")),
                ("manha", Some("Manhã")),
                ("3", None),
                ("0", None),
                ("noite", None),
            ],
        );
    }

    #[test]
    fn figures_and_days_are_kept_in_one_writing() {
        all(
            Wanted::Number,
            &[
                ("R$ 1.500,50", Some("1500.50")),
                ("1.500", Some("1500")),
                ("1.2.3", None),
                ("-0", Some("0")),
                ("dois", None),
                ("1234567890123456", None),
            ],
        );
        all(Wanted::Date, &[("amanhã", Some("2026-11-30")), ("05/03/98", Some("1998-03-05")), ("30/02/2026", None)]);
    }
}
