//! Text that people read: characters that nobody sees have no place in a name.

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

/// Whether a name carries characters that nobody sees: two that look alike would not be alike, or it would read otherwise than it is.
#[must_use]
pub fn has_hidden_characters(text: &str) -> bool {
    text.chars().any(is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

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
