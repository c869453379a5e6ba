//! Fields of which a change says nothing, that they are to be empty, or what they are to be.

use serde::Deserializer;
use shared::{prelude::*, rule};

/// What a change says of a field that may be empty: null clears it. With `#[serde(default)]`, a field that is not there is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    #[default]
    Kept,
    Cleared,
    Set(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|value: Option<T>| value.map_or(Self::Cleared, Self::Set))
    }
}

impl<T: Validate> Validate for Given<T> {
    type Context = T::Context;

    fn validate_into(&self, context: &Self::Context, parent: &mut dyn FnMut() -> garde::Path, report: &mut garde::Report) {
        if let Self::Set(value) = self {
            value.validate_into(context, parent, report);
        }
    }
}

impl<T> Given<T> {
    /// The value from now on.
    pub fn after(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Kept => current,
            Self::Cleared => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The value from now on, of another type than what is given.
    pub fn after_as<U>(self, current: Option<U>, read: impl FnOnce(T) -> U) -> Option<U> {
        match self {
            Self::Kept => current,
            Self::Cleared => None,
            Self::Set(value) => Some(read(value)),
        }
    }

    /// The value that is set, if one is.
    pub fn set(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Kept | Self::Cleared => None,
        }
    }
}

/// The rule of a text that is at most this long, for `#[garde(custom(…))]`.
pub fn at_most(most: usize) -> impl FnOnce(&Given<String>, &()) -> garde::Result {
    move |given, ()| {
        if given.set().is_none_or(|text| text.chars().count() <= most) {
            return Ok(());
        }
        let (portuguese, english) = (format!("Use até {most} caracteres."), format!("Use at most {most} characters."));
        Err(rule("too_long", &portuguese, &english))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Change {
        #[serde(default)]
        text: Given<String>,
    }

    fn read(value: Value) -> Given<String> {
        serde_json::from_value::<Change>(value).unwrap().text
    }

    #[test]
    fn null_clears_and_nothing_keeps() {
        let current = || Some("antes".to_owned());
        assert_eq!(read(json!({})).after(current()), current());
        assert_eq!(read(json!({"text": null})).after(current()), None);
        assert_eq!(read(json!({"text": "depois"})).after(current()).as_deref(), Some("depois"));
        assert!(serde_json::from_value::<Change>(json!({"text": 7})).is_err());
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert!(at_most(3)(&Given::Set("ção".to_owned()), &()).is_ok());
        assert!(at_most(2)(&Given::Set("ção".to_owned()), &()).is_err());
        assert!(at_most(2)(&Given::Cleared, &()).is_ok());
    }
}
