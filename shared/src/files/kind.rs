//! Which files are taken, how large, and under what names. Executables, scripts, HTML and SVG are never taken.

use schemars::Schema;
use serde_json::{Value, json};

use super::name::extension;
use crate::text::{BLANK, UNSEEN};

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
    pub(super) content: Content,
    /// How names of its files may end, in small letters: all that systems open as what it is, and nothing that they run.
    extensions: &'static [&'static str],
}

/// How names of pictures may end: which of them a picture is, its content says.
const PICTURES: &[&str] = &["jpg", "jpeg", "jpe", "jfif", "png", "gif", "webp"];

impl FileType {
    /// How names of its files may end, in small letters.
    #[must_use]
    pub fn extensions(&self) -> &'static [&'static str] {
        if self.is_picture() { PICTURES } else { self.extensions }
    }

    /// Whether a clean name is one that a file of this type may have: it ends as such names do, or in no way that says anything.
    #[must_use]
    pub fn takes_name(&self, name: &str) -> bool {
        let extension = extension(name).map(str::to_lowercase);
        extension.is_none_or(|extension| self.extensions().contains(&extension.as_str()))
    }

    /// The first type whose names end so.
    #[must_use]
    pub fn of_name(name: &str) -> Option<&'static Self> {
        let extension = extension(name)?.to_lowercase();
        let picture = |known: &&Self| known.mime_type == "image/jpeg" && PICTURES.contains(&extension.as_str());
        TYPES.iter().find(|known| picture(known) || known.extensions.contains(&extension.as_str()))
    }

    /// The type that the first bytes of a file are known by.
    #[must_use]
    pub fn of_start(start: &[u8]) -> Option<&'static Self> {
        accepted(infer::get(start)?.mime_type())
    }

    /// Whether `prepare_file` makes something of it.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        ["image/jpeg", "image/png", "image/webp", "audio/ogg"].contains(&self.mime_type)
    }

    #[must_use]
    pub fn is_picture(&self) -> bool {
        matches!(self.kind, Kind::Image | Kind::Sticker)
    }

    /// Whether a browser may show it in place.
    #[must_use]
    pub fn is_shown_inline(&self) -> bool {
        self.kind != Kind::Document || self.content == Content::Pdf
    }
}

/// How bytes of a type are recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// By the signature `infer` knows.
    Signature,
    Pdf,
    /// An ISO media file (`ftyp`).
    IsoMedia,
    Ogg,
    WebM,
    /// Office before 2007: a compound file with one of these streams.
    Compound(&'static [&'static str]),
    /// Office since 2007: a ZIP with a part that has this type in its list of types, and this root element.
    OpenXml(&'static str, &'static str),
    /// A ZIP that begins with its own type.
    OpenDocument,
    Text,
}

macro_rules! types {
    ($($mime_type:literal $kind:ident $content:expr, [$($alias:literal),*], $extensions:expr;)*) => {
        &[$(FileType {
            mime_type: $mime_type, kind: Kind::$kind, aliases: &[$($alias),*], content: $content, extensions: &$extensions
        }),*]
    };
}

/// The main part of an Office file since 2007: its type begins like the file's own.
macro_rules! open_xml {
    ($format:literal, $root:literal) => {
        Content::OpenXml(concat!("application/vnd.openxmlformats-officedocument.", $format, ".main+xml"), $root)
    };
}

pub(super) const TYPES: &[FileType] = types! {
    "image/jpeg" Image Content::Signature, ["image/jpg"], [];
    "image/png" Image Content::Signature, [], [];
    "image/gif" Image Content::Signature, [], [];
    "image/webp" Sticker Content::Signature, [], [];
    "audio/aac" Audio Content::Signature, ["audio/x-aac", "audio/aacp"], ["aac"];
    "audio/amr" Audio Content::Signature, [], ["amr"];
    "audio/mpeg" Audio Content::Signature, ["audio/mp3"], ["mp3", "mpga"];
    "audio/mp4" Audio Content::IsoMedia, ["audio/m4a", "audio/x-m4a"], ["m4a", "mp4"];
    "audio/ogg" Audio Content::Ogg, ["audio/opus"], ["ogg", "oga", "opus"];
    "audio/webm" Audio Content::WebM, [], ["webm", "weba"];
    "video/mp4" Video Content::IsoMedia, [], ["mp4", "m4v"];
    "video/3gpp" Video Content::IsoMedia, ["video/3gp"], ["3gp", "3gpp", "mp4"];
    "video/webm" Video Content::WebM, [], ["webm"];
    "application/pdf" Document Content::Pdf, [], ["pdf"];
    "application/rtf" Document Content::Signature, ["text/rtf"], ["rtf", "doc"];
    "application/msword" Document Content::Compound(&["WordDocument"]), [], ["doc"];
    "application/vnd.ms-excel" Document Content::Compound(&["Workbook", "Book"]), [], ["xls", "csv"];
    "application/vnd.ms-powerpoint" Document Content::Compound(&["PowerPoint Document"]), [], ["ppt", "pps"];
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document" Document
        open_xml!("wordprocessingml.document", "document"), [], ["docx"];
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" Document
        open_xml!("spreadsheetml.sheet", "workbook"), [], ["xlsx"];
    "application/vnd.openxmlformats-officedocument.presentationml.presentation" Document
        open_xml!("presentationml.presentation", "presentation"), [], ["pptx"];
    "application/vnd.oasis.opendocument.text" Document Content::OpenDocument, [], ["odt"];
    "application/vnd.oasis.opendocument.spreadsheet" Document Content::OpenDocument, [], ["ods"];
    "application/vnd.oasis.opendocument.presentation" Document Content::OpenDocument, [], ["odp"];
    "text/plain" Document Content::Text, [], ["txt", "text", "csv", "tsv", "json", "log", "md"];
    "text/csv" Document Content::Text, ["application/csv"], ["csv", "tsv", "txt"];
};

/// Says of the schema of an announcement (`name`, `mime_type`, `size`) which names and sizes go with which types, for
/// `#[schemars(transform = …)]`.
pub fn by_type(schema: &mut Schema) {
    let mut branches: Vec<Value> = Vec::new();
    for known in TYPES {
        let (name, largest) = (json!({"pattern": pattern(known.extensions())}), json!({"maximum": known.kind.largest()}));
        let is_alike = |branch: &&mut Value| branch["properties"]["name"] == name && branch["properties"]["size"] == largest;
        match branches.iter_mut().find(is_alike).and_then(|branch| branch["properties"]["mime_type"]["enum"].as_array_mut()) {
            Some(types) => types.push(json!(known.mime_type)),
            None => branches.push(json!({
                "title": known.mime_type,
                "type": "object",
                "properties": {"name": name, "mime_type": {"enum": [known.mime_type]}, "size": largest},
            })),
        }
    }
    schema.insert("oneOf".into(), json!(branches));
}

/// Names that end so, or in no way that says anything.
fn pattern(extensions: &[&str]) -> String {
    let any_case = |extension: &&str| {
        let letters = extension.chars().map(|letter| match letter {
            'a'..='z' => format!("[{}{letter}]", letter.to_ascii_uppercase()),
            other => other.to_string(),
        });
        letters.collect::<String>()
    };
    let endings = extensions.iter().map(any_case).collect::<Vec<_>>().join("|");
    let (any, plain, seen) = (format!(r"[^{UNSEEN}/\\]"), format!(r"[^{UNSEEN}/\\.]"), format!(r"[^{UNSEEN}{BLANK}/\\.]"));
    format!("^{seen}({plain}*{seen}|{any}*[.]({endings}))?$")
}

/// The accepted type that `mime_type` names, in any case and whatever its parameters.
#[must_use]
pub fn accepted(mime_type: &str) -> Option<&'static FileType> {
    let bare = mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    TYPES.iter().find(|known| known.mime_type == bare || known.aliases.contains(&bare.as_str()))
}

/// A sticker is a picture.
pub(super) fn is_same_family(declared: Kind, found: Kind) -> bool {
    let family = |kind| if kind == Kind::Sticker { Kind::Image } else { kind };
    family(declared) == family(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::clean_name;

    #[test]
    fn types_are_known_by_their_aliases_and_with_parameters() {
        assert_eq!(accepted("audio/ogg; codecs=opus").map(|known| known.mime_type), Some("audio/ogg"));
        assert_eq!(accepted("IMAGE/JPG").map(|known| known.mime_type), Some("image/jpeg"));
        for refused in
            ["image/svg+xml", "text/html", "application/x-msdownload", "application/octet-stream", "application/zip", ""]
        {
            assert_eq!(accepted(refused), None, "{refused}");
        }
    }

    fn takes(mime_type: &str, name: &str) -> bool {
        accepted(mime_type).unwrap().takes_name(&clean_name(name))
    }

    #[test]
    fn names_end_as_their_type_does_or_not_at_all() {
        for (mime_type, names) in [
            ("text/plain", ["notas.txt", "notas.TXT", "blob", "dados.json"]),
            ("image/jpeg", ["foto.jpg", "foto.png", "Foto da Ana 12:30.JPEG", "con.png"]),
            ("application/pdf", ["nota.pdf", "Contrato v1.2.pdf", "nota.exe.pdf", "nota.pdf. ."]),
            ("application/vnd.ms-excel", ["planilha.xls", "planilha.csv", "planilha", "xls"]),
            ("audio/ogg; codecs=opus", ["voz.ogg", "voz.opus", "voz.oga", "PTT-20261127"]),
        ] {
            for name in names {
                assert!(takes(mime_type, name), "{mime_type} {name}");
            }
        }
    }

    #[test]
    fn names_that_systems_run_are_of_no_type() {
        let names = [
            "nota.pdf.EXE",
            "logo.svg",
            "a.php",
            "a.txt.phtml",
            "planilha.xlsm",
            "atalho.desktop",
            "pasta.library-ms",
            "busca.search-ms",
            "a.exe::$DATA",
            "a.txt:run.exe",
            "a.exe. .",
            "a.exe\u{202e}",
            "a.e\u{200b}xe",
            "a.xml",
            "a.terminal",
            "a.webloc",
            "a.diagcab",
            "a.lnk",
        ];
        for known in TYPES {
            for name in names {
                assert!(!known.takes_name(&clean_name(name)), "{} {name:?}", known.mime_type);
            }
        }
    }

    #[test]
    fn a_type_is_found_by_a_name_or_by_the_first_bytes() {
        let of_name = |name| FileType::of_name(name).map(|known| known.mime_type);
        assert_eq!(of_name("foto.WEBP"), Some("image/jpeg"));
        assert_eq!(
            ["nota.pdf", "lista.csv", "voz.weba", "a.exe", "nome"].map(of_name),
            [Some("application/pdf"), Some("application/vnd.ms-excel"), Some("audio/webm"), None, None]
        );
        assert_eq!(FileType::of_start(b"%PDF-1.7").map(|known| known.mime_type), Some("application/pdf"));
        assert_eq!(FileType::of_start(b"MZ\x90\0"), None);
    }

    #[test]
    fn every_type_says_how_its_names_end() {
        assert!(TYPES.iter().all(|known| !known.extensions().is_empty()));
    }
}
