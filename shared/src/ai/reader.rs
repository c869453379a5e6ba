//! What a model wrote, as the JSON that it was asked for.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::text::told_value;

/// Reads an object out of an answer: bare, in a fence, or with words around it. `None` where there is none of this type.
#[must_use]
pub fn read<T: DeserializeOwned>(answer: &str) -> Option<T> {
    let answer = answer.trim();
    // What was written as an escape is a sign by now.
    let of_text = |text: &str| {
        let value: Value = serde_json::from_str(text).ok()?;
        serde_json::from_value(told_value(value)).ok()
    };
    if let Some(read) = of_text(answer) {
        return Some(read);
    }
    // What stands before may hold braces, too: the first object that fits counts.
    let starts = answer.match_indices('{').map(|(place, _)| place).take(20);
    starts.filter_map(|start| object_in(&answer[start..])).find_map(of_text)
}

/// From a brace to the one that closes it.
fn object_in(text: &str) -> Option<&str> {
    let (mut depth, mut is_text, mut is_escaped) = (0_u32, false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' if !is_text => depth += 1,
            b'}' if !is_text => {
                depth -= 1;
                if depth == 0 {
                    return Some(&text[..=place]);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Answer {
        text: String,
    }

    #[test]
    fn an_object_is_found_wherever_it_stands() {
        let ola = Some(Answer { text: "ol}á\"".into() });
        for answer in [
            r#"{"text": "ol}á\""}"#,
            "```json\n{\"text\": \"ol}á\\\"\"}\n```",
            r#"{"text": "ol}\u0000á\u0007\""}"#,
            r#"Claro! Aqui está {ver}: {"text": "ol}á\"", "more": 1} Mais alguma coisa?"#,
        ] {
            assert_eq!(read::<Answer>(answer), ola, "{answer}");
        }
        for answer in ["", "olá", "{", "{\"text\": \"a", "[]", "{\"texto\": \"a\"}", "null", "{{{{{{"] {
            assert_eq!(read::<Answer>(answer), None, "{answer}");
        }
    }
}
