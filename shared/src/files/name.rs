//! Names of files: kept for people, safe for headers and disks.

use std::fmt::Write;

use crate::text::is_hidden;

/// Characters kept of a name.
const LONGEST_NAME: usize = 200;

/// The name of a file that has none left.
const NAMELESS: &str = "arquivo";

/// Names that Windows takes for devices, whatever follows their first dot.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// A name that is the same on every system: without folders, control or invisible characters, signs that some file system has a use
/// for, device names, and dots around it; of at most 200 characters, its extension kept.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = last.chars().filter(|character| !character.is_control() && !is_hidden(*character));
    // A colon would begin a stream of the file before it.
    let plain: String = visible.map(|character| if "<>:\"|?*".contains(character) { '_' } else { character }).collect();
    let name = plain.trim_matches(is_trimmed);
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    let short = shortened(name);
    if is_device(&short) { shortened(&format!("_{short}")) } else { short }
}

fn is_trimmed(character: char) -> bool {
    character == '.' || character.is_whitespace()
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
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

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = ["COM", "LPT"].iter().find_map(|port| stem.strip_prefix(port));
    DEVICES.contains(&stem.as_str())
        || numbered.is_some_and(|number| number.chars().count() == 1 && "0123456789¹²³".contains(number))
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
            ("a.exe::$DATA", "a.exe__$DATA"),
            ("boleto 12:30 <1>.pdf", "boleto 12_30 _1_.pdf"),
            ("nota.exe. .", "nota.exe"),
            ("con", "_con"),
            ("Aux .tar.gz", "_Aux .tar.gz"),
            ("LPT1.pdf", "_LPT1.pdf"),
            ("com¹.txt", "_com¹.txt"),
            ("conta.pdf", "conta.pdf"),
            ("com10.txt", "com10.txt"),
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
            "attachment; filename=\"Relat_rio _1_.pdf\"; filename*=UTF-8''Relat%C3%B3rio%20_1_.pdf"
        );
        assert!(content_disposition("a.png", true).starts_with("inline; filename=\"a.png\"; "));
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_safe_name(text: String) {
            let name = clean_name(&text);
            prop_assert!((1..=LONGEST_NAME).contains(&name.chars().count()));
            prop_assert!(!name.starts_with('.') && !name.contains(['/', '\\', ':', '"', '|']) && !is_device(&name));
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
