//! The order of the floors, as the docs of `lib.rs` show it.

use super::source::File;

/// The floors from the top down, each with the paths of its modules.
pub struct Table(Vec<Vec<Vec<String>>>);

impl Table {
    /// Reads the table out of docs.
    pub fn read(docs: &str) -> Result<Self, String> {
        let lines = docs.lines().map(str::trim);
        let mut lines = lines.skip_while(|line| first_cell(line).is_none_or(|cell| cell != "floor"));
        if lines.next().is_none() {
            return Err("its docs have no table whose first heading is `floor`".into());
        }
        let cells = lines.skip(1).map_while(first_cell);
        let floors = cells.map(|cell| {
            let modules = cell.split(',').map(|name| {
                let name = name.trim().strip_prefix('`').and_then(|name| name.strip_suffix('`'));
                name.map(|name| name.split("::").map(str::to_owned).collect())
            });
            modules.collect::<Option<_>>().ok_or_else(|| format!("{cell}: modules in backticks, with commas between"))
        });
        floors.collect::<Result<_, _>>().map(Self)
    }

    /// On which floor a file is, counted from the top, for which `lib.rs` itself counts.
    pub fn floor_of(&self, file: &File) -> Option<usize> {
        if file.module.is_empty() {
            return Some(0);
        }
        let rows = self.0.iter().enumerate().flat_map(|(floor, names)| names.iter().map(move |name| (floor, name)));
        let rows = rows.filter(|(_, name)| file.module.starts_with(name));
        rows.max_by_key(|(_, name)| name.len()).map(|(floor, _)| floor + 1)
    }

    /// A floor as the table names it.
    pub fn name(&self, floor: usize) -> String {
        let Some(names) = floor.checked_sub(1).and_then(|floor| self.0.get(floor)) else { return "`lib.rs`".into() };
        let names = names.iter().map(|name| format!("`{}`", name.join("::")));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Files without a floor, and names without a file.
    pub fn unknown(&self, files: &[File]) -> Vec<String> {
        let homeless = files.iter().filter(|file| self.floor_of(file).is_none());
        let homeless = homeless.map(|file| format!("lib.rs: no row of the table names {}", file.path));
        let names = self.0.iter().flatten();
        let empty = names.filter(|name| !files.iter().any(|file| file.module.starts_with(name)));
        let empty = empty.map(|name| format!("lib.rs: the table names `{}`, which is not there", name.join("::")));
        homeless.chain(empty).collect()
    }
}

/// The first cell of a row of a table.
fn first_cell(line: &str) -> Option<&str> {
    line.strip_prefix('|')?.split('|').next().map(str::trim)
}
