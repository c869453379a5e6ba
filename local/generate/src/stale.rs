//! Where a file differs from what it should be.

/// The first line that differs, for people; `None` when the texts are equal.
pub fn first_difference(current: &str, wanted: &str) -> Option<String> {
    if current == wanted {
        return None;
    }
    let (mut have, mut want) = (current.lines(), wanted.lines());
    for number in 1.. {
        match (have.next(), want.next()) {
            (None, None) => return Some("Only its line ends differ.".to_owned()),
            (have, want) if have == want => {}
            (have, want) => {
                return Some(format!("First difference, line {number}: has {}, should have {}", shown(have), shown(want)));
            }
        }
    }
    None
}

fn shown(line: Option<&str>) -> String {
    line.map_or_else(|| "nothing".to_owned(), |line| format!("`{}`", line.trim().chars().take(120).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        let told = first_difference("a\nb\n", "a\nc\n").unwrap_or_default();
        assert!(told.contains("line 2") && told.contains("`b`") && told.contains("`c`"), "{told}");
        assert!(first_difference("", "a\n").is_some());
        assert!(first_difference("a", "a\n").is_some());
    }
}
