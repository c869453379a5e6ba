//! A value inside a request together with the name Meta gives its place in error messages.

use serde_json::Value;

use super::errors::GraphError;

/// Bound for what has no documented limit of its own.
pub(super) const LONG: usize = 4096;

/// For example `interactive['action']['buttons'][0]`.
#[derive(Clone, Debug)]
pub(super) struct Parameter<'a> {
    pub value: &'a Value,
    pub path: String,
}

impl<'a> Parameter<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// `None` when absent or null.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self { value, path: self.path_of(key) })
    }

    pub(super) fn require(&self, key: &str) -> Result<Self, GraphError> {
        self.get(key).ok_or_else(|| {
            let missing = format!("The parameter {} is required.", self.path_of(key));
            if self.path.is_empty() { GraphError::invalid(missing) } else { GraphError::new(131_008, missing) }
        })
    }

    /// A required object.
    pub(super) fn object(&self, key: &str) -> Result<Self, GraphError> {
        let found = self.require(key)?;
        if found.value.is_object() { Ok(found) } else { Err(found.must("be a JSON object.")) }
    }

    /// A required string of 1 to `most` characters.
    pub(super) fn text(&self, key: &str, most: usize) -> Result<&'a str, GraphError> {
        let found = self.require(key)?;
        let text = found.value.as_str().ok_or_else(|| found.must("be a string."))?;
        if text.is_empty() {
            return Err(found.must("be non-empty."));
        }
        if text.chars().count() > most {
            return Err(found.must(&format!("be at most {most} characters long.")));
        }
        Ok(text)
    }

    pub(super) fn optional_text(&self, key: &str, most: usize) -> Result<Option<&'a str>, GraphError> {
        if self.get(key).is_some() { self.text(key, most).map(Some) } else { Ok(None) }
    }

    pub(super) fn optional_flag(&self, key: &str) -> Result<bool, GraphError> {
        match self.get(key) {
            None => Ok(false),
            Some(found) => found.value.as_bool().ok_or_else(|| found.must("be a boolean.")),
        }
    }

    /// A required number; a string that holds one is tolerated.
    pub(super) fn number(&self, key: &str) -> Result<f64, GraphError> {
        let found = self.require(key)?;
        found.value.as_f64().or_else(|| found.value.as_str()?.parse().ok()).ok_or_else(|| found.must("be a number."))
    }

    /// A required array of 1 to `most` elements.
    pub(super) fn list(&self, key: &str, most: usize) -> Result<Vec<Self>, GraphError> {
        let found = self.require(key)?;
        let elements = found.value.as_array().ok_or_else(|| found.must("be an array."))?;
        if elements.is_empty() || elements.len() > most {
            return Err(found.must(&format!("have between 1 and {most} elements.")));
        }
        let place = |(index, value)| Self { value, path: format!("{}[{index}]", found.path) };
        Ok(elements.iter().enumerate().map(place).collect())
    }

    pub(super) fn only(&self, keys: &[&str]) -> Result<(), GraphError> {
        let Some(object) = self.value.as_object() else {
            return Err(self.must("be a JSON object."));
        };
        match object.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) if self.path.is_empty() => Err(GraphError::invalid(format!("Invalid parameter: unexpected key \"{key}\""))),
            Some(key) => Err(GraphError::invalid(format!("Unexpected key \"{key}\" on param \"{}\".", self.path))),
            None => Ok(()),
        }
    }

    pub(super) fn one_of(&self, key: &str, allowed: &[&str]) -> Result<&'a str, GraphError> {
        let found = self.require(key)?;
        found
            .value
            .as_str()
            .filter(|text| allowed.contains(text))
            .ok_or_else(|| found.must(&format!("be one of {{{}}} - got {}.", allowed.join(", "), found.value)))
    }

    pub(super) fn must(&self, rule: &str) -> GraphError {
        let message = format!("Param {} must {rule}", self.path);
        // Meta answers 131009 for what is inside interactive messages and 100 elsewhere.
        if self.path.starts_with("interactive[") { GraphError::new(131_009, message) } else { GraphError::invalid(message) }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}['{key}']", self.path) }
    }
}
