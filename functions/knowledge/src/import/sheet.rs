//! Tables as sections: one article for each row.

use std::fs::File;

use clients::import::{
    RowError,
    table::{Row, Table},
};
use shared::text::unaccented;

use super::{Fault, FileFault, MOST_ARTICLES, MOST_TEXT, Section, kept, shown};

/// What a column is of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Title,
    Answer,
    Question,
    Tags,
    Audience,
}

const HEADERS: &[(&str, Column)] = &[
    ("titulo", Column::Title),
    ("title", Column::Title),
    ("assunto", Column::Title),
    ("pergunta", Column::Title),
    ("question", Column::Title),
    ("resposta", Column::Answer),
    ("answer", Column::Answer),
    ("conteudo", Column::Answer),
    ("content", Column::Answer),
    ("texto", Column::Answer),
    ("perguntas", Column::Question),
    ("questions", Column::Question),
    ("variacoes", Column::Question),
    ("tags", Column::Tags),
    ("etiquetas", Column::Tags),
    ("categoria", Column::Tags),
    ("category", Column::Tags),
    ("publico", Column::Audience),
    ("audience", Column::Audience),
];

/// The sections of a CSV or XLSX table, and what is wrong with its other rows.
///
/// # Errors
/// Why it is none.
pub fn of_table(file: File) -> Result<Vec<Result<Section, RowError>>, FileFault> {
    use clients::import::FileFault as TableFault;
    let told = |fault| match fault {
        TableFault::TooLarge => FileFault::TooLarge,
        TableFault::Empty => FileFault::Empty,
        TableFault::TooManyRows => FileFault::TooManyArticles,
        _ => FileFault::Unreadable,
    };
    let table = Table::open(file).map_err(told)?;
    let mut columns = Vec::new();
    for header in &table.headers {
        let known = HEADERS.iter().find(|(name, _)| *name == unaccented(header.trim())).map(|(_, column)| *column);
        // A second title is another question.
        let is_single = |column: &Column| matches!(column, Column::Title | Column::Answer);
        let is_taken = known.filter(is_single).is_some_and(|column| columns.contains(&Some(column)));
        columns.push(match known {
            Some(Column::Title) if is_taken => Some(Column::Question),
            Some(_) if is_taken => None,
            other => other,
        });
    }
    if ![Column::Title, Column::Answer].iter().all(|column| columns.contains(&Some(*column))) {
        return Err(FileFault::NoColumns);
    }
    let mut sections = Vec::new();
    let mut length = 0;
    for row in table.rows_from(table.first()).map_err(told)? {
        length += row.cells.iter().map(String::len).sum::<usize>();
        if sections.len() == MOST_ARTICLES {
            return Err(FileFault::TooManyArticles);
        }
        if length > MOST_TEXT {
            return Err(FileFault::TooLarge);
        }
        sections.push(section(&row, &columns));
    }
    if sections.is_empty() { Err(FileFault::Empty) } else { Ok(sections) }
}

fn section(row: &Row, columns: &[Option<Column>]) -> Result<Section, RowError> {
    if row.cells.len() > columns.len() {
        return Err(Fault::WrongColumns.at(row.number, None));
    }
    let mut section = Section::new(0, "", "");
    section.number = row.number;
    for (cell, column) in row.cells.iter().zip(columns) {
        let parts = |signs: &[char]| cell.split(signs).map(shown).filter(|part| !part.is_empty()).collect::<Vec<_>>();
        match column {
            Some(Column::Title) => section.title = shown(cell),
            Some(Column::Answer) => section.answer = kept(cell),
            Some(Column::Question) => section.questions.extend(parts(&['|', ';', '\n'])),
            Some(Column::Tags) => section.tags.extend(parts(&[',', '|', ';', '\n'])),
            Some(Column::Audience) if !cell.trim().is_empty() => {
                let audience = unaccented(cell.trim()).parse();
                section.audience = Some(audience.map_err(|_| Fault::UnknownAudience.at(row.number, Some("audience")))?);
            }
            _ => {}
        }
    }
    Ok(section)
}
