//! What a row says of a client.

use serde::de::DeserializeOwned;
use shared::{
    prelude::*,
    text::{has_control_characters, has_hidden_characters},
};

use super::{RowError, RowFault, mapping::Target, table::Row};
use crate::{
    Known,
    document::Document,
    fields::{ClientField, ClientFields, FieldKind},
    once_each,
    phone::Phone,
    written,
};

/// Characters of a note.
const LONGEST_NOTE: usize = 4_000;

/// A client as a row says that they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    pub row: i64,
    pub name: Option<String>,
    pub known: Known,
    pub tags: Vec<String>,
    pub custom_fields: Map<String, Value>,
    /// What staff note on them once they are made.
    pub note: Option<String>,
}

impl Person {
    /// By what they are found, as `app.lock_keys` knows it.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let Known { document, email, phones } = &self.known;
        let phones = phones.iter().map(|phone| format!("phone:{phone}"));
        let email = email.iter().map(|email| format!("email:{email}"));
        let document = document.iter().map(|document| format!("document:{document}"));
        phones.chain(email).chain(document).collect()
    }

    /// Takes what a text says of this of the client.
    ///
    /// # Errors
    /// Why it says nothing of the kind.
    pub fn take(&mut self, target: &Target, text: &str, fields: &ClientFields) -> Result<(), RowFault> {
        match target {
            Target::Name => self.name = Some(name(text)?),
            Target::Phone => {
                let more = Known::new(None, None, &numbers(text)?).phones;
                self.known.phones = once_each(std::mem::take(&mut self.known.phones).into_iter().chain(more));
            }
            Target::Email => self.known.email = Some(typed::<Email>(text, RowFault::InvalidEmail)?.to_string()),
            Target::Document => {
                self.known.document = Some(typed::<Document>(&digits(text), RowFault::InvalidDocument)?.to_string());
            }
            Target::Tags => self.tags.extend(tags(text)?),
            Target::Notes => self.note = Some(note(text)?),
            Target::Custom(key) => {
                let field = fields.fields.iter().find(|field| field.key == *key).ok_or(RowFault::WrongCustomValue)?;
                self.custom_fields.insert(key.clone(), value(field, text)?);
            }
        }
        Ok(())
    }
}

/// Reads rows of one file.
#[derive(Debug)]
pub struct Reading<'file> {
    pub headers: &'file [String],
    pub columns: &'file [Option<Target>],
    pub fields: &'file ClientFields,
}

impl Reading<'_> {
    /// What a row says.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn person(&self, row: &Row) -> Result<Person, Vec<RowError>> {
        // Empty cells at the end may be left out, or be more than there are columns.
        if row.cells.iter().skip(self.columns.len()).any(|cell| !cell.trim().is_empty()) {
            return Err(vec![RowError::new(row.number, None, RowFault::WrongColumns)]);
        }
        let mut person = Person { row: row.number, ..Person::default() };
        let mut errors: Vec<RowError> = Vec::new();
        for ((cell, target), header) in row.cells.iter().zip(self.columns).zip(self.headers) {
            let (Some(target), text) = (target, plain(cell)) else { continue };
            if text.is_empty() {
                continue;
            }
            if let Err(fault) = person.take(target, text, self.fields) {
                errors.push(RowError::new(row.number, Some(header), fault));
            }
        }
        person.tags = once_each(std::mem::take(&mut person.tags));
        let mut whole = |is_wrong: bool, fault| {
            if is_wrong {
                errors.push(RowError::new(row.number, None, fault));
            }
        };
        whole(person.known.phones.len() > 10, RowFault::TooManyPhones);
        whole(person.tags.len() > 30, RowFault::TooManyTags);
        let says_nothing = person.name.is_none() && person.keys().is_empty();
        if errors.is_empty() && says_nothing {
            errors.push(RowError::new(row.number, None, RowFault::NothingKnown));
        }
        if errors.is_empty() { Ok(person) } else { Err(errors) }
    }
}

/// What formulas begin with.
pub const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Between several in one cell.
pub const SEPARATORS: [char; 4] = [',', ';', '|', '\n'];

/// A cell without blanks around it, nor the sign that keeps spreadsheets from taking it for a formula.
fn plain(cell: &str) -> &str {
    let cell = cell.trim();
    let is_kept = |rest: &&str| rest.trim_start_matches('\'').starts_with(FORMULA);
    cell.strip_prefix('\'').filter(is_kept).unwrap_or(cell)
}

fn visible(text: &str, most: usize) -> Result<String, RowFault> {
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

fn name(text: &str) -> Result<String, RowFault> {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "), 120)
}

/// Lines are kept.
fn note(text: &str) -> Result<String, RowFault> {
    if text.chars().count() > LONGEST_NOTE {
        return Err(RowFault::TooLong);
    }
    if has_control_characters(text) { Err(RowFault::HiddenCharacters) } else { Ok(text.to_owned()) }
}

/// Several in one cell, too.
fn numbers(text: &str) -> Result<Vec<Phone>, RowFault> {
    let texts = text.split([',', ';', '|', '/', '\n']).map(str::trim).filter(|text| !text.is_empty());
    texts.take(50).map(|text| typed(text, RowFault::InvalidPhone)).collect()
}

fn tags(text: &str) -> Result<Vec<String>, RowFault> {
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

fn typed<T: DeserializeOwned + Validate<Context = ()>>(text: &str, fault: RowFault) -> Result<T, RowFault> {
    if text.len() > 400 {
        return Err(RowFault::TooLong);
    }
    serde_json::from_value::<T>(json!(text)).ok().filter(|value| value.validate().is_ok()).ok_or(fault)
}

/// Spreadsheets take zeros away that a document begins with.
fn digits(text: &str) -> String {
    match text.len() {
        9..=10 if text.bytes().all(|byte| byte.is_ascii_digit()) => format!("{text:0>11}"),
        12..=13 if text.bytes().all(|byte| byte.is_ascii_digit()) => format!("{text:0>14}"),
        _ => text.to_owned(),
    }
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
        FieldKind::Date => json!(date(text).ok_or(RowFault::WrongCustomValue)?),
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
fn date(text: &str) -> Option<String> {
    written::date(text.split([' ', 'T']).next()?, None).map(|date| date.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields() -> ClientFields {
        let fields = json!([
            {"key": "valor", "label": "Valor", "kind": "number"},
            {"key": "nascimento", "label": "Nascimento", "kind": "date"},
            {"key": "ativo", "label": "Ativo", "kind": "boolean"},
            {"key": "plano", "label": "Plano", "kind": "choice", "options": ["Ouro", "Prata"]},
        ]);
        ClientFields { fields: serde_json::from_value(fields).unwrap(), version: 1 }
    }

    fn read(cells: &[(&str, &str)]) -> Result<Person, Vec<(Option<String>, String)>> {
        let headers: Vec<String> = cells.iter().map(|(target, _)| (*target).to_owned()).collect();
        let columns: Vec<Option<Target>> = headers.iter().map(|header| Target::read(header)).collect();
        let fields = fields();
        let reading = Reading { headers: &headers, columns: &columns, fields: &fields };
        let row = Row { number: 2, cells: cells.iter().map(|(_, cell)| (*cell).to_owned()).collect() };
        reading.person(&row).map_err(|errors| errors.into_iter().map(|error| (error.column, error.code)).collect())
    }

    #[test]
    fn a_row_is_a_client_in_one_writing() {
        let person = read(&[
            ("name", "  Maria   da Silva "),
            ("phone", "(11) 8765-4321 / 11 98765-4321; +54 9 11 2345-6789"),
            ("email", "Maria@Exemplo.com.br"),
            ("document", "529.982.247-25"),
            ("tags", "vip, 2026;vip"),
        ])
        .unwrap();
        assert_eq!(person.name.as_deref(), Some("Maria da Silva"));
        assert_eq!(person.known.phones, ["5511987654321", "541123456789"]);
        assert_eq!(person.keys()[2..], ["email:maria@exemplo.com.br", "document:52998224725"]);
        assert_eq!(person.tags, ["vip", "2026"]);
    }

    #[test]
    fn values_are_of_the_kind_of_their_field() {
        let person = read(&[
            ("name", "Ana"),
            ("custom_fields.valor", "R$ 1.234,50"),
            ("custom_fields.nascimento", "28/11/1990"),
            ("custom_fields.ativo", "Sim"),
            ("custom_fields.plano", "OURO"),
        ])
        .unwrap();
        let wanted = json!({"valor": 1234.5, "nascimento": "1990-11-28", "ativo": true, "plano": "Ouro"});
        assert_eq!(Value::Object(person.custom_fields), wanted);
        for (target, cell) in [
            ("custom_fields.valor", "muito"),
            ("custom_fields.valor", "inf"),
            ("custom_fields.nascimento", "31/02/2020"),
            ("custom_fields.ativo", "talvez"),
            ("custom_fields.plano", "Bronze"),
        ] {
            assert_eq!(
                read(&[("name", "Ana"), (target, cell)]),
                Err(vec![(Some(target.to_owned()), "wrong_custom_value".to_owned())])
            );
        }
    }

    #[test]
    fn what_separates_tags_may_stand_in_one() {
        let several = |text: &str| super::several(text).collect::<Vec<_>>();
        assert_eq!(several(" vip, 2026;;vip |\n x y "), ["vip", "2026", "vip", "x y"]);
        assert_eq!(several("'a, b', 'c ''d'' e';'f' g,".replace('\'', "\"").as_str()), ["a, b", "c \"d\" e", "\"f\" g"]);
        assert_eq!(several("\"a, b"), ["\"a", "b"]);
        assert!(several(" ;, \" \" ").is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_column() {
        let codes = |cells: &[(&str, &str)]| read(cells).unwrap_err().into_iter().map(|(_, code)| code).collect::<Vec<_>>();
        let long = "a".repeat(1_000);
        assert_eq!(
            codes(&[("name", &long), ("email", "nada"), ("phone", "190"), ("document", "111.111.111-11")]),
            ["too_long", "invalid_email", "invalid_phone", "invalid_document"]
        );
        assert_eq!(codes(&[("name", " "), ("email", "")]), ["nothing_known"]);
        assert_eq!(codes(&[("name", "A\u{202e}na")]), ["hidden_characters"]);
        assert_eq!(codes(&[("name", "Ana"), ("notes", &"é".repeat(4_001))]), ["too_long"]);
        assert_eq!(codes(&[("name", "Ana"), ("notes", "a\u{0}b")]), ["hidden_characters"]);
        assert_eq!(codes(&[("notes", "Ligar")]), ["nothing_known"]);
        assert_eq!(
            codes(&[("name", "Ana"), ("tags", &(0..31).map(|tag| format!("t{tag}")).collect::<Vec<_>>().join(","))]),
            ["too_many_tags"]
        );
    }

    #[test]
    fn a_note_keeps_its_lines() {
        let long = "é".repeat(4_000);
        let read = |text: &str| read(&[("name", "Ana"), ("notes", text)]).unwrap().note;
        assert_eq!(read(" Prefere manhã.\n\t- *não* ligar \n").as_deref(), Some("Prefere manhã.\n\t- *não* ligar"));
        assert_eq!((read(&long), read("  ")), (Some(long), None));
    }

    #[test]
    fn a_formula_is_a_text_and_zeros_come_back() {
        assert_eq!(read(&[("name", "=1+1")]).unwrap().name.as_deref(), Some("=1+1"));
        assert_eq!(read(&[("name", "'=1+1")]).unwrap().name.as_deref(), Some("=1+1"));
        assert_eq!(read(&[("name", "'Ana")]).unwrap().name.as_deref(), Some("'Ana"));
        assert_eq!(read(&[("document", "1234567890")]).unwrap().known.document.as_deref(), Some("01234567890"));
    }

    proptest! {
        #[test]
        fn whatever_cells_say_is_read_or_refused(cells in prop::collection::vec(".{0,60}", 10)) {
            let targets = ["name", "phone", "email", "document", "tags", "custom_fields.valor", "custom_fields.nascimento",
                           "custom_fields.ativo", "custom_fields.plano", "notes"];
            let pairs: Vec<(&str, &str)> = targets.into_iter().zip(cells.iter().map(String::as_str)).collect();
            if let Ok(person) = read(&pairs) {
                prop_assert!(person.name.is_some() || !person.keys().is_empty());
                prop_assert!(fields().problems(&person.custom_fields).is_empty());
            }
        }
    }
}
