//! Files named by a URL: only our own can be sent, and each of them is a file of this company.

use shared::{environment::optional_variable, prelude::*};

/// The file behind the URL of one of our downloads, whole or without the host, or its bare id. `None` for any other URL.
pub fn file_of(url: &str) -> Option<Uuid> {
    file_at(url, optional_variable("PUBLIC_API_URL").as_deref())
}

fn file_at(url: &str, api: Option<&str>) -> Option<Uuid> {
    if let Ok(id) = url.parse() {
        return Some(id);
    }
    let path = if url.starts_with('/') { url } else { url.strip_prefix(api?.trim_end_matches('/'))? };
    let path = path.split(['?', '#']).next()?;
    let path = path.strip_prefix("/api/v1").or_else(|| path.strip_prefix("/api")).unwrap_or(path);
    path.strip_prefix("/storage/download/")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_files_are_named_by_a_url() {
        let id = Uuid::from_u128(7);
        let api = Some("https://api.example.com/");
        let ours = [
            format!("{id}"),
            format!("/storage/download/{id}"),
            format!("/api/v1/storage/download/{id}?inline=true"),
            format!("https://api.example.com/storage/download/{id}"),
            format!("https://api.example.com/api/storage/download/{id}#top"),
        ];
        for url in ours {
            assert_eq!(file_at(&url, api), Some(id), "{url}");
        }
        let foreign = [
            format!("https://example.org/storage/download/{id}"),
            format!("https://api.example.com.example.org/storage/download/{id}"),
            format!("//example.org/storage/download/{id}"),
            format!("/storage/{id}"),
            "https://api.example.com/storage/download/x".to_owned(),
            "https://api.example.com".to_owned(),
            String::new(),
        ];
        for url in foreign {
            assert_eq!(file_at(&url, api), None, "{url}");
        }
        assert_eq!(file_at(&format!("https://api.example.com/storage/download/{id}"), None), None);
    }
}
