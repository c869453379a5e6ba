//! What is taken for what.

use proptest::prelude::*;

use super::*;

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

fn sniffed(bytes: &[u8], declared: &str) -> Option<&'static str> {
    sniff(bytes, declared).map(|found| found.mime_type)
}

#[test]
fn types_are_known_by_their_aliases_and_with_parameters() {
    assert_eq!(accepted("audio/ogg; codecs=opus").map(|known| known.mime_type), Some("audio/ogg"));
    assert_eq!(accepted("IMAGE/JPG").map(|known| known.mime_type), Some("image/jpeg"));
    for refused in ["image/svg+xml", "text/html", "application/x-msdownload", "application/octet-stream", "application/zip", ""] {
        assert_eq!(accepted(refused), None, "{refused}");
    }
}

#[test]
fn bytes_decide_within_the_declared_kind() {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let jpeg = b"\xFF\xD8\xFF\xE0\0\x10JFIF\0";
    assert_eq!(sniffed(png, "image/png"), Some("image/png"));
    assert_eq!(sniffed(jpeg, "image/png"), Some("image/jpeg"));
    assert_eq!(sniffed(jpeg, "image/webp"), Some("image/jpeg"));
    assert_eq!(sniffed(png, "application/pdf"), None);
    assert_eq!(sniffed(b"%PDF-1.7\n", "application/pdf"), Some("application/pdf"));
    assert_eq!(sniffed(b"%PDF-1.7\n", "image/png"), None);
}

#[test]
fn containers_are_what_was_declared_of_them() {
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
fn office_files_are_told_from_other_archives() {
    let docx = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml";
    let jar = b"PK\x03\x04\x14\0\x08\x08\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0META-INF/MANIFEST.MF";
    let odt =
        b"PK\x03\x04\x14\0\0\x08\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument.textPK";
    assert_eq!(sniffed(docx, DOCX), Some(DOCX));
    assert_eq!(sniffed(jar, DOCX), None);
    assert_eq!(sniffed(docx, "text/plain"), None);
    assert_eq!(sniffed(odt, "application/vnd.oasis.opendocument.text"), Some("application/vnd.oasis.opendocument.text"));
    assert_eq!(sniffed(odt, DOCX), None);
    assert_eq!(sniffed(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0", "application/msword"), Some("application/msword"));
}

#[test]
fn text_is_neither_markup_nor_binary() {
    assert_eq!(sniffed("nome;telefone\nJoão;11".as_bytes(), "text/csv"), Some("text/csv"));
    assert_eq!(sniffed(b"nome;cidade\nJo\xE3o;S\xE3o Paulo", "application/vnd.ms-excel"), Some("text/csv"));
    assert_eq!(sniffed(b"BM is not only a bitmap", "text/plain"), Some("text/plain"));
    for refused in
        ["<!DOCTYPE html><p>", "  <HTML>", "\u{feff}<svg xmlns", "<?xml version", "#!/bin/sh\n", "<ScRiPt>", "a\0b", ""]
    {
        assert_eq!(sniffed(refused.as_bytes(), "text/plain"), None, "{refused:?}");
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
    assert!(has_refused_extension("nota.pdf.EXE"));
    assert!(has_refused_extension("logo.svg"));
    assert!(!has_refused_extension("nota.pdf"));
    assert!(!has_refused_extension("blob"));
}

proptest! {
    #[test]
    fn what_is_found_is_of_the_declared_kind(bytes: Vec<u8>, index in 0..TYPES.len()) {
        let declared = &TYPES[index];
        if let Some(found) = sniff(&bytes, declared.mime_type) {
            prop_assert!(is_same_family(declared.kind, found.kind));
        }
    }

    #[test]
    fn looking_at_archives_and_media_never_panics(start in 0_usize..6, rest: Vec<u8>, index in 0..TYPES.len()) {
        let starts: [&[u8]; 6] =
            [b"PK\x03\x04", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", b"\0\0\0\0ftyp", b"OggS", b"\x1A\x45\xDF\xA3", b"RIFF"];
        let bytes = [starts[start], &rest].concat();
        let _ = sniff(&bytes, TYPES[index].mime_type);
        let _ = crate::files::image_size(&bytes);
        let _ = crate::files::audio_duration(&bytes);
    }
}
