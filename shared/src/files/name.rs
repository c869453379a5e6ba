//! Names of files: kept for people, safe for headers and disks.

use std::fmt::Write;

use crate::text::is_hidden;

/// Characters kept of a name.
const LONGEST_NAME: usize = 200;

/// The name of a file that has none left.
const NAMELESS: &str = "arquivo";

/// A name without folders, control or invisible characters and dots around it, of at most 200 characters, its extension kept.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|character| !character.is_control() && !is_hidden(*character)).collect();
    let is_trimmed = |character: char| character == '.' || character.is_whitespace();
    let name = visible.trim_matches(is_trimmed);
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    let length = name.chars().count();
    if length <= LONGEST_NAME {
        return name.to_owned();
    }
    let extension = extension(name).filter(|extension| extension.len() <= 10).unwrap_or_default();
    let kept = LONGEST_NAME - extension.chars().count() - usize::from(!extension.is_empty());
    let mut short = name.chars().take(kept).collect::<String>().trim_end_matches(is_trimmed).to_owned();
    if !extension.is_empty() {
        short.push('.');
        short.push_str(extension);
    }
    short
}

/// What follows the last dot.
pub(super) fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

/// The header `Content-Disposition` of RFC 6266, with the name for old readers and, in UTF-8, for others.
#[must_use]
pub fn content_disposition(name: &str, inline: bool) -> String {
    let name = clean_name(name);
    let disposition = if inline { "inline" } else { "attachment" };
    let plain = name.chars().map(|character| match character {
        '"' | '\\' | '%' | ';' => '_',
        ' '..='~' => character,
        _ => '_',
    });
    let mut header = format!("{disposition}; filename=\"{}\"; filename*=UTF-8''", plain.collect::<String>());
    for byte in name.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte);
        let _ = if is_plain { write!(header, "{}", char::from(byte)) } else { write!(header, "%{byte:02X}") };
    }
    header
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folders_hidden_characters_and_leading_dots_go() {
        for (name, clean) in [
            ("foto.jpg", "foto.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\fakepath\\Relatório final.pdf", "Relatório final.pdf"),
            (" ..env ", "env"),
            ("a\u{0}b\r\n.txt", "ab.txt"),
            ("foto\u{202e}gpj.exe", "fotogpj.exe"),
            ("bo\u{200b}le\u{ad}to\u{feff}.pdf\u{2069}", "boleto.pdf"),
            ("", NAMELESS),
            ("../..", NAMELESS),
            ("a/", NAMELESS),
        ] {
            assert_eq!(clean_name(name), clean, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = clean_name(&format!("{}.docx", "á".repeat(300)));
        assert_eq!(name.chars().count(), LONGEST_NAME);
        assert!(name.ends_with("á.docx"));
    }

    #[test]
    fn headers_carry_the_name_twice() {
        assert_eq!(
            content_disposition("Relatório \"1\".pdf", false),
            "attachment; filename=\"Relat_rio _1_.pdf\"; filename*=UTF-8''Relat%C3%B3rio%20%221%22.pdf"
        );
        assert!(content_disposition("a.png", true).starts_with("inline; filename=\"a.png\"; "));
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_safe_name(text: String) {
            let name = clean_name(&text);
            prop_assert!((1..=LONGEST_NAME).contains(&name.chars().count()));
            prop_assert!(!name.starts_with('.') && !name.contains(['/', '\\']));
            prop_assert!(!name.chars().any(char::is_control) && !crate::text::has_hidden_characters(&name));
            prop_assert_eq!(clean_name(&name), name);
        }

        #[test]
        fn no_name_leaves_its_header(text: String) {
            let header = content_disposition(&text, false);
            prop_assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(header.matches('"').count(), 2);
            prop_assert_eq!(header.matches(';').count(), 2);
        }
    }
}
