//! What a row says of a client.

use shared::prelude::*;

use super::{
    RowError, RowFault,
    cell::{name, note, plain, tags, typed, value},
    mapping::Target,
    table::Row,
};
use crate::{Known, document::Document, fields::ClientFields, once_each, phone::Phone};

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
            Target::Name => self.name = Some(name(text, 120)?),
            Target::Phone => {
                let more = Known::new(None, None, &numbers(text)?).phones;
                self.known.phones = once_each(std::mem::take(&mut self.known.phones).into_iter().chain(more));
            }
            Target::Email => self.known.email = Some(typed::<Email>(text, RowFault::InvalidEmail)?.to_string()),
            Target::Document => {
                self.known.document = Some(typed::<Document>(&digits(text), RowFault::InvalidDocument)?.to_string());
            }
            Target::Tags => self.tags.extend(tags(text)?),
            Target::Notes => self.note = Some(note(text, LONGEST_NOTE)?),
            Target::Custom(key) => {
                let field = fields.fields.iter().find(|field| field.key == *key).ok_or(RowFault::WrongCustomValue)?;
                self.custom_fields.insert(key.clone(), value(field, text)?);
            }
        }
        Ok(())
    }
}

impl Person {
    /// What a row says.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn read(
        headers: &[String],
        columns: &[Option<Target>],
        company: &ClientFields,
        row: &Row,
    ) -> Result<Self, Vec<RowError>> {
        // Empty cells at the end may be left out, or be more than there are columns.
        if row.cells.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty()) {
            return Err(vec![RowError::new(row.number, None, RowFault::WrongColumns)]);
        }
        let mut person = Self { row: row.number, ..Self::default() };
        let mut errors: Vec<RowError> = Vec::new();
        for ((cell, target), header) in row.cells.iter().zip(columns).zip(headers) {
            let (Some(target), text) = (target, plain(cell)) else { continue };
            if text.is_empty() {
                continue;
            }
            if let Err(fault) = person.take(target, text, company) {
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

/// Several in one cell, too.
fn numbers(text: &str) -> Result<Vec<Phone>, RowFault> {
    let texts = text.split([',', ';', '|', '/', '\n']).map(str::trim).filter(|text| !text.is_empty());
    texts.take(50).map(|text| typed(text, RowFault::InvalidPhone)).collect()
}

/// Spreadsheets take zeros away that a document begins with.
fn digits(text: &str) -> String {
    match text.len() {
        9..=10 if text.bytes().all(|byte| byte.is_ascii_digit()) => format!("{text:0>11}"),
        12..=13 if text.bytes().all(|byte| byte.is_ascii_digit()) => format!("{text:0>14}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::import::mapping::Column;

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
        let row = Row { number: 2, cells: cells.iter().map(|(_, cell)| (*cell).to_owned()).collect() };
        Person::read(&headers, &columns, &fields, &row)
            .map_err(|errors| errors.into_iter().map(|error| (error.column, error.code)).collect())
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
