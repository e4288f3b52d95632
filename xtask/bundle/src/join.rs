//! Joins ES modules into few files: a browser fetches, checks and links each one by itself.
//!
//! Every module becomes a function that is called at once, so its names stay its own; what it exports is an object that
//! others take their imports from. Only what our modules use is understood: imports and exports by name at the beginning
//! of a line, no cycles, no values that change after the export. Anything else is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path};

/// Replaces each of the `entries`, files below `root`, by itself and all modules that it needs and no entry before it has;
/// what one before it has is imported from there. Returns the modules of each, those that are needed first.
pub(crate) fn join(root: &Path, entries: &[&str]) -> Result<Vec<Vec<String>>, String> {
    let mut all = Modules { root, read: BTreeMap::new(), places: BTreeMap::new() };
    let mut joined = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let mut names = Vec::new();
        all.gather(entry, index, &mut Vec::new(), &mut names)?;
        if names.last().is_none_or(|last| last != entry) {
            return Err(format!("{entry}: another entry needs it, so it has to stand before that one"));
        }
        joined.push(names);
    }
    for (index, entry) in entries.iter().enumerate() {
        let text = all.write(index, &joined[index], entries)?;
        let file = root.join(entry);
        fs::write(&file, text).map_err(|error| crate::in_file(&file, error))?;
    }
    Ok(joined)
}

/// Modules by their paths below the root.
struct Modules<'a> {
    root: &'a Path,
    read: BTreeMap<String, Module>,
    /// Which entry's file each module goes into.
    places: BTreeMap<String, usize>,
}

struct Module {
    body: String,
    imports: Vec<Import>,
    /// Names that others use, and the module's own for them.
    exports: Vec<(String, String)>,
}

struct Import {
    module: String,
    /// Names there, and here.
    names: Vec<(String, String)>,
}

impl Modules<'_> {
    /// Reads a module and what it needs, the latter first, and notes them in `names` unless they have a place.
    fn gather(
        &mut self,
        name: &str,
        index: usize,
        path: &mut Vec<String>,
        names: &mut Vec<String>,
    ) -> Result<(), String> {
        if path.iter().any(|above| above == name) {
            return Err(format!("{name} needs itself: {}", path.join(", ")));
        }
        if self.places.contains_key(name) {
            return Ok(());
        }
        let file = self.root.join(name);
        let text = fs::read_to_string(&file).map_err(|error| crate::in_file(&file, error))?;
        let module = Module::parse(name, &text)?;
        path.push(name.to_owned());
        for import in &module.imports {
            self.gather(&import.module, index, path, names)?;
        }
        path.pop();
        self.read.insert(name.to_owned(), module);
        self.places.insert(name.to_owned(), index);
        names.push(name.to_owned());
        Ok(())
    }

    /// The file of an entry.
    fn write(&self, index: usize, names: &[String], entries: &[&str]) -> Result<String, String> {
        let entry = entries[index];
        // What comes from other files, and what others take from this one.
        let (mut from, mut lent) = (BTreeMap::<usize, BTreeSet<&str>>::new(), BTreeSet::new());
        for (user, module) in &self.read {
            for import in &module.imports {
                let (user, owner) = (self.places[user], self.places[&import.module]);
                if user == index && owner != index {
                    from.entry(owner).or_default().insert(&import.module);
                } else if owner == index && user != index {
                    lent.insert(variable(&import.module));
                }
            }
        }
        let mut text = String::new();
        for (owner, modules) in from {
            let variables: Vec<_> = modules.into_iter().map(variable).collect();
            text +=
                &format!("import {{ {} }} from \"{}\";\n", variables.join(", "), way(entry, entries[owner]));
        }
        for name in names {
            text += &self.read[name].wrapped(name, &way(entry, name));
        }
        if !lent.is_empty() {
            text += &format!("export {{ {} }};\n", lent.into_iter().collect::<Vec<_>>().join(", "));
        }
        let own = &self.read[entry].exports;
        if own.iter().any(|(name, _)| name == "default") {
            return Err(format!("{entry}: what an entry exports needs a name"));
        }
        if !own.is_empty() {
            let names: Vec<_> = own.iter().map(|(name, _)| name.as_str()).collect();
            text += &format!("export const {{ {} }} = {};\n", names.join(", "), variable(entry));
        }
        Ok(text)
    }
}

impl Module {
    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut module = Self { body: String::new(), imports: Vec::new(), exports: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            let strange = || format!("{name}, line {}: this import or export is not understood", number + 1);
            if let Some(rest) = line.strip_prefix("import ") {
                module.imports.push(import(name, rest).ok_or_else(strange)?);
            } else if let Some(rest) = line.strip_prefix("export {") {
                let names = rest.strip_suffix("};").and_then(pairs).ok_or_else(strange)?;
                module.exports.extend(names.into_iter().map(|(own, other)| (other, own)));
            } else if let Some(rest) = line.strip_prefix("export ") {
                let after = text.lines().skip(number + 1);
                let names = declared(rest, after).ok_or_else(strange)?;
                module.exports.extend(names.into_iter().map(|own| (own.clone(), own)));
                module.body += rest;
            } else if is_left(line) {
                return Err(strange());
            } else {
                module.body += line;
            }
            module.body.push('\n');
        }
        Ok(module)
    }

    /// The module as a statement in a file from which `way` leads to where the module was.
    fn wrapped(&self, name: &str, way: &str) -> String {
        let mut text = format!("const {} = (() => {{\n", variable(name));
        for Import { module, names } in self.imports.iter().filter(|import| !import.names.is_empty()) {
            text += &format!("const {{ {} }} = {};\n", listed(names), variable(module));
        }
        // Files beside the module stay where they are; what is in the same folder finds them as before.
        let moved = way.strip_prefix("./").is_none_or(|way| way.contains('/'));
        text += &if moved {
            self.body.replace("import.meta.url", &format!("new URL(\"{way}\", import.meta.url).href"))
        } else {
            self.body.clone()
        };
        text + &format!("return {{ {} }};\n}})();\n", listed(&self.exports))
    }
}

/// What follows `import`.
fn import(name: &str, rest: &str) -> Option<Import> {
    let rest = rest.trim_end().strip_suffix("\";")?;
    let (names, path) = match rest.strip_prefix('"') {
        Some(path) => (Vec::new(), path),
        None => {
            let (names, path) = rest.strip_prefix('{')?.split_once("} from \"")?;
            (pairs(names)?, path)
        }
    };
    Some(Import { module: resolved(name, path)?, names })
}

/// Names in a list, each with the one that it gets by `as`.
fn pairs(list: &str) -> Option<Vec<(String, String)>> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            let (before, after) = name.split_once(" as ").unwrap_or((name, name));
            (is_name(before) && is_name(after)).then(|| (before.into(), after.into()))
        })
        .collect()
}

/// Whether a line that is none of the known ones imports or exports all the same; a function may do neither, and what is
/// loaded while the page runs would be looked for in another place.
fn is_left(line: &str) -> bool {
    let rest = line.trim_start();
    let rest = rest.strip_prefix("export").or_else(|| rest.strip_prefix("import"));
    let begins =
        rest.is_some_and(|rest| !rest.starts_with(|next| in_name(next) || matches!(next, '.' | ':' | '=')));
    let mut loads = line.match_indices("import(");
    begins || loads.any(|(at, _)| !line[..at].ends_with(|before| in_name(before) || before == '.'))
}

/// The names that a declaration declares which may go on in the lines `after` it.
fn declared<'a>(line: &'a str, after: impl Iterator<Item = &'a str>) -> Option<Vec<String>> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    if let Some(rest) = ["function ", "class "].iter().find_map(|word| line.strip_prefix(word)) {
        return Some(vec![leading_name(rest)?]);
    }
    let lines: Vec<&str> = std::iter::once(line.strip_prefix("const ")?).chain(after).collect();
    constants(&lines.join("\n"))
}

/// The names of the constants in `text` up to the semicolon that ends them; commas and semicolons in brackets, strings and
/// comments are none of theirs. A regular expression that looks like one of those is not understood.
fn constants(text: &str) -> Option<Vec<String>> {
    let mut names = vec![leading_name(text)?];
    let (mut depth, mut rest) = (0_u32, text);
    loop {
        let character = rest.chars().next()?;
        let after = &rest[character.len_utf8()..];
        rest = match character {
            '"' | '\'' | '`' => behind_quote(after, character)?,
            '/' if after.starts_with('/') => after.split_once('\n')?.1,
            '/' if after.starts_with('*') => after.split_once("*/")?.1,
            ';' if depth == 0 => return Some(names),
            ',' if depth == 0 => {
                names.push(leading_name(after.trim_start())?);
                after
            }
            '(' | '[' | '{' => {
                depth += 1;
                after
            }
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                after
            }
            _ => after,
        };
    }
}

/// What follows the end of a string.
fn behind_quote(text: &str, quote: char) -> Option<&str> {
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '\\' => drop(characters.next()?),
            character if character == quote => return Some(characters.as_str()),
            _ => {}
        }
    }
}

/// The name at the beginning.
fn leading_name(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|&character| in_name(character)).collect();
    is_name(&name).then_some(name)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(in_name)
}

fn in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '$')
}

/// Pairs of a name there and a name here, as a pattern or an object has them.
fn listed(names: &[(String, String)]) -> String {
    let names = names
        .iter()
        .map(|(there, here)| if there == here { here.clone() } else { format!("{there}: {here}") });
    names.collect::<Vec<_>>().join(", ")
}

/// The variable that holds what a module exports.
fn variable(name: &str) -> String {
    let name = name.strip_suffix(".js").unwrap_or(name);
    format!("${}", name.replace(|character| !in_name(character), "_"))
}

/// The module that a path names in another one.
fn resolved(from: &str, path: &str) -> Option<String> {
    if !path.starts_with("./") && !path.starts_with("../") {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The relative address of a file in another one, both below the root.
fn way(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').collect();
    let to: Vec<&str> = to.split('/').collect();
    let folders = from.len() - 1;
    let common = (0..folders.min(to.len() - 1)).take_while(|&at| from[at] == to[at]).count();
    let up = if common == folders { "./".to_owned() } else { "../".repeat(folders - common) };
    up + &to[common..].join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_become_one_file_and_keep_their_names() {
        let name = "lib/view.js";
        let text = "import { clamp as bound, EDGE } from \"../math.js\";\nimport \"./style.js\";\n// A view.\nexport class View {}\n\
                    const here = import.meta.url;\nexport async function show() {}\nexport { here as place };\n";
        let module = Module::parse(name, text).unwrap();
        let needs: Vec<_> = module.imports.iter().map(|import| import.module.as_str()).collect();
        assert_eq!(needs, ["math.js", "lib/style.js"]);
        assert_eq!(
            module.wrapped(name, "../lib/view.js"),
            "const $lib_view = (() => {\nconst { clamp: bound, EDGE } = $math;\n\n\n// A view.\nclass View {}\n\
             const here = new URL(\"../lib/view.js\", import.meta.url).href;\nasync function show() {}\n\n\
             return { View, show, place: here };\n})();\n"
        );
        assert!(module.wrapped(name, "./view.js").contains("const here = import.meta.url;"));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for line in [
            "import view from \"./view.js\";",
            "import * as view from \"./view.js\";",
            "import { view } from \"view\";",
            "import { view } from \"../../view.js\";",
            "import { view } from \"./view.js\"; more();",
            "export default class {}",
            "export let view = 1;",
            "export * from \"./view.js\";",
            "export { view } from \"./view.js\";",
            "import{view}from\"./view.js\";",
            "  export const view = 1;",
            "export const view = 1",
            "export const { view } = all;",
            "export const view = 1, { more } = all;",
            "const view = await import(\"./view.js\");",
        ] {
            assert!(Module::parse("lib/desktop.js", line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_constant_of_a_declaration_is_exported() {
        for (text, names) in [
            ("export const view = 1;", "view"),
            ("export const view=1, more = 2;", "view, more"),
            ("export const view = f(1, 2), more = { a, b: [3, 4] }, last = 5; // , none", "view, more, last"),
            ("export const view = \"a, \\\", b\", more = `;`, last = ',';", "view, more, last"),
            (
                "export const view = (a, b) => { // It's, this one's\n    return a;\n} /* the, */, more\n    = 2;",
                "view, more",
            ),
            (
                "export const view = f(\n    1,\n    2,\n),\n    more = 2;\nconst other = 1, another = 2;",
                "view, more",
            ),
        ] {
            let module = Module::parse("lib/view.js", text).unwrap();
            assert_eq!(listed(&module.exports), names, "{text}");
        }
    }

    #[test]
    fn words_are_no_imports() {
        for line in [
            "    import: 1,",
            "const { port } = important();",
            "    exports = reimport(name);",
            "import.meta.url;",
            "// import and export { names }",
            "const text = `export default ${name}`;",
        ] {
            let module = Module::parse("lib/desktop.js", line).unwrap();
            assert_eq!(module.body.trim_end(), line);
        }
    }

    #[test]
    fn files_find_each_other() {
        assert_eq!(way("lib/desktop.js", "lib/view.js"), "./view.js");
        assert_eq!(way("app/main.js", "lib/desktop.js"), "../lib/desktop.js");
        assert_eq!(way("lib/wasm/simd/worker.js", "lib/outbox.js"), "../../outbox.js");
        assert_eq!(way("main.js", "lib/desktop.js"), "./lib/desktop.js");
    }
}
