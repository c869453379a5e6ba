//! Texts as sections: Markdown by its headings, what is in a PDF by the questions in it.

use std::{collections::HashMap, io::Read};

use encoding_rs::{UTF_8, WINDOWS_1252};
use lopdf::{
    Document, Encoding, LoadOptions, Object, ObjectId,
    content::{Content, Operation},
};
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::{FileFault, MOST_TEXT, Section, kept, shown};
use crate::articles::{ANSWER, TITLE};

/// Bytes that one page of a PDF, or what holds its objects together, may have unpacked.
const MOST_PAGE: usize = 8 * 1024 * 1024;

/// Pages of a PDF that are read.
const MOST_PAGES: usize = 2_000;

/// Reads a text in UTF-8, in UTF-16 with its mark, or in what Windows writes.
///
/// # Errors
/// `TooLarge`, `Unreadable`.
pub fn text(file: &mut impl Read) -> Result<String, FileFault> {
    let bytes = bytes(file)?;
    let (text, _, is_damaged) = UTF_8.decode(&bytes);
    let text = if is_damaged { WINDOWS_1252.decode(&bytes).0 } else { text };
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// All bytes of a file that is not too large.
///
/// # Errors
/// `TooLarge`, `Unreadable`.
pub fn bytes(file: &mut impl Read) -> Result<Vec<u8>, FileFault> {
    let mut bytes = Vec::new();
    file.take(MOST_TEXT as u64 + 1).read_to_end(&mut bytes).map_err(|_| FileFault::Unreadable)?;
    if bytes.len() > MOST_TEXT { Err(FileFault::TooLarge) } else { Ok(bytes) }
}

/// The sections of a Markdown text. What stands before the first heading has the document's name; a heading with nothing under it is no section.
#[must_use]
pub fn of_markdown(text: &str, name: &str) -> Vec<Section> {
    let mut headings: Vec<(usize, usize, String)> = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match (event, &mut open) {
            (Event::Start(Tag::Heading { .. }), _) => open = Some((range.start, String::new())),
            (Event::Text(words) | Event::Code(words), Some((_, title))) => title.push_str(&words),
            (Event::SoftBreak | Event::HardBreak, Some((_, title))) => title.push(' '),
            (Event::End(TagEnd::Heading(_)), _) => {
                if let Some((start, title)) = open.take() {
                    headings.push((start, range.end, title));
                }
            }
            _ => {}
        }
    }
    let first = headings.first().map_or(text.len(), |(start, ..)| *start);
    let mut parts = vec![(name, &text[..first])];
    for (place, (_, end, title)) in headings.iter().enumerate() {
        let next = headings.get(place + 1).map_or(text.len(), |(start, ..)| *start);
        parts.push((title, &text[(*end).min(next)..next]));
    }
    numbered(parts.into_iter().map(|(title, answer)| (title.to_owned(), kept(answer))))
}

/// Those that say something, counted.
pub(super) fn numbered(parts: impl Iterator<Item = (String, String)>) -> Vec<Section> {
    parts
        .filter(|(_, answer)| !answer.is_empty())
        .enumerate()
        .map(|(place, (title, answer))| Section::new(place + 1, &title, &answer))
        .collect()
}

/// The sections of a text without headings: a short line that asks begins one. What is too long for an article is several.
#[must_use]
pub fn of_lines(text: &str, name: &str) -> Vec<Section> {
    let mut parts: Vec<(String, String)> = vec![(name.to_owned(), String::new())];
    for line in text.lines() {
        let line = line.trim();
        if line.ends_with('?') && line.chars().count() <= TITLE {
            parts.push((shown(line), String::new()));
        } else if let Some((_, answer)) = parts.last_mut() {
            answer.push_str(line);
            answer.push('\n');
        }
    }
    numbered(parts.into_iter().flat_map(|(title, answer)| in_pieces(&title, &kept(&answer))))
}

/// A long answer as several, parted between its lines where that can be.
fn in_pieces(title: &str, answer: &str) -> Vec<(String, String)> {
    let mut pieces = vec![String::new()];
    let mut length = 0;
    for line in answer.split_inclusive('\n') {
        let long = line.chars().count();
        if length > 0 && length + long > ANSWER {
            pieces.push(String::new());
            length = 0;
        }
        length += long;
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(line);
        }
    }
    if pieces.len() == 1 {
        return vec![(title.to_owned(), answer.to_owned())];
    }
    pieces.into_iter().enumerate().map(|(place, piece)| (format!("{title} ({})", place + 1), piece.trim().to_owned())).collect()
}

/// The words of a PDF.
///
/// # Errors
/// `Unreadable`, also of what is sealed with a password; `TooLarge`; `Empty` of pictures alone.
pub fn of_pdf(bytes: &[u8]) -> Result<String, FileFault> {
    let options = LoadOptions { max_decompressed_size: Some(MOST_PAGE), ..LoadOptions::default() };
    let document = Document::load_mem_with_options(bytes, options).map_err(|_| FileFault::Unreadable)?;
    let mut text = String::new();
    for page in document.get_pages().into_values().take(MOST_PAGES) {
        // A page that cannot be read hinders no other.
        if let Ok(words) = words_of(&document, page) {
            text.push_str(&words);
            text.push('\n');
        }
        if text.len() > MOST_TEXT {
            return Err(FileFault::TooLarge);
        }
    }
    if text.trim().is_empty() { Err(FileFault::Empty) } else { Ok(text) }
}

/// The words of a page, with a line wherever it moves to another one.
fn words_of(document: &Document, page: ObjectId) -> lopdf::Result<String> {
    let encodings: HashMap<Vec<u8>, Encoding<'_>> = document
        .get_page_fonts(page)?
        .into_iter()
        .filter_map(|(name, font)| Some((name, font.get_font_encoding_with_limit(document, MOST_PAGE).ok()?)))
        .collect();
    let content = Content::decode(&document.get_page_content_with_limit(page, MOST_PAGE)?)?;
    let (mut text, mut encoding, mut height) = (String::new(), None, None);
    for Operation { operator, operands } in &content.operations {
        let number = |place: usize| operands.get(place).and_then(|operand| operand.as_float().ok());
        match operator.as_str() {
            "Tf" => encoding = operands.first().and_then(|font| encodings.get(font.as_name().ok()?)),
            "Td" | "TD" if number(1) != Some(0.0) => text.push('\n'),
            "Tm" => {
                if height != number(5) {
                    text.push('\n');
                }
                height = number(5);
            }
            "T*" | "ET" => text.push('\n'),
            "'" | "\"" => {
                text.push('\n');
                say(&mut text, encoding, &operands[operands.len().saturating_sub(1)..]);
            }
            "Tj" | "TJ" => say(&mut text, encoding, operands),
            _ => {}
        }
        if text.len() > MOST_TEXT {
            break;
        }
    }
    Ok(text)
}

/// What an operand says; in a list of parts a wide gap is a space.
fn say(text: &mut String, encoding: Option<&Encoding<'_>>, operands: &[Object]) {
    for operand in operands {
        match operand {
            Object::String(bytes, _) => {
                text.push_str(&encoding.and_then(|encoding| Document::decode_text(encoding, bytes).ok()).unwrap_or_default());
            }
            Object::Array(parts) => {
                for part in parts {
                    match part {
                        Object::String(..) => say(text, encoding, std::slice::from_ref(part)),
                        gap if gap.as_float().is_ok_and(|gap| gap < -180.0) => text.push(' '),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(sections: &[Section]) -> Vec<(&str, &str)> {
        sections.iter().map(|section| (section.title.as_str(), section.answer.as_str())).collect()
    }

    #[test]
    fn headings_of_every_kind_part_a_markdown_text() {
        let text =
            "Antes.\n\n# Boletos\n\n## Vencimento\nDia **10**.\n\n```\n# nada\n```\n\nSegunda via\n-----------\nNo portal.\n";
        let sections = of_markdown(text, "perguntas");
        assert_eq!(
            read(&sections),
            [("perguntas", "Antes."), ("Vencimento", "Dia **10**.\n\n```\n# nada\n```"), ("Segunda via", "No portal.")]
        );
        assert_eq!(sections.iter().map(|section| section.number).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn lines_that_ask_part_a_text() {
        let sections = of_lines("Bem-vindo\nQuando vence?\nDia 10.\nSem falta.\nTem Pix?\n", "regras.pdf");
        assert_eq!(read(&sections), [("regras.pdf", "Bem-vindo"), ("Quando vence?", "Dia 10.\nSem falta.")]);
    }

    #[test]
    fn what_is_too_long_is_several() {
        let line = format!("{}\n", "a".repeat(9_000));
        let sections = of_lines(&line.repeat(5), "livro");
        assert_eq!(sections.len(), 3);
        assert_eq!((sections[0].title.as_str(), sections[2].title.as_str()), ("livro (1)", "livro (3)"));
    }

    proptest! {
        #[test]
        fn nothing_is_too_strange_to_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in any::<String>()) {
            let pdf = [b"%PDF-1.7\n".as_slice(), &bytes].concat();
            prop_assert!(of_pdf(&pdf).is_err());
            drop(of_markdown(&text, "nome"));
            drop(of_lines(&text, "nome"));
        }
    }
}
