//! A route's declaration: the one place that says where it is reached and what it may fail with.

use std::time::Duration;

use http::Method;

use crate::{
    error::Problem,
    needs::{Privilege, Uses},
    rate::Limit,
};

/// The declaration at the top of each route's file.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    /// Further ways to the same function: see `or`.
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

    /// Further ways to the same function: a path, by the route's own method, or with another one before it: `PATCH /tags/{id}`.
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

    /// Method and path of each way to the function, its own first.
    pub fn ways(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let aliases = self.aliases.iter().map(|alias| alias.split_once(' ').unwrap_or((self.method, alias)));
        std::iter::once((self.method, self.path)).chain(aliases)
    }

    /// Names in braces in the path, in order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn an_alias_may_have_a_method_of_its_own() {
        const ROUTE: Route = Route::put("/tags/{id}").or(&["/labels/{id}", "PATCH /tags/{id}"]);
        let ways: Vec<_> = ROUTE.ways().collect();
        assert_eq!(ways, [("PUT", "/tags/{id}"), ("PUT", "/labels/{id}"), ("PATCH", "/tags/{id}")]);
    }
}
