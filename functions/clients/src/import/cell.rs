//! What is written in a cell.

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use shared::{
    prelude::*,
    text::{has_control_characters, has_hidden_characters},
};

use super::RowFault;
use crate::{
    fields::{ClientField, FieldKind},
    written,
};

/// What formulas begin with.
pub const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Between several in one cell.
pub const SEPARATORS: [char; 4] = [',', ';', '|', '\n'];

/// A cell without blanks around it, nor the sign that keeps spreadsheets from taking it for a formula.
#[must_use]
pub fn plain(cell: &str) -> &str {
    let cell = cell.trim();
    let is_kept = |rest: &&str| rest.trim_start_matches('\'').starts_with(FORMULA);
    cell.strip_prefix('\'').filter(is_kept).unwrap_or(cell)
}

/// A text of a line.
///
/// # Errors
/// Why it is none that people can read.
pub fn visible(text: &str, most: usize) -> Result<String, RowFault> {
    if text.chars().count() > most {
        return Err(RowFault::TooLong);
    }
    // What stands for a sign that was lost before is none.
    if has_hidden_characters(text) || text.contains(char::REPLACEMENT_CHARACTER) {
        Err(RowFault::HiddenCharacters)
    } else {
        Ok(text.to_owned())
    }
}

/// What something is called: blanks between words are one.
///
/// # Errors
/// As of `visible`.
pub fn name(text: &str, most: usize) -> Result<String, RowFault> {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "), most)
}

/// A text whose lines are kept.
///
/// # Errors
/// As of `visible`.
pub fn note(text: &str, most: usize) -> Result<String, RowFault> {
    if text.chars().count() > most {
        return Err(RowFault::TooLong);
    }
    if has_control_characters(text) { Err(RowFault::HiddenCharacters) } else { Ok(text.to_owned()) }
}

/// Tags of a cell.
///
/// # Errors
/// As of `visible`.
pub fn tags(text: &str) -> Result<Vec<String>, RowFault> {
    several(text).take(50).map(|text| visible(&text, 40)).collect()
}

/// What stands between separators, or in quotes with whatever is in it.
fn several(mut rest: &str) -> impl Iterator<Item = String> {
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|sign: char| sign.is_whitespace() || SEPARATORS.contains(&sign));
        let (one, behind) = in_quotes(rest).unwrap_or_else(|| {
            let (one, behind) = rest.split_at(rest.find(SEPARATORS).unwrap_or(rest.len()));
            (one.trim_end().to_owned(), behind)
        });
        let is_there = !rest.is_empty();
        rest = behind;
        is_there.then_some(one)
    })
    .filter(|one| !one.is_empty())
}

/// What the text begins with, if quotes go around the whole of it, and what stands behind.
fn in_quotes(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut signs = inside.char_indices().peekable();
    while let Some((place, sign)) = signs.next() {
        if sign == '"' && signs.next_if(|(_, next)| *next == '"').is_none() {
            let behind = inside[place + 1..].trim_start();
            let is_whole = behind.is_empty() || behind.starts_with(SEPARATORS);
            return is_whole.then(|| (inside[..place].replace("\"\"", "\"").trim().to_owned(), behind));
        }
    }
    None
}

/// What a text is as a type of requests.
///
/// # Errors
/// `fault` where it is none.
pub fn typed<T: DeserializeOwned + Validate<Context = ()>>(text: &str, fault: RowFault) -> Result<T, RowFault> {
    if text.len() > 400 {
        return Err(RowFault::TooLong);
    }
    serde_json::from_value::<T>(json!(text)).ok().filter(|value| value.validate().is_ok()).ok_or(fault)
}

/// What a text is as a value of a field.
///
/// # Errors
/// Why it is none.
pub fn value(field: &ClientField, text: &str) -> Result<Value, RowFault> {
    let lower = text.to_lowercase();
    let value = match field.kind {
        FieldKind::Text => json!(visible(text, 500)?),
        FieldKind::Number => number(text).ok_or(RowFault::WrongCustomValue)?,
        FieldKind::Date => json!(date(text).ok_or(RowFault::WrongCustomValue)?.to_string()),
        FieldKind::Boolean => match lower.as_str() {
            "sim" | "s" | "true" | "verdadeiro" | "yes" | "y" | "1" | "x" => json!(true),
            "não" | "nao" | "n" | "false" | "falso" | "no" | "0" => json!(false),
            _ => return Err(RowFault::WrongCustomValue),
        },
        FieldKind::Choice => {
            let option = field.options.iter().find(|option| option.to_lowercase() == lower);
            json!(option.ok_or(RowFault::WrongCustomValue)?)
        }
    };
    Ok(value)
}

fn number(text: &str) -> Option<Value> {
    let plain = written::number(text, false)?;
    plain.parse::<i64>().ok().map(|whole| json!(whole)).or_else(|| {
        let figure = plain.parse::<f64>().ok().filter(|number| number.is_finite())?;
        Some(json!(figure))
    })
}

/// The day of what may have a time behind it.
#[must_use]
pub fn date(text: &str) -> Option<Date> {
    written::date(text.split([' ', 'T']).next()?, None)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_separates_tags_may_stand_in_one() {
        let several = |text: &str| super::several(text).collect::<Vec<_>>();
        assert_eq!(several(" vip, 2026;;vip |\n x y "), ["vip", "2026", "vip", "x y"]);
        assert_eq!(several("'a, b', 'c ''d'' e';'f' g,".replace('\'', "\"").as_str()), ["a, b", "c \"d\" e", "\"f\" g"]);
        assert_eq!(several("\"a, b"), ["\"a", "b"]);
        assert!(several(" ;, \" \" ").is_empty());
    }
}
