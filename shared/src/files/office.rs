//! Documents of office programs, looked into: is the document there that the name promises, and does it carry programs?

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{self, Read, Seek, SeekFrom},
};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    content::{
        Refusal::{self, OtherType, Programs},
        contains, last_bytes,
    },
    name::{clean_name, extension},
};

/// Bytes of a file that are read to find out: tables of contents and the beginning of what they name.
const BUDGET: u64 = 4 * 1024 * 1024;

/// More entries than any document has.
const MOST_ENTRIES: usize = 10_000;

/// More bytes than any document has once it is unpacked.
const LARGEST_UNPACKED: u128 = 1024 * 1024 * 1024;

/// Last bytes of an archive in which its end begins: two records and the longest comment.
const ARCHIVE_END: u64 = 64 * 1024 + 64;

/// Bytes of an unpacked list of types.
const LARGEST_LIST: u64 = 1024 * 1024;

/// Unpacked bytes in which a part's root element must begin.
const ROOT_WITHIN: u64 = 64 * 1024;

/// What an Open Packaging list calls parts with programs: macros of documents and of sheets, and controls.
const PROGRAM_TYPES: [&str; 4] = ["macroenabled", "vbaproject", "macrosheet", "activex"];

/// How files end that systems, servers or Office run, whatever they are said to be. No part of a document is one.
const PROGRAM_EXTENSIONS: &str = "
    action ade apk app application appref-ms asp aspx bat cgi chm class cmd com command cpl desktop diagcab dll
    dmg docm dotm exe gadget hta htm html inf iqy iso jar jnlp js jse jsp library-ms lnk mht mhtml mjs msc msi msp
    mst phar php php3 php4 php5 php7 phtml pif pl potm ppam ppsm pptm ps1 ps2 psm1 py rb reg scf scr sct search-ms
    searchconnector-ms settingcontent-ms sh shtml slk svg svgz terminal url vb vbe vbs wasm webloc workflow ws wsc
    wsf wsh xht xhtml xlam xll xlsm xltm";

/// Where Office before 2007 keeps macros.
const PROGRAM_STORAGES: [&str; 4] = ["macros", "vba", "_vba_project", "_vba_project_cur"];

/// Office since 2007: the list of types names a part of the main type, which is there and begins as it should, and a type for every
/// part: an archive of something else with a list put in is none.
pub fn open_xml<R: Read + Seek>(content: &mut R, main_type: &str, root: &str) -> Result<(), Refusal> {
    let mut archive = open(content)?;
    let types = PartTypes::read(&part(&mut archive, "[Content_Types].xml", LARGEST_LIST)?)?;
    let mut main_parts = Vec::new();
    for name in names(&archive)? {
        // Not a part: a folder, or an item that is no part's name.
        if name.ends_with('/') || name.starts_with('[') {
            continue;
        }
        let part_type = types.of(&name).ok_or(OtherType)?;
        if PROGRAM_TYPES.iter().any(|program| part_type.contains(program)) {
            return Err(Programs);
        }
        if part_type.eq_ignore_ascii_case(main_type) {
            main_parts.push(name);
        }
    }
    let is_main = |name: &String| part(&mut archive, name, ROOT_WITHIN).is_ok_and(|xml| has_root(&xml, root));
    if main_parts.iter().any(is_main) { Ok(()) } else { Err(OtherType) }
}

/// An archive whose first entry is its own type, with a list of its files and the content that office programs read.
pub fn open_document<R: Read + Seek>(content: &mut R, mime_type: &str) -> Result<(), Refusal> {
    let mut archive = open(content)?;
    let names = names(&archive)?;
    if names.first().is_none_or(|name| name != "mimetype") || part(&mut archive, "mimetype", 256)? != mime_type.as_bytes() {
        return Err(OtherType);
    }
    let is_list = |name: &str| name.ends_with("script-lb.xml") || name.ends_with("script-lc.xml");
    let is_program =
        |name: &String| !name.ends_with('/') && ((name.starts_with("Basic/") && !is_list(name)) || name.starts_with("Scripts/"));
    if names.iter().any(is_program) {
        return Err(Programs);
    }
    let mut begins = |name: &str, root: &str| part(&mut archive, name, ROOT_WITHIN).is_ok_and(|xml| has_root(&xml, root));
    if begins("META-INF/manifest.xml", "manifest") && begins("content.xml", "document-content") { Ok(()) } else { Err(OtherType) }
}

/// Office before 2007: one of these streams is there.
pub fn compound<R: Read + Seek>(content: &mut R, streams: &[&str]) -> Result<(), Refusal> {
    let file = cfb::CompoundFile::open(Bounded::new(content)).map_err(|_| OtherType)?;
    if !streams.iter().any(|stream| file.is_stream(stream)) {
        return Err(OtherType);
    }
    let is_program = |name: &str| PROGRAM_STORAGES.iter().any(|storage| name.eq_ignore_ascii_case(storage));
    if file.walk().any(|entry| is_program(entry.name())) { Err(Programs) } else { Ok(()) }
}

/// Opens an archive of sane measures without files that run.
fn open<R: Read + Seek>(mut content: R) -> Result<ZipArchive<Bounded<R>>, Refusal> {
    // Room is made for as many entries as an archive says it has: not for more than the old format can count.
    let end = last_bytes(&mut content, ARCHIVE_END).map_err(|_| OtherType)?;
    if contains(&end, b"PK\x06\x07") {
        return Err(OtherType);
    }
    let archive = ZipArchive::new(Bounded::new(content)).map_err(|_| OtherType)?;
    let size = |index| archive.by_index_data(index).map_or(u128::MAX, |entry| u128::from(entry.size()));
    if archive.len() > MOST_ENTRIES || (0..archive.len()).map(size).fold(0, u128::saturating_add) > LARGEST_UNPACKED {
        return Err(OtherType);
    }
    if names(&archive)?.iter().any(|name| runs(name)) { Err(Programs) } else { Ok(archive) }
}

/// Whether a part, by its whole path, ends like something that runs.
fn runs(part: &str) -> bool {
    let name = clean_name(part);
    let extension = extension(&name).unwrap_or_default();
    PROGRAM_EXTENSIONS.split_ascii_whitespace().any(|program| extension.eq_ignore_ascii_case(program))
}

fn names<R: Read + Seek>(archive: &ZipArchive<R>) -> Result<Vec<String>, Refusal> {
    archive.file_names().map(|name| name.map(Cow::into_owned).map_err(|_| OtherType)).collect()
}

/// The first `most` bytes of an unpacked entry.
fn part<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str, most: u64) -> Result<Vec<u8>, Refusal> {
    let entry = archive.by_name(name).map_err(|_| OtherType)?;
    let mut bytes = Vec::new();
    entry.take(most).read_to_end(&mut bytes).map_err(|_| OtherType)?;
    Ok(bytes)
}

/// Whether XML that may be cut off begins with this element.
fn has_root(xml: &[u8], root: &str) -> bool {
    let mut reader = Reader::from_reader(xml);
    loop {
        match reader.read_event_into(&mut Vec::new()) {
            Ok(Event::Start(element) | Event::Empty(element)) => return element.local_name().as_ref() == root.as_bytes(),
            Ok(Event::Eof) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// The list of an Open Packaging archive: types of parts by name, else by extension; all in small letters.
#[derive(Default)]
struct PartTypes {
    by_name: HashMap<String, String>,
    by_extension: HashMap<String, String>,
}

impl PartTypes {
    fn read(xml: &[u8]) -> Result<Self, Refusal> {
        let mut types = Self::default();
        let mut reader = Reader::from_reader(xml);
        let mut buffer = Vec::new();
        loop {
            match reader.read_event_into(&mut buffer).map_err(|_| OtherType)? {
                Event::Start(element) | Event::Empty(element) => types.note(&element)?,
                Event::Eof => return Ok(types),
                _ => {}
            }
            buffer.clear();
        }
    }

    fn note(&mut self, element: &BytesStart<'_>) -> Result<(), Refusal> {
        let (into, key) = match element.local_name().as_ref() {
            b"Override" => (&mut self.by_name, "PartName"),
            b"Default" => (&mut self.by_extension, "Extension"),
            _ => return Ok(()),
        };
        let attribute = |name: &str| {
            let attribute = element.try_get_attribute(name).ok().flatten()?;
            Some(String::from_utf8_lossy(&attribute.value).to_ascii_lowercase())
        };
        let (key, part_type) = (attribute(key).ok_or(OtherType)?, attribute("ContentType").ok_or(OtherType)?);
        into.insert(key.trim_start_matches('/').to_owned(), part_type);
        Ok(())
    }

    fn of(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let by_extension = || self.by_extension.get(extension(&name)?);
        self.by_name.get(&name).or_else(by_extension).map(String::as_str)
    }
}

/// Reads no more than its budget, wherever it is led: what a table of contents claims costs nothing.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R> Bounded<R> {
    fn new(inner: R) -> Self {
        Self { inner, left: BUDGET }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("the budget is spent"));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..most])?;
        self.left -= count as u64;
        Ok(count)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.inner.seek(place)
    }
}
