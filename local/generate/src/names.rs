//! One name everywhere: how a binary's name becomes a logical id, and what a path may be.

use anyhow::{Result, ensure};

/// `create_lead` as `CreateLead`.
pub fn logical_id(binary: &str) -> String {
    binary.split('_').map(capitalised).collect()
}

pub fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Names in braces, in order.
pub fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// Refuses what API Gateway would.
pub fn check_path(path: &str) -> Result<()> {
    let is_segment = |part: &str| {
        let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(part);
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:_-".contains(&byte))
    };
    let is_valid = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment));
    ensure!(is_valid, "the path {path} is not one that API Gateway takes");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_binary() {
        assert_eq!(logical_id("create_lead"), "CreateLead");
        assert_eq!(logical_id("get_me"), "GetMe");
    }

    #[test]
    fn paths_that_cannot_be_served_are_refused() {
        for path in ["leads", "/leads/", "/a/{id}x", "/a//b"] {
            assert!(check_path(path).is_err(), "{path}");
        }
        for path in ["/leads", "/leads/{id}/notes/{note_id}", "/webhooks/whatsapp"] {
            assert!(check_path(path).is_ok(), "{path}");
        }
    }
}
