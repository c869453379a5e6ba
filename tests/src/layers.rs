//! Which module uses which, read from the sources: no circles, and in `shared` nothing uses what stands above it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A module, or something in it, by the names on the way from the root of its crate.
type Name = Vec<String>;

/// The modules of a crate; those that they use by name; those whose names they hand on.
#[derive(Default)]
struct Sources {
    used: BTreeMap<Name, Vec<Name>>,
    handed_on: BTreeMap<Name, BTreeMap<String, Name>>,
}

impl Sources {
    /// Of the library, or the one program, in this folder. The programs of `bin` are above all modules, and tests beside them.
    fn read(folder: &Path) -> Self {
        let mut texts: BTreeMap<Name, String> = BTreeMap::new();
        for file in files(folder) {
            let path = file.strip_prefix(folder).expect("a file of the folder").with_extension("");
            let mut name: Name = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if name[0] == "bin" || name.last().is_some_and(|last| last == "tests") {
                continue;
            }
            name.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
            texts.entry(name).or_default().push_str(&plain(&fs::read_to_string(&file).expect("a source is text")));
        }
        let mut sources = Self::default();
        for (module, text) in &texts {
            let absolute = |path: &Name| absolute(&texts, module, path);
            let (mut used, mut handed_on) = (Vec::new(), BTreeMap::new());
            for (is_public, path) in uses(text) {
                let Some(path) = absolute(&path) else { continue };
                let is_within = path.starts_with(module);
                if let Some(name) = path.last().filter(|_| is_public) {
                    handed_on.insert(name.clone(), path.clone());
                }
                // What a module's own file shows of its parts is no use of them.
                if !(is_public && is_within) {
                    used.push(path);
                }
            }
            used.extend(paths(text).iter().filter_map(absolute));
            sources.used.insert(module.clone(), used);
            sources.handed_on.insert(module.clone(), handed_on);
        }
        sources
    }

    /// The module in which something is written, whoever hands it on.
    fn home(&self, path: &[String]) -> Name {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let length = (0..=path.len()).rev().find(|length| self.used.contains_key(&path[..*length])).unwrap_or_default();
            let (module, rest) = path.split_at(length);
            match rest.first().and_then(|name| self.handed_on.get(module)?.get(name)) {
                Some(further) if *further != path => path = [further.as_slice(), &rest[1..]].concat(),
                _ => return module.to_vec(),
            }
        }
        path
    }

    /// Within each module, which of its parts use which others, all that is within a part being the part.
    fn parts(&self) -> BTreeMap<Name, BTreeMap<String, BTreeSet<String>>> {
        let mut parts: BTreeMap<Name, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (user, used) in &self.used {
            for used in used.iter().map(|path| self.home(path)) {
                let common = user.iter().zip(&used).take_while(|(one, other)| one == other).count();
                if let (Some(user_part), Some(used_part)) = (user.get(common), used.get(common)) {
                    let of_module = parts.entry(user[..common].to_vec()).or_default();
                    of_module.entry(user_part.clone()).or_default().insert(used_part.clone());
                }
            }
        }
        parts
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    let (folders, others): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let sources = others.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    sources.chain(folders.iter().flat_map(|folder| files(folder))).collect()
}

/// Without comments and modules written in place: tests, and the prelude that hands everything on.
fn plain(text: &str) -> String {
    let text: String = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(start) = find_module(rest) {
        plain.push_str(&rest[..start]);
        let mut depth = 0;
        let end = rest[start..].find(|character| {
            depth += i32::from(character == '{') - i32::from(character == '}');
            character == '}' && depth == 0
        });
        rest = &rest[end.map_or(rest.len(), |end| start + end + 1)..];
    }
    plain + rest
}

fn find_module(text: &str) -> Option<usize> {
    let starts = text.match_indices("mod ").map(|(start, _)| start);
    let mut in_place = starts.filter(|start| {
        let is_word = text[..*start].chars().next_back().is_none_or(char::is_whitespace);
        let after = text[start + 4..].trim_start_matches(|character: char| character.is_alphanumeric() || character == '_');
        is_word && after.starts_with(" {")
    });
    in_place.next()
}

/// Every path of every `use`, and whether it is handed on.
fn uses(text: &str) -> Vec<(bool, Name)> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices("use ") {
        let line = text[..start].rsplit('\n').next().unwrap_or_default().trim();
        let is_statement = line.is_empty() || line == "pub" || (line.starts_with("pub(") && line.ends_with(')'));
        if let Some(end) = text[start..].find(';').filter(|_| is_statement) {
            let tree: String = text[start + 4..start + end].split_whitespace().collect::<Vec<_>>().join(" ");
            found.extend(branches(&tree).into_iter().map(|path| (!line.is_empty(), path)));
        }
    }
    found
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn branches(tree: &str) -> Vec<Name> {
    let Some((stem, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        return if path.is_empty() { Vec::new() } else { vec![path.split("::").map(|part| part.trim().to_owned()).collect()] };
    };
    let stem: Name = stem.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let inner = &rest[..rest.rfind('}').unwrap_or(rest.len())];
    let mut depth = 0;
    let parts = inner.split(|character| {
        depth += i32::from(character == '{') - i32::from(character == '}');
        character == ',' && depth == 0
    });
    parts.flat_map(branches).map(|path| [stem.as_slice(), &path].concat()).collect()
}

/// Every path that is written out where it is used.
fn paths(text: &str) -> Vec<Name> {
    let words = text.split(|character: char| !(character.is_alphanumeric() || character == '_' || character == ':'));
    let paths = words.map(|word| word.split("::").map(str::to_owned).collect::<Name>());
    paths.filter(|path| path.len() > 1 && path.iter().all(|part| !part.is_empty())).collect()
}

/// From the root of the crate; `None` for what is of another crate.
fn absolute(modules: &BTreeMap<Name, String>, module: &Name, path: &Name) -> Option<Name> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path[0].as_str() {
        "crate" => Some(path[1..].to_vec()),
        "self" => Some([module.as_slice(), &path[1..]].concat()),
        "super" => Some([&module[..module.len().saturating_sub(ups)], &path[ups..]].concat()),
        first => {
            let part = [module.as_slice(), &[first.to_owned()]].concat();
            modules.contains_key(&part).then(|| [module.as_slice(), path].concat())
        }
    }
}

/// Parts that use one another, directly or by way of others.
fn circle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<&str>> {
    let mut left: BTreeSet<&str> = uses.keys().map(String::as_str).collect();
    // What uses nothing that is left is in no circle.
    while let Some(done) = left.iter().copied().find(|part| !uses[*part].iter().any(|used| left.contains(used.as_str()))) {
        left.remove(done);
    }
    // Nor is what nothing that is left uses.
    while let Some(top) = left.iter().copied().find(|part| !left.iter().any(|user| uses[*user].contains(*part))) {
        left.remove(top);
    }
    (!left.is_empty()).then(|| left.into_iter().collect())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The sources of what is deployed, of the local cloud and of the generator.
fn crates() -> Vec<PathBuf> {
    let domains = fs::read_dir(root().join("functions")).expect("the domains");
    let domains = domains.map(|domain| domain.expect("a domain").path().join("src")).filter(|source| source.is_dir());
    let others = ["shared/src", "local/src", "local/generate/src"].map(|source| root().join(source));
    domains.chain(others).collect()
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for source in crates() {
        for (module, uses) in Sources::read(&source).parts() {
            if let Some(circle) = circle(&uses) {
                circles.push(format!("{} {}: {}", source.display(), module.join("::"), circle.join(", ")));
            }
        }
    }
    assert!(circles.is_empty(), "modules that use one another:\n{}", circles.join("\n"));
}

/// ARCHITECTURE.md lists the layers of `shared`, the lowest first: numbered lines of names in backquotes.
#[test]
fn what_shared_uses_stands_in_a_lower_layer() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let section = text.split("\n## ").find(|section| section.starts_with("Layers")).expect("a section Layers");
    let mut layers: BTreeMap<&str, usize> = BTreeMap::new();
    for line in section.lines() {
        let Some((number, names)) = line.split_once(". ") else { continue };
        let Ok(layer) = number.parse() else { continue };
        layers.extend(names.split('`').skip(1).step_by(2).map(|name| (name, layer)));
    }
    let sources = Sources::read(&root().join("shared/src"));
    let modules: BTreeSet<&str> = sources.used.keys().filter_map(|name| name.first()).map(String::as_str).collect();
    assert_eq!(layers.keys().copied().collect::<BTreeSet<_>>(), modules, "the modules that ARCHITECTURE.md puts into layers");
    let parts = sources.parts();
    let upward: Vec<String> = parts[&Name::new()]
        .iter()
        .flat_map(|(user, used)| used.iter().map(move |used| (user, used)))
        .filter(|(user, used)| layers[used.as_str()] >= layers[user.as_str()])
        .map(|(user, used)| format!("{user} ({}) uses {used} ({})", layers[user.as_str()], layers[used.as_str()]))
        .collect();
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn circles_are_found_whoever_hands_names_on() {
    let folder = std::env::temp_dir().join(format!("balcao-layers-{}", std::process::id()));
    fs::create_dir_all(folder.join("b")).expect("a folder");
    let sources = [
        ("lib.rs", "mod a;\nmod b;\nmod c;\npub use b::Thing;\npub mod prelude {\n    pub use crate::a::A;\n}\n"),
        ("a.rs", "use crate::{c, Thing};\npub struct A;\n"),
        ("b/mod.rs", "mod inner;\npub use inner::Thing;\n"),
        ("b/inner.rs", "// crate::a::A\npub struct Thing;\nfn use_it() { let _ = crate::a::A; }\n"),
        ("c.rs", "pub fn c() {}\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n"),
    ];
    for (name, text) in sources {
        fs::write(folder.join(name), text).expect("a source");
    }
    let parts = Sources::read(&folder).parts();
    assert_eq!(circle(&parts[&Name::new()]), Some(vec!["a", "b"]));
    fs::write(folder.join("b/inner.rs"), "pub struct Thing;\n").expect("a source");
    assert!(Sources::read(&folder).parts().values().all(|uses| circle(uses).is_none()));
    fs::remove_dir_all(folder).expect("the folder goes");
}
