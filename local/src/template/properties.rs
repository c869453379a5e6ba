//! The properties of a resource, resolved as they are read.

use anyhow::{Context as _, Result, anyhow};
use serde_json::Value as Json;

use super::resolve::{Resolver, intrinsic, text_of};

/// The properties of one resource, not yet resolved.
pub(super) struct Properties<'a> {
    pub id: &'a str,
    pub values: Json,
    pub resolver: &'a Resolver,
}

impl Properties<'_> {
    /// The resolved value at a path such as `RedrivePolicy.maxReceiveCount`.
    pub fn get(&self, path: &str) -> Result<Option<Json>> {
        self.raw(path)?.map(|value| self.resolver.resolve(value).with_context(|| self.place(path))).transpose()
    }

    /// The unresolved value at a path. No intrinsic function may stand above it.
    pub fn raw(&self, path: &str) -> Result<Option<&Json>> {
        let mut value = &self.values;
        for part in path.split('.') {
            if let Some((name, _)) = value.as_object().and_then(intrinsic) {
                return Err(anyhow!("{name} cannot stand for a whole section here")).context(self.place(path));
            }
            match value.get(part) {
                Some(inner) => value = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(value))
    }

    pub fn text(&self, path: &str) -> Result<Option<String>> {
        self.get(path)?.map(|value| text_of(&value).with_context(|| format!("{}: not text", self.place(path)))).transpose()
    }

    pub fn number(&self, path: &str) -> Result<Option<f64>> {
        let Some(text) = self.text(path)? else {
            return Ok(None);
        };
        text.parse().map(Some).with_context(|| format!("{}: {text:?} is not a number", self.place(path)))
    }

    pub fn whole(&self, path: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(path)? else {
            return Ok(None);
        };
        text.parse().map(Some).with_context(|| format!("{}: {text:?} is not a whole number", self.place(path)))
    }

    pub fn flag(&self, path: &str) -> Result<bool> {
        Ok(self.text(path)?.is_some_and(|text| text == "true"))
    }

    pub fn texts(&self, path: &str) -> Result<Vec<String>> {
        Ok(match self.get(path)? {
            Some(Json::Array(items)) => items.iter().filter_map(text_of).collect(),
            Some(one) => text_of(&one).into_iter().collect(),
            None => Vec::new(),
        })
    }

    pub fn place(&self, path: &str) -> String {
        format!("resource {}, property {path}", self.id)
    }

    /// All of them.
    pub fn all(&self) -> Result<Json> {
        let values = self.values.as_object().into_iter().flatten();
        values.map(|(key, value)| Ok((key.clone(), self.resolver.resolve(value).with_context(|| self.place(key))?))).collect()
    }
}

/// SAM's rule: maps are merged, lists are joined, everything else is replaced.
pub(super) fn merge(global: Option<Json>, own: Json) -> Json {
    match (global, own) {
        (Some(Json::Object(global)), Json::Object(own)) if intrinsic(&global).is_none() && intrinsic(&own).is_none() => {
            let mut merged = global;
            for (key, value) in own {
                let value = merge(merged.remove(&key), value);
                merged.insert(key, value);
            }
            Json::Object(merged)
        }
        (Some(Json::Array(mut global)), Json::Array(own)) => {
            global.extend(own);
            Json::Array(global)
        }
        (_, own) => own,
    }
}
