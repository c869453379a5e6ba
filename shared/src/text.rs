//! Text that people read: characters that nobody sees have no place in a name.

use serde_json::Value;

/// Control characters that no text may have, and what the gateway puts in place of bytes that are no UTF-8.
macro_rules! refused {
    () => {
        r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffd"
    };
}

/// What texts are trimmed of.
macro_rules! blank {
    () => {
        r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    };
}

/// What `is_hidden` finds, and lines: names have one.
macro_rules! hidden {
    () => {
        concat!(
            r"\u0009\u000a\u000d\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e",
            r"\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb",
            "\u{e0000}-\u{e01ef}"
        )
    };
}

/// The classes of characters that names of files leave out.
pub(crate) const UNSEEN: &str = concat!(refused!(), hidden!());
pub(crate) const BLANK: &str = blank!();

/// Texts of any length.
pub(crate) const TEXT: &str = concat!("^[^", refused!(), "]*$");

/// Texts that must say something: trimmed, they are as long as they were.
pub(crate) const WORDS: &str = concat!("^[^", refused!(), blank!(), "]([^", refused!(), "]*[^", refused!(), blank!(), "])?$");

/// Names that people read, for `#[schemars(regex(pattern = VISIBLE))]` beside the rule `visible`.
pub const VISIBLE: &str = concat!(
    "^[^",
    refused!(),
    blank!(),
    hidden!(),
    "]([^",
    refused!(),
    hidden!(),
    "]*[^",
    refused!(),
    blank!(),
    hidden!(),
    "])?$"
);

/// Small letters without accents, for comparing what people type.
#[must_use]
pub fn unaccented(text: &str) -> String {
    let plain = |letter: char| match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    };
    text.to_lowercase().chars().map(plain).collect()
}

/// Whether a character shows nothing of itself, or changes the order or the joining of those around it: zero-width and soft-hyphen
/// characters, directions, joiners, invisible operators and letters, annotations, tags, the empty Braille pattern, and line and
/// paragraph separators.
/// Control characters are another matter: they are refused everywhere.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{00ad}'
            | '\u{034f}'
            | '\u{061c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e01ef}'
    )
}

/// A text as it is read: without what nobody sees, with wide letters, figures of other writings and other dots as those that they are read as.
#[must_use]
pub fn folded(text: &str) -> String {
    text.chars().filter(|character| !is_hidden(*character)).map(as_read).collect()
}

/// Where the figures of other writings begin.
const ZEROS: [u32; 17] =
    [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040, 0x17e0];

fn as_read(character: char) -> char {
    let code = u32::from(character);
    let figure = || ZEROS.iter().map(|zero| code.wrapping_sub(*zero)).find(|figure| *figure < 10);
    let plain = match code {
        0..0x660 => None,
        0x3002 | 0xff61 | 0x2024 => Some(u32::from('.')),
        0xff01..=0xff5e => Some(code - 0xfee0),
        0x2460..=0x2468 => Some(code - 0x2460 + u32::from('1')),
        0x2010..=0x2015 => Some(u32::from('-')),
        _ => figure().map(|figure| figure + u32::from('0')),
    };
    plain.and_then(char::from_u32).unwrap_or(character)
}

/// What a stranger's server has written, as it is kept and told: without what no text may have.
#[must_use]
pub fn told(text: &str) -> String {
    text.chars().filter(|character| !is_refused(*character)).collect()
}

/// The same of all texts of a value, and of its names.
#[must_use]
pub fn told_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(told(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(told_value).collect()),
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(name, item)| (told(&name), told_value(item))).collect()),
        other => other,
    }
}

/// Whether a text carries what none may: control characters but those of lines and columns, and what stands for a sign that was lost.
#[must_use]
pub fn has_control_characters(text: &str) -> bool {
    text.chars().any(is_refused)
}

fn is_refused(character: char) -> bool {
    (character.is_control() || character == char::REPLACEMENT_CHARACTER) && !matches!(character, '\n' | '\r' | '\t')
}

/// Whether a name carries characters that nobody sees: two that look alike would not be alike, or it would read otherwise than it is.
#[must_use]
pub fn has_hidden_characters(text: &str) -> bool {
    text.chars().any(is_hidden)
}

/// Postgres stores no NUL: what came with one, be it an id, is kept with a replacement character.
#[must_use]
pub fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, item)| (name.replace('\0', "\u{fffd}"), without_nul(item))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Whether a class, as the patterns write them, has a character.
    fn has(class: &str, character: char) -> bool {
        let mut rest = class;
        let mut one = || {
            let (found, after) = match rest.strip_prefix("\\u") {
                Some(after) => (char::from_u32(u32::from_str_radix(&after[..4], 16).unwrap()).unwrap(), &after[4..]),
                None => (rest.chars().next()?, &rest[rest.chars().next()?.len_utf8()..]),
            };
            rest = after;
            Some(found)
        };
        let mut found = false;
        let mut last = None;
        while let Some(next) = one() {
            if let (Some(from), '-') = (last, next) {
                found |= (from..=one().unwrap()).contains(&character);
                last = None;
            } else {
                found |= next == character;
                last = Some(next);
            }
        }
        found
    }

    #[test]
    fn patterns_exclude_what_the_rules_refuse() {
        for character in '\0'..=char::MAX {
            let is_line = matches!(character, '\n' | '\r' | '\t');
            let is_refused = character.is_control() && !is_line || character == char::REPLACEMENT_CHARACTER;
            assert_eq!(has(refused!(), character), is_refused, "{character:?}");
            assert_eq!(has(hidden!(), character), is_line || is_hidden(character), "{character:?}");
            assert_eq!(has(blank!(), character), character.is_whitespace(), "{character:?}");
        }
    }

    #[test]
    fn nul_is_replaced_wherever_it_is() {
        assert_eq!(without_nul(json!({"a\0": ["b\0", {"c": "\0"}]})), json!({"a\u{fffd}": ["b\u{fffd}", {"c": "\u{fffd}"}]}));
    }

    #[test]
    fn what_strangers_write_is_told_without_what_no_text_may_have() {
        assert_eq!(told_value(json!({"a\0": ["b\u{7}\u{1b}[31m\n", 1]})), json!({"a": ["b[31m\n", 1]}));
    }

    #[test]
    fn a_text_is_read_as_it_looks() {
        assert_eq!(folded("ｇｏｌｐｅ．ｃｏｍ a。b․c 529.\u{200b}982 ٥٢٩ ５ ① ção"), "golpe.com a.b.c 529.982 529 5 1 ção");
    }

    #[test]
    fn names_of_people_everywhere_are_visible() {
        for name in ["João d'Ávila", "Nguyễn Thị", "王小明", "محمد", "Ångström 2", "Loja ❤️ & Cia.", "a\u{301}", ""]
        {
            assert!(!has_hidden_characters(name), "{name:?}");
        }
    }

    #[test]
    fn zero_width_and_direction_characters_are_found_wherever_they_are() {
        let all = "\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200f}\u{2028}\u{202e}\u{2060}\u{2069}\u{3164}\u{feff}\u{fffb}\u{e0001}\u{e007f}";
        for hidden in all.chars() {
            for text in [format!("{hidden}Ana"), format!("A{hidden}na"), format!("Ana{hidden}")] {
                assert!(has_hidden_characters(&text), "{hidden:?}");
            }
        }
    }
}
