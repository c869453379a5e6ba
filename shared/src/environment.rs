//! Names and URLs that the template gives a function in its environment.

/// A variable of the function's environment, set by the template.
///
/// # Panics
/// When the template does not set it: the function must not start half configured.
#[must_use]
pub fn variable(name: &str) -> String {
    optional_variable(name).unwrap_or_else(|| panic!("the environment variable {name} is not set"))
}

/// A variable that may be absent or empty.
#[must_use]
pub fn optional_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
