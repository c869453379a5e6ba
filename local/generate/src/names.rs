//! One name everywhere: how a binary's name becomes a logical id, and a path the API that serves it.

use anyhow::{Result, ensure};

/// `create_lead` as `CreateLead`.
pub fn logical_id(binary: &str) -> String {
    binary.split('_').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// One of the three HTTP APIs, which share a domain by their base paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    App,
    Widget,
    Hooks,
}

impl Api {
    pub const ALL: [Self; 3] = [Self::App, Self::Widget, Self::Hooks];

    /// The API that serves `path`; the same rule as `shared::http::Route::api`.
    pub fn of(path: &str) -> Self {
        Self::ALL.into_iter().rev().find(|api| path.starts_with(&format!("{}/", api.base_path()))).unwrap_or(Self::App)
    }

    /// The prefix that its mapping adds, and so its own paths lack.
    pub fn base_path(self) -> &'static str {
        match self {
            Self::App => "",
            Self::Widget => "/widget",
            Self::Hooks => "/webhooks",
        }
    }

    /// The block of `template.yaml` with its paths.
    pub fn block(self) -> &'static str {
        match self {
            Self::App => "app-paths",
            Self::Widget => "widget-paths",
            Self::Hooks => "hooks-paths",
        }
    }
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
    let base = Api::ALL.iter().any(|api| *api != Api::App && api.base_path() == path);
    ensure!(!base, "the path {path} is the base path of another API, which would get its requests");
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
    fn a_path_tells_its_api() {
        assert_eq!(Api::of("/webhooks/whatsapp"), Api::Hooks);
        assert_eq!(Api::of("/widget/config"), Api::Widget);
        assert_eq!(Api::of("/widgets"), Api::App);
        assert_eq!(Api::of("/leads"), Api::App);
    }

    #[test]
    fn paths_that_cannot_be_served_are_refused() {
        for path in ["leads", "/leads/", "/webhooks", "/a/{id}x", "/a//b"] {
            assert!(check_path(path).is_err(), "{path}");
        }
        for path in ["/leads", "/leads/{id}/notes/{note_id}", "/webhooks/whatsapp"] {
            assert!(check_path(path).is_ok(), "{path}");
        }
    }
}
