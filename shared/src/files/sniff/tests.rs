//! What is taken for what.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::files::kind::TYPES;

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const ODT: &str = "application/vnd.oasis.opendocument.text";

const DOCUMENT_TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
    <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
    <Default Extension="XML" ContentType="application/xml"/>
    <Override PartName="/word/document.xml"
        ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
const DOCUMENT: &str = r#"<?xml version="1.0"?><!-- x --><w:document xmlns:w="w"><w:body/></w:document>"#;
const ODF_MANIFEST: &str = r#"<manifest:manifest xmlns:manifest="m"/>"#;
const ODF_CONTENT: &str = r#"<office:document-content xmlns:office="o"/>"#;

fn examined(bytes: impl AsRef<[u8]>, declared: &str) -> Result<&'static str, Refusal> {
    examine(&mut Cursor::new(bytes.as_ref()), declared).map(|facts| facts.file_type.mime_type)
}

fn sniffed(bytes: impl AsRef<[u8]>, declared: &str) -> Option<&'static str> {
    examined(bytes, declared).ok()
}

fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        let method = if *name == "mimetype" { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A document with one more entry.
fn docx_with(name: &str, content: &str) -> Vec<u8> {
    archive(&[("[Content_Types].xml", DOCUMENT_TYPES), ("_rels/.rels", "<x/>"), ("word/document.xml", DOCUMENT), (name, content)])
}

fn odt_with(name: &str) -> Vec<u8> {
    archive(&[("mimetype", ODT), ("content.xml", ODF_CONTENT), ("META-INF/manifest.xml", ODF_MANIFEST), (name, "x")])
}

fn compound(streams: &[&str]) -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for stream in streams {
        if let Some((storage, _)) = stream.rsplit_once('/').filter(|(storage, _)| !storage.is_empty()) {
            file.create_storage_all(storage).unwrap();
        }
        file.create_stream(stream).unwrap().write_all(b"content").unwrap();
    }
    file.into_inner().into_inner()
}

#[test]
fn bytes_decide_within_the_declared_kind() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let jpeg = b"\xFF\xD8\xFF\xE0\0\x10JFIF\0";
    assert_eq!(sniffed(png, "image/png"), Some("image/png"));
    assert_eq!(sniffed(jpeg, "image/png"), Some("image/jpeg"));
    assert_eq!(sniffed(jpeg, "image/webp"), Some("image/jpeg"));
    assert_eq!(sniffed(png, "application/pdf"), None);
}

#[test]
fn a_pdf_begins_and_ends_as_one() {
    let pdf = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n";
    assert_eq!(sniffed(pdf, "application/pdf"), Some("application/pdf"));
    assert_eq!(sniffed(pdf, "image/png"), None);
    assert_eq!(sniffed(b"%PDF-1.7\n", "application/pdf"), None);
    assert_eq!(sniffed([&pdf[..], &[b' '; 4096]].concat(), "application/pdf"), None);
}

#[test]
fn media_containers_are_what_was_declared_of_them() {
    let mp4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2mp41";
    assert_eq!(sniffed(mp4, "video/mp4"), Some("video/mp4"));
    assert_eq!(sniffed(mp4, "audio/mp4"), Some("audio/mp4"));
    assert_eq!(sniffed(b"\0\0\0\x18ftyp3gp4\0\0\0\0", "video/mp4"), Some("video/3gpp"));
    assert_eq!(sniffed(b"\0\0\0\x1cftypM4A \0\0\0\0", "video/mp4"), None);
    assert_eq!(sniffed(b"\0\0\0\x18ftypheic\0\0\0\0", "video/mp4"), None);
    assert_eq!(sniffed(b"OggS\0\x02\0\0\0\0\0\0", "audio/ogg; codecs=opus"), Some("audio/ogg"));
    assert_eq!(sniffed(b"\x1A\x45\xDF\xA3\x9fB\x86\x81\x01B\x82\x84webm", "audio/webm"), Some("audio/webm"));
    assert_eq!(sniffed(b"\x1A\x45\xDF\xA3\xa3B\x86\x81\x01B\x82\x88matroska", "video/webm"), None);
}

#[test]
fn a_document_is_looked_into() {
    let docx = docx_with("word/media/photo.xml", "<x/>");
    assert_eq!(sniffed(&docx, DOCX), Some(DOCX));
    for declared in [XLSX, ODT, "text/plain", "application/pdf", "application/msword"] {
        assert_eq!(sniffed(&docx, declared), None, "{declared}");
    }
    // As programs write it that name the main type as the default of all XML.
    let types = DOCUMENT_TYPES
        .replace("application/xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml");
    let types = types.replace("/word/document.xml", "/word/other.xml");
    assert_eq!(sniffed(archive(&[("[Content_Types].xml", &types), ("word/document.xml", DOCUMENT)]), DOCX), Some(DOCX));
}

/// As programs write it that do not know a part's size when they begin it.
#[test]
fn a_document_may_be_written_as_a_stream() {
    let mut archive = ZipWriter::new_stream(Vec::new());
    for (name, content) in [("[Content_Types].xml", DOCUMENT_TYPES), ("word/document.xml", DOCUMENT)] {
        archive.start_file(name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    assert_eq!(sniffed(archive.finish().unwrap().into_inner(), DOCX), Some(DOCX));
}

#[test]
fn an_archive_of_something_else_is_no_document() {
    let cases: [&[(&str, &str)]; 7] = [
        &[],
        &[("[Content_Types].xml", DOCUMENT_TYPES)],
        &[("word/document.xml", DOCUMENT)],
        &[("[Content_Types].xml", DOCUMENT_TYPES), ("word/document.xml", "not XML")],
        &[("[Content_Types].xml", DOCUMENT_TYPES), ("word/document.xml", "<html><body/></html>")],
        &[("[Content_Types].xml", "word/"), ("word/document.xml", DOCUMENT)],
        &[("META-INF/MANIFEST.MF", "Main-Class: Evil"), ("[Content_Types].xml", DOCUMENT_TYPES), ("word/document.xml", DOCUMENT)],
    ];
    for entries in cases {
        assert_eq!(examined(archive(entries), DOCX), Err(Refusal::OtherType), "{entries:?}");
    }
    let docx = docx_with("word/styles.xml", "<x/>");
    for cut in [docx.len() / 2, docx.len() - 1, 30] {
        assert_eq!(sniffed(&docx[..cut], DOCX), None, "cut at {cut}");
    }
    assert_eq!(sniffed([b"MZ", &docx[..]].concat(), DOCX), None);
}

#[test]
fn documents_with_programs_are_refused() {
    for name in ["word/run.js", "a.VBS", "word/embeddings/setup.exe", "word/x.php"] {
        assert_eq!(examined(docx_with(name, "x"), DOCX), Err(Refusal::Programs), "{name}");
    }
    let vba = DOCUMENT_TYPES.replace("application/xml", "application/vnd.ms-office.vbaProject");
    let entries = [("[Content_Types].xml", vba.as_str()), ("word/vbaProject.xml", "x"), ("word/document.xml", DOCUMENT)];
    assert_eq!(examined(archive(&entries), DOCX), Err(Refusal::Programs));
    assert_eq!(examined(odt_with("Basic/Standard/Module1.xml"), ODT), Err(Refusal::Programs));
    assert_eq!(examined(odt_with("Scripts/python/run"), ODT), Err(Refusal::Programs));
    let doc = compound(&["/WordDocument", "/Macros/VBA/dir"]);
    assert_eq!(examined(doc, "application/msword"), Err(Refusal::Programs));
}

#[test]
fn documents_of_other_offices_are_looked_into() {
    assert_eq!(sniffed(odt_with("Basic/script-lc.xml"), ODT), Some(ODT));
    assert_eq!(sniffed(odt_with("styles.xml"), "application/vnd.oasis.opendocument.spreadsheet"), None);
    assert_eq!(sniffed(archive(&[("mimetype", ODT)]), ODT), None);
    let (doc, xls) = (compound(&["/WordDocument"]), compound(&["/Workbook"]));
    assert_eq!(sniffed(&doc, "application/msword"), Some("application/msword"));
    assert_eq!(sniffed(&xls, "application/vnd.ms-excel"), Some("application/vnd.ms-excel"));
    assert_eq!(sniffed(&xls, "application/msword"), None);
    // An installer is such a file too.
    assert_eq!(sniffed(compound(&["/Binary.x"]), "application/msword"), None);
    assert_eq!(sniffed(&doc[..600], "application/msword"), None);
}

#[test]
fn bombs_cost_nothing() {
    let large = "<".repeat(8 * 1024 * 1024);
    assert_eq!(sniffed(archive(&[("[Content_Types].xml", &large), ("word/document.xml", DOCUMENT)]), DOCX), None);
    assert_eq!(sniffed(docx_with("word/large.xml", &large), DOCX), Some(DOCX));
    let names: Vec<String> = (0..10_001).map(|number| format!("word/{number}.xml")).collect();
    let mut entries = vec![("[Content_Types].xml", DOCUMENT_TYPES), ("word/document.xml", DOCUMENT)];
    entries.extend(names.iter().map(|name| (name.as_str(), "")));
    assert_eq!(sniffed(archive(&entries), DOCX), None);
    // An archive that claims to be 4 GB when unpacked.
    let mut claim = docx_with("word/large.xml", "<x/>");
    let entry = claim.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    claim[entry + 24..entry + 28].copy_from_slice(&0xFFFF_FFFE_u32.to_le_bytes());
    assert_eq!(sniffed(claim, DOCX), None);
    // One that claims to have a thousand million entries.
    let mut counted = docx_with("word/styles.xml", "<x/>");
    let end = counted.len() - 22;
    let place = (end as u64).to_le_bytes();
    let record = [
        &b"PK\x06\x06"[..],
        &44_u64.to_le_bytes(),
        &[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &1_000_000_000_u64.to_le_bytes(),
        &1_000_000_000_u64.to_le_bytes(),
        &46_000_000_000_u64.to_le_bytes(),
        &0_u64.to_le_bytes(),
    ]
    .concat();
    let locator = [&b"PK\x06\x07"[..], &[0; 4], &place, &[1, 0, 0, 0]].concat();
    counted.splice(end..end, [record, locator].concat());
    assert_eq!(sniffed(counted, DOCX), None);
    // A table of contents without end.
    let endless = [b"PK\x03\x04".to_vec(), b"PK\x01\x02".repeat(2 * 1024 * 1024), b"PK\x05\x06\0\0\0\0\xFF\xFF\xFF\xFF".to_vec()];
    assert_eq!(sniffed(endless.concat(), DOCX), None);
}

#[test]
fn text_is_neither_markup_nor_script_nor_binary() {
    assert_eq!(sniffed("nome;telefone\nJoão;11", "text/csv"), Some("text/csv"));
    assert_eq!(sniffed(b"nome;cidade\nJo\xE3o;S\xE3o Paulo", "application/vnd.ms-excel"), Some("text/csv"));
    assert_eq!(sniffed(b"BM is not only a bitmap", "text/plain"), Some("text/plain"));
    assert_eq!(sniffed("<3 <nome> <br>", "text/plain"), Some("text/plain"));
    for refused in [
        "<!DOCTYPE html><p>",
        "  <HTML>",
        "\u{feff}<svg xmlns",
        "<?xml version",
        "#!/bin/sh\n",
        "<ScRiPt>",
        "<a href=x>",
        "a\0b",
        "",
        "notas\n<?PHP system($_GET[0]);",
        "fim <?= `id` ?>",
        "oi <script src=x>",
    ] {
        assert_eq!(sniffed(refused, "text/plain"), None, "{refused:?}");
        if !refused.starts_with('\u{feff}') {
            assert_eq!(sniffed(wide(refused, u16::to_le_bytes), "text/plain"), None, "{refused:?}");
            assert_eq!(sniffed(wide(refused, u16::to_be_bytes), "text/plain"), None, "{refused:?}");
        }
    }
}

fn wide(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(order).collect()
}

#[test]
fn text_may_be_wide_where_its_mark_says_so() {
    let text = "nome;telefone\nJoão;11\n".repeat(CHUNK / 10);
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes = wide(&text, order);
        assert_eq!(sniffed(&bytes, "text/csv"), Some("text/csv"));
        assert_eq!(sniffed(&bytes[2..], "text/csv"), None, "without its mark it is full of zeros");
        assert_eq!(sniffed(&bytes[..bytes.len() - 1], "text/csv"), None, "half a sign");
        assert_eq!(sniffed(wide(&format!("{text}<script src=x>"), order), "text/csv"), None);
    }
}

#[test]
fn text_is_read_to_its_end() {
    for (filler, ending) in [(CHUNK - 3, "<?php"), (CHUNK * 3 + 5, "\0"), (CHUNK - 6, "<SCRIPT"), (256 * 1024 + 1, "<?=")] {
        let text = format!("{}{ending}", "a".repeat(filler));
        assert_eq!(sniffed(&text, "text/plain"), None, "{filler} and {ending:?}");
        assert_eq!(sniffed(&text[..filler], "text/plain"), Some("text/plain"));
    }
}

#[test]
fn what_runs_is_refused_whatever_it_claims() {
    let programs: [&[u8]; 3] = [b"MZ\x90\0\x03\0\0\0\x04\0", b"\x7FELF\x02\x01\x01\0\0\0", b"#!/bin/sh\necho"];
    for program in programs {
        for known in TYPES {
            assert_eq!(sniffed(program, known.mime_type), None, "{}", known.mime_type);
        }
    }
}

/// Something of every kind that is looked into.
fn specimens() -> [Vec<u8>; 5] {
    [
        docx_with("word/styles.xml", "<x/>"),
        odt_with("styles.xml"),
        compound(&["/WordDocument", "/Workbook", "/PowerPoint Document"]),
        b"%PDF-1.7\n%%EOF".to_vec(),
        b"nome;telefone\n".to_vec(),
    ]
}

proptest! {
    #[test]
    fn what_is_found_is_of_the_declared_kind(bytes: Vec<u8>, index in 0..TYPES.len()) {
        let declared = &TYPES[index];
        if let Ok(facts) = examine(&mut Cursor::new(bytes), declared.mime_type) {
            prop_assert!(is_same_family(declared.kind, facts.file_type.kind));
        }
    }

    #[test]
    fn looking_at_archives_and_media_never_panics(start in 0_usize..6, rest: Vec<u8>, index in 0..TYPES.len()) {
        let starts: [&[u8]; 6] =
            [b"PK\x03\x04", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", b"\0\0\0\0ftyp", b"OggS", b"\x1A\x45\xDF\xA3", b"RIFF"];
        let bytes = [starts[start], &rest].concat();
        let _ = sniffed(&bytes, TYPES[index].mime_type);
        let _ = image_size(&bytes);
        let _ = audio_duration(&mut Cursor::new(bytes));
    }

    #[test]
    fn looking_into_spoiled_files_never_panics(
        specimen in 0_usize..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        index in 0..TYPES.len(),
    ) {
        let mut bytes = specimens()[specimen].clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let declared = &TYPES[index];
        if let Ok(facts) = examine(&mut Cursor::new(bytes), declared.mime_type) {
            prop_assert!(is_same_family(declared.kind, facts.file_type.kind));
        }
    }
}
