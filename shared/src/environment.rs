//! Names and URLs that the template gives a function in its environment.

/// A variable of the function's environment, set by the template.
///
/// # Panics
/// When the template does not set it: the function must not work half configured.
#[must_use]
pub fn variable(name: &str) -> String {
    optional_variable(name).unwrap_or_else(|| panic!("the environment variable {name} is not set"))
}

/// A variable that the template sets, to nothing where the stage does not want what it is for.
///
/// # Panics
/// When the template does not set it at all: a function that has not said that it reads it must not take that for nothing.
#[must_use]
pub fn variable_or_nothing(name: &str) -> Option<String> {
    let value = std::env::var(name).unwrap_or_else(|_| panic!("the environment variable {name} is not set"));
    Some(value).filter(|value| !value.is_empty())
}

/// A variable that may be absent or empty.
#[must_use]
pub fn optional_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
