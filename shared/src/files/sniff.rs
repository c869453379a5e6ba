//! What some bytes really are. A type that is a container is looked into: what it is called inside must be what was declared.

use std::io::{self, Read, Seek};

use super::{
    content::{Refusal, contains, last_bytes},
    kind::{Content, FileType, Kind, accepted, is_same_family},
    media::{audio_duration, image_size, quietly},
    office,
    video::{Look, video_facts},
};

/// First bytes of a file that are enough to tell what it seems to be and how large a picture is.
const PREFIX: u64 = 256 * 1024;

/// Last bytes of a PDF in which its end must be marked: what readers look at.
const PDF_END: u64 = 2048;

/// Read at a time of a text.
const CHUNK: usize = 64 * 1024;

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub file_type: &'static FileType,
    /// Pixels, of pictures and videos.
    pub size: Option<(i32, i32)>,
    /// Milliseconds, of recordings and videos.
    pub duration_ms: Option<i32>,
}

/// What a file is, when that is an accepted type of the same kind as the declared one. Formats that share a container are told
/// apart by what was declared. However large the file and whatever it claims of itself, little of it is held in memory.
///
/// # Errors
/// What speaks against it.
pub fn examine<R: Read + Seek>(content: &mut R, declared: &str) -> Result<Facts, Refusal> {
    let start = start_of(content).map_err(|_| Refusal::OtherType)?;
    let file_type = seems(&start, declared).ok_or(Refusal::OtherType)?;
    quietly(|| Some(look_into(content, file_type))).unwrap_or(Err(Refusal::OtherType))?;
    let Look { duration, size } = match file_type.kind {
        Kind::Image | Kind::Sticker => Look { duration: None, size: image_size(&start) },
        Kind::Audio => Look { duration: audio_duration(content), size: None },
        Kind::Video => video_facts(content, file_type.content),
        Kind::Document => Look::default(),
    };
    Ok(Facts { file_type, size, duration_ms: duration.and_then(|duration| i32::try_from(duration.as_millis()).ok()) })
}

fn start_of<R: Read + Seek>(content: &mut R) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    content.rewind()?;
    content.by_ref().take(PREFIX).read_to_end(&mut start)?;
    Ok(start)
}

/// The accepted type that a file with this start may be.
fn seems(start: &[u8], declared: &str) -> Option<&'static FileType> {
    let declared = accepted(declared)?;
    let content = declared.content;
    let is_archive = matches!(content, Content::OpenXml(..) | Content::OpenDocument);
    let found = if start.starts_with(b"PK\x03\x04") {
        is_archive.then_some(declared)
    } else if start.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        matches!(content, Content::Compound(_)).then_some(declared)
    } else if start.get(4..8) == Some(b"ftyp") {
        iso_media(start, declared)
    } else if start.starts_with(b"OggS") {
        (content == Content::Ogg && !contains(start, b"\x80theora")).then_some(declared)
    } else if start.starts_with(b"\x1A\x45\xDF\xA3") {
        let is_webm = contains(&start[..start.len().min(64)], b"webm");
        (content == Content::WebM && is_webm).then_some(declared)
    } else if content == Content::Text {
        Some(declared)
    } else if let Some(known) = infer::get(start) {
        accepted(known.mime_type()).filter(|known| matches!(known.content, Content::Signature | Content::Pdf))
    } else {
        // Windows calls a CSV file a spreadsheet.
        (declared.mime_type == "application/vnd.ms-excel").then(|| accepted("text/csv")).flatten()
    };
    found.filter(|found| is_same_family(declared.kind, found.kind))
}

/// Whether the rest of a file is what its start seems to be.
fn look_into<R: Read + Seek>(content: &mut R, file_type: &FileType) -> Result<(), Refusal> {
    let is_it = match file_type.content {
        Content::OpenXml(main_type, root) => return office::open_xml(content, main_type, root),
        Content::OpenDocument => return office::open_document(content, file_type.mime_type),
        Content::Compound(streams) => return office::compound(content, streams),
        Content::Pdf => ends_as_pdf(content),
        Content::Text => is_text(content),
        Content::Signature | Content::IsoMedia | Content::Ogg | Content::WebM => Ok(true),
    };
    if is_it.unwrap_or(false) { Ok(()) } else { Err(Refusal::OtherType) }
}

fn iso_media(start: &[u8], declared: &'static FileType) -> Option<&'static FileType> {
    let brand = start.get(8..12)?;
    let is_picture = [&b"heic"[..], b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx "].contains(&brand);
    if is_picture || brand == b"qt  " || declared.content != Content::IsoMedia {
        return None;
    }
    match brand {
        b"M4A " | b"M4B " => accepted("audio/mp4"),
        [b'3', b'g', ..] if declared.mime_type.starts_with("video/") => accepted("video/3gpp"),
        _ if declared.mime_type == "video/3gpp" => accepted("video/mp4"),
        _ => Some(declared),
    }
}

fn ends_as_pdf<R: Read + Seek>(content: &mut R) -> io::Result<bool> {
    last_bytes(content, PDF_END).map(|end| contains(&end, b"%%EOF"))
}

/// Text in UTF-8, in Windows' western alphabet, or in UTF-16 with its mark, to its end, which is neither markup nor a script.
fn is_text<R: Read + Seek>(content: &mut R) -> io::Result<bool> {
    /// In small letters, as anywhere in a text.
    const SCRIPTS: [&[u8]; 3] = [b"<?php", b"<?=", b"<script"];
    const LONGEST: usize = 7;
    let mut window = Vec::with_capacity(CHUNK + LONGEST);
    let unit = wide_unit(content)?;
    let mut is_start = true;
    loop {
        let kept = window.len();
        if content.by_ref().take(CHUNK as u64).read_to_end(&mut window)? == 0 {
            return Ok(!is_start);
        }
        if let Some(unit) = unit {
            if (window.len() - kept) % 2 > 0 {
                return Ok(false);
            }
            let narrow: Vec<u8> = window[kept..].chunks_exact(2).map(|pair| narrowed(unit([pair[0], pair[1]]))).collect();
            window.truncate(kept);
            window.extend(narrow);
        }
        window[kept..].make_ascii_lowercase();
        if window[kept..].iter().any(is_control)
            || (is_start && begins_as_markup(&window))
            || SCRIPTS.iter().any(|script| contains(&window, script))
        {
            return Ok(false);
        }
        is_start = false;
        // A word may lie across two reads.
        window.drain(..window.len().saturating_sub(LONGEST));
    }
}

/// How two bytes are a sign.
type Unit = fn([u8; 2]) -> u16;

/// That of a text that begins with the mark of UTF-16, which is passed over.
fn wide_unit<R: Read + Seek>(content: &mut R) -> io::Result<Option<Unit>> {
    content.rewind()?;
    let mut mark = Vec::with_capacity(2);
    content.by_ref().take(2).read_to_end(&mut mark)?;
    match mark[..] {
        [0xFF, 0xFE] => Ok(Some(u16::from_le_bytes)),
        [0xFE, 0xFF] => Ok(Some(u16::from_be_bytes)),
        _ => content.rewind().map(|()| None),
    }
}

/// A sign as one byte, those beyond ASCII alike.
fn narrowed(unit: u16) -> u8 {
    u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(0x80)
}

fn is_control(byte: &u8) -> bool {
    (*byte < b' ' && !b"\t\n\x0C\r".contains(byte)) || *byte == 0x7F
}

/// Whether a browser that guesses would take a text in small letters that begins so for a page: the table of the WHATWG.
fn begins_as_markup(text: &[u8]) -> bool {
    const TAGS: [&[u8]; 16] = [
        b"html", b"head", b"script", b"iframe", b"h1", b"div", b"font", b"table", b"a", b"style", b"title", b"b", b"body", b"br",
        b"p", b"svg",
    ];
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
    if text.starts_with(b"#!") {
        return true;
    }
    let Some(tag) = text.strip_prefix(b"<") else { return false };
    let ends = |rest: &[u8]| rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || b">/".contains(byte));
    tag.starts_with(b"!") || tag.starts_with(b"?") || TAGS.iter().any(|name| tag.strip_prefix(*name).is_some_and(ends))
}

#[cfg(test)]
mod tests;
