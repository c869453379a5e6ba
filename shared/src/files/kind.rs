//! Which files are taken, how large, and what some bytes really are. Executables, scripts, HTML and SVG are never taken.

use super::name::extension;

const MEGABYTE: u64 = 1024 * 1024;

/// What a file is to the people who exchange it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Image,
    Sticker,
    Audio,
    Video,
    Document,
}

impl Kind {
    /// The largest accepted, in bytes: what WhatsApp takes.
    #[must_use]
    pub fn largest(self) -> u64 {
        match self {
            Self::Image => 5 * MEGABYTE,
            Self::Sticker => 500 * 1024,
            Self::Audio | Self::Video => 16 * MEGABYTE,
            Self::Document => 100 * MEGABYTE,
        }
    }
}

/// One accepted type.
#[derive(Debug, PartialEq, Eq)]
pub struct FileType {
    pub mime_type: &'static str,
    pub kind: Kind,
    /// Other names programs give it.
    aliases: &'static [&'static str],
    content: Content,
}

impl FileType {
    /// Whether a browser may show it in place.
    #[must_use]
    pub fn is_shown_inline(&self) -> bool {
        self.kind != Kind::Document || self.mime_type == "application/pdf"
    }
}

/// How bytes of a type are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// By the signature `infer` knows.
    Signature,
    /// An ISO media file (`ftyp`).
    IsoMedia,
    Ogg,
    WebM,
    /// Office before 2007: a compound file.
    Compound,
    /// Office since 2007: a ZIP with this folder.
    OpenXml(&'static str),
    /// A ZIP that begins with its own type.
    OpenDocument,
    Text,
}

macro_rules! types {
    ($($mime_type:literal $kind:ident $content:expr, [$($alias:literal),*];)*) => {
        &[$(FileType { mime_type: $mime_type, kind: Kind::$kind, aliases: &[$($alias),*], content: $content }),*]
    };
}

const TYPES: &[FileType] = types! {
    "image/jpeg" Image Content::Signature, ["image/jpg"];
    "image/png" Image Content::Signature, [];
    "image/gif" Image Content::Signature, [];
    "image/webp" Sticker Content::Signature, [];
    "audio/aac" Audio Content::Signature, ["audio/x-aac", "audio/aacp"];
    "audio/amr" Audio Content::Signature, [];
    "audio/mpeg" Audio Content::Signature, ["audio/mp3"];
    "audio/mp4" Audio Content::IsoMedia, ["audio/m4a", "audio/x-m4a"];
    "audio/ogg" Audio Content::Ogg, ["audio/opus"];
    "audio/webm" Audio Content::WebM, [];
    "video/mp4" Video Content::IsoMedia, [];
    "video/3gpp" Video Content::IsoMedia, ["video/3gp"];
    "video/webm" Video Content::WebM, [];
    "application/pdf" Document Content::Signature, [];
    "application/rtf" Document Content::Signature, ["text/rtf"];
    "application/msword" Document Content::Compound, [];
    "application/vnd.ms-excel" Document Content::Compound, [];
    "application/vnd.ms-powerpoint" Document Content::Compound, [];
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document" Document Content::OpenXml("word/"), [];
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" Document Content::OpenXml("xl/"), [];
    "application/vnd.openxmlformats-officedocument.presentationml.presentation" Document Content::OpenXml("ppt/"), [];
    "application/vnd.oasis.opendocument.text" Document Content::OpenDocument, [];
    "application/vnd.oasis.opendocument.spreadsheet" Document Content::OpenDocument, [];
    "application/vnd.oasis.opendocument.presentation" Document Content::OpenDocument, [];
    "text/plain" Document Content::Text, [];
    "text/csv" Document Content::Text, ["application/csv"];
};

/// What systems run when such a file is opened, whatever it is said to be.
const REFUSED_EXTENSIONS: &[&str] = &[
    "apk", "app", "bat", "cmd", "com", "cpl", "dll", "dmg", "exe", "hta", "htm", "html", "jar", "js", "jse", "lnk", "mjs", "msi",
    "pif", "ps1", "reg", "scr", "sh", "svg", "svgz", "vbe", "vbs", "wsf", "xhtml",
];

/// The accepted type that `mime_type` names, in any case and whatever its parameters.
#[must_use]
pub fn accepted(mime_type: &str) -> Option<&'static FileType> {
    let bare = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    TYPES.iter().find(|known| known.mime_type == bare || known.aliases.contains(&bare.as_str()))
}

/// Whether a name ends like something that runs or that a browser interprets.
#[must_use]
pub fn has_refused_extension(name: &str) -> bool {
    let extension = extension(name).unwrap_or_default().to_ascii_lowercase();
    REFUSED_EXTENSIONS.contains(&extension.as_str())
}

/// What these first bytes of a file are, when that is an accepted type of the same kind as the declared one; `None` to refuse it.
/// Formats that share a container are told apart by what was declared.
#[must_use]
pub fn sniff(bytes: &[u8], declared: &str) -> Option<&'static FileType> {
    let declared = accepted(declared)?;
    let content = declared.content;
    let found = if bytes.starts_with(b"PK\x03\x04") {
        is_declared_archive(bytes, declared).then_some(declared)
    } else if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        (content == Content::Compound).then_some(declared)
    } else if bytes.get(4..8) == Some(b"ftyp") {
        iso_media(bytes, declared)
    } else if bytes.starts_with(b"OggS") {
        (content == Content::Ogg && !contains(bytes, b"\x80theora")).then_some(declared)
    } else if bytes.starts_with(b"\x1A\x45\xDF\xA3") {
        let is_webm = contains(&bytes[..bytes.len().min(64)], b"webm");
        (content == Content::WebM && is_webm).then_some(declared)
    } else if content == Content::Text {
        is_text(bytes).then_some(declared)
    } else if let Some(known) = infer::get(bytes) {
        accepted(known.mime_type()).filter(|known| known.content == Content::Signature)
    } else {
        // Windows calls a CSV file a spreadsheet.
        (declared.mime_type == "application/vnd.ms-excel" && is_text(bytes)).then(|| accepted("text/csv")).flatten()
    };
    found.filter(|found| is_same_family(declared.kind, found.kind))
}

/// A sticker is a picture.
fn is_same_family(declared: Kind, found: Kind) -> bool {
    let family = |kind| if kind == Kind::Sticker { Kind::Image } else { kind };
    family(declared) == family(found)
}

fn is_declared_archive(bytes: &[u8], declared: &FileType) -> bool {
    match declared.content {
        Content::OpenXml(folder) => contains(bytes, b"[Content_Types].xml") || contains(bytes, folder.as_bytes()),
        Content::OpenDocument => bytes.get(30..).is_some_and(|rest| {
            rest.strip_prefix(b"mimetype").is_some_and(|rest| rest.starts_with(declared.mime_type.as_bytes()))
        }),
        _ => false,
    }
}

fn iso_media(bytes: &[u8], declared: &'static FileType) -> Option<&'static FileType> {
    let brand = bytes.get(8..12)?;
    let is_picture = [&b"heic"[..], b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis", b"crx "].contains(&brand);
    if is_picture || brand == b"qt  " || declared.content != Content::IsoMedia {
        return None;
    }
    match brand {
        b"M4A " | b"M4B " => accepted("audio/mp4"),
        [b'3', b'g', ..] if declared.kind == Kind::Video => accepted("video/3gpp"),
        _ if declared.mime_type == "video/3gpp" => accepted("video/mp4"),
        _ => Some(declared),
    }
}

/// Text in UTF-8 or in Windows' western alphabet, which does not begin like markup or a script.
fn is_text(bytes: &[u8]) -> bool {
    const REFUSED: [&[u8]; 9] = [b"<!", b"<?", b"<html", b"<head", b"<body", b"<script", b"<iframe", b"<svg", b"#!"];
    let is_control = |byte: &u8| (*byte < b' ' && !b"\t\n\x0C\r".contains(byte)) || *byte == 0x7F;
    if bytes.is_empty() || bytes.iter().any(is_control) {
        return false;
    }
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    !REFUSED.iter().any(|refused| start.get(..refused.len()).is_some_and(|start| start.eq_ignore_ascii_case(refused)))
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests;
