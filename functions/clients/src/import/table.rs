//! Files of any writing as one: rows of text, read one by one.
//!
//! A file is written down again as CSV in UTF-8, on disk. Whoever reads it may begin at any row, and holds no more than one in memory.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
};

use calamine::{Data, DataRef, Reader as _, Xlsx};
use csv::{ByteRecord, Position, ReaderBuilder};
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use serde::{Deserialize, Serialize};

use super::FileFault;

/// Bytes of a file, at most.
pub const LARGEST: u64 = 32 * 1024 * 1024;

/// Rows below the header, at most.
pub const MOST_ROWS: i64 = 100_000;

/// Columns, at most.
pub const MOST_COLUMNS: usize = 100;

/// Bytes that a spreadsheet may have once it is unpacked.
const UNPACKED: u64 = 512 * 1024 * 1024;

/// Characters of a cell that are kept; no cell is so long that is not too long anyway.
const LONGEST_CELL: usize = 40_000;

/// Characters of a header.
const LONGEST_HEADER: usize = 200;

/// Bytes of a sheet as text; a few repeated cells of a small file may be very many.
const MOST_WRITTEN: u64 = 128 * 1024 * 1024;

/// Bytes of the texts that a spreadsheet's cells share: they are read at once.
const MOST_STRINGS: u64 = 32 * 1024 * 1024;

/// First bytes that tell encoding and separator.
const PREFIX: usize = 64 * 1024;

/// A table, written down as CSV.
#[derive(Debug)]
pub struct Table {
    content: File,
    separator: u8,
    pub headers: Vec<String>,
    first: Place,
    /// Rows below the header, empty ones not counted.
    pub rows: i64,
}

/// Where a row begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    byte: u64,
    line: u64,
    /// Lines that cells of rows before have gone over.
    folded: u64,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As spreadsheets count; the header is 1.
    pub number: i64,
    pub cells: Vec<String>,
}

impl Table {
    /// Reads what a file is.
    ///
    /// # Errors
    /// Why it is none.
    pub fn open(mut file: File) -> Result<Self, FileFault> {
        let mut magic = [0; 4];
        let length = read_up_to(&mut file, &mut magic).map_err(|_| FileFault::NotATable)?;
        file.rewind().map_err(|_| FileFault::NotATable)?;
        let (content, Separator { sign, said_in }) = if &magic[..length] == b"PK\x03\x04" {
            (written_from_sheet(file)?, Separator { sign: b',', said_in: 0 })
        } else {
            written_from_text(file)?
        };
        Self::of(content, sign, said_in)
    }

    fn of(content: File, separator: u8, begins_at: u64) -> Result<Self, FileFault> {
        let first = Place { byte: begins_at, line: 1, folded: 0 };
        let mut table = Self { content, separator, headers: Vec::new(), first, rows: 0 };
        let (header, first) = {
            let mut rows = table.rows_from(table.first)?;
            let header = rows.next().ok_or(FileFault::Empty)?;
            (header, rows.place)
        };
        if header.cells.len() > MOST_COLUMNS {
            return Err(FileFault::TooManyColumns);
        }
        if header.cells.iter().any(|cell| cell.chars().count() > LONGEST_HEADER) {
            return Err(FileFault::NotATable);
        }
        table.headers = told_apart(&header.cells);
        table.first = first;
        let mut count = 0;
        for _ in table.rows_from(first)? {
            count += 1;
            if count > MOST_ROWS {
                return Err(FileFault::TooManyRows);
            }
        }
        table.rows = count;
        Ok(table)
    }

    /// Where the rows below the header begin.
    #[must_use]
    pub fn first(&self) -> Place {
        self.first
    }

    /// The rows from a place on, empty ones left out.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn rows_from(&self, place: Place) -> Result<Rows, FileFault> {
        let mut content = self.content.try_clone().map_err(|_| FileFault::NotATable)?;
        content.seek(SeekFrom::Start(place.byte)).map_err(|_| FileFault::NotATable)?;
        let reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(self.separator).from_reader(content);
        Ok(Rows { reader, begun: place, place, record: ByteRecord::new() })
    }
}

/// Rows, one after the other.
#[derive(Debug)]
pub struct Rows {
    reader: csv::Reader<File>,
    begun: Place,
    /// Where the next begins.
    pub place: Place,
    record: ByteRecord,
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            if !self.reader.read_byte_record(&mut self.record).unwrap_or(false) {
                return None;
            }
            let at: &Position = self.reader.position();
            let line = self.begun.line + at.line() - 1;
            let breaks = self.record.iter().flatten().filter(|byte| **byte == b'\n').count() as u64;
            let folded = self.place.folded + breaks;
            self.place = Place { byte: self.begun.byte + at.byte(), line, folded };
            let cells: Vec<String> = self.record.iter().take(MOST_COLUMNS + 1).map(cell).collect();
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let number = i64::try_from(line.saturating_sub(1 + folded)).unwrap_or(i64::MAX);
            return Some(Row { number, cells });
        }
    }
}

/// Headers of which each is one column's: what comes again has a number.
fn told_apart(cells: &[String]) -> Vec<String> {
    let mut headers: Vec<String> = Vec::with_capacity(cells.len());
    for header in cells.iter().map(|cell| cell.trim()) {
        let is_taken = |name: &str| headers.iter().any(|known| known == name);
        let numbered = || (2..=cells.len() + 1).map(|number| format!("{header} {number}")).find(|name| !is_taken(name));
        let own = if header.is_empty() || !is_taken(header) { None } else { numbered() };
        headers.push(own.unwrap_or_else(|| header.to_owned()));
    }
    headers
}

/// Its text, as much of it as can matter.
fn cell(bytes: &[u8]) -> String {
    cut(String::from_utf8_lossy(bytes).into_owned())
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_CELL) {
        text.truncate(end);
    }
    text
}

fn read_up_to(file: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < bytes.len() {
        match file.read(&mut bytes[length..])? {
            0 => break,
            more => length += more,
        }
    }
    Ok(length)
}

/// A text in UTF-8, in UTF-16 with its mark, or, when it is neither, in what Windows writes.
fn written_from_text(file: File) -> Result<(File, Separator), FileFault> {
    written(file).map_err(|_| FileFault::NotATable)?.ok_or(FileFault::Empty)
}

fn written(mut file: File) -> io::Result<Option<(File, Separator)>> {
    let mut prefix = vec![0; PREFIX];
    let length = read_up_to(&mut file, &mut prefix)?;
    let encoding = match Encoding::for_bom(&prefix[..length]) {
        Some((encoding, _)) => encoding,
        None if is_utf8(&mut file)? => UTF_8,
        None => WINDOWS_1252,
    };
    file.rewind()?;
    let mut writer = Unified::new(BufWriter::new(tempfile::tempfile()?));
    let mut decoder = encoding.new_decoder();
    let mut reader = BufReader::with_capacity(PREFIX, file);
    let mut text = String::with_capacity(4 * PREFIX);
    loop {
        let bytes = reader.fill_buf()?;
        let (is_last, length) = (bytes.is_empty(), bytes.len());
        text.clear();
        let (_, read, _) = decoder.decode_to_string(bytes, &mut text, is_last);
        debug_assert_eq!(read, length, "there is room for all of it");
        reader.consume(length);
        writer.write(&text)?;
        if is_last {
            break;
        }
    }
    let head = std::mem::take(&mut writer.head);
    let Some(content) = writer.end()? else { return Ok(None) };
    Ok(Some((content, separator(&head))))
}

fn is_utf8(file: &mut File) -> io::Result<bool> {
    file.rewind()?;
    let mut reader = BufReader::with_capacity(PREFIX, file);
    let mut rest: Vec<u8> = Vec::new();
    loop {
        let bytes = reader.fill_buf()?;
        if bytes.is_empty() {
            return Ok(rest.is_empty());
        }
        let length = bytes.len();
        rest.extend_from_slice(bytes);
        reader.consume(length);
        rest = match std::str::from_utf8(&rest) {
            Ok(_) => Vec::new(),
            Err(error) if error.error_len().is_none() => rest.split_off(error.valid_up_to()),
            Err(_) => return Ok(false),
        };
    }
}

/// Writes text with one kind of line break, without bytes of zero, and with a break at its end.
struct Unified<W> {
    writer: W,
    /// What it begins with.
    head: String,
    is_after_return: bool,
    has_text: bool,
}

impl Unified<BufWriter<File>> {
    fn new(writer: BufWriter<File>) -> Self {
        Self { writer, head: String::new(), is_after_return: false, has_text: false }
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        let mut unified = String::with_capacity(text.len());
        for sign in text.chars() {
            let was_after_return = std::mem::replace(&mut self.is_after_return, sign == '\r');
            match sign {
                '\r' => unified.push('\n'),
                '\n' if was_after_return => {}
                '\0' => {}
                sign => unified.push(sign),
            }
        }
        self.has_text |= !unified.trim().is_empty();
        if self.head.len() < PREFIX {
            self.head.push_str(&unified);
        }
        self.writer.write_all(unified.as_bytes())
    }

    fn end(mut self) -> io::Result<Option<File>> {
        self.writer.write_all(b"\n")?;
        let file = self.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(self.has_text.then_some(file))
    }
}

/// What stands between two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Separator {
    sign: u8,
    /// Bytes of a first line that says so, and is no row.
    said_in: u64,
}

/// What a first line `sep=;` says, as Excel writes it; else the one of `;`, tab and `,` that the header has most of, outside of quotes.
fn separator(head: &str) -> Separator {
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', sign, b'\n', ..] = head.as_bytes() {
        return Separator { sign: *sign, said_in: 6 };
    }
    let mut counts = [(b';', 0), (b'\t', 0), (b',', 0)];
    let mut is_quoted = false;
    for byte in head.trim_start().bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => break,
            byte if !is_quoted => counts.iter_mut().filter(|(sign, _)| *sign == byte).for_each(|(_, count)| *count += 1),
            _ => {}
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let sign = counts.iter().find(|(_, count)| *count == most && most > 0).map_or(b',', |(sign, _)| *sign);
    Separator { sign, said_in: 0 }
}

/// The first sheet. Of formulas, what the spreadsheet had last made of them.
fn written_from_sheet(mut file: File) -> Result<File, FileFault> {
    let size = unpacked(&mut file).ok_or(FileFault::NotATable)?;
    if size > UNPACKED {
        return Err(FileFault::TooLarge);
    }
    // What the crate cannot read it may panic over.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sheet(file))).unwrap_or(Err(FileFault::NotATable))
}

/// Bytes that all parts have together, as they are and not as the file says.
fn unpacked(file: &mut File) -> Option<u64> {
    let mut archive = zip::ZipArchive::new(BufReader::new(&mut *file)).ok()?;
    let mut size = 0;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).ok()?;
        let are_strings = part.name().ok()?.to_ascii_lowercase().ends_with("sharedstrings.xml");
        let mut head = Vec::new();
        part.by_ref().take(2048).read_to_end(&mut head).ok()?;
        let rest = io::copy(&mut part.take(UNPACKED + 1 - size.min(UNPACKED)), &mut io::sink()).ok()?;
        let bytes = head.len() as u64 + rest;
        // Room is made for as many as it says before one is read; `<si/>` is the shortest.
        if are_strings && (bytes > MOST_STRINGS || promised_strings(&head) > bytes / 5) {
            return Some(UNPACKED + 1);
        }
        size += bytes;
        if size > UNPACKED {
            break;
        }
    }
    file.rewind().ok()?;
    Some(size)
}

/// How many shared texts a part says that it has.
fn promised_strings(head: &[u8]) -> u64 {
    let head = String::from_utf8_lossy(head);
    let digits = head.split_once("uniqueCount=").map_or("", |(_, rest)| rest.trim_start_matches(['"', '\'', ' ']));
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() { 0 } else { digits.parse().unwrap_or(u64::MAX) }
}

fn sheet(file: File) -> Result<File, FileFault> {
    let mut book = Xlsx::new(BufReader::new(file)).map_err(|_| FileFault::NotATable)?;
    let name = book.sheet_names().first().cloned().ok_or(FileFault::Empty)?;
    let mut cells = book.worksheet_cells_reader(&name).map_err(|_| FileFault::NotATable)?;
    let target = tempfile::tempfile().map_err(|_| FileFault::NotATable)?;
    let mut sheet = Sheet { writer: BufWriter::new(target), written: 0, row: 0, line: Vec::new(), width: 0 };
    while let Some(cell) = cells.next_cell().map_err(|_| FileFault::NotATable)? {
        let ((row, column), text) = (cell.get_position(), text(cell.get_value()));
        if text.is_empty() {
            continue;
        }
        if column as usize >= MOST_COLUMNS {
            return Err(FileFault::TooManyColumns);
        }
        // Below the last row that may be there nothing is looked for.
        if i64::from(row) > 2 * MOST_ROWS {
            return Err(FileFault::TooManyRows);
        }
        sheet.put(row, column as usize, text).map_err(|_| FileFault::NotATable)?;
        if sheet.written > MOST_WRITTEN {
            return Err(FileFault::TooLarge);
        }
    }
    sheet.end().map_err(|_| FileFault::NotATable)?.ok_or(FileFault::Empty)
}

/// A sheet on its way to CSV.
struct Sheet {
    writer: BufWriter<File>,
    /// Bytes of cells, so far.
    written: u64,
    row: u32,
    line: Vec<String>,
    /// Cells of the header: shorter rows are filled up, as sheets leave out what is empty.
    width: usize,
}

impl Sheet {
    fn put(&mut self, row: u32, column: usize, text: String) -> io::Result<()> {
        while self.row < row {
            self.end_line()?;
        }
        if self.line.len() <= column {
            self.line.resize(column + 1, String::new());
        }
        self.written += text.len() as u64;
        self.line[column] = text;
        Ok(())
    }

    fn end_line(&mut self) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.line);
        self.row += 1;
        if !line.is_empty() {
            if self.width == 0 {
                self.width = line.len();
            }
            let width = self.width.max(line.len());
            line.resize(width, String::new());
            let quoted = line.iter().map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
            self.writer.write_all(quoted.collect::<Vec<_>>().join(",").as_bytes())?;
        }
        self.writer.write_all(b"\n")
    }

    fn end(mut self) -> io::Result<Option<File>> {
        self.end_line()?;
        let has_text = self.width > 0;
        let file = self.writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(has_text.then_some(file))
    }
}

/// What people see in a cell.
fn text(value: &DataRef<'_>) -> String {
    let value = Data::from(value.clone());
    let text = match &value {
        Data::DateTime(_) => {
            let at = value.as_datetime_text();
            at.unwrap_or_default()
        }
        Data::Bool(true) => "true".to_owned(),
        Data::Bool(false) => "false".to_owned(),
        Data::Error(_) | Data::Empty => String::new(),
        // A number of a phone or a document has no fraction and no exponent.
        Data::Float(number) => format!("{number}"),
        other => other.to_string(),
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
    cut(text)
}

trait DateText {
    fn as_datetime_text(&self) -> Option<String>;
}

impl DateText for Data {
    /// The day alone where there is no time.
    fn as_datetime_text(&self) -> Option<String> {
        let Self::DateTime(at) = self else { return None };
        let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
        let date = format!("{year:04}-{month:02}-{day:02}");
        Some(if (hour, minute, second) == (0, 0, 0) { date } else { format!("{date} {hour:02}:{minute:02}:{second:02}") })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(bytes: &[u8]) -> Result<Table, FileFault> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        Table::open(file)
    }

    fn rows(table: &Table) -> Vec<(i64, Vec<String>)> {
        table.rows_from(table.first()).unwrap().map(|row| (row.number, row.cells)).collect()
    }

    fn encoded(text: &str, is_big: bool) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit| if is_big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn any_encoding_and_separator_is_the_same_table() {
        let text = "Nome;Cidade\r\nJoão;São Paulo\r\n\r\n\"Ana; \"\"Bia\"\"\";\"Belo\r\nHorizonte\"\r\nZé;";
        let latin: Vec<u8> = text.chars().map(|sign| u8::try_from(sign as u32).unwrap()).collect();
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        for bytes in [text.as_bytes().to_vec(), marked, latin, encoded(text, false), encoded(text, true)] {
            let table = open(&bytes).unwrap();
            assert_eq!((table.headers.join("|").as_str(), table.rows), ("Nome|Cidade", 3));
            let wanted = [(2, ["João", "São Paulo"]), (4, ["Ana; \"Bia\"", "Belo\nHorizonte"]), (5, ["Zé", ""])];
            assert_eq!(rows(&table), wanted.map(|(number, cells)| (number, cells.map(str::to_owned).to_vec())));
        }
        for (text, sign) in [("a,b,c\n1,2,3", b','), ("a\tb\n1\t2", b'\t'), ("a\n1", b','), ("\"x;y;z\",b\n1,2", b',')] {
            assert_eq!(open(text.as_bytes()).unwrap().separator, sign, "{text}");
        }
    }

    #[test]
    fn a_first_line_says_what_separates_and_headers_are_told_apart() {
        for text in ["sep=|\r\nNome|Telefone|Telefone||\nAna|1|2|x|y", "Nome,Telefone,Telefone,,\nAna,1,2,x,y"] {
            let table = open(text.as_bytes()).unwrap();
            assert_eq!(table.headers, ["Nome", "Telefone", "Telefone 2", "", ""]);
            assert_eq!(rows(&table), [(2, ["Ana", "1", "2", "x", "y"].map(str::to_owned).to_vec())]);
        }
        let headers = ["a", "a 2", "a", "a"].map(str::to_owned);
        assert_eq!(told_apart(&headers), ["a", "a 2", "a 3", "a 4"]);
        assert_eq!(open(b"sep=;\n").unwrap_err(), FileFault::Empty);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert_eq!(open(b"").unwrap_err(), FileFault::Empty);
        assert_eq!(open(b"\r\n \r\n").unwrap_err(), FileFault::Empty);
        assert_eq!(open(b"PK\x03\x04 and nothing").unwrap_err(), FileFault::NotATable);
        assert_eq!(open("a,".repeat(101).as_bytes()).unwrap_err(), FileFault::TooManyColumns);
        assert_eq!(open(["nome\n", &"a\n".repeat(100_001)].concat().as_bytes()).unwrap_err(), FileFault::TooManyRows);
        assert_eq!(open(["nome\n", &"a\n".repeat(100_000)].concat().as_bytes()).unwrap().rows, 100_000);
    }

    #[test]
    fn a_cell_of_a_million_characters_is_cut() {
        let text = format!("nome,email\n{},x\nAna,y\n\"never closed,z\nBia,w", "é".repeat(1_000_000));
        let table = open(text.as_bytes()).unwrap();
        let rows = rows(&table);
        assert_eq!(rows[0].1[0].chars().count(), LONGEST_CELL);
        assert_eq!((rows.len(), &rows[1].1[0], rows[2].1.len()), (3, &"Ana".to_owned(), 1));
    }

    #[test]
    fn a_spreadsheet_is_a_table() {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (column, header) in ["Nome", "Telefone", "Nascimento", "Conta"].into_iter().enumerate() {
            sheet.write_string(0, u16::try_from(column).unwrap(), header).unwrap();
        }
        sheet.write_string(1, 0, "João \"Zé\", filho").unwrap();
        sheet.write_number(1, 1, 11_987_654_321_f64).unwrap();
        let date = rust_xlsxwriter::ExcelDateTime::from_ymd(1990, 11, 28).unwrap();
        sheet.write_with_format(1, 2, &date, &rust_xlsxwriter::Format::new().set_num_format("dd/mm/yyyy")).unwrap();
        sheet.write_formula(1, 3, rust_xlsxwriter::Formula::new("=1+1").set_result("2")).unwrap();
        sheet.write_string(3, 0, "Ana").unwrap();
        let table = open(&book.save_to_buffer().unwrap()).unwrap();
        assert_eq!(table.headers, ["Nome", "Telefone", "Nascimento", "Conta"]);
        let wanted = [(2, ["João \"Zé\", filho", "11987654321", "1990-11-28", "2"]), (4, ["Ana", "", "", ""])];
        assert_eq!(rows(&table), wanted.map(|(number, cells)| (number, cells.map(str::to_owned).to_vec())));
    }

    proptest! {
        /// Whoever begins anywhere reads what whoever began at the beginning reads from there on.
        #[test]
        fn a_table_is_read_on_from_any_row(cells in prop::collection::vec(("[a-z \"\n;,é]{0,8}", "[a-z\n]{0,4}"), 1..20)) {
            let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let lines: Vec<String> = cells.iter().map(|(one, other)| format!("{};{}", quoted(one), quoted(other))).collect();
            let table = open(format!("um;dois\n{}", lines.join("\n")).as_bytes()).unwrap();
            let all = rows(&table);
            let given: Vec<&(String, String)> = cells.iter().filter(|(one, other)| !format!("{one}{other}").trim().is_empty()).collect();
            prop_assert_eq!(all.len(), given.len());
            for (row, (one, other)) in all.iter().zip(given) {
                prop_assert_eq!(&row.1, &vec![one.clone(), other.clone()]);
            }
            let mut reader = table.rows_from(table.first()).unwrap();
            let mut places = vec![table.first()];
            while reader.next().is_some() {
                places.push(reader.place);
            }
            for (begun, place) in places.into_iter().enumerate() {
                let rest: Vec<(i64, Vec<String>)> = table.rows_from(place).unwrap().map(|row| (row.number, row.cells)).collect();
                prop_assert_eq!(&rest[..], &all[begun..]);
            }
        }

        #[test]
        fn any_bytes_are_a_table_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(table) = open(&bytes) {
                prop_assert_eq!(i64::try_from(rows(&table).len()).unwrap(), table.rows);
            }
        }
    }
}
