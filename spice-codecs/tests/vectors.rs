//! Reads the vectors in `tests/data`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

/// One vector: its name and what its line says about it.
pub(crate) struct Vector {
    pub(crate) name: String,
    fields: HashMap<String, String>,
    bin: std::sync::Arc<Vec<u8>>,
}

/// All vectors of a file.
pub(crate) fn load(file: &str) -> Vec<Vector> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let bin = std::sync::Arc::new(fs::read(dir.join(format!("{file}.bin"))).unwrap());
    let text = fs::read_to_string(dir.join(format!("{file}.txt"))).unwrap();
    let line = |line: &str| {
        let (name, rest) = line.split_once(' ').unwrap();
        let fields = rest.split(' ').map(|pair| pair.split_once('=').unwrap());
        let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Vector { name: name.to_owned(), fields, bin: bin.clone() }
    };
    text.lines().map(line).collect()
}

impl Vector {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.fields.get(key).unwrap_or_else(|| panic!("{}: no {key}", self.name))
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.fields.contains_key(key)
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, key: &str) -> T {
        self.text(key).parse().unwrap_or_else(|_| panic!("{}: bad {key}", self.name))
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        (self.number("width"), self.number("height"))
    }

    pub(crate) fn encoded(&self) -> &[u8] {
        self.bytes("encoded")
    }

    pub(crate) fn bytes(&self, key: &str) -> &[u8] {
        let (offset, len) = self.text(key).split_once('+').unwrap();
        let offset: usize = offset.parse().unwrap();
        &self.bin[offset..][..len.parse().unwrap()]
    }

    pub(crate) fn palette(&self) -> Vec<u32> {
        if !self.has("palette") {
            return Vec::new();
        }
        self.text("palette").split(',').map(|entry| u32::from_str_radix(entry, 16).unwrap()).collect()
    }

    /// Compares rows with the hash under `key`.
    pub(crate) fn assert_hash(&self, key: &str, rows: &[u8], how: &str) {
        let hash: String = Sha256::digest(rows).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, self.text(key), "{} {how}", self.name);
    }
}
