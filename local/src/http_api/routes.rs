//! Which route of which API a request belongs to.

use std::collections::HashMap;

use http::Method;

use crate::template::{HttpApiDefinition, RouteDefinition};

/// One route, ready to be put into an event.
#[derive(Debug)]
pub(super) struct Route {
    /// `GET /contacts/{id}`
    pub key: String,
    pub function: String,
    parameters: Vec<String>,
}

/// A route and the values of its path parameters.
pub(super) struct Matched<'a> {
    pub route: &'a Route,
    pub parameters: Vec<(&'a str, String)>,
}

/// The routes of one API as a tree of path segments.
#[derive(Default)]
pub(super) struct RouteTable {
    routes: Vec<Route>,
    root: Node,
    default: Option<usize>,
}

#[derive(Default)]
struct Node {
    literals: HashMap<String, Node>,
    variable: Option<Box<Node>>,
    /// Routes that end here.
    methods: Methods,
    /// Routes whose `{name+}` starts here.
    greedy: Methods,
}

#[derive(Default)]
struct Methods {
    named: Vec<(Method, usize)>,
    any: Option<usize>,
}

impl Methods {
    fn insert(&mut self, method: &str, route: usize) {
        match method.parse() {
            Ok(method) if method != "ANY" => self.named.push((method, route)),
            _ => self.any = Some(route),
        }
    }

    fn find(&self, method: &Method) -> Option<usize> {
        self.named.iter().find(|(named, _)| named == method).map(|(_, route)| *route).or(self.any)
    }
}

impl RouteTable {
    pub fn new(definitions: &[RouteDefinition]) -> Self {
        let mut table = Self::default();
        for definition in definitions {
            table.insert(definition);
        }
        table
    }

    fn insert(&mut self, definition: &RouteDefinition) {
        let index = self.routes.len();
        let mut parameters = Vec::new();
        let mut node = &mut self.root;
        let mut greedy = false;
        if definition.path == "$default" {
            self.default = Some(index);
            self.routes.push(Route { key: "$default".to_owned(), function: definition.function.clone(), parameters });
            return;
        }
        for segment in segments(&definition.path) {
            match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
                Some(name) if name.ends_with('+') => {
                    parameters.push(name.trim_end_matches('+').to_owned());
                    greedy = true;
                    break;
                }
                Some(name) => {
                    parameters.push(name.to_owned());
                    node = node.variable.get_or_insert_default();
                }
                None => node = node.literals.entry(segment.to_owned()).or_default(),
            }
        }
        let methods = if greedy { &mut node.greedy } else { &mut node.methods };
        methods.insert(&definition.method, index);
        let key = format!("{} {}", definition.method, definition.path);
        self.routes.push(Route { key, function: definition.function.clone(), parameters });
    }

    /// `path` is decoded and starts with a slash. A full match beats a greedy one, which beats `$default`.
    pub fn find(&self, method: &Method, path: &str) -> Option<Matched<'_>> {
        let segments: Vec<&str> = segments(path).collect();
        let mut values = Vec::new();
        let found = full_match(&self.root, method, &segments, &mut values).or_else(|| {
            values.clear();
            greedy_match(&self.root, method, &segments, &mut values)
        });
        let route = match found {
            Some(route) => &self.routes[route],
            None => &self.routes[self.default?],
        };
        let parameters = route.parameters.iter().map(String::as_str).zip(values).collect();
        Some(Matched { route, parameters })
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    // The root has no segment at all.
    path.split('/').filter(move |_| !path.is_empty())
}

fn full_match(node: &Node, method: &Method, segments: &[&str], values: &mut Vec<String>) -> Option<usize> {
    let Some((first, rest)) = segments.split_first() else {
        return node.methods.find(method);
    };
    if let Some(found) = node.literals.get(*first).and_then(|next| full_match(next, method, rest, values)) {
        return Some(found);
    }
    let next = node.variable.as_deref().filter(|_| !first.is_empty())?;
    values.push((*first).to_owned());
    let found = full_match(next, method, rest, values);
    if found.is_none() {
        values.pop();
    }
    found
}

fn greedy_match(node: &Node, method: &Method, segments: &[&str], values: &mut Vec<String>) -> Option<usize> {
    let (first, rest) = segments.split_first()?;
    if let Some(found) = node.literals.get(*first).and_then(|next| greedy_match(next, method, rest, values)) {
        return Some(found);
    }
    if let Some(next) = &node.variable {
        values.push((*first).to_owned());
        if let Some(found) = greedy_match(next, method, rest, values) {
            return Some(found);
        }
        values.pop();
    }
    let found = node.greedy.find(method)?;
    values.push(segments.join("/"));
    Some(found)
}

/// All APIs behind one host name: the longest mapping key wins.
pub(super) struct Mappings {
    /// Key with a leading slash, or empty; and the index of the API. Longest first.
    keys: Vec<(String, usize)>,
}

impl Mappings {
    pub fn new(apis: &[HttpApiDefinition]) -> Self {
        let of_api = |(index, api): (usize, &HttpApiDefinition)| {
            let key = |path: &String| {
                if path.is_empty() { String::new() } else { format!("/{path}") }
            };
            api.base_paths.iter().map(|path| (key(path), index)).collect::<Vec<_>>()
        };
        let mut keys: Vec<(String, usize)> = apis.iter().enumerate().flat_map(of_api).collect();
        keys.sort_by_key(|(key, _)| std::cmp::Reverse(key.len()));
        Self { keys }
    }

    /// The API's index and the path without its key.
    pub fn find<'a>(&self, path: &'a str) -> Option<(usize, &'a str)> {
        self.keys.iter().find_map(|(key, api)| {
            let rest = path.strip_prefix(key.as_str())?;
            match rest {
                "" => Some((*api, "/")),
                rest if rest.starts_with('/') => Some((*api, rest)),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(routes: &[(&str, &str)]) -> RouteTable {
        let routes: Vec<RouteDefinition> = routes
            .iter()
            .map(|(method, path)| RouteDefinition {
                method: (*method).into(),
                path: (*path).into(),
                function: format!("{method} {path}"),
            })
            .collect();
        RouteTable::new(&routes)
    }

    fn found(table: &RouteTable, method: &Method, path: &str) -> Option<String> {
        table.find(method, path).map(|matched| {
            let values: Vec<String> = matched.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("{} [{}]", matched.route.key, values.join(","))
        })
    }

    #[test]
    fn the_most_exact_route_wins() {
        let table = table(&[
            ("GET", "/leads/{id}"),
            ("GET", "/leads/export"),
            ("PUT", "/leads/{lead}"),
            ("ANY", "/leads/{id}/notes"),
            ("POST", "/leads/{id}/notes"),
            ("GET", "/{proxy+}"),
            ("GET", "/files/{path+}"),
            ("GET", "/"),
        ]);
        let cases = [
            (Method::GET, "/leads/export", "GET /leads/export []"),
            (Method::GET, "/leads/7", "GET /leads/{id} [id=7]"),
            (Method::PUT, "/leads/export", "PUT /leads/{lead} [lead=export]"),
            (Method::POST, "/leads/7/notes", "POST /leads/{id}/notes [id=7]"),
            (Method::DELETE, "/leads/7/notes", "ANY /leads/{id}/notes [id=7]"),
            (Method::GET, "/files/a/b", "GET /files/{path+} [path=a/b]"),
            (Method::GET, "/leads/7/other", "GET /{proxy+} [proxy=leads/7/other]"),
            (Method::GET, "/", "GET / []"),
        ];
        for (method, path, expected) in cases {
            assert_eq!(found(&table, &method, path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(found(&table, &Method::POST, "/leads/7"), None);
        assert_eq!(found(&table, &Method::PUT, "/leads/"), None);
        assert_eq!(found(&table, &Method::PUT, "/Leads/7"), None);
    }

    #[test]
    fn a_literal_path_never_falls_into_the_parameter_of_another() {
        let literal_last = table(&[
            ("GET", "/conversations/{id}"),
            ("PUT", "/conversations/{id}"),
            ("PATCH", "/conversations/{id}"),
            ("GET", "/conversations/{id}/messages"),
            ("GET", "/conversations/counts"),
            ("GET", "/conversations/counts/today"),
        ]);
        let cases = [
            (Method::GET, "/conversations/counts", "GET /conversations/counts []"),
            (Method::GET, "/conversations/counts/today", "GET /conversations/counts/today []"),
            (Method::GET, "/conversations/count", "GET /conversations/{id} [id=count]"),
            (Method::PATCH, "/conversations/7", "PATCH /conversations/{id} [id=7]"),
            (Method::PUT, "/conversations/7", "PUT /conversations/{id} [id=7]"),
            // The gateway weighs routes of the request's method only.
            (Method::GET, "/conversations/counts/messages", "GET /conversations/{id}/messages [id=counts]"),
            (Method::PUT, "/conversations/counts", "PUT /conversations/{id} [id=counts]"),
        ];
        for (method, path, expected) in cases {
            assert_eq!(found(&literal_last, &method, path).as_deref(), Some(expected), "{method} {path}");
        }
    }

    #[test]
    fn the_longest_mapping_key_wins() {
        let api = |paths: &[&str]| HttpApiDefinition {
            logical_id: String::new(),
            base_paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            routes: Vec::new(),
            cors: None,
            throttle: None,
        };
        let mappings = Mappings::new(&[api(&["", "api", "api/v1"]), api(&["widget"])]);
        assert_eq!(mappings.find("/api/v1/leads"), Some((0, "/leads")));
        assert_eq!(mappings.find("/api/leads"), Some((0, "/leads")));
        assert_eq!(mappings.find("/apiary"), Some((0, "/apiary")));
        assert_eq!(mappings.find("/widget"), Some((1, "/")));
        assert_eq!(mappings.find("/widget/config"), Some((1, "/config")));
    }
}
