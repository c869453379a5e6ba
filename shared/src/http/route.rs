//! A route's declaration: the one place that says where it is reached and what it may fail with.

use std::time::Duration;

use http::Method;

use crate::{Uses, error::Problem};

/// How often a caller may use a route: `most` requests in each `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub most: u32,
    pub window: Duration,
}

/// What a function may reach beyond Postgres, connections, counters and queues. Decides its role in the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// Nothing more.
    Standard,
    /// Signs forms for uploads: may write incoming objects only, so that no form can write anything else.
    Uploads,
    /// Reads the bucket of files, and writes what is kept in it.
    Files,
}

/// The declaration at the top of each route's file.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    /// Second paths of the same function.
    pub aliases: &'static [&'static str],
    pub limit: Option<Limit>,
    pub failures: &'static [Problem],
    pub privilege: Privilege,
    pub uses: Uses,
    /// Bytes of body accepted.
    pub body_limit: usize,
}

/// 600 requests a minute for each user, or 100 for each address on public routes: see `limit`.
const DEFAULT_BODY_LIMIT: usize = 1_000_000;

impl Route {
    const fn new(method: &'static str, path: &'static str) -> Self {
        Self {
            method,
            path,
            aliases: &[],
            limit: None,
            failures: &[],
            privilege: Privilege::Standard,
            uses: Uses::Database,
            body_limit: DEFAULT_BODY_LIMIT,
        }
    }

    #[must_use]
    pub const fn get(path: &'static str) -> Self {
        Self::new("GET", path)
    }

    #[must_use]
    pub const fn post(path: &'static str) -> Self {
        Self::new("POST", path)
    }

    #[must_use]
    pub const fn put(path: &'static str) -> Self {
        Self::new("PUT", path)
    }

    #[must_use]
    pub const fn patch(path: &'static str) -> Self {
        Self::new("PATCH", path)
    }

    #[must_use]
    pub const fn delete(path: &'static str) -> Self {
        Self::new("DELETE", path)
    }

    /// Further paths that reach the same function.
    #[must_use]
    pub const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// Another limit than the default.
    #[must_use]
    pub const fn limit(mut self, most: u32, window: Duration) -> Self {
        self.limit = Some(Limit { most, window });
        self
    }

    /// The problems of its own domain that this route answers.
    #[must_use]
    pub const fn fails(mut self, failures: &'static [Problem]) -> Self {
        self.failures = failures;
        self
    }

    #[must_use]
    pub const fn needs(mut self, privilege: Privilege) -> Self {
        self.privilege = privilege;
        self
    }

    /// For a route that does not use all that most do.
    #[must_use]
    pub const fn uses(mut self, uses: Uses) -> Self {
        self.uses = uses;
        self
    }

    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Whether it only reads.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.method == Method::GET.as_str()
    }

    /// Names in braces in the path, in order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
