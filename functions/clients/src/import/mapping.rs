//! Which column is what of a client.

use std::collections::BTreeMap;

use shared::text::unaccented;

use super::FileFault;
use crate::fields::{self, ClientFields};

/// What columns may be.
pub const TARGET: &str = "^(name|phone|email|document|tags|notes|custom_fields[.][a-z][a-z0-9_]{0,39})$";

/// Of each column's header, what is in it. Other columns are left out.
pub type Mapping = BTreeMap<String, String>;

/// What a column may be of whatever comes in as a table.
pub trait Column: Clone + PartialEq {
    /// Words that columns are headed with, without accents and signs, beside what they are.
    const HEADERS: &'static [(&'static str, &'static str)];

    /// What a mapping says.
    fn read(text: &str) -> Option<Self>;

    /// As a mapping says it.
    fn named(&self) -> String;

    /// Whether several columns may be it.
    fn is_many(&self) -> bool;

    /// Whether it says who somebody is.
    fn is_telling(&self) -> bool;

    /// The company's own field that it is.
    fn own_field(&self) -> Option<&str>;
}

/// What a column is of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Name,
    Phone,
    Email,
    Document,
    Tags,
    Notes,
    Custom(String),
}

impl Target {
    /// Whether it may be a field's key.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        let Self::Custom(key) = self else { return true };
        key.len() <= 40 && fields::is_key(key)
    }
}

impl Column for Target {
    const HEADERS: &'static [(&'static str, &'static str)] = &HEADERS;

    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "name" => Self::Name,
            "phone" => Self::Phone,
            "email" => Self::Email,
            "document" => Self::Document,
            "tags" => Self::Tags,
            "notes" => Self::Notes,
            other => Self::Custom(other.strip_prefix("custom_fields.")?.to_owned()),
        })
    }

    fn named(&self) -> String {
        match self {
            Self::Name => "name".to_owned(),
            Self::Phone => "phone".to_owned(),
            Self::Email => "email".to_owned(),
            Self::Document => "document".to_owned(),
            Self::Tags => "tags".to_owned(),
            Self::Notes => "notes".to_owned(),
            Self::Custom(key) => format!("custom_fields.{key}"),
        }
    }

    fn is_many(&self) -> bool {
        matches!(self, Self::Phone | Self::Tags)
    }

    fn is_telling(&self) -> bool {
        matches!(self, Self::Name | Self::Phone | Self::Email | Self::Document)
    }

    fn own_field(&self) -> Option<&str> {
        if let Self::Custom(key) = self { Some(key) } else { None }
    }
}

/// Words that columns are headed with, without accents and signs.
const HEADERS: [(&str, &str); 47] = [
    ("name", "nome"),
    ("name", "nome completo"),
    ("name", "cliente"),
    ("name", "contato"),
    ("name", "razao social"),
    ("name", "name"),
    ("name", "full name"),
    ("name", "client"),
    ("name", "customer"),
    ("phone", "telefone"),
    ("phone", "telefones"),
    ("phone", "celular"),
    ("phone", "whatsapp"),
    ("phone", "fone"),
    ("phone", "numero"),
    ("phone", "telefone celular"),
    ("phone", "telefone fixo"),
    ("phone", "phone"),
    ("phone", "phones"),
    ("phone", "phone number"),
    ("phone", "mobile"),
    ("phone", "mobile phone"),
    ("email", "email"),
    ("email", "e mail"),
    ("email", "correio eletronico"),
    ("email", "email address"),
    ("document", "cpf"),
    ("document", "cnpj"),
    ("document", "cpf cnpj"),
    ("document", "cpf ou cnpj"),
    ("document", "documento"),
    ("document", "document"),
    ("document", "tax id"),
    ("tags", "etiquetas"),
    ("tags", "etiqueta"),
    ("tags", "marcadores"),
    ("tags", "tags"),
    ("tags", "labels"),
    ("notes", "observacoes"),
    ("notes", "observacao"),
    ("notes", "obs"),
    ("notes", "notas"),
    ("notes", "nota"),
    ("notes", "anotacoes"),
    ("notes", "notes"),
    ("notes", "note"),
    ("notes", "comments"),
];

/// What headers seem to say, in Portuguese or English, and by the company's own fields.
#[must_use]
pub fn guess<C: Column>(headers: &[String], fields: &ClientFields) -> Mapping {
    let mut mapping = Mapping::new();
    let mut taken: Vec<C> = Vec::new();
    for header in headers {
        let words = plain(header);
        // "Telefone 2" is another of them.
        let bare = words.trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == ' ');
        let known = |words: &str| C::HEADERS.iter().find(|(_, known)| *known == words).map(|(target, _)| (*target).to_owned());
        let own = || {
            let field = fields.fields.iter().find(|field| plain(&field.label) == words || plain(&field.key) == words)?;
            Some(format!("custom_fields.{}", field.key))
        };
        let Some(text) = known(&words).or_else(own).or_else(|| known(bare)) else { continue };
        let Some(target) = C::read(&text) else { continue };
        let is_repeated = headers.iter().filter(|other| *other == header).count() > 1;
        if is_repeated || !target.is_many() && taken.contains(&target) {
            continue;
        }
        mapping.insert(header.clone(), target.named());
        taken.push(target);
    }
    mapping
}

/// Small letters and digits, without accents, one blank between words.
fn plain(text: &str) -> String {
    let letters = unaccented(text).replace(|sign: char| !sign.is_alphanumeric(), " ");
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What each column of a file is, as a mapping says.
///
/// # Errors
/// Why the mapping is none of this file.
pub fn columns<C: Column>(headers: &[String], mapping: &Mapping, fields: &ClientFields) -> Result<Vec<Option<C>>, FileFault> {
    let mut columns = vec![None; headers.len()];
    let mut taken: Vec<C> = Vec::new();
    for (header, text) in mapping {
        let target = C::read(text).ok_or(FileFault::UnknownColumn)?;
        let mut places = (0..headers.len()).filter(|place| headers[*place] == header.trim());
        let place = places.next().ok_or(FileFault::UnknownColumn)?;
        if places.next().is_some() || !target.is_many() && taken.contains(&target) {
            return Err(FileFault::RepeatedColumn);
        }
        if target.own_field().is_some_and(|key| !fields.fields.iter().any(|field| field.key == key)) {
            return Err(FileFault::UnknownCustomField);
        }
        taken.push(target.clone());
        columns[place] = Some(target);
    }
    if taken.iter().any(Column::is_telling) { Ok(columns) } else { Err(FileFault::NoName) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{from_value, json};

    use super::*;

    fn fields() -> ClientFields {
        let field = json!({"key": "turma", "label": "Turma de 2026", "kind": "text", "options": []});
        ClientFields { fields: vec![from_value(field).unwrap()], version: 1 }
    }

    fn headers(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn headers_are_guessed_in_both_languages() {
        let guessed = guess::<Target>(
            &headers(&[
                "NOME COMPLETO",
                "E-mail",
                "Telefone 1",
                "Celular",
                "CPF/CNPJ",
                "Etiquetas",
                "Turma de 2026",
                "Observações",
                "Cidade",
            ]),
            &fields(),
        );
        let said: Vec<(&str, &str)> = guessed.iter().map(|(header, target)| (header.as_str(), target.as_str())).collect();
        assert_eq!(
            said,
            [
                ("CPF/CNPJ", "document"),
                ("Celular", "phone"),
                ("E-mail", "email"),
                ("Etiquetas", "tags"),
                ("NOME COMPLETO", "name"),
                ("Observações", "notes"),
                ("Telefone 1", "phone"),
                ("Turma de 2026", "custom_fields.turma"),
            ]
        );
        let english = guess::<Target>(&headers(&["Full Name", "Mobile phone", "Email address", "turma"]), &fields());
        assert_eq!(english.len(), 4);
    }

    #[test]
    fn of_two_names_the_first_is_taken_and_of_equal_headers_none() {
        let guessed = guess::<Target>(&headers(&["Nome", "Cliente", "Telefone", "Telefone"]), &fields());
        assert_eq!(guessed, Mapping::from([("Nome".to_owned(), "name".to_owned())]));
    }

    #[test]
    fn a_mapping_is_of_the_file_or_refused() {
        let file = headers(&["A", "B", "C", "C"]);
        let read = |pairs: &[(&str, &str)]| {
            let mapping = pairs.iter().map(|(header, target)| ((*header).to_owned(), (*target).to_owned())).collect();
            columns::<Target>(&file, &mapping, &fields())
        };
        assert_eq!(read(&[("A", "name"), ("B", "phone")]), Ok(vec![Some(Target::Name), Some(Target::Phone), None, None]));
        assert_eq!(read(&[("D", "name")]), Err(FileFault::UnknownColumn));
        assert_eq!(read(&[("C", "name")]), Err(FileFault::RepeatedColumn));
        assert_eq!(read(&[("A", "name"), ("B", "name")]), Err(FileFault::RepeatedColumn));
        assert_eq!(read(&[("A", "name"), ("B", "custom_fields.outro")]), Err(FileFault::UnknownCustomField));
        assert_eq!(read(&[("A", "notes"), ("B", "notes")]), Err(FileFault::RepeatedColumn));
        assert_eq!(read(&[("A", "tags"), ("B", "notes")]), Err(FileFault::NoName));
        assert_eq!(read(&[]), Err(FileFault::NoName));
    }

    proptest! {
        #[test]
        fn what_is_guessed_is_a_mapping_of_the_file(texts in prop::collection::vec("(nome|Telefone|E-mail|CPF|Turma de 2026|[ -~é]{0,12}) ?[0-9]?", 0..12)) {
            let texts: Vec<String> = texts.iter().map(|text| text.trim().to_owned()).collect();
            let guessed = guess::<Target>(&texts, &fields());
            let read = columns::<Target>(&texts, &guessed, &fields());
            prop_assert!(matches!(read, Ok(_) | Err(FileFault::NoName)), "{read:?}");
        }
    }
}
