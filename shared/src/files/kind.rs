//! Which files are taken, and how large. Executables, scripts, HTML and SVG are never taken.

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
    pub(super) content: Content,
}

impl FileType {
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
    ($($mime_type:literal $kind:ident $content:expr, [$($alias:literal),*];)*) => {
        &[$(FileType { mime_type: $mime_type, kind: Kind::$kind, aliases: &[$($alias),*], content: $content }),*]
    };
}

/// The main part of an Office file since 2007: its type begins like the file's own.
macro_rules! open_xml {
    ($format:literal, $root:literal) => {
        Content::OpenXml(concat!("application/vnd.openxmlformats-officedocument.", $format, ".main+xml"), $root)
    };
}

pub(super) const TYPES: &[FileType] = types! {
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
    "application/pdf" Document Content::Pdf, [];
    "application/rtf" Document Content::Signature, ["text/rtf"];
    "application/msword" Document Content::Compound(&["WordDocument"]), [];
    "application/vnd.ms-excel" Document Content::Compound(&["Workbook", "Book"]), [];
    "application/vnd.ms-powerpoint" Document Content::Compound(&["PowerPoint Document"]), [];
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document" Document
        open_xml!("wordprocessingml.document", "document"), [];
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" Document
        open_xml!("spreadsheetml.sheet", "workbook"), [];
    "application/vnd.openxmlformats-officedocument.presentationml.presentation" Document
        open_xml!("presentationml.presentation", "presentation"), [];
    "application/vnd.oasis.opendocument.text" Document Content::OpenDocument, [];
    "application/vnd.oasis.opendocument.spreadsheet" Document Content::OpenDocument, [];
    "application/vnd.oasis.opendocument.presentation" Document Content::OpenDocument, [];
    "text/plain" Document Content::Text, [];
    "text/csv" Document Content::Text, ["application/csv"];
};

/// What systems, servers or Office run when such a file is opened, whatever it is said to be.
const REFUSED_EXTENSIONS: &[&str] = &[
    "ade",
    "apk",
    "app",
    "asp",
    "aspx",
    "bat",
    "cgi",
    "chm",
    "class",
    "cmd",
    "com",
    "cpl",
    "dll",
    "dmg",
    "docm",
    "dotm",
    "exe",
    "hta",
    "htm",
    "html",
    "inf",
    "iqy",
    "iso",
    "jar",
    "jnlp",
    "js",
    "jse",
    "jsp",
    "lnk",
    "mht",
    "mhtml",
    "mjs",
    "msc",
    "msi",
    "phar",
    "php",
    "php3",
    "php4",
    "php5",
    "php7",
    "phtml",
    "pif",
    "pl",
    "potm",
    "ppam",
    "ppsm",
    "pptm",
    "ps1",
    "psm1",
    "py",
    "rb",
    "reg",
    "scf",
    "scr",
    "sct",
    "settingcontent-ms",
    "sh",
    "shtml",
    "slk",
    "svg",
    "svgz",
    "url",
    "vb",
    "vbe",
    "vbs",
    "wasm",
    "wsc",
    "wsf",
    "wsh",
    "xht",
    "xhtml",
    "xlam",
    "xll",
    "xlsm",
    "xltm",
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

/// A sticker is a picture.
pub(super) fn is_same_family(declared: Kind, found: Kind) -> bool {
    let family = |kind| if kind == Kind::Sticker { Kind::Image } else { kind };
    family(declared) == family(found)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_runs_is_known_by_its_name() {
        for refused in ["nota.pdf.EXE", "logo.svg", "a.php", "a.txt.phtml", "planilha.xlsm"] {
            assert!(has_refused_extension(refused), "{refused}");
        }
        for taken in ["nota.pdf", "blob", "planilha.xlsx", "php"] {
            assert!(!has_refused_extension(taken), "{taken}");
        }
    }
}
