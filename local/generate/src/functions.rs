//! The functions of the workspace, each as it describes itself and its file's first lines say.

use std::{
    collections::HashMap,
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Where things are.
pub struct Workspace {
    pub root: PathBuf,
    binaries: PathBuf,
    metadata: Value,
}

/// One binary under `functions/`.
pub struct Function {
    pub name: String,
    /// Its domain.
    pub package: String,
    /// First `//!` line of its file.
    pub headline: String,
    /// The further `//!` lines.
    pub details: Option<String>,
    pub description: Value,
}

impl Function {
    /// A text of the description.
    pub fn text(&self, key: &str) -> Result<&str> {
        self.description[key].as_str().with_context(|| format!("{} describes itself without `{key}`", self.name))
    }

    pub fn is(&self, trigger: &str) -> bool {
        self.description["trigger"] == trigger
    }

    /// Method and path of each way to it, its own first.
    pub fn ways(&self) -> Result<Vec<(&str, &str)>> {
        let aliases = self.description["aliases"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut ways = vec![(self.text("method")?, self.text("path")?)];
        for alias in aliases {
            ways.push(alias.as_str().and_then(|alias| alias.split_once(' ')).context("an alias is `METHOD /path`")?);
        }
        Ok(ways)
    }

    /// What the headline says after the method and path, or the route key, that it starts with.
    pub fn summary(&self) -> &str {
        let has_name = self.is("http") || self.is("websocket");
        let text = if has_name { self.headline.split_once(" — ").map(|(_, text)| text) } else { None };
        text.unwrap_or(&self.headline)
    }
}

impl Workspace {
    pub fn find(root: Option<PathBuf>, binaries: Option<PathBuf>) -> Result<Self> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        if let Some(root) = root {
            command.current_dir(root);
        }
        let output = command.output().context("running cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
        let folder =
            |key: &str| metadata[key].as_str().map(PathBuf::from).with_context(|| format!("cargo metadata has no {key}"));
        let binaries = match binaries {
            Some(binaries) => binaries,
            None => folder("target_directory")?.join("debug"),
        };
        Ok(Self { root: folder("workspace_root")?, binaries, metadata })
    }
}

/// Asks every function of the packages under `functions/`, in order of their names.
pub fn describe_all(workspace: &Workspace) -> Result<Vec<Function>> {
    let folder = workspace.root.join("functions");
    let packages = workspace.metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let mut functions = Vec::new();
    for package in packages {
        let is_function = package["manifest_path"].as_str().is_some_and(|path| Path::new(path).starts_with(&folder));
        let targets = package["targets"].as_array().filter(|_| is_function);
        for target in
            targets.into_iter().flatten().filter(|target| target["kind"][0] == "bin" && target["name"] != package["name"])
        {
            let text = |value: &Value| value.as_str().map(str::to_owned).context("cargo metadata lacks a name");
            let (package, name, file) = (text(&package["name"])?, text(&target["name"])?, text(&target["src_path"])?);
            functions.push(describe(workspace, package, name, Path::new(&file))?);
        }
    }
    functions.sort_by(|one, other| one.name.cmp(&other.name));
    check_names(&functions)?;
    check_exactness(&functions)?;
    Ok(functions)
}

fn describe(workspace: &Workspace, package: String, name: String, file: &Path) -> Result<Function> {
    let binary = workspace.binaries.join(&package);
    ensure!(binary.exists(), "{} is not built: run `make generate` or `make programs`", binary.display());
    let output =
        Command::new(&binary).arg0(&name).arg("--describe").output().with_context(|| format!("running {}", binary.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} --describe failed: {errors}");
    let description = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{name} --describe did not print JSON; is it a debug build?"))?;
    let (headline, details) = doc_lines(file)?;
    let function = Function { name, package, headline, details, description };
    ensure!(function.text("name")? == function.name, "{} calls itself {}", function.name, function.text("name")?);
    check_headline(&function)?;
    Ok(function)
}

/// The first `//!` line of a file and what follows it.
pub fn doc_lines(file: &Path) -> Result<(String, Option<String>)> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let mut lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let headline = lines.next().filter(|line| !line.is_empty());
    let headline = headline.with_context(|| format!("{} does not start with a `//!` line", file.display()))?.to_owned();
    let details = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    Ok((headline, Some(details).filter(|details| !details.is_empty())))
}

/// The first line of a route's file names the method and path that its declaration does, maybe with a query, then says what it does.
fn check_headline(function: &Function) -> Result<()> {
    if !function.is("http") {
        return Ok(());
    }
    let wanted = format!("{} {}", function.text("method")?, function.text("path")?);
    let rest = function.headline.strip_prefix(&wanted).filter(|rest| rest.starts_with([' ', '?']) && rest.contains(" — "));
    ensure!(rest.is_some(), "the first line of {}.rs must be like `//! {wanted} — what it does`", function.name);
    Ok(())
}

/// Functions are told apart by name, by route and by route key.
fn check_names(functions: &[Function]) -> Result<()> {
    let mut taken: HashMap<String, &str> = HashMap::new();
    for function in functions {
        let mut keys = vec![format!("logical id {}", crate::names::logical_id(&function.name))];
        match function.text("trigger")? {
            "http" => {
                keys.extend(function.ways()?.iter().map(|(method, path)| format!("route {method} {}", without_names(path))));
            }
            "websocket" => keys.push(format!("route key {}", function.text("route_key")?.to_ascii_lowercase())),
            "queue" => keys.push(format!("queue {}", function.text("queue")?)),
            "schedule" => {}
            other => bail!("{} has the unknown trigger {other}", function.name),
        }
        for key in keys {
            if let Some(other) = taken.insert(key.clone(), &function.name) {
                bail!("{} and {other} have the same {key}", function.name);
            }
        }
    }
    Ok(())
}

/// A path with what its parameters are.
#[derive(Clone, Copy)]
struct Way<'a> {
    path: &'a str,
    /// The schemas of its parameters, in order.
    parameters: &'a Value,
}

/// Of two paths that the same request fits, one is the more exact in every segment: nobody has to know how a gateway weighs them.
fn check_exactness(functions: &[Function]) -> Result<()> {
    let mut ways = Vec::new();
    for function in functions.iter().filter(|function| function.is("http")) {
        let parameters = &function.description["parameters"];
        ways.extend(function.ways()?.into_iter().map(|(method, path)| (method, Way { path, parameters })));
    }
    for (index, (method, way)) in ways.iter().enumerate() {
        let rival = ways[..index].iter().find(|(other_method, other)| method == other_method && are_rivals(*way, *other));
        if let Some((_, other)) = rival {
            bail!("a {method} request may fit both {} and {}, and neither is the more exact", way.path, other.path);
        }
    }
    Ok(())
}

impl Way<'_> {
    /// Its segments, and whether each is a literal (`None`), the id of a row (`Some(true)`) or any other parameter.
    fn segments(&self) -> impl Iterator<Item = (&str, Option<bool>)> {
        let mut position = 0;
        self.path.split('/').map(move |segment| {
            let kind = segment.starts_with('{').then(|| {
                position += 1;
                self.parameters[position - 1]["format"] == "uuid"
            });
            (segment, kind)
        })
    }
}

/// Whether each of two is the more exact in some segment. Where it is a literal against an id, every time, what fits both is no request that
/// either would take (`/clients/imports/history` beside `/clients/imports/{id}` and `/clients/{id}/history`), so it does not matter which gets it.
fn are_rivals(way: Way, other: Way) -> bool {
    let pairs: Vec<_> = way.segments().zip(other.segments()).collect();
    way.path.split('/').count() == other.path.split('/').count()
        && pairs.iter().all(|((part, kind), (other, other_kind))| part == other || kind.is_some() || other_kind.is_some())
        && pairs.iter().any(|((_, kind), (_, other))| kind.is_some() && other.is_none())
        && pairs.iter().any(|((_, kind), (_, other))| kind.is_none() && other.is_some())
        && pairs.iter().any(|(one, other)| is_open_crossing(*one, *other) || is_open_crossing(*other, *one))
}

/// Whether a literal stands where the other path takes more than ids.
fn is_open_crossing((literal, kind): (&str, Option<bool>), (_, other): (&str, Option<bool>)) -> bool {
    kind.is_none() && (other == Some(false) || other == Some(true) && is_id(literal))
}

fn is_id(literal: &str) -> bool {
    let digits = literal.replace('-', "");
    digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// A path with its parameters made alike: `/a/{id}` and `/a/{name}` are the same route.
fn without_names(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Way, are_rivals};

    /// Either way round. A parameter is an id where its name ends in `id`.
    fn cross(path: &str, other: &str) -> bool {
        let parameters = |path: &str| {
            let names = path.split('/').filter(|part| part.starts_with('{'));
            let schema = |name: &str| {
                if name.ends_with("id}") { json!({"type": "string", "format": "uuid"}) } else { json!({"type": "string"}) }
            };
            names.map(schema).collect::<Value>()
        };
        let (of_path, of_other) = (parameters(path), parameters(other));
        let (way, rival) = (Way { path, parameters: &of_path }, Way { path: other, parameters: &of_other });
        assert_eq!(are_rivals(way, rival), are_rivals(rival, way), "{path} {other}");
        are_rivals(way, rival)
    }

    #[test]
    fn a_literal_beside_a_parameter_is_exact_and_crosswise_they_are_not() {
        for (path, other) in [
            ("/conversations/counts", "/conversations/{id}"),
            ("/a/{id}/b", "/a/{id}/{kind}"),
            ("/a/{id}", "/a"),
            ("/a/{kind}/b", "/a/{kind}/c"),
        ] {
            assert!(!cross(path, other), "{path} {other}");
        }
        assert!(cross("/conversations/{id}/messages", "/conversations/counts/{kind}"));
        assert!(cross("/conversations/{name}/messages", "/conversations/counts/{id}"));
        assert!(cross("/a/{name}/b", "/a/c/{kind}"));
    }

    #[test]
    fn where_literals_cross_ids_alone_no_request_fits_both() {
        assert!(!cross("/clients/imports/{id}", "/clients/{id}/history"));
        assert!(!cross("/clients/imports/{id}/{kind}", "/clients/{id}/history/{kind}"));
        // One crossing of another kind is enough.
        assert!(cross("/clients/imports/{id}/words", "/clients/{id}/history/{kind}"));
        assert!(cross("/clients/3f2b8c1e-0000-4000-8000-000000000000/{id}", "/clients/{id}/history"));
    }

    #[test]
    fn parameters_without_a_schema_are_no_ids() {
        let nothing = Value::Null;
        let way = |path| Way { path, parameters: &nothing };
        assert!(are_rivals(way("/clients/imports/{id}"), way("/clients/{id}/history")));
    }
}
