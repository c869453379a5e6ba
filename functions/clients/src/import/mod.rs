//! What comes in as a table, clients first of all: what a file says, row by row, apart from what becomes of it.

pub mod cell;
pub mod kept;
pub mod mapping;
pub mod page;
pub mod person;
pub mod run;
pub mod starting;
pub mod table;

use shared::{closed_set, prelude::*};

closed_set! {
    /// What is wrong with a row, or with one of its cells.
    pub RowFault {
        MissingName = "missing_name",
        NothingKnown = "nothing_known",
        TooLong = "too_long",
        HiddenCharacters = "hidden_characters",
        InvalidPhone = "invalid_phone",
        TooManyPhones = "too_many_phones",
        InvalidEmail = "invalid_email",
        InvalidDocument = "invalid_document",
        TooManyTags = "too_many_tags",
        WrongCustomValue = "wrong_custom_value",
        WrongColumns = "wrong_columns",
        RepeatedRow = "repeated_row",
        TwoClients = "two_clients",
    }
}

impl RowFault {
    /// What people read of it, in Portuguese and in English.
    #[must_use]
    pub fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::MissingName => ("Falta o nome.", "The name is missing."),
            Self::NothingKnown => {
                ("A linha não tem nome, telefone, e-mail nem documento.", "The row has no name, phone, e-mail or document.")
            }
            Self::TooLong => ("O texto é longo demais.", "The text is too long."),
            Self::HiddenCharacters => ("Contém caracteres invisíveis.", "Contains invisible characters."),
            Self::InvalidPhone => (
                "Telefone inválido. Use DDD e número, ou + e o código do país.",
                "Invalid phone number. Use + and the country's code.",
            ),
            Self::TooManyPhones => ("São no máximo 10 telefones.", "There are 10 phones at most."),
            Self::InvalidEmail => ("E-mail inválido.", "Invalid e-mail."),
            Self::InvalidDocument => ("CPF ou CNPJ inválido.", "Invalid CPF or CNPJ."),
            Self::TooManyTags => ("São no máximo 30 etiquetas.", "There are 30 tags at most."),
            Self::WrongCustomValue => ("Este valor não é do tipo do campo.", "This is no value of the field's kind."),
            Self::WrongColumns => {
                ("A linha não tem tantas colunas quanto o cabeçalho.", "The row has not as many columns as the header.")
            }
            Self::RepeatedRow => {
                ("Outra linha do arquivo já é desta pessoa.", "Another row of the file is this person's already.")
            }
            Self::TwoClients => (
                "Os dados são de dois clientes diferentes. Una-os antes.",
                "These belong to two different clients. Merge them first.",
            ),
        }
    }
}

/// Why a row came to nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowError {
    /// Its number in the file as spreadsheets count; the header is 1.
    pub row: i64,
    /// The column's header; null when it is about the whole row.
    pub column: Option<String>,
    pub code: String,
    /// In Portuguese, as `message_en` is in English.
    pub message: String,
    pub message_en: String,
}

impl RowError {
    #[must_use]
    pub fn new(row: i64, column: Option<&str>, fault: RowFault) -> Self {
        Self::of(row, column, fault.as_str(), fault.texts())
    }

    /// With a code of its own, and what people read of it in Portuguese and in English.
    #[must_use]
    pub fn of(row: i64, column: Option<&str>, code: &str, (portuguese, english): (&str, &str)) -> Self {
        Self {
            row,
            column: column.map(ToOwned::to_owned),
            code: code.to_owned(),
            message: portuguese.to_owned(),
            message_en: english.to_owned(),
        }
    }
}

closed_set! {
    /// Why nothing of a file can be read.
    pub FileFault {
        Gone = "file_gone",
        TooLarge = "too_large",
        NotATable = "not_a_table",
        Empty = "empty",
        TooManyRows = "too_many_rows",
        TooManyColumns = "too_many_columns",
        UnknownColumn = "unknown_column",
        RepeatedColumn = "repeated_column",
        UnknownCustomField = "unknown_custom_field",
        NoName = "no_name",
    }
}

impl FileFault {
    /// What people read of it, in Portuguese and in English.
    #[must_use]
    pub fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Gone => ("O arquivo não existe mais.", "The file is gone."),
            Self::TooLarge => ("O arquivo é grande demais: o máximo são 32 MB.", "The file is too large: 32 MB at most."),
            Self::NotATable => ("O arquivo não é uma tabela CSV ou XLSX que se possa ler.", "The file is no CSV or XLSX table."),
            Self::Empty => ("O arquivo não tem linhas.", "The file has no rows."),
            Self::TooManyRows => ("São no máximo 100.000 linhas.", "There are 100,000 rows at most."),
            Self::TooManyColumns => ("São no máximo 100 colunas.", "There are 100 columns at most."),
            Self::UnknownColumn => {
                ("O mapeamento fala de uma coluna que o arquivo não tem.", "The mapping names a column that the file has not.")
            }
            Self::RepeatedColumn => (
                "Duas colunas do arquivo são para o mesmo campo, ou têm o mesmo nome.",
                "Two columns are for the same field, or have the same name.",
            ),
            Self::UnknownCustomField => ("Esta empresa não tem este campo.", "This company has no such field."),
            Self::NoName => (
                "Nenhuma coluna diz de quem são as linhas, como nome, telefone ou e-mail. Diga quais são.",
                "No column says whose the rows are, as a name, phone or e-mail does. Say which they are.",
            ),
        }
    }
}
