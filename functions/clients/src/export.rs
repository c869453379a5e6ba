//! Clients as a table: a text that spreadsheets of any country open, or a spreadsheet.

use bytes::Bytes;
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use shared::{
    closed_set,
    error::INTERNAL,
    files::{REMOVE_UNLESS_KEPT, presigned_download, put},
    identity::Locale,
    parameters,
    prelude::*,
};

use crate::{
    Client,
    fields::ClientFields,
    import::cell::{FORMULA, SEPARATORS},
};

closed_set! {
    /// A text of cells, or a spreadsheet.
    pub ExportFormat { Csv = "csv", Xlsx = "xlsx" }
}

closed_set! {
    /// What is between the cells of a text: a semicolon, as spreadsheets in Brazil read it, or a comma.
    pub Separator { Semicolon = ";", Comma = "," }
}

impl ExportFormat {
    /// What it is sent as.
    fn mime_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// A table on its way to a file.
pub enum Sheet {
    Csv { text: Vec<u8>, separator: u8 },
    Xlsx { book: Box<Workbook>, rows: u32 },
}

impl Sheet {
    /// As it is wished for; a text is parted by semicolons where nothing is said.
    ///
    /// # Errors
    /// 500 when the disk is full.
    pub fn of(format: ExportFormat, separator: Option<Separator>) -> Result<Self, Error> {
        match format {
            ExportFormat::Csv => Ok(Self::csv(separator.unwrap_or(Separator::Semicolon).as_str().as_bytes()[0])),
            ExportFormat::Xlsx => Self::xlsx(),
        }
    }

    /// With the mark by which spreadsheets know UTF-8.
    fn csv(separator: u8) -> Self {
        Self::Csv { text: "\u{feff}".as_bytes().to_vec(), separator }
    }

    fn xlsx() -> Result<Self, Error> {
        let mut book = Workbook::new();
        book.add_worksheet_with_constant_memory().map_err(unwritable)?;
        Ok(Self::Xlsx { book: Box::new(book), rows: 0 })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// 500 when the disk is full.
    pub fn push(&mut self, cells: &[String]) -> Result<(), Error> {
        match self {
            Self::Csv { text, separator } => {
                let cells: Vec<String> = cells.iter().map(|cell| quoted(&defused(cell), *separator)).collect();
                text.extend_from_slice(cells.join(&char::from(*separator).to_string()).as_bytes());
                text.extend_from_slice(b"\r\n");
            }
            Self::Xlsx { book, rows } => {
                let sheet = book.worksheet_from_index(0).map_err(unwritable)?;
                let format = if *rows == 0 { Format::new().set_bold() } else { Format::new() };
                for (cell, column) in cells.iter().zip(0_u16..) {
                    if !cell.is_empty() {
                        // A text is a text, whatever it begins with.
                        sheet.write_string_with_format(*rows, column, as_read(cell), &format).map_err(unwritable)?;
                    }
                }
                *rows += 1;
            }
        }
        Ok(())
    }

    /// The file.
    ///
    /// # Errors
    /// 500 when the disk is full.
    pub fn bytes(self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Csv { text, .. } => Ok(text),
            Self::Xlsx { mut book, .. } => book.save_to_buffer().map_err(unwritable),
        }
    }
}

/// Puts a table where its caller may get it for five minutes. The transaction that it was read in notes who got `what`, and ends.
///
/// # Errors
/// 500 when the disk is full, and those of the database and the bucket.
pub async fn hand_out(
    context: &Context,
    transaction: Transaction,
    company_id: Uuid,
    (sheet, format): (Sheet, ExportFormat),
    (name, what): (String, String),
) -> Result<Redirect, Error> {
    // It is named before it is made, and goes by itself.
    let key = format!("company/{company_id}/export-{}", context.new_id());
    let name = format!("{name}.{}", format.as_str());
    transaction.defer(REMOVE_UNLESS_KEPT, parameters![key.clone()]);
    transaction.note_access(what);
    transaction.commit_quietly().await?;
    put(context, &key, format.mime_type(), Bytes::from(sheet.bytes()?)).await?;
    Ok(Redirect(presigned_download(context, &key, &name, format.mime_type(), false).await?))
}

fn unwritable(error: XlsxError) -> Error {
    INTERNAL.caused_by(format!("spreadsheet: {error}"))
}

/// A text that no spreadsheet takes for a formula.
fn defused(cell: &str) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { as_read(cell) }
}

/// A text as an import reads it again, which takes away the sign that keeps one from being a formula.
fn as_read(cell: &str) -> String {
    let is_kept = |rest: &str| rest.trim_start_matches('\'').starts_with(FORMULA);
    if cell.strip_prefix('\'').is_some_and(is_kept) { format!("'{cell}") } else { cell.to_owned() }
}

/// One of several in a cell, whatever stands in it.
#[must_use]
pub fn one_of_several(text: &str) -> String {
    if text.contains(SEPARATORS) || text.starts_with('"') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn quoted(cell: &str, separator: u8) -> String {
    // Whatever a spreadsheet may take for the end of a cell.
    let is_special = |sign: char| matches!(sign, '"' | '\n' | '\r' | '\t' | ',' | ';') || sign == char::from(separator);
    if cell.contains(is_special) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// The names of the columns, which an import knows again.
#[must_use]
pub fn header(locale: Locale, fields: &ClientFields) -> Vec<String> {
    let names = match locale {
        Locale::English => ["Name", "Phones", "Email", "Document", "Tags", "Accepts marketing", "Created at"],
        Locale::Portuguese => ["Nome", "Telefones", "E-mail", "CPF/CNPJ", "Etiquetas", "Aceita marketing", "Criado em"],
    };
    names.into_iter().map(str::to_owned).chain(fields.fields.iter().map(|field| field.label.clone())).collect()
}

fn truth(locale: Locale, is_true: bool) -> &'static str {
    match (locale, is_true) {
        (Locale::English, true) => "yes",
        (Locale::English, false) => "no",
        (Locale::Portuguese, true) => "sim",
        (Locale::Portuguese, false) => "não",
    }
}

/// What people read of a value of a field.
#[must_use]
pub fn said(locale: Locale, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(is_true) => truth(locale, *is_true).to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A client as a row of them.
#[must_use]
pub fn row(locale: Locale, fields: &ClientFields, client: &Client) -> Vec<String> {
    let phones: Vec<String> = client.phones.iter().map(|phone| format!("+{phone}")).collect();
    let name = if client.name_source == crate::NameSource::Number { String::new() } else { client.name.clone() };
    let mut cells = vec![
        name,
        phones.join(", "),
        client.email.clone().unwrap_or_default(),
        client.document.clone().unwrap_or_default(),
        client.tags.iter().map(|tag| one_of_several(tag)).collect::<Vec<_>>().join(", "),
        client.accepts_marketing.map(|is_true| truth(locale, is_true)).unwrap_or_default().to_owned(),
        client.created_at.to_string(),
    ];
    cells.extend(
        fields
            .fields
            .iter()
            .map(|field| client.custom_fields.get(&field.key).map(|value| said(locale, value)).unwrap_or_default()),
    );
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_begins_with_its_mark_and_no_cell_is_a_formula() {
        let mut sheet = Sheet::csv(b';');
        sheet.push(&["=1+1".into(), "a;\"b\"".into(), String::new(), "Ana, Bia".into(), "-5".into()]).unwrap();
        assert_eq!(String::from_utf8(sheet.bytes().unwrap()).unwrap(), "\u{feff}'=1+1;\"a;\"\"b\"\"\";;\"Ana, Bia\";'-5\r\n");
    }

    #[test]
    fn a_cell_is_read_again_as_it_was() {
        let read = ["=1", "'=1", "''-1", "'n"].map(defused);
        assert_eq!(read, ["'=1", "''=1", "'''-1", "'n"]);
        assert_eq!(["a, b", "\"a\"", "a\"b"].map(one_of_several), ["\"a, b\"", "\"\"\"a\"\"\"", "a\"b"]);
    }

    #[test]
    fn a_spreadsheet_is_one() {
        let mut sheet = Sheet::xlsx().unwrap();
        sheet.push(&["Nome".into(), "Valor".into()]).unwrap();
        sheet.push(&["=1+1".into(), String::new()]).unwrap();
        assert!(sheet.bytes().unwrap().starts_with(b"PK\x03\x04"));
    }
}
