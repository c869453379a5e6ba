//! Cleaning and checking input: every problem named by field, in both languages.

use std::{
    borrow::Cow,
    fmt::{Display, Write},
};

use garde::{
    Validate,
    i18n::{I18n, InvalidCreditCard, InvalidEmail, InvalidPhoneNumber, InvalidUrl, IpKind, with_i18n},
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use uuid::Uuid;

use super::{
    field_problems::{invalid_type, required, unknown_field, unknown_value},
    shape,
};
use crate::{
    error::{Error, FieldProblem, INVALID, refuse},
    text::{has_control_characters, has_hidden_characters},
};

/// 2⁵³: whole numbers below it are exact as floats.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Trims every string except passwords, and refuses NUL, other control characters and U+FFFD, which the gateway puts in place of
/// bytes that are no UTF-8.
pub(super) fn clean(value: Value) -> Result<Value, Error> {
    let mut problems = Vec::new();
    let value = clean_at(value, &mut String::new(), &mut problems);
    refuse(problems)?;
    Ok(value)
}

fn clean_at(value: Value, path: &mut String, problems: &mut Vec<FieldProblem>) -> Value {
    match value {
        Value::String(text) => {
            if has_control_characters(&text) {
                problems.push(control_characters(path));
            }
            if path.contains("password") { Value::String(text) } else { Value::String(text.trim().to_owned()) }
        }
        Value::Array(items) => {
            let cleaned = items.into_iter().enumerate().map(|(index, item)| {
                let length = path.len();
                let _ = write!(path, "[{index}]");
                let item = clean_at(item, path, problems);
                path.truncate(length);
                item
            });
            Value::Array(cleaned.collect())
        }
        Value::Object(fields) => {
            let cleaned = fields.into_iter().map(|(name, item)| {
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(&name);
                if has_control_characters(&name) {
                    problems.push(control_characters(path));
                }
                let item = clean_at(item, path, problems);
                path.truncate(length);
                (name, item)
            });
            Value::Object(cleaned.collect())
        }
        Value::Number(number) => Value::Number(as_integer(&number).unwrap_or(number)),
        other => other,
    }
}

/// JSON knows no integers: `7.0` is the number 7.
fn as_integer(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < MOST_EXACT)?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number within i64")]
    let integer = float as i64;
    Some(integer.into())
}

/// What is wrong with the characters of one text.
pub(super) fn problem_of_text(field: &str, text: &str) -> Option<FieldProblem> {
    has_control_characters(text).then(|| control_characters(field))
}

fn control_characters(field: &str) -> FieldProblem {
    FieldProblem::new(field, "control_characters", "Contém caracteres de controle.", "Contains control characters.")
}

/// A value as the type it is to be: cleaned, deserialised, then checked, every failing field reported at once.
pub(crate) fn read<T: DeserializeOwned + JsonSchema + Validate<Context = ()>>(value: Value) -> Result<T, Error> {
    read_clean(&clean(value)?)
}

/// The same of a value that is clean.
pub(super) fn read_clean<T: DeserializeOwned + JsonSchema + Validate<Context = ()>>(value: &Value) -> Result<T, Error> {
    let input = serde_path_to_error::deserialize(value)
        .map_err(|error| explain_shape(&schemars::schema_for!(T).into(), value, &error))?;
    if has_list(value) {
        refuse(shape::misplaced_lists(&schemars::schema_for!(T).into(), value))?;
    }
    check(&input)?;
    Ok(input)
}

/// A field that is read after the rest, when it is known as what: what is wrong with it is told as of `field`.
///
/// # Errors
/// 422 `invalid` with everything that is wrong.
pub fn read_field<T: DeserializeOwned + JsonSchema + Validate<Context = ()>>(field: &str, value: &Value) -> Result<T, Error> {
    read_clean(value).map_err(|error| error.within(field))
}

fn has_list(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(fields) => fields.values().any(has_list),
        _ => false,
    }
}

fn explain_shape(schema: &Value, value: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let problems = shape::problems(schema, value);
    INVALID.in_fields(if problems.is_empty() { vec![explain_type(error)] } else { problems })
}

/// The first value of the wrong type, missing or unknown field, in serde's words.
pub(super) fn explain_type(error: &serde_path_to_error::Error<impl Display>) -> FieldProblem {
    let english = error.inner().to_string();
    let quoted = english.split('`').nth(1).unwrap_or_default();
    let path = error.path().to_string();
    let path = if path == "." { String::new() } else { path };
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if english.starts_with("missing field") {
        required(join(quoted))
    } else if english.starts_with("unknown field") {
        unknown_field(if path.ends_with(quoted) { path } else { join(quoted) })
    } else if english.starts_with("unknown variant") {
        let known: Vec<&str> = english.split('`').skip(3).step_by(2).collect();
        unknown_value(path, &known)
    } else {
        invalid_type(path, &english)
    }
}

/// Runs the type's rules and reports all that fail.
fn check<T: Validate<Context = ()>>(input: &T) -> Result<(), Error> {
    refuse(problems(input))
}

/// What the type's rules say against a value.
pub(super) fn problems<T: Validate<Context = ()>>(input: &T) -> Vec<FieldProblem> {
    let Err(report) = with_i18n(Texts, || input.validate()) else { return Vec::new() };
    report.iter().map(|(path, error)| read_problem(path.to_string(), error.message())).collect()
}

/// A rule's message is `code|portuguese|english`; rules of our own give it through `rule`.
fn read_problem(field: String, message: &str) -> FieldProblem {
    let mut parts = message.splitn(3, '|');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(code), Some(portuguese), Some(english)) => FieldProblem::new(field, code, portuguese, english),
        _ => FieldProblem::new(field, "invalid", "Valor inválido.", message),
    }
}

/// The error of a rule of our own, for `#[garde(custom(…))]`.
#[must_use]
pub fn rule(code: &str, portuguese: &str, english: &str) -> garde::Error {
    garde::Error::new(format!("{code}|{portuguese}|{english}"))
}

/// The rule of time zones, for `#[garde(custom(known_zone))]`: a name of the database that we know, and Postgres does.
///
/// # Errors
/// `unknown_time_zone`.
pub fn known_zone(name: &impl AsRef<str>, (): &()) -> garde::Result {
    // One of the names stands for none at all.
    let is_known = jiff::tz::TimeZone::get(name.as_ref()).is_ok_and(|zone| !zone.is_unknown());
    let unknown = || rule("unknown_time_zone", "Fuso horário desconhecido.", "Unknown time zone.");
    is_known.then_some(()).ok_or_else(unknown)
}

/// The rule of one emoji of Unicode, whatever its tone of skin.
#[expect(clippy::missing_errors_doc, reason = "a rule of garde")]
pub fn one_emoji(text: &str, (): &()) -> garde::Result {
    if emojis::get(text).is_some() {
        Ok(())
    } else {
        Err(rule("one_emoji", "Informe um emoji, e só um.", "Give one emoji, and only one."))
    }
}

/// Whether something is in a short list twice.
pub fn has_twice<T: PartialEq>(values: &[T]) -> bool {
    values.iter().enumerate().any(|(place, value)| values[..place].contains(value))
}

/// The rule of lists of files.
#[expect(clippy::missing_errors_doc, reason = "a rule of garde")]
pub fn each_file_once(files: &[Uuid], (): &()) -> garde::Result {
    if has_twice(files) {
        return Err(rule("duplicate", "Cada arquivo só uma vez.", "Each file only once."));
    }
    Ok(())
}

/// The rule of every name of a person, company, department or channel, for `#[garde(custom(visible))]`: nothing in it is hidden, so
/// that names which look alike are alike. What people write to each other is not judged.
pub fn visible(name: &impl AsRef<str>, (): &()) -> garde::Result {
    // Texts may have lines; a name has one.
    if name.as_ref().contains(char::is_control) {
        return Err(rule("control_characters", "Contém caracteres de controle.", "Contains control characters."));
    }
    if has_hidden_characters(name.as_ref()) {
        return Err(rule("hidden_characters", "Contém caracteres invisíveis.", "Contains invisible characters."));
    }
    Ok(())
}

struct Texts;

fn text(code: &str, portuguese: impl Display, english: impl Display) -> Cow<'static, str> {
    format!("{code}|{portuguese}|{english}").into()
}

impl I18n for Texts {
    fn length_lower_than(&self, min: usize) -> Cow<'static, str> {
        if min == 1 {
            return text("required", "Campo obrigatório.", "This field is required.");
        }
        text("too_short", format_args!("Use pelo menos {min} caracteres."), format_args!("Use at least {min} characters."))
    }

    fn length_greater_than(&self, max: usize) -> Cow<'static, str> {
        text("too_long", format_args!("Use no máximo {max}."), format_args!("Use at most {max}."))
    }

    fn range_lower_than(&self, min: &dyn Display) -> Cow<'static, str> {
        text("too_small", format_args!("O mínimo é {min}."), format_args!("The minimum is {min}."))
    }

    fn range_greater_than(&self, max: &dyn Display) -> Cow<'static, str> {
        text("too_large", format_args!("O máximo é {max}."), format_args!("The maximum is {max}."))
    }

    fn credit_card_invalid(&self, _: InvalidCreditCard) -> Cow<'static, str> {
        text("invalid", "Cartão inválido.", "Invalid card.")
    }

    fn pattern_no_match(&self, _: &dyn Display) -> Cow<'static, str> {
        text("pattern", "Formato inválido.", "Invalid format.")
    }

    fn contains_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        text("pattern", format_args!("Deve conter {pattern}."), format_args!("Must contain {pattern}."))
    }

    fn url_invalid(&self, _: InvalidUrl) -> Cow<'static, str> {
        text("invalid_url", "URL inválida.", "Invalid URL.")
    }

    fn prefix_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        text("pattern", format_args!("Deve começar com {pattern}."), format_args!("Must start with {pattern}."))
    }

    fn suffix_missing(&self, pattern: &dyn Display) -> Cow<'static, str> {
        text("pattern", format_args!("Deve terminar com {pattern}."), format_args!("Must end with {pattern}."))
    }

    fn phone_number_invalid(&self, _: InvalidPhoneNumber) -> Cow<'static, str> {
        text("invalid_phone", "Telefone inválido.", "Invalid phone number.")
    }

    fn ip_invalid(&self, _: IpKind) -> Cow<'static, str> {
        text("invalid_ip", "Endereço IP inválido.", "Invalid IP address.")
    }

    fn matches_field_mismatch(&self, field: &dyn Display) -> Cow<'static, str> {
        text("mismatch", format_args!("Deve ser igual a {field}."), format_args!("Must equal {field}."))
    }

    fn email_invalid(&self, _: InvalidEmail) -> Cow<'static, str> {
        text("invalid_email", "E-mail inválido.", "Invalid e-mail address.")
    }

    fn ascii_invalid(&self) -> Cow<'static, str> {
        text("pattern", "Use apenas caracteres ASCII.", "Use ASCII characters only.")
    }

    fn alphanumeric_invalid(&self) -> Cow<'static, str> {
        text("pattern", "Use apenas letras e números.", "Use letters and digits only.")
    }

    fn required_not_set(&self) -> Cow<'static, str> {
        text("required", "Campo obrigatório.", "This field is required.")
    }
}

/// What is wrong with the time that a field gives.
#[must_use]
pub fn time_to_come(field: &'static str, now: Timestamp, at: Timestamp) -> Option<FieldProblem> {
    if at <= now {
        return Some(FieldProblem::new(field, "in_the_past", "Escolha uma hora que ainda vem.", "Choose a time to come."));
    }
    // The same day and hour of next year is the last.
    let last = now.to_zoned(TimeZone::UTC).checked_add(1.year()).map_or(now, |last| last.timestamp());
    (at > last)
        .then(|| FieldProblem::new(field, "too_late", "Escolha uma hora dentro de um ano.", "Choose a time within a year."))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, Validate, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Input {
        #[garde(length(chars, min = 1, max = 5))]
        name: String,
        #[garde(range(max = 3))]
        count: u32,
    }

    fn codes(value: Value) -> Vec<(String, String)> {
        read::<Input>(value).unwrap_err().0.fields.into_iter().map(|field| (field.field, field.code)).collect()
    }

    #[test]
    fn one_emoji_is_one_sign_however_many_characters_it_has() {
        for emoji in ["👍", "👍🏽", "❤️", "❤", "👨‍👩‍👧‍👦", "🇧🇷", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]
        {
            assert!(one_emoji(emoji, &()).is_ok(), "{emoji:?}");
        }
        for other in ["", "👍👍", "ok", "a", "1", "👍 ", "❤️👍", "<b>", "\u{200d}"] {
            assert!(one_emoji(other, &()).is_err(), "{other:?}");
        }
    }

    #[test]
    fn strings_are_trimmed() {
        assert_eq!(read::<Input>(json!({"name": "  Ana ", "count": 1})).unwrap().name, "Ana");
    }

    #[test]
    fn whole_numbers_may_be_written_as_floats() {
        assert_eq!(read::<Input>(json!({"name": "Ana", "count": 2.0})).unwrap().count, 2);
        assert_eq!(codes(json!({"name": "Ana", "count": 2.5})), [("count".to_owned(), "invalid_type".to_owned())]);
        assert_eq!(clean(json!([1e300, -3.0, 0.5])).unwrap(), json!([1e300, -3, 0.5]));
    }

    #[test]
    fn every_failing_field_is_named() {
        let expected = [("count", "too_large"), ("name", "too_long")].map(|(field, code)| (field.to_owned(), code.to_owned()));
        assert_eq!(codes(json!({"name": "Anabela", "count": 9})), expected);
    }

    #[test]
    fn types_unknown_and_missing_fields_are_named() {
        assert_eq!(codes(json!({"name": 1, "count": 1})), [("name".to_owned(), "invalid_type".to_owned())]);
        assert_eq!(codes(json!({"name": "Ana"})), [("count".to_owned(), "required".to_owned())]);
        assert_eq!(codes(json!({"name": "Ana", "count": 1, "x": 1})), [("x".to_owned(), "unknown_field".to_owned())]);
    }

    #[test]
    fn a_list_is_not_taken_for_fields() {
        assert_eq!(codes(json!(["Ana", 1])), [(String::new(), "invalid_type".to_owned())]);
    }

    #[test]
    fn every_field_of_the_wrong_shape_is_named() {
        let expected = [("count", "required"), ("name", "invalid_type"), ("x", "unknown_field")];
        assert_eq!(codes(json!({"name": 1, "x": 1})), expected.map(|(field, code)| (field.to_owned(), code.to_owned())));
        // What the schema does not tell, serde does.
        assert_eq!(codes(json!({"name": "Ana", "count": -1})), [("count".to_owned(), "invalid_type".to_owned())]);
    }

    #[test]
    fn unknown_values_name_the_field_and_those_that_are_known() {
        #[derive(Debug, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        enum Tagged {
            First {},
            Second {},
        }
        let error = serde_path_to_error::deserialize::<_, Tagged>(json!({"kind": "third"})).unwrap_err();
        let problem = explain_type(&error);
        assert_eq!((problem.field.as_str(), problem.code.as_str()), ("kind", "unknown_value"));
        assert_eq!(problem.portuguese, "Valor desconhecido. Use: first, second.");
    }

    #[test]
    fn control_characters_are_refused_wherever_they_are() {
        assert_eq!(codes(json!({"name": "a\u{0}", "count": 1})), [("name".to_owned(), "control_characters".to_owned())]);
        assert!(read::<Input>(json!({"name": "a\nb", "count": 1})).is_ok());
    }

    #[test]
    fn zones_are_names_that_stand_for_a_place() {
        for (name, is_taken) in [
            ("America/Sao_Paulo", true),
            ("America/Noronha", true),
            ("UTC", true),
            ("Etc/Unknown", false),
            ("America/Lisboa", false),
            ("-03:00", false),
            ("", false),
        ] {
            assert_eq!(known_zone(&name, &()).is_ok(), is_taken, "{name}");
        }
    }

    #[test]
    fn a_time_to_come_is_within_a_year() {
        let code = |now: &str, at: &str| {
            let problem = time_to_come("until", now.parse().unwrap(), at.parse().unwrap());
            problem.map(|problem| problem.code)
        };
        for (now, at, expected) in [
            ("2026-11-29T12:00:00Z", "2026-11-29T12:00:00Z", Some("in_the_past")),
            ("2026-11-29T12:00:00Z", "2026-11-29T12:00:01Z", None),
            ("2026-11-29T12:00:00Z", "2027-11-29T12:00:00Z", None),
            ("2026-11-29T12:00:00Z", "2027-11-29T12:00:01Z", Some("too_late")),
            // With a day in between that other years do not have.
            ("2027-11-29T12:00:00Z", "2028-11-29T12:00:00Z", None),
            ("2028-02-29T12:00:00Z", "2029-03-01T12:00:00Z", Some("too_late")),
        ] {
            assert_eq!(code(now, at).as_deref(), expected, "{now} {at}");
        }
    }
}
